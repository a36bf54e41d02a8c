// ZenML's control plane beside the real ZenML 0.98.0 server: node bench/src/zenml-work.ts [--quick] [--only NAME,...]
// The real server on SQLite behind uvicorn, Plinth on its embedded PostgreSQL with durable commits; the same requests,
// on one connection, one after another, but for the 50 pipelines at once. Data is the same on both: runs written
// through the API, then clones of one of them with snapshots of their own.
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import { median } from "./measurement.ts";
import { query, readVersion, removeFolder } from "./postgres.ts";
import { run as runProgram, stopEverything } from "./process.ts";
import { ensurePeer, note } from "./setup.ts";
import { openApi, type ZenmlApi } from "./zenml/api.ts";
import { beginRun, cloneRuns, readPlace, writeSteps, type Run } from "./zenml/runs.ts";
import { memoryOf, startPlinth, startZenml, type ZenmlServer } from "./zenml/servers.ts";

const { values } = parseArgs({
  options: {
    // Fewer steps.
    quick: { type: "boolean", default: false },
    // The peer is slow: leave it out while working on Plinth.
    alone: { type: "boolean", default: false },
    // Parts of names of work, by commas; "pages" is all that is read.
    only: { type: "string" },
  },
});

type Numbers = Map<string, number>;
type Bar = { name: string; unit: string; atLeast?: number; atMost?: number };

const steps = values.quick ? 200 : 1000;
const bars: readonly Bar[] = [
  { name: "client waits for 100 steps", unit: "s", atLeast: 10 },
  { name: `writing ${steps} steps`, unit: "s", atLeast: 15 },
  { name: "runs, of 2,000", unit: "ms", atLeast: 8 },
  { name: "runs, of 20,000", unit: "ms", atLeast: 8 },
  { name: "runs, of 100,000", unit: "ms" },
  { name: "DAG of 300 steps", unit: "ms", atLeast: 10 },
  { name: `DAG of ${steps} steps`, unit: "ms", atLeast: 10 },
  { name: "DAG of 3000 steps", unit: "ms", atMost: 100 },
  { name: `steps?size=1000 of ${steps}`, unit: "ms", atLeast: 15 },
  { name: "first start", unit: "s", atLeast: 1 },
  { name: "warm start", unit: "s", atLeast: 1 },
  { name: "memory, idle", unit: "MiB", atLeast: 1 },
  { name: "memory, after the same work", unit: "MiB", atLeast: 1 },
  { name: "memory, after all of this", unit: "MiB" },
];

const wants = (name: string): boolean =>
  values.only === undefined || values.only.split(",").some((part) => name.includes(part));

/** The median of so many answers, in milliseconds; the first ones warm caches up. */
async function timed(api: ZenmlApi, path: string, count = 15): Promise<number> {
  for (let at = 0; at < 3; at++) await api.call("GET", path);
  const times: number[] = [];
  for (let at = 0; at < count; at++) times.push((await api.call("GET", path)).milliseconds);
  return median(times, (one) => one);
}

type Side = {
  readonly server: ZenmlServer;
  readonly folder: string;
  readonly numbers: Numbers;
  readonly api: ZenmlApi;
  readonly place: Awaited<ReturnType<typeof readPlace>>;
  /** The run that was written last. */
  written: string;
  put(name: string, value: number): void;
};

/** Starts, and what an idle server takes. */
async function open(server: ZenmlServer, folder: string): Promise<Side> {
  const numbers: Numbers = new Map();
  const put = (name: string, value: number): void => {
    numbers.set(name, value);
    note(`${server.name}: ${name}: ${value.toFixed(2)}`);
  };
  put("first start", server.startSeconds);
  const warm: number[] = [];
  for (let at = 0; at < 3; at++) {
    await server.restart();
    warm.push(server.startSeconds);
  }
  put(
    "warm start",
    median(warm, (one) => one),
  );
  put("memory, idle", await memoryOf(server));
  const api = await openApi(server);
  return { server, folder, numbers, api, place: await readPlace(api), written: "", put };
}

const waits = (side: Side): Promise<number> =>
  Promise.resolve(runClient(side.server, join(side.folder, `client-${randomUUID()}`)));

