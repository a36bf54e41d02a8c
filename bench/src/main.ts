// npm run bench -- [--only work,...] [--targets plinth,mlflow,fasttrackml] [--seconds N] [--repeat N] [--json FILE]
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { measureArtifact } from "./artifact-work.ts";
import { loadWorks, measureLoad, type Plan } from "./load-work.ts";
import { describeMachine } from "./machine.ts";
import { workNames, type Measurement, type WorkName } from "./measurement.ts";
import { stopEverything } from "./process.ts";
import { readSettings, readVersion, removeFolder, type Database, type Settings } from "./postgres.ts";
import { measureHistory, measureSearches } from "./read-work.ts";
import { measureRegistry } from "./registry-work.ts";
import { failuresOf, renderReport } from "./report.ts";
import { ensureWrk, note, root } from "./setup.ts";
import { measureIdleMemory, measureStart } from "./start-work.ts";
import { startTarget, targetNames, titles, type Target, type TargetName } from "./target.ts";

type Options = {
  works: readonly WorkName[];
  targets: readonly TargetName[];
  seconds: number;
  repeat: number;
  json: string | undefined;
  /** Everything is measured, as long as by default: then the results are worth keeping. */
  isFull: boolean;
};

const SECONDS = 5;
const REPEAT = 2;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      targets: { type: "string" },
      seconds: { type: "string", default: String(SECONDS) },
      repeat: { type: "string", default: String(REPEAT) },
      json: { type: "string" },
    },
  });
  const whole = (name: "seconds" | "repeat"): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1`);
    return value;
  };
  const [seconds, repeat] = [whole("seconds"), whole("repeat")];
  const isFull =
    values.only === undefined && values.targets === undefined && seconds >= SECONDS && repeat >= REPEAT;
  return {
    works: choose("only", values.only, workNames),
    targets: choose("targets", values.targets, targetNames),
    seconds,
    repeat,
    json: values.json,
    isFull,
  };
}

function choose<T extends string>(
  flag: string,
  given: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (given === undefined) return known;
  const names = given.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`--${flag} ${unknown} is not one of ${known.join(", ")}`);
  return known.filter((name) => names.includes(name));
}

/** The settings of Plinth's own PostgreSQL, which the peers get too. */
async function askPlinth(folder: string): Promise<{ settings: Settings; version: string }> {
  const plinth = await startTarget("plinth", folder, {});
  try {
    return { settings: await readSettings(plinth.database), version: await readVersion(plinth.database) };
  } finally {
    await plinth.stop();
    removeFolder(folder);
  }
}

/** One piece of a target's measurement; `names` are the works it answers for. */
type Piece = { name: string; measure: () => Promise<readonly Measurement[]> };

function piecesOf(target: Target, works: readonly WorkName[], plan: Plan): Piece[] {
  const pieces: Piece[] = [
    { name: "start", measure: () => measureStart(target, plan.repeat) },
    { name: "memory", measure: async () => [await measureIdleMemory(target)] },
    ...loadWorks.map((work) => ({
      name: work.metric,
      measure: async () => {
        const found = await measureLoad(target, work, plan);
        const isBare = work.metric === "log-batch-1000" && target.name === "plinth";
        return isBare ? [found, await measureBareInsert(target.database, plan)] : [found];
      },
    })),
    { name: "metric-history", measure: async () => [await measureHistory(target, plan)] },
  ];
  // FastTrackML serves neither a registry nor artifacts.
  if (target.name !== "fasttrackml") {
    pieces.push({ name: "registry", measure: () => measureRegistry(target, plan) });
    pieces.push({ name: "artifact", measure: () => measureArtifact(target, plan) });
  }
  const wanted = pieces.filter(({ name }) => works.some((work) => work === name));
  const filtered = works.includes("search-filtered") ? (["search-filtered"] as const) : [];
  const ordered = works.includes("search-ordered")
    ? (["search-ordered", "search-ordered-250k"] as const)
    : [];
  // FastTrackML has a web UI of its own.
  const page =
    works.includes("ui-run-list") && target.name !== "fasttrackml" ? (["ui-run-list"] as const) : [];
  if (filtered.length + ordered.length + page.length > 0) {
    wanted.push({
      name: "search",
      measure: () => measureSearches(target, [...filtered, ...page, ...ordered], plan),
    });
  }
  return wanted;
}

/** What cannot be measured is said, and the rest is measured all the same: a full run takes half an hour. */
async function measureTarget(
  target: Target,
  pieces: readonly Piece[],
  failures: string[],
): Promise<Measurement[]> {
  const found: Measurement[] = [];
  for (const { name, measure } of pieces) {
    try {
      const measurements = await measure();
      for (const { metric, value, unit, check } of measurements) {
        const shown = `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
        note(`${titles[target.name]}: ${metric} ${shown} ${check?.text ?? ""}`);
      }
      found.push(...measurements);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${titles[target.name]}, ${name}: ${reason}`);
      note(failures.at(-1) ?? "");
    }
  }
  return found;
}

async function measureBareInsert(database: Database, plan: Plan): Promise<Measurement> {
  const rates: number[] = [];
  for (let i = 0; i < plan.repeat; i++) {
    const script = fileURLToPath(import.meta.resolve("./bare-insert.ts"));
    const args = [script, JSON.stringify(database), String(plan.seconds), "8"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    await new Promise((done) => child.once("close", done));
    const { points, stored, seconds } = JSON.parse(output) as {
      points: number;
      stored: number;
      seconds: number;
    };
    if (points !== stored)
      throw new Error(`the bare loop inserted ${points} points, but ${stored} are there`);
    rates.push(points / seconds);
  }
  const value = rates.toSorted((a, b) => a - b)[Math.floor((rates.length - 1) / 2)] ?? 0;
  return { metric: "bare-insert", target: "plinth", unit: "points/s", value };
}

const options = readOptions();
ensureWrk();
const folder = mkdtempSync(join(tmpdir(), "plinth-bench-"));
// The databases and nginx run as other users when we are root.
chmodSync(folder, 0o755);
const cleanUp = async (): Promise<void> => {
  await stopEverything();
  removeFolder(folder);
};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  const { settings, version } = await askPlinth(join(folder, "ask"));
  const measurements: Measurement[] = [];
  const failures: string[] = [];
  for (const name of options.targets) {
    note(`starting ${titles[name]} ...`);
    const own = join(folder, name);
    const target = await startTarget(name, own, settings);
    const plan = { folder, seconds: options.seconds, repeat: options.repeat };
    const pieces = piecesOf(target, options.works, plan);
    measurements.push(...(await measureTarget(target, pieces, failures)));
    await target.stop();
    removeFolder(own);
  }
  const shown = [
    "shared_buffers",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_compression",
    "max_wal_size",
  ];
  const report = renderReport({
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(version),
    notes: [
      `PostgreSQL settings: ${shown.map((setting) => `${setting} = ${settings[setting] ?? "default"}`).join(", ")}`,
      `median of ${options.repeat} repetitions of ${options.seconds} s after a warm-up; MLflow with 4 workers; each server alone on the machine, in turn`,
      "`log-batch` requests carry points of 10 metrics, one step after the other",
    ],
    measurements,
  });
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(measurements, null, 2)}\n`);
  if (options.isFull && failures.length === 0) writeFileSync(join(root, "bench", "RESULTS.md"), report);
  process.stdout.write(report);
  failures.push(...failuresOf(measurements));
  for (const failure of failures) note(`NOT MET: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  await cleanUp();
}
