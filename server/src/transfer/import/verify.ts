import { PlinthError } from "../../kernel/errors.ts";
import { selectRegistryCounts } from "../../modules/registry/bulk/index.ts";
import {
  analyzeTables,
  selectRunSums,
  selectTrackingCounts,
  type RunSums,
} from "../../modules/tracking/bulk/index.ts";
import { totals, type ImportContext } from "./context.ts";
import type { SourceCounts } from "./source.ts";
import { selectReadSums, type ReadSums } from "./state.sql.ts";

export type Comparison = {
  entity: string;
  /** What the source says it has, as of the last reading; null where it cannot tell. */
  source: number | null;
  read: number;
  plinth: number;
};

export type Verification = {
  comparisons: Comparison[];
  /** Runs whose points, parameters and tags were added up on both sides, and are the same. */
  runs_compared: number;
};

/** Runs whose sums are asked for at once. */
const PAGE = 200;

/** Compares what was read with what is stored, entity by entity, and each run with the sum of all it has. */
export async function verify(context: ImportContext): Promise<Verification> {
  await analyzeTables(context.database);
  const runs = await compareRuns(context);
  const ids = [...context.workspaces.values()].map((row) => row.workspace_id);
  const stored = {
    ...(await selectTrackingCounts(context.database, ids)),
    ...(await selectRegistryCounts(context.database, ids)),
    ...runs.sums,
  };
  const read = totals(context);
  // The tag that Plinth itself adds.
  const own: Record<string, number> = { experiment_tags: read["renumbered_experiments"] ?? 0 };
  const comparisons = entities.map(({ name, inSource }) => ({
    entity: name,
    source: inSource === undefined ? null : (context.expected[inSource] ?? null),
    read: read[name] ?? 0,
    plinth: stored[name] - (own[name] ?? 0),
  }));
  const different = comparisons.filter((one) => one.read !== one.plinth);
  if (different.length > 0 || runs.different.length > 0) throw lost(different, runs.different);
  return { comparisons, runs_compared: runs.compared };
}

const entities: {
  name:
    | keyof Awaited<ReturnType<typeof selectTrackingCounts>>
    | keyof Awaited<ReturnType<typeof selectRegistryCounts>>
    | keyof Sums;
  inSource?: Exclude<keyof SourceCounts, "not_imported">;
}[] = [
  { name: "experiments", inSource: "experiments" },
  { name: "experiment_tags" },
  { name: "runs", inSource: "runs" },
  { name: "deleted_runs" },
  { name: "params" },
  { name: "tags" },
  { name: "metrics" },
  { name: "points", inSource: "points" },
  { name: "datasets", inSource: "datasets" },
  { name: "run_datasets" },
  { name: "run_models" },
  { name: "logged_models", inSource: "logged_models" },
  { name: "logged_model_params" },
  { name: "logged_model_tags" },
  { name: "logged_model_metrics" },
  { name: "registered_models", inSource: "registered_models" },
  { name: "registered_model_tags" },
  { name: "model_versions", inSource: "model_versions" },
  { name: "model_version_tags" },
  { name: "aliases" },
];

type Sums = { params: number; tags: number; metrics: number; points: number };
type RunComparison = { sums: Sums; compared: number; different: number[] };

async function compareRuns(context: ImportContext): Promise<RunComparison> {
  const { database, importId, onProgress, signal } = context;
  const total = totals(context)["runs"];
  const result: RunComparison = {
    sums: { params: 0, tags: 0, metrics: 0, points: 0 },
    compared: 0,
    different: [],
  };
  for (let after = 0; ;) {
    signal.throwIfAborted();
    const read = await selectReadSums(database, importId, { after, limit: PAGE });
    const last = read.at(-1);
    if (last === undefined) return result;
    after = last.run_id;
    const ids = read.map((row) => row.run_id);
    const stored = new Map((await selectRunSums(database, ids)).map((row) => [row.run_id, row]));
    for (const row of read) {
      const found = stored.get(row.run_id);
      if (found === undefined || !isSame(row, found)) result.different.push(row.run_id);
      if (found === undefined) continue;
      result.sums.params += found.params;
      result.sums.tags += found.tags;
      result.sums.metrics += found.metrics;
      result.sums.points += found.points;
    }
    result.compared += read.length;
    onProgress({ phase: "verification", done: result.compared, total });
  }
}

function isSame(read: ReadSums, stored: RunSums): boolean {
  return (
    read.points === stored.points &&
    read.metrics === stored.metrics &&
    read.params === stored.params &&
    read.tags === stored.tags &&
    read.points_hash === BigInt.asIntN(64, BigInt(stored.points_hash)) &&
    read.texts_hash === BigInt.asIntN(64, BigInt(stored.texts_hash))
  );
}

function lost(different: readonly Comparison[], runs: readonly number[]): PlinthError {
  const counts = different.map((one) => `${one.entity}: ${one.read} read, ${one.plinth} stored`);
  const lines = [...counts, ...(runs.length > 0 ? [`${runs.length} runs differ from what was read`] : [])];
  return new PlinthError(
    "internal",
    `What is stored is not what was read (${lines.join("; ")}). Nothing was made visible. Something has changed the ` +
      "loaded rows meanwhile, such as `plinth gc`: run again with --restart.",
  );
}