async function writes(side: Side): Promise<number> {
  const run = await beginRun(side.api, side.place, steps);
  side.written = run.id;
  return writeSteps(side.api, side.place, { run: run.id, steps });
}

/** What takes seconds depends on the minute: Plinth does it before its peer and after it, and the mean counts. */
async function alternate(
  name: string,
  ...[work, own, other]: [(side: Side) => Promise<number>, Side, Side | undefined]
): Promise<void> {
  if (!wants(name)) return;
  const before = await work(own);
  if (other === undefined) return own.put(name, before);
  other.put(name, await work(other));
  const after = await work(own);
  note(`plinth: ${name}, before and after: ${before.toFixed(2)}, ${after.toFixed(2)}`);
  own.put(name, (before + after) / 2);
}

async function measurePages({ api, place, put, written }: Side): Promise<void> {
  put(`DAG of ${steps} steps`, await timed(api, `/api/v1/runs/${written}/dag`));
  put(`steps?size=1000 of ${steps}`, await timed(api, `/api/v1/runs/${written}/steps?size=1000`));
  const smaller = await beginRun(api, place, 300);
  await writeSteps(api, place, { run: smaller.id, steps: 300 });
  put("DAG of 300 steps", await timed(api, `/api/v1/runs/${smaller.id}/dag`, 41));
}

/** What the peer takes too long for. */
async function measureAlone(side: Side, grow: (sizes: readonly number[]) => Promise<void>): Promise<void> {
  const { api, place, put, server } = side;
  const larger = await beginRun(api, place, 3000);
  await writeSteps(api, place, { run: larger.id, steps: 3000 });
  put("DAG of 3000 steps", await timed(api, `/api/v1/runs/${larger.id}/dag`));
  await grow([100_000]);
  await manyAtOnce(server, put);
  put("memory, after all of this", await memoryOf(server));
}

async function measure(own: Side, other: Side | undefined): Promise<void> {
  const sides = other === undefined ? [own] : [own, other];
  await alternate("client waits for 100 steps", waits, own, other);
  await alternate(`writing ${steps} steps`, writes, own, other);
  if (!wants("pages")) return;
  for (const side of sides) await measurePages(side);
  const lists = [];
  for (const side of sides) {
    const list = await openLists(side.server, side.api, side.put);
    await list.grow([2000, 20_000]);
    lists.push(list);
  }
  for (const side of sides) side.put("memory, after the same work", await memoryOf(side.server));
  const [first] = lists;
  if (first !== undefined) await measureAlone(own, first.grow);
}

/** What the real client waits for its server while it runs a pipeline of 100 steps; the second of two runs. */
function runClient(server: ZenmlServer, folder: string): number {
  mkdirSync(folder, { recursive: true });
  const python = join(ensurePeer("zenml"), "bin", "python");
  const script = join(import.meta.dirname, "..", "python", "zenml_fan.py");
  const login = server.login === undefined ? [] : [server.login.username, server.login.password];
  const once = (): { seconds: number; requests: number; status: string } => {
    const output = runProgram(python, [script, server.url, folder, ...login], { cwd: folder });
    const line = output.split("\n").find((one) => one.startsWith("WAITED ")) ?? "WAITED {}";
    return JSON.parse(line.slice("WAITED ".length)) as ReturnType<typeof once>;
  };
  once();
  const { seconds, requests, status } = once();
  note(
    `${server.name}: the client's run ended ${status}, with ${requests} requests in ${seconds.toFixed(2)} s`,
  );
  if (status !== "completed") throw new Error(`the client's pipeline ended ${status}`);
  return seconds;
}

/** Lists of runs as their number grows; every run has a snapshot of its own. */
async function openLists(
  server: ZenmlServer,
  api: ZenmlApi,
  put: (name: string, value: number) => void,
): Promise<{ grow: (sizes: readonly number[]) => Promise<void> }> {
  const place = await readPlace(api);
  const model: Run = await beginRun(api, place, 3);
  await writeSteps(api, place, { run: model.id, steps: 3 });
  const list = `/api/v1/runs?size=50&sort_by=desc:created&project=${place.project}`;
  let there = 0;
  return {
    async grow(sizes) {
      for (const size of sizes) {
        await cloneRuns(server, model, size - there);
        there = size;
        put(`runs, of ${size.toLocaleString("en")}`, await timed(api, list, 101));
      }
    },
  };
}

