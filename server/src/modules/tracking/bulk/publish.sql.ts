import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array } from "../../../kernel/pg-arrays.ts";
import { idText } from "../experiment-ids.ts";

/** What an import needs before and after its rows: what is taken, showing what was loaded, and throwing it away. */

export type TakenExperiment = {
  experiment_id: number;
  /** As clients know it. */
  id: string;
  workspace_id: number;
  name: string;
  deleted: boolean;
  /** Nothing was ever put into it. */
  empty: boolean;
};

const selectTakenText: Prepared = {
  name: "tracking_bulk_taken_experiments",
  text: `
    select experiment_id, ${idText("experiment_id")} as id, workspace_id, name, deleted_at is not null as deleted, not (
      exists (select from tracking.runs as r where r.experiment_id = e.experiment_id)
      or exists (select from tracking.datasets as d where d.experiment_id = e.experiment_id)
      or exists (select from tracking.logged_models as m where m.experiment_id = e.experiment_id)
    ) as empty
    from tracking.experiments as e
    where experiment_id = any($1::integer[]) or (workspace_id = $2 and name = any($3::text[]))`,
};

/** Experiments of any workspace with one of these ids, and of this workspace with one of these names. */
export async function selectTakenExperiments(
  database: Queryable,
  wanted: { ids: readonly number[]; workspaceId: number; names: readonly string[] },
): Promise<TakenExperiment[]> {
  return database.prepared<TakenExperiment>(selectTakenText, [
    int4Array(wanted.ids),
    wanted.workspaceId,
    wanted.names,
  ]);
}

const selectTakenRunsText: Prepared = {
  name: "tracking_bulk_taken_runs",
  text: "select run_uuid from tracking.runs where run_uuid = any($1::text[])",
};

export async function selectTakenRuns(database: Queryable, uuids: readonly string[]): Promise<string[]> {
  const rows = await database.prepared<{ run_uuid: string }>(selectTakenRunsText, [uuids]);
  return rows.map((row) => row.run_uuid);
}

const selectTakenLoggedModelsText: Prepared = {
  name: "tracking_bulk_taken_logged_models",
  text: "select model_id from tracking.logged_models where model_id = any($1::text[])",
};

export async function selectTakenLoggedModels(
  database: Queryable,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await database.prepared<{ model_id: string }>(selectTakenLoggedModelsText, [ids]);
  return rows.map((row) => row.model_id);
}

const anyRunsText: Prepared = {
  name: "tracking_bulk_any_runs",
  text: "select exists (select from tracking.runs) as found",
};

export async function selectAnyRuns(database: Queryable): Promise<boolean> {
  return (await database.prepared<{ found: boolean }>(anyRunsText, []))[0]?.found === true;
}

const passIdsText: Prepared = {
  name: "tracking_bulk_pass_experiment_ids",
  text: `
    select setval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'), greatest(
      $1::bigint, nextval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'))))`,
};

/** Lets no new experiment get an id up to this one. */
export async function passExperimentIds(database: Queryable, newest: number): Promise<void> {
  await database.prepared(passIdsText, [newest]);
}

const newIdsText: Prepared = {
  name: "tracking_bulk_new_experiment_ids",
  text: `
    select nextval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'))::integer as experiment_id
    from generate_series(1, $1::integer)`,
};

export async function newExperimentIds(database: Queryable, count: number): Promise<number[]> {
  const rows = await database.prepared<{ experiment_id: number }>(newIdsText, [count]);
  return rows.map((row) => row.experiment_id);
}

const moveText: Prepared = {
  name: "tracking_bulk_move_experiments",
  text: "update tracking.experiments set workspace_id = $2 where workspace_id = $1 returning experiment_id",
};

/** Makes the experiments of one workspace those of another; a taken name violates `experiments_name_key`. */
export async function moveExperiments(database: Queryable, from: number, to: number): Promise<number> {
  return (await database.prepared(moveText, [from, to])).length;
}

