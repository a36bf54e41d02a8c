import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array } from "../../../kernel/pg-arrays.ts";

/** Where artifacts are, before and after an import has copied them. */

export type RunLocation = { run_id: number; run_uuid: string; experiment_id: number; location: string };

const selectRunLocationsText: Prepared = {
  name: "tracking_bulk_run_locations",
  text: `
    select run_id, run_uuid, experiment_id, artifact_uri as location from tracking.runs
    where run_id = any($1::integer[]) order by run_id`,
};

export async function selectRunLocations(
  database: Queryable,
  runIds: readonly number[],
): Promise<RunLocation[]> {
  return database.prepared<RunLocation>(selectRunLocationsText, [int4Array(runIds)]);
}

const updateRunLocationsText: Prepared = {
  name: "tracking_bulk_update_run_locations",
  text: `
    update tracking.runs as r set artifact_uri = new.location
    from unnest($1::integer[], $2::text[]) as new (run_id, location) where r.run_id = new.run_id`,
};

export type NewLocation = { id: number; location: string };

export async function updateRunLocations(database: Queryable, rows: readonly NewLocation[]): Promise<void> {
  const ids = int4Array(rows.map((row) => row.id));
  await database.prepared(updateRunLocationsText, [ids, rows.map((row) => row.location)]);
}

export type LoggedModelLocation = {
  model_key: number;
  model_id: string;
  experiment_id: number;
  location: string;
};

const selectModelLocationsText: Prepared = {
  name: "tracking_bulk_model_locations",
  text: `
    select model_key, model_id, experiment_id, artifact_location as location from tracking.logged_models
    where model_key > $2 and experiment_id in (
      select experiment_id from tracking.experiments where workspace_id = any($1::integer[]))
    order by model_key limit $3`,
};

export async function selectModelLocations(
  database: Queryable,
  workspaceIds: readonly number[],
  page: { after: number; limit: number },
): Promise<LoggedModelLocation[]> {
  return database.prepared<LoggedModelLocation>(selectModelLocationsText, [
    int4Array(workspaceIds),
    page.after,
    page.limit,
  ]);
}

const updateModelLocationsText: Prepared = {
  name: "tracking_bulk_update_model_locations",
  text: `
    update tracking.logged_models as m set artifact_location = new.location
    from unnest($1::integer[], $2::text[]) as new (model_key, location) where m.model_key = new.model_key`,
};

export async function updateModelLocations(database: Queryable, rows: readonly NewLocation[]): Promise<void> {
  const ids = int4Array(rows.map((row) => row.id));
  await database.prepared(updateModelLocationsText, [ids, rows.map((row) => row.location)]);
}

const selectExperimentLocationsText: Prepared = {
  name: "tracking_bulk_experiment_locations",
  text: `
    select experiment_id as id, artifact_location as location from tracking.experiments
    where workspace_id = any($1::integer[])`,
};

export async function selectExperimentLocations(
  database: Queryable,
  workspaceIds: readonly number[],
): Promise<NewLocation[]> {
  return database.prepared<NewLocation>(selectExperimentLocationsText, [int4Array(workspaceIds)]);
}

const updateExperimentLocationsText: Prepared = {
  name: "tracking_bulk_update_experiment_locations",
  text: `
    update tracking.experiments as e set artifact_location = new.location
    from unnest($1::integer[], $2::text[]) as new (experiment_id, location)
    where e.experiment_id = new.experiment_id`,
};

export async function updateExperimentLocations(
  database: Queryable,
  rows: readonly NewLocation[],
): Promise<void> {
  const ids = int4Array(rows.map((row) => row.id));
  await database.prepared(updateExperimentLocationsText, [ids, rows.map((row) => row.location)]);
}

const selectNewLocationsText: Prepared = {
  name: "tracking_bulk_new_locations",
  text: `
    select run_uuid as id, artifact_uri as location from tracking.runs where run_uuid = any($1::text[])
    union all
    select model_id, artifact_location from tracking.logged_models where model_id = any($1::text[])`,
};

/** Where the files of these runs and logged models are by now. */
export async function selectNewLocations(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await database.prepared<{ id: string; location: string }>(selectNewLocationsText, [ids]);
  return new Map(rows.map((row) => [row.id, row.location]));
}