const AT_ONCE = 50;
const STEPS_OF_EACH = 10;

/** 50 clients, each with a connection and a pipeline of its own; then what is there is counted. */
async function manyAtOnce(server: ZenmlServer, put: (name: string, value: number) => void): Promise<void> {
  const since = performance.now();
  const runs = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const api = await openApi(server);
      const place = await readPlace(api);
      const run = await beginRun(api, place, STEPS_OF_EACH);
      await writeSteps(api, place, { run: run.id, steps: STEPS_OF_EACH });
      api.close();
      return run.id;
    }),
  );
  put("50 pipelines of 10 steps at once", (performance.now() - since) / 1000);
  if (server.database === undefined) return;
  const { rows } = await query<{
    runs: string;
    completed: string;
    steps: string;
    names: string;
    versions: string;
  }>(
    server.database,
    `select count(distinct r.id) as runs, count(distinct r.id) filter (where r.status = 'completed') as completed,
       count(s.id) as steps, count(distinct (s.run_id, s.name)) as names, count(distinct o.artifact_version_id) as versions
     from pipelines.runs as r join pipelines.steps as s on s.run_id = r.id
       left join pipelines.step_outputs as o on o.step_id = s.id
     where r.id = any ($1::uuid[])`,
    [runs],
  );
  const found = Object.values(rows[0] ?? {}).map(Number);
  const all = AT_ONCE * STEPS_OF_EACH;
  note(`runs, completed, steps, names of steps, outputs: ${found.join(", ")}`);
  if (found.join() !== [AT_ONCE, AT_ONCE, all, all, all].join())
    throw new Error("steps were lost or doubled");
}

function report(plinth: Numbers, zenml: Numbers): boolean {
  let isWithin = true;
  const lines = bars.flatMap(({ name, unit, atLeast, atMost }) => {
    const [own, other] = [plinth.get(name), zenml.get(name)];
    if (own === undefined) return [];
    const ratio = other === undefined ? undefined : other / own;
    const holds =
      (atLeast === undefined || ratio === undefined || ratio >= atLeast) && own <= (atMost ?? Infinity);
    isWithin &&= holds;
    const bar =
      atLeast === undefined ? (atMost === undefined ? "" : `at most ${atMost} ${unit}`) : `${atLeast}x`;
    const shown = [`${own.toFixed(2)} ${unit}`, other === undefined ? "-" : `${other.toFixed(2)} ${unit}`];
    return [
      `| ${name} | ${shown.join(" | ")} | ${ratio === undefined ? "-" : `${ratio.toFixed(1)}x`} | ${bar} | ${holds ? "yes" : "NO"} |`,
    ];
  });
  const [few, many] = [plinth.get("runs, of 2,000"), plinth.get("runs, of 100,000")];
  if (few !== undefined && many !== undefined) {
    const growth = many / few;
    isWithin &&= growth <= 1.3;
    lines.push(
      `| runs, of 100,000 beside 2,000 | ${growth.toFixed(2)}x | | | at most 1.3x | ${growth <= 1.3 ? "yes" : "NO"} |`,
    );
  }
  console.log(
    ["| work | Plinth | ZenML 0.98.0 | ratio | bar | within |", "|---|---|---|---|---|---|", ...lines].join(
      "\n",
    ),
  );
  return isWithin;
}

const folder = mkdtempSync(join(tmpdir(), "plinth-bench-"));
chmodSync(folder, 0o755);
try {
  const plinth = await startPlinth(join(folder, "plinth"));
  if (plinth.database !== undefined) {
    for (const line of describeMachine(await readVersion(plinth.database))) note(line);
  }
  const own = await open(plinth, join(folder, "plinth-work"));
  const other = values.alone
    ? undefined
    : await open(await startZenml(join(folder, "zenml")), join(folder, "zenml-work"));
  await measure(own, other);
  if (!report(own.numbers, other?.numbers ?? new Map())) process.exitCode = 1;
  for (const side of [own, other]) {
    side?.api.close();
    await side?.server.stop();
  }
} finally {
  await stopEverything();
  removeFolder(folder);
}
