// The works of many small requests: wrk against one endpoint.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createExperiment, createRuns, post } from "./api.ts";
import { median, type Measurement, type MetricName } from "./measurement.ts";
import { readMemory } from "./memory.ts";
import { settle } from "./settle.ts";
import { compareStored, countStored, type Countable } from "./stored.ts";
import type { Target } from "./target.ts";
import { acknowledgedOf, errorsOf, runWrk, type LoadResult } from "./wrk.ts";

export type Plan = { folder: string; seconds: number; repeat: number };

export type LoadWork = {
  metric: MetricName;
  script: string;
  connections: number;
  /** Requests are spread over this many runs, new ones for every repetition. */
  runs: number;
  options?: Readonly<Record<string, number>>;
  /** What one request adds; nothing for reading. */
  adds?: { what: Countable; count: number };
};

const batch = (metric: MetricName, connections: number, points: number, keys = 10): LoadWork => ({
  metric,
  script: "log-batch",
  connections,
  runs: 32,
  options: { points, keys },
  adds: { what: "points", count: points },
});

export const loadWorks: readonly LoadWork[] = [
  { metric: "runs-get", script: "get-run", connections: 32, runs: 32 },
  {
    metric: "log-metric",
    script: "log-metric",
    connections: 32,
    runs: 32,
    adds: { what: "points", count: 1 },
  },
  {
    metric: "log-parameter",
    script: "log-parameter",
    connections: 32,
    // So many that a run does not end with thousands of parameters, which nobody has.
    runs: 256,
    adds: { what: "params", count: 1 },
  },
  batch("log-batch-10", 20, 10),
  batch("log-batch-500", 20, 500),
  batch("log-batch-1000", 8, 1000),
  batch("log-batch-1000-keys", 8, 1000, 1000),
  {
    metric: "runs-create",
    script: "create-run",
    connections: 20,
    runs: 0,
    adds: { what: "runs", count: 1 },
  },
];

type Round = { load: LoadResult; ok: boolean; text: string };

export async function measureLoad(target: Target, work: LoadWork, plan: Plan): Promise<Measurement> {
  await settle(target.pids, 20);
  const warmUp = Math.max(1, Math.round(plan.seconds / 4));
  await oneRound(target, work, { ...plan, seconds: warmUp });
  const rounds: Round[] = [];
  for (let i = 0; i < plan.repeat; i++) rounds.push(await oneRound(target, work, plan));
  const memory = readMemory(target.pids);
  const middle = median(rounds, (round) => rateOf(round.load));
  const wrong = rounds.find((round) => !round.ok);
  return {
    metric: work.metric,
    target: target.name,
    unit: "requests/s",
    value: rateOf(middle.load),
    p50: middle.load.p50,
    p99: middle.load.p99,
    errors: rounds.reduce((sum, round) => sum + errorsOf(round.load), 0),
    serverMemory: memory.server.pss,
    postgresMemory: memory.postgres.pss,
    check: { ok: wrong === undefined, text: (wrong ?? middle).text },
  };
}

/** Only what succeeded counts. */
const rateOf = (load: LoadResult): number => acknowledgedOf(load) / load.seconds;

let rounds = 0;

async function oneRound(target: Target, work: LoadWork, plan: Plan): Promise<Round> {
  const experiment = await createExperiment(target, `bench-${work.metric}-${(rounds += 1)}`);
  const runs = await createRuns(target, experiment, work.runs);
  if (work.adds === undefined) for (const run of runs) await fillRun(target, run);
  const file = join(plan.folder, `${target.name}-runs.txt`);
  writeFileSync(file, runs.map((run) => `${run}\n`).join(""));
  const load = await runWrk(target.url, {
    script: work.script,
    connections: work.connections,
    seconds: plan.seconds,
    options: { ...work.options, runs: file, experiment, now: Date.now() },
  });
  if (work.adds === undefined) {
    return { load, ok: load.refused === 0, text: `${acknowledgedOf(load)} answers of 200` };
  }
  // Requests that were cut off at the end may still be in work.
  await settle(target.pids, 5);
  const { what, count } = work.adds;
  const stored = await countStored(target, what, what === "runs" ? [experiment] : runs);
  return { load, ...compareStored(stored, load, count) };
}

/** A run as a small training leaves it. */
async function fillRun(target: Target, run: string): Promise<void> {
  const numbers = Array.from({ length: 10 }, (_, i) => i);
  await post(target, "runs/log-batch", {
    run_id: run,
    metrics: numbers.map((i) => ({ key: `metric_${i}`, value: i / 7, timestamp: Date.now(), step: i })),
    params: numbers.map((i) => ({ key: `param_${i}`, value: `value ${i}` })),
    tags: [],
  });
}
