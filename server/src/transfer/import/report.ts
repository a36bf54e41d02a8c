import { totals, type ImportContext, type Tally } from "./context.ts";
import type { ImportPlan } from "./plan.ts";
import type { SourceProblem } from "./problem.ts";
import type { ImportSource, SourceCounts } from "./source.ts";
import type { Comparison, Verification } from "./verify.ts";

export type ImportReport = {
  state: "imported" | "dry run";
  source: { kind: string; place: string; version: string; snapshot: boolean };
  workspaces: { source: string; target: string }[];
  /** What the source has; after an import also what was read of it, and what Plinth has of it. */
  entities: Comparison[];
  runs_compared: number;
  /** By the names of `noteTexts`, and how often. */
  remarks: Tally;
  artifacts: { files: number; bytes: number };
  not_imported: Record<string, number>;
  /** What stands in the way; only of a dry run, since an import ends with them. */
  conflicts: string[];
  /** What of the source could not be read, and is left out. */
  problems: SourceProblem[];
  notes: string[];
};

/** What is said of counts that are not entities. */
export const remarkTexts: Readonly<Record<string, string>> = {
  merged_experiments: "experiments went into one that was there, with their runs",
  renumbered_experiments:
    "experiments got a new id, since theirs was taken; the tag plinth.importedExperimentId has the old one",
  skipped_runs: "runs were there already and were left alone",
  skipped_logged_models: "logged models were there already and were left alone",
  skipped_registered_models: "registered models were there already and were left alone, with their versions",
  skipped_model_versions: "versions belong to a registered model that was left alone",
  replaced_characters: "texts had characters that PostgreSQL cannot hold; those were replaced by U+FFFD",
  unknown_run_status: "runs had a status that MLflow does not know, and count as failed",
  metrics_without_history: "metrics have a newest value but no history in the source, and so here",
  newest_differs:
    "metrics have another newest value in the source than their history says; the source's was kept",
  dataset_links_without_dataset:
    "runs point at a dataset that the source does not have; those links were left out",
  model_metrics_without_run:
    "metrics of logged models belong to a run that is not there; those were left out",
  aliases_without_version: "aliases point at a version that is not there; those were left out",
  artifact_files_present: "files were copied by an earlier try",
  artifacts_missing: "runs, models and versions have no folder of files in the source",
  artifacts_left:
    "runs and logged models have their files where they cannot be read from here; those stay there",
  late_experiments:
    "experiments came to the source while it was read; run again with --skip-existing to bring them",
  late_runs: "runs belong to an experiment that the source does not have, or that came while it was read",
  late_datasets:
    "datasets belong to an experiment that the source does not have, or that came while it was read",
  late_logged_models:
    "logged models belong to an experiment that the source does not have, or that came while it was read",
  late_registered_models: "registered models are in a workspace that came to the source while it was read",
  late_model_versions: "versions are in a workspace that came to the source while it was read",
};

export function reportOf(parts: {
  source: ImportSource;
  expected: SourceCounts;
  plan: ImportPlan;
  state: ImportReport["state"];
  problems: SourceProblem[];
  verification?: Verification;
  context?: ImportContext;
}): ImportReport {
  const { source, expected, plan, state, verification, context } = parts;
  const { kind, place, version, snapshot, notes } = source.description;
  const { not_imported, ...counts } = expected;
  const entities =
    verification?.comparisons ??
    Object.entries(counts).map(([entity, found]) => ({ entity, source: found ?? null, read: 0, plinth: 0 }));
  const all = context === undefined ? {} : totals(context);
  const remarks = Object.fromEntries(Object.entries(all).filter(([name]) => name in remarkTexts));
  return {
    state,
    artifacts: { files: all["artifact_files"] ?? 0, bytes: all["artifact_bytes"] ?? 0 },
    source: { kind, place, version, snapshot },
    workspaces: plan.workspaces,
    entities,
    runs_compared: verification?.runs_compared ?? 0,
    remarks,
    not_imported,
    conflicts: plan.conflicts,
    problems: parts.problems,
    notes: [...notes, ...changedMeanwhile(entities, remarks, state)],
  };
}

/** What the source has more, or less, than was read: it changed between two readings. */
function changedMeanwhile(entities: readonly Comparison[], remarks: Tally, state: string): string[] {
  if (state !== "imported") return [];
  const leftOut: Record<string, number> = {
    runs: (remarks["skipped_runs"] ?? 0) + (remarks["late_runs"] ?? 0),
    logged_models: (remarks["skipped_logged_models"] ?? 0) + (remarks["late_logged_models"] ?? 0),
    registered_models: (remarks["skipped_registered_models"] ?? 0) + (remarks["late_registered_models"] ?? 0),
    model_versions: (remarks["skipped_model_versions"] ?? 0) + (remarks["late_model_versions"] ?? 0),
    experiments: remarks["late_experiments"] ?? 0,
    datasets: remarks["late_datasets"] ?? 0,
  };
  return entities.flatMap(({ entity, source, read }) => {
    const skippedPoints = entity === "points" && (leftOut["runs"] ?? 0) > 0;
    const difference = source === null || skippedPoints ? 0 : source - read - (leftOut[entity] ?? 0);
    return difference === 0
      ? []
      : [
          `The source changed while it was read: it now has ${Math.abs(difference)} ${entity} ` +
            `${difference > 0 ? "more" : "fewer"} than were read.`,
        ];
  });
}
