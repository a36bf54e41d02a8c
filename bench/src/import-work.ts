// node bench/src/import-work.ts [--runs 10000] [--points 500] [--keep FOLDER]
//
// How fast `plinth import mlflow` brings over a SQLite database of MLflow 3.17.2 (its own schema, made by itself), and
// how much memory that takes. The bar is 100,000 runs with 50 million points (--runs 100000) in 30 minutes.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { removeFolder } from "./postgres.ts";
import { run } from "./process.ts";
import { ensurePeer, note, root } from "./setup.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    points: { type: "string", default: "500" },
    keep: { type: "string" },
  },
});
const runs = Number(values.runs);
const points = Number(values.points);
const METRICS = 10;

/** MLflow's own code makes the schema; the rows are written into it by SQL, as MLflow would write them. */
function makeSource(file: string): void {
  const python = join(ensurePeer("mlflow"), "bin", "python");
  note("making the schema ...");
  run(python, [
    "-c",
    `import mlflow; mlflow.set_tracking_uri("sqlite:///${file}"); mlflow.search_experiments()`,
  ]);
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000");
  const experiments = 20;
  database.exec(`
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ${experiments})
    insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
    select i, 'bench ' || i, 'mlflow-artifacts:/' || i, 'active', 1700000000000, 1700000000000 from n`);
  // A multiplicative hash: ids in no order, as uuids are.
  const uuid = "printf('%08x%08x%016x', (i * 2654435761) & 4294967295, i, i * 40503)";
  for (let first = 1; first <= runs; first += 1000) {
    const last = Math.min(runs, first + 999);
    const each = `with recursive n (i) as (select ${first} union all select i + 1 from n where i < ${last})`;
    const steps = Math.ceil(points / METRICS);
    const series = `, s (value) as (select 1 union all select value + 1 from s where value < ${steps})`;
    const keyed = (count: number, name: string): string =>
      `, c (j) as (select 1 union all select j + 1 from c where j < ${count}), k (key, j) as (select '${name}' || j, j from c)`;
    database.exec(`begin;
      ${each} insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
          end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
        select ${uuid}, 'run-' || i, 'UNKNOWN', '', '', 'bench', 'FINISHED', 1700000000000 + i * 1000,
          1700000000000 + i * 1000 + 500000, '', 'active', 'mlflow-artifacts:/' || (i % ${experiments} + 1) || '/' || ${uuid}
            || '/artifacts', i % ${experiments} + 1 from n;
      ${each}${keyed(10, "param_")} insert into params (key, value, run_uuid) select key, 'value ' || (i % 50), ${uuid} from n, k;
      ${each}${keyed(5, "tag_")} insert into tags (key, value, run_uuid) select key, 'value ' || (i % 50), ${uuid} from n, k;
      ${each}${keyed(METRICS, "metric_")}${series} insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
        select key, abs((i * 7919 + j * 31 + s.value * 104729) % 1000003) / 1000003.0, 1700000000000 + i * 1000 + s.value * 100,
          ${uuid}, s.value, 0
        from n, k, s;
      ${each}${keyed(METRICS, "metric_")} insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan)
        select key, abs((i * 7919 + j * 31 + s.value * 104729) % 1000003) / 1000003.0, 1700000000000 + i * 1000 + s.value * 100,
          ${uuid}, s.value, 0
        from n, k, (select ${steps} as value) as s;
      commit;`);
    if (first % 10_000 === 1) note(`${last} of ${runs} runs written`);
  }
  database.close();
}

/** The most memory that a process has held, in MiB. */
function peakOf(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) / 1024;
}

async function runImport(file: string, dataDir: string): Promise<void> {
  const start = performance.now();
  const args = [
    join(root, "cli", "src", "main.ts"),
    "import",
    "mlflow",
    file,
    "--json",
    "--data-dir",
    dataDir,
  ];
  const child = spawn(join(root, "node_modules", ".bin", "node"), args, {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let peak = 0;
  let answer = "";
  const seen: string[] = [];
  const sampling = setInterval(() => {
    if (child.pid !== undefined && child.exitCode === null) peak = Math.max(peak, peakOf(child.pid));
  }, 500);
  child.stdout.on("data", (chunk: Buffer) => (answer += chunk.toString("utf8")));
  createInterface({ input: child.stderr }).on("line", (line) => {
    seen.push(line);
    if (seen.length % 20 === 0) note(`${line}, ${Math.round(peak)} MiB`);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(sampling);
  if (code !== 0) throw new Error(`The import ended with ${code}: ${seen.slice(-5).join("\n")}`);
  const seconds = (performance.now() - start) / 1000;
  const report = JSON.parse(answer) as {
    runs_compared: number;
    entities: { entity: string; plinth: number }[];
  };
  const stored = report.entities.find((one) => one.entity === "points")?.plinth ?? 0;
  process.stdout.write(
    `${report.runs_compared} runs with ${stored} points in ${seconds.toFixed(1)} s, verification and all: ` +
      `${Math.round(stored / seconds)} points a second; at most ${Math.round(peak)} MiB in the importing process\n`,
  );
}

const folder = values.keep ?? mkdtempSync(join(tmpdir(), "plinth-import-bench-"));
mkdirSync(folder, { recursive: true });
// The embedded PostgreSQL runs as another user.
chmodSync(folder, 0o755);
const file = join(folder, `source-${runs}-${points}.db`);
try {
  if (!existsSync(file)) makeSource(file);
  removeFolder(join(folder, "plinth"));
  await runImport(file, join(folder, "plinth"));
} finally {
  if (values.keep === undefined) removeFolder(folder);
}
