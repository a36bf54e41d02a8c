import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";

export type PurgeableRun = { run_id: number; artifact_uri: string };

const selectPurgeableRunsText: Prepared = {
  name: "tracking_select_purgeable_runs",
  text: `
    select run_id, artifact_uri from tracking.runs
    where deleted_at is not null and deleted_at <= $1 order by deleted_at limit $2`,
};

export async function selectPurgeableRuns(
  database: Database,
  page: { before: number; limit: number },
): Promise<PurgeableRun[]> {
  return database.prepared<PurgeableRun>(selectPurgeableRunsText, [page.before, page.limit]);
}

const lockDeletedRunsText: Prepared = {
  name: "tracking_lock_deleted_runs",
  text: `
    select run_id, artifact_uri from tracking.runs where run_id = any($1::integer[]) and deleted_at is not null
    order by run_id for update`,
};

const dependents: Prepared[] = [
  {
    name: "tracking_delete_points",
    text: `delete from tracking.metric_points where series_id in (
      select series_id from tracking.run_metrics where run_id = any($1::integer[]))`,
  },
  {
    name: "tracking_delete_run_metrics",
    text: "delete from tracking.run_metrics where run_id = any($1::integer[])",
  },
  { name: "tracking_delete_params", text: "delete from tracking.params where run_id = any($1::integer[])" },
  { name: "tracking_delete_tags", text: "delete from tracking.tags where run_id = any($1::integer[])" },
  // Links and model metrics follow by their foreign keys.
  { name: "tracking_delete_runs", text: "delete from tracking.runs where run_id = any($1::integer[])" },
];

/** Those of the runs that are still deleted: until the transaction ends nobody restores them. */
export async function lockDeletedRuns(
  transaction: Queryable,
  runIds: readonly number[],
): Promise<PurgeableRun[]> {
  return transaction.prepared<PurgeableRun>(lockDeletedRunsText, [int4Array(runIds)]);
}

export async function deleteRuns(transaction: Queryable, runIds: readonly number[]): Promise<void> {
  const ids = int4Array(runIds);
  for (const statement of dependents) await transaction.prepared(statement, [ids]);
}

export type PurgeableModel = { model_key: number; artifact_location: string };

const selectPurgeableModelsText: Prepared = {
  name: "tracking_select_purgeable_models",
  text: `
    select model_key, artifact_location from tracking.logged_models
    where deleted_at is not null and deleted_at <= $1 order by model_key limit $2`,
};

export async function selectPurgeableModels(
  database: Database,
  page: { before: number; limit: number },
): Promise<PurgeableModel[]> {
  return database.prepared<PurgeableModel>(selectPurgeableModelsText, [page.before, page.limit]);
}

const deleteLoggedModelsText: Prepared = {
  name: "tracking_delete_logged_models",
  text: `
    delete from tracking.logged_models where model_key = any($1::integer[]) and deleted_at is not null
    returning model_key, artifact_location`,
};

/** Those that went; one that was restored meanwhile stays. */
export async function deleteLoggedModels(
  transaction: Queryable,
  keys: readonly number[],
): Promise<PurgeableModel[]> {
  return transaction.prepared<PurgeableModel>(deleteLoggedModelsText, [int4Array(keys)]);
}

export type PurgeableExperiment = { experiment_id: number; artifact_location: string };

const selectPurgeableExperimentsText: Prepared = {
  name: "tracking_select_purgeable_experiments",
  text: `
    select experiment_id, artifact_location from tracking.experiments as e
    where deleted_at is not null and deleted_at <= $1 and experiment_id <> 0
      and not exists (select from tracking.runs where runs.experiment_id = e.experiment_id)`,
};

export async function selectPurgeableExperiments(
  database: Database,
  before: number,
): Promise<PurgeableExperiment[]> {
  return database.prepared<PurgeableExperiment>(selectPurgeableExperimentsText, [before]);
}

const deleteExperimentsText: Prepared = {
  name: "tracking_delete_experiments",
  text: `
    delete from tracking.experiments as e where experiment_id = any($1::integer[]) and deleted_at is not null
      and not exists (select from tracking.runs where runs.experiment_id = e.experiment_id)
    returning experiment_id, artifact_location`,
};

/** Those that went; one that was restored meanwhile stays. */
export async function deleteExperiments(
  transaction: Queryable,
  ids: readonly number[],
): Promise<PurgeableExperiment[]> {
  return transaction.prepared<PurgeableExperiment>(deleteExperimentsText, [int4Array(ids)]);
}
