// The database goes away under load: clients see success or "try again", never a wrong answer, and the server
// finds back by itself.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, createClient, createExperiment, createRun, type Client, type Run } from "./client.ts";
import { databasePid, makeDataDir, removeDataDir, startPlinth, type Plinth } from "./plinth.ts";
import { createRandom } from "./random.ts";
import { verify } from "./verify.ts";
import { complaintAbout, createLedger, startWriters } from "./writers.ts";

const random = createRandom(process.env["PLINTH_FAULT_SEED"]);

let dataDir: string;
let plinth: Plinth;
let client: Client;

beforeAll(async () => {
  dataDir = makeDataDir();
  plinth = await startPlinth(dataDir);
  client = createClient(plinth.url);
});

afterAll(async () => {
  client.close();
  await plinth.stop();
  removeDataDir(dataDir);
});

test.each([
  ["is killed", "SIGKILL"],
  ["is told to restart at once", "SIGQUIT"],
  ["ends its sessions and stops", "SIGINT"],
] as const)("the database %s (%s) under load", async (_what, signal) => {
  const experiment = await createExperiment(client, `database ${signal}`);
  const runs = [await createRun(client, experiment, "one"), await createRun(client, experiment, "two")];
  const ledger = createLedger();
  const writers = startWriters(
    plinth.url,
    { experiment, runs, random, ledger },
    { onLostConnection: "go on" },
  );
  const reader = startReader(runs);
  await sleep(500 + random.below(500));
  const before = databasePid(dataDir);
  process.kill(before, signal);
  await sleep(3_000);
  await recovers(experiment);
  const acknowledgedLater = ledger.acknowledged.length;
  await sleep(500);
  await writers.stop();
  const wrong = await reader.stop();

  expect(plinth.hasEnded(), plinth.output()).toBe(false);
  expect(databasePid(dataDir)).not.toBe(before);
  expect(wrong, `answers to readers, seed ${random.seed}`).toEqual([]);
  expect(ledger.acknowledged.length, "writes acknowledged after the recovery").toBeGreaterThan(
    acknowledgedLater,
  );
  expect(await verify(client, ledger, experiment), `seed ${random.seed}`).toEqual([]);
});

test("the process lives and says that it is not ready while the database hangs", async () => {
  const pids = databasePids();
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    expect((await client.send("GET", "/health")).status).toBe(200);
    const ready = await client.send("GET", "/ready");
    expect(ready.status, ready.body.toString("utf8")).toBe(503);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
  await recovers("0");
});

/** The database's first process and its sessions. */
function databasePids(): number[] {
  const first = databasePid(dataDir);
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(first)], { encoding: "utf8" });
  return [first, ...stdout.trim().split(/\s+/).map(Number)];
}

/** A write succeeds again within a minute. */
async function recovers(experiment: string): Promise<void> {
  await expect
    .poll(
      async () =>
        (await call<{ run: Run }>(client, "POST", "runs/create", { experiment_id: experiment })).run,
      {
        timeout: 60_000,
        interval: 100,
      },
    )
    .toHaveProperty("info");
  expect((await client.send("GET", "/ready")).status).toBe(200);
}

/** Asks for runs that exist all the time: anything but the run or "try again" is wrong. */
function startReader(runs: readonly Run[]): { stop: () => Promise<string[]> } {
  const wrong: string[] = [];
  const state = { isStopping: false };
  const reading = (async () => {
    const own = createClient(plinth.url);
    while (!state.isStopping) {
      for (const { info } of runs) {
        const path = `/api/2.0/mlflow/runs/get?run_id=${info.run_id}`;
        const answer = await own.send("GET", path).catch((error: unknown) => String(error));
        const complaint = typeof answer === "string" ? answer : complaintAboutRun(answer, info.run_id);
        if (complaint !== undefined) wrong.push(`${path}: ${complaint}`);
      }
      await sleep(10);
    }
    own.close();
  })();
  return {
    async stop() {
      state.isStopping = true;
      await reading;
      return wrong;
    },
  };
}

function complaintAboutRun(answer: Awaited<ReturnType<Client["send"]>>, id: string): string | undefined {
  if (answer.status !== 200) return complaintAbout(answer);
  const { run } = JSON.parse(answer.body.toString("utf8")) as { run: Run };
  return run.info.run_id === id ? undefined : `another run: ${run.info.run_id}`;
}
