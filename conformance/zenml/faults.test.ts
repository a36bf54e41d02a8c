// Answers that get lost, and servers that are killed: the real client asks again, and nothing is there twice.
import { afterAll, beforeAll, expect, it } from "vitest";
import { databasePid, makeDataDir, removeDataDir, startPlinth, type Plinth } from "../faults/plinth.ts";
import { createRandom } from "../faults/random.ts";
import { runZenmlFlow } from "./flow.ts";
import { startLossyProxy, type LossyProxy } from "./lossy-proxy.ts";

const version = "0.98.0";
const kills = Number(process.env["PLINTH_FAULT_ROUNDS"] ?? "4");
const random = createRandom(process.env["PLINTH_FAULT_SEED"]);

interface Seen {
  readonly runs: number;
  readonly lost: readonly string[];
  readonly errors: Readonly<Record<string, string>>;
  readonly wrong: Readonly<Record<string, unknown>>;
}

let dataDir: string;
let plinth: Plinth;
let proxy: LossyProxy;

beforeAll(async () => {
  dataDir = makeDataDir();
  proxy = await startLossyProxy();
  plinth = await startPlinth(dataDir);
  proxy.pointTo(plinth.url);
});

afterAll(async () => {
  await proxy?.stop();
  const code = await plinth?.stop();
  removeDataDir(dataDir);
  expect(code).toBe(0);
});

const flow = (first: number, last: number, lossy: boolean): Promise<Seen> =>
  runZenmlFlow<Seen>({
    version,
    script: "lossy",
    url: proxy.url,
    args: [lossy ? proxy.url : "none", String(first), String(last)],
    env: { ZENML_STORE_URL: proxy.url },
  });

const shown = (wrong: Seen["wrong"]): string => JSON.stringify(wrong).slice(0, 2000);

it("loses the answer of each request of a run in turn: the run completes, and all of it is there once", async () => {
  const { lost, errors, wrong, runs } = await flow(1, 200, true);
  expect({ errors, wrong }, shown(wrong)).toEqual({ errors: {}, wrong: {} });
  // One run more than answers lost: the last one lost none, so there was no request left to lose one of.
  expect(runs).toBe(lost.length + 1);
  const made = lost.filter((line) => line.startsWith("POST")).map((line) => line.replace("POST /api/v1", ""));
  const routes = [
    "/pipelines",
    "/pipeline_snapshots",
    "/runs",
    "/steps",
    "/logs",
    "/artifact_versions/batch",
  ];
  expect(made).toEqual(expect.arrayContaining(routes));
  expect(lost.some((line) => line.startsWith("PUT /api/v1/steps/"))).toBe(true);
});

it(`kills the server ${kills} times during runs (seed ${random.seed}): they complete, and all is there once`, async () => {
  let left = kills;
  let until = 5 + random.below(30);
  let restarting: Promise<void> = Promise.resolve();
  const restart = async (delay: number): Promise<void> => {
    await new Promise((go) => setTimeout(go, delay));
    proxy.pointTo(undefined);
    // One kill in two takes the database along, as when the machine runs out of memory.
    const database = random.below(2) === 0 ? databasePid(dataDir) : undefined;
    plinth.signal("SIGKILL");
    if (database !== undefined) process.kill(database, "SIGKILL");
    expect(await plinth.ended).toBe("SIGKILL");
    plinth = await startPlinth(dataDir);
    proxy.pointTo(plinth.url);
  };
  proxy.onRequest(() => {
    until -= 1;
    if (until > 0 || left === 0) return;
    left -= 1;
    until = 15 + random.below(30);
    // Before, while or after the server works on this very request.
    restarting = restarting.then(() => restart(random.below(12)));
  });
  const { errors, wrong, runs } = await flow(1001, 1000 + kills * 2, false);
  proxy.onRequest(() => undefined);
  await restarting;
  expect({ errors, wrong, runs, left }, shown(wrong)).toEqual({
    errors: {},
    wrong: {},
    runs: kills * 2,
    left: 0,
  });
});
