import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../server/test/harness.ts";
import { newFolder, plinth, spawnPlinth, whenReady } from "./plinth.ts";

const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];
const MAIN = fileURLToPath(new URL("../src/plinth.mjs", import.meta.url));

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The database of the test server as users name theirs. */
function databaseUrl(): string[] {
  const { host, port, user, password, database } = server.connection;
  const query = new URLSearchParams({ host, port: String(port) });
  return [
    "--database-url",
    `postgres://${user}:${encodeURIComponent(password)}@/${database}?${query.toString()}`,
  ];
}

async function post(address: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${address}/api/2.0/mlflow/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect([path, response.status]).toEqual([path, 200]);
}

test("export works with a running Plinth and without one", async () => {
  await using folder = await newFolder();
  const dataDir = ["--data-dir", join(folder.path, "data")];
  const up = spawnPlinth(["up", ...anyPorts, ...dataDir]);
  const { http } = await whenReady(up, join(folder.path, "data"));
  await post(http ?? "", "experiments/create", { name: "kept" });
  for (const when of ["running", "stopped"]) {
    const output = join(folder.path, when);
    const { code, stdout, stderr } = await plinth([
      "export",
      "--json",
      "--output",
      output,
      "--format",
      "jsonl",
      ...dataDir,
    ]);
    expect([when, code, stderr]).toEqual([when, 0, ""]);
    const manifest: unknown = JSON.parse(stdout);
    expect(manifest).toEqual(JSON.parse(await readFile(join(output, "manifest.json"), "utf8")));
    expect(await readFile(join(output, "experiments.jsonl"), "utf8")).toContain('"name":"kept"');
    if (when === "running") {
      up.kill("SIGTERM");
      await up.ended;
    }
  }
});

test("export says what it wrote, to people too", async () => {
  await using folder = await newFolder();
  const output = join(folder.path, "out");
  const { code, stdout } = await plinth(["export", "--output", output, ...databaseUrl()]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^FILE +ROWS +BYTES\n/);
  expect(stdout).toMatch(/\nexperiments.parquet +1 +\d+\n/);
  expect(stdout).toContain(`Written to ${output}.`);
  const again = await plinth(["export", "--output", output, ...databaseUrl()]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`${output} is not empty.`)]);
  expect((await plinth(["export", "--output", output, "--overwrite", ...databaseUrl()])).code).toBe(0);
});

test("export refuses what it does not understand, and makes no database to export it", async () => {
  await using folder = await newFolder();
  const output = ["--output", join(folder.path, "out")];
  for (const [args, message, exitCode] of [
    [[], "required option '--output <folder>' not specified", 2],
    [[...output, "--format", "csv"], "--format: 'csv' is not one of parquet, jsonl.", 2],
    [[...output, "--wide-columns", "many"], "--wide-columns: 'many' is not a number from 0 to 10000.", 2],
    [[...output, "--wide-columns", "10001"], "--wide-columns: '10001' is not a number from 0 to 10000.", 2],
    [[...output, "--data-dir", join(folder.path, "none")], "There is no database in", 3],
    [
      [...output, ...databaseUrl(), "--experiment", "nobody"],
      "no experiment with the id or name 'nobody'",
      1,
    ],
  ] as const) {
    const { code, stderr } = await plinth(["export", ...args]);
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(message)]);
  }
  expect(await readdir(folder.path)).toEqual([]);
});

test("a full disk is said, and nothing stays on it", async (context) => {
  await using folder = await newFolder();
  const mount = join(folder.path, "small");
  await mkdir(mount);
  // A file system of 64 KiB, in a mount namespace of its own.
  const inside =
    'mount -t tmpfs -o size=64k tmpfs "$1" && shift && "$@"; code=$?; ls -A "$LISTED"; exit $code';
  const asUser = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const command = [process.execPath, MAIN, "export", "--output", join(mount, "out"), ...databaseUrl()];
  await post(server.url, "runs/create", { experiment_id: "0", tags: manyTags() });
  const child = spawnSync("unshare", [...asUser, "--mount", "sh", "-c", inside, "sh", mount, ...command], {
    encoding: "utf8",
    env: { ...process.env, LISTED: mount },
  });
  if (process.env["CI"] !== "true" && /unshare|mount:/.test(child.stderr)) {
    context.skip(`no small file system can be mounted here: ${child.stderr}`);
  }
  expect(child.stderr).toContain("there is no space left on the disk.");
  expect([child.status, child.stdout]).toEqual([1, ""]);
});

/** 200 KiB that do not compress. */
function manyTags(): { key: string; value: string }[] {
  const value = (seed: number): string =>
    Array.from({ length: 2000 }, (_, index) =>
      String.fromCharCode(33 + ((seed * 7919 + index * index * 31) % 93)),
    ).join("");
  return Array.from({ length: 100 }, (_, index) => ({ key: `tag ${index}`, value: value(index) }));
}

test("an export that is stopped or killed leaves nothing that looks whole", async () => {
  await using folder = await newFolder();
  await server.database.prepared({ name: "test_many_runs", text: MANY_POINTS }, []);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const child = spawnPlinth([
      "export",
      "--output",
      join(folder.path, signal),
      "--format",
      "jsonl",
      ...databaseUrl(),
    ]);
    while (child.exitCode === null && !(await hasPoints(folder.path))) await sleep(5);
    child.kill(signal);
    const { code, stderr } = await child.ended;
    const left = await readdir(folder.path);
    if (signal === "SIGTERM") {
      expect([code, stderr, left]).toEqual([
        1,
        expect.stringContaining("plinth: Stopped; nothing was left behind.\n"),
        [],
      ]);
    } else {
      expect([code, left]).toEqual([null, [expect.stringMatching(/^\.SIGKILL\.partial-/)]]);
      expect(existsSync(join(folder.path, left[0] ?? "", "manifest.json"))).toBe(false);
    }
  }
});

/** So many that an export cannot be done with them before it is stopped. */
const MANY_POINTS = `
  with run as (
    insert into tracking.runs (experiment_id, run_uuid, name, user_id, status, start_time, artifact_uri)
    values (0, 'many', '', '', 1, 0, '') returning run_id
  ), key as (
    insert into tracking.keys (key) values ('many points') returning key_id
  ), series as (
    insert into tracking.run_metrics (value, timestamp, step, run_id, key_id, experiment_id)
    select 0, 0, 0, run_id, key_id, 0 from run, key returning series_id
  )
  insert into tracking.metric_points (value, timestamp, series_id, step)
  select 0, step, series_id, step from series, generate_series(1, 1000000) as step`;

/** Whether an export below is in the middle of its points. */
async function hasPoints(folder: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name, "metrics.jsonl")).catch(() => undefined);
    if (name.includes("partial") && found !== undefined && found.size > 0) return true;
  }
  return false;
}