// Points hang on their series alone, and stay as they are.
const mergeTexts: Prepared[] = [
  {
    name: "tracking_bulk_merge_dataset_links",
    text: `
      update tracking.run_datasets as l set dataset_id = kept.dataset_id
      from tracking.datasets as d join tracking.datasets as kept using (name, digest)
      where l.dataset_id = d.dataset_id and d.experiment_id = $1 and kept.experiment_id = $2`,
  },
  {
    name: "tracking_bulk_merge_known_datasets",
    text: `
      delete from tracking.datasets as d using tracking.datasets as kept
      where d.experiment_id = $1 and kept.experiment_id = $2 and d.name = kept.name and d.digest = kept.digest`,
  },
  {
    name: "tracking_bulk_merge_experiment_tags",
    text: `
      insert into tracking.experiment_tags (experiment_id, key, value)
      select $2, key, value from tracking.experiment_tags where experiment_id = $1
      on conflict on constraint experiment_tags_pkey do nothing`,
  },
  ...["datasets", "logged_models", "runs", "run_metrics", "params", "tags"].map((table) => ({
    name: `tracking_bulk_merge_${table}`,
    text: `update tracking.${table} set experiment_id = $2 where experiment_id = $1`,
  })),
];

/** Puts everything of one experiment into another. What the other one has of its own stays. */
export async function mergeExperiment(database: Queryable, from: number, into: number): Promise<void> {
  for (const statement of mergeTexts) await database.prepared(statement, [from, into]);
  await database.prepared(deleteExperimentText, [from]);
}

const deleteExperimentText: Prepared = {
  name: "tracking_bulk_delete_experiment",
  text: "delete from tracking.experiments where experiment_id = $1",
};

const adoptText: Prepared = {
  name: "tracking_bulk_adopt_experiment",
  text: `
    update tracking.experiments as e set name = f.name, artifact_location = f.artifact_location,
      creation_time = f.creation_time, last_update_time = f.last_update_time, deleted_at = f.deleted_at
    from tracking.experiments as f where e.experiment_id = $2 and f.experiment_id = $1`,
};

/** Gives an experiment, one that nothing was ever put into, the name, place and times of another. */
export async function adoptExperiment(database: Queryable, from: number, into: number): Promise<void> {
  await database.prepared(adoptText, [from, into]);
}

const selectHiddenRunsText: Prepared = {
  name: "tracking_bulk_hidden_runs",
  text: `
    select run_id from tracking.runs
    where experiment_id in (select experiment_id from tracking.experiments where workspace_id = $1) limit $2`,
};

const removeRunTexts: Prepared[] = [
  {
    name: "tracking_bulk_remove_points",
    text: `
      delete from tracking.metric_points where series_id in (
        select series_id from tracking.run_metrics where run_id = any($1::integer[]))`,
  },
  ...["run_metrics", "params", "tags", "runs"].map((table) => ({
    name: `tracking_bulk_remove_${table}`,
    text: `delete from tracking.${table} where run_id = any($1::integer[])`,
  })),
];

/** Removes up to `limit` runs of a workspace, with all they have; returns how many there were. */
export async function removeRuns(
  transaction: Queryable,
  workspaceId: number,
  limit: number,
): Promise<number> {
  const runs = await transaction.prepared<{ run_id: number }>(selectHiddenRunsText, [workspaceId, limit]);
  const ids = int4Array(runs.map((row) => row.run_id));
  if (runs.length > 0) for (const statement of removeRunTexts) await transaction.prepared(statement, [ids]);
  return runs.length;
}

const removeExperimentsText: Prepared = {
  name: "tracking_bulk_remove_experiments",
  text: "delete from tracking.experiments where workspace_id = $1",
};

/** Those without runs, with their datasets and logged models. */
export async function removeExperiments(transaction: Queryable, workspaceId: number): Promise<void> {
  await transaction.prepared(removeExperimentsText, [workspaceId]);
}
