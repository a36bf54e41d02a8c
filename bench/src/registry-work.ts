// The works of the model registry: registering, looking up, searching.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { get, post } from "./api.ts";
import type { Plan } from "./load-work.ts";
import { median, type Check, type Measurement, type MetricName, type Unit } from "./measurement.ts";
import { readMemory } from "./memory.ts";
import { loadRegistry, modelName, MODELS, VERSIONS_EACH } from "./registry-data.ts";
import { settle } from "./settle.ts";
import { compareStored, countStored } from "./stored.ts";
import type { Target } from "./target.ts";
import { acknowledgedOf, errorsOf, runWrk, type LoadResult } from "./wrk.ts";

export async function measureRegistry(target: Target, plan: Plan): Promise<Measurement[]> {
  await loadRegistry(target);
  const found: Measurement[] = [];
  for (const search of searches) found.push(await measureSearch(target, search, plan));
  found.push(await measureLookUps(target, { metric: "latest-versions", script: "latest-versions" }, plan));
  found.push(await measureLookUps(target, { metric: "alias", script: "get-alias" }, plan));
  found.push(await measureRegistering(target, { metric: "register-versions", models: 100 }, plan));
  found.push(await measureRegistering(target, { metric: "register-versions-one", models: 1 }, plan));
  return found;
}

type Round = { load: LoadResult; check: Check };
type Measured = { metric: MetricName; unit: Unit; valueOf: (load: LoadResult) => number };

function summed(target: Target, { metric, unit, valueOf }: Measured, rounds: readonly Round[]): Measurement {
  const middle = median(rounds, ({ load }) => valueOf(load));
  const memory = readMemory(target.pids);
  const wrong = rounds.find(({ check }) => !check.ok);
  return {
    metric,
    target: target.name,
    unit,
    value: valueOf(middle.load),
    p50: middle.load.p50,
    p99: middle.load.p99,
    errors: rounds.reduce((sum, { load }) => sum + errorsOf(load), 0),
    serverMemory: memory.server.pss,
    postgresMemory: memory.postgres.pss,
    check: (wrong ?? middle).check,
  };
}

const rateOf = (load: LoadResult): number => acknowledgedOf(load) / load.seconds;

/** A warm-up, then the repetitions. */
async function measureRounds(
  target: Target,
  plan: Plan,
  round: (seconds: number, index: number) => Promise<Round>,
): Promise<Round[]> {
  await settle(target.pids, 20);
  await round(Math.max(1, Math.round(plan.seconds / 4)), 0);
  const rounds: Round[] = [];
  for (let i = 1; i <= plan.repeat; i++) rounds.push(await round(plan.seconds, i));
  return rounds;
}

/** 20 connections that register versions of new models. */
async function measureRegistering(
  target: Target,
  { metric, models }: { metric: MetricName; models: number },
  plan: Plan,
): Promise<Measurement> {
  const rounds = await measureRounds(target, plan, async (seconds, index) => {
    const names = Array.from({ length: models }, (_, i) => `${metric}-${index}-${i}`);
    for (const name of names) await post(target, "registered-models/create", { name });
    const load = await runWrk(target.url, {
      script: "register-version",
      connections: 20,
      seconds,
      options: { runs: writeLines(plan, names) },
    });
    await settle(target.pids, 5);
    const stored = await countStored(target, "versions", names);
    return { load, check: compareStored(stored, load, 1) };
  });
  return summed(target, { metric, unit: "requests/s", valueOf: rateOf }, rounds);
}

/** 32 connections that ask for one model after the other. */
async function measureLookUps(
  target: Target,
  { metric, script }: { metric: MetricName; script: string },
  plan: Plan,
): Promise<Measurement> {
  const runs = writeLines(
    plan,
    Array.from({ length: MODELS }, (_, i) => modelName(((i * 7919) % MODELS) + 1)),
  );
  const rounds = await measureRounds(target, plan, async (seconds) => {
    const load = await runWrk(target.url, { script, connections: 32, seconds, options: { runs } });
    return { load, check: { ok: load.refused === 0, text: `${acknowledgedOf(load)} answers of 200` } };
  });
  return summed(target, { metric, unit: "requests/s", valueOf: rateOf }, rounds);
}

type Search = { metric: MetricName; path: string; expected: readonly string[] };

const searches: readonly Search[] = [
  {
    metric: "search-models",
    path: "registered-models/search?max_results=1000",
    expected: Array.from({ length: 1000 }, (_, i) => modelName(i + 1)),
  },
  {
    metric: "search-versions",
    path: "model-versions/search?max_results=1000",
    // The youngest first.
    expected: Array.from(
      { length: 1000 },
      (_, i) => `${modelName(MODELS - Math.floor(i / VERSIONS_EACH))} ${VERSIONS_EACH - (i % VERSIONS_EACH)}`,
    ),
  },
];

/** One connection that asks for a page of 1,000 again and again. */
async function measureSearch(target: Target, search: Search, plan: Plan): Promise<Measurement> {
  const { metric, path } = search;
  const check = await checkSearch(target, search);
  const since = performance.now();
  await get(target, path);
  // Enough for some answers of the slowest.
  const seconds = Math.max(plan.seconds, Math.ceil((6 * (performance.now() - since)) / 1000));
  const options = { path: `/api/2.0/mlflow/${path}` };
  const rounds = await measureRounds(target, { ...plan, seconds }, async (length) => {
    const load = { script: "get-path", connections: 1, seconds: length, options };
    return { load: await runWrk(target.url, load), check };
  });
  return summed(target, { metric, unit: "ms", valueOf: ({ p50 }) => p50 }, rounds);
}

type Answer = {
  registered_models?: { name: string; tags?: unknown[]; latest_versions?: unknown[]; aliases?: unknown[] }[];
  model_versions?: { name: string; version: string; tags?: unknown[] }[];
};

async function checkSearch(target: Target, { path, expected }: Search): Promise<Check> {
  const { registered_models: models = [], model_versions: versions = [] } = (await get(
    target,
    path,
  )) as Answer;
  const found = [
    ...models.map(({ name }) => name),
    ...versions.map(({ name, version }) => `${name} ${version}`),
  ];
  const wrong = expected.findIndex((one, i) => found[i] !== one);
  const isComplete =
    models.every(
      (one) => one.tags?.length === 2 && one.latest_versions?.length === 4 && one.aliases?.length === 1,
    ) && versions.every((one) => one.tags?.length === 1);
  if (wrong < 0 && found.length === expected.length && isComplete) {
    return { ok: true, text: `${found.length}, the right ones in the right order` };
  }
  const place = wrong < 0 ? "" : `, at ${wrong} ${found[wrong]} for ${expected[wrong]}`;
  return {
    ok: false,
    text: `${found.length} for ${expected.length}${isComplete ? "" : ", incomplete"}${place}`,
  };
}

function writeLines(plan: Plan, lines: readonly string[]): string {
  const file = join(plan.folder, "models.txt");
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return file;
}
