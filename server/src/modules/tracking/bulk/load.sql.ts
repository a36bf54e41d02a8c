import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { float8Array, int4Array, int8Array } from "../../../kernel/pg-arrays.ts";
import type { Points, Texts } from "../run-data.sql.ts";

/**
 * Rows written past the request path, by imports: with the ids, times and stages they had elsewhere. One
 * statement for each table and batch. Whoever calls keeps what the request path would check: that nothing is
 * there twice, and that the newest value of a series is its newest.
 */

type Int = number | bigint;

export type BulkExperiment = {
  experiment_id: number;
  name: string;
  artifact_location: string;
  creation_time: Int;
  last_update_time: Int;
  deleted_at: Int | null;
};

const insertExperimentsText: Prepared = {
  name: "tracking_bulk_experiments",
  text: `
    insert into tracking.experiments
      (workspace_id, experiment_id, name, artifact_location, creation_time, last_update_time, deleted_at)
    select $1, experiment_id, name, artifact_location, creation_time, last_update_time, deleted_at
    from unnest($2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
      as new (experiment_id, name, artifact_location, creation_time, last_update_time, deleted_at)`,
};

export async function insertExperiments(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkExperiment[],
): Promise<void> {
  await database.prepared(insertExperimentsText, [
    workspaceId,
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.name),
    rows.map((row) => row.artifact_location),
    int8Array(rows.map((row) => row.creation_time)),
    int8Array(rows.map((row) => row.last_update_time)),
    rows.map((row) => row.deleted_at),
  ]);
}

export type BulkTag = { experiment_id: number; key: string; value: string };

const insertExperimentTagsText: Prepared = {
  name: "tracking_bulk_experiment_tags",
  text: `
    insert into tracking.experiment_tags (experiment_id, key, value)
    select * from unnest($1::integer[], $2::text[], $3::text[])`,
};

export async function insertExperimentTags(database: Queryable, rows: readonly BulkTag[]): Promise<void> {
  await database.prepared(insertExperimentTagsText, [
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.key),
    rows.map((row) => row.value),
  ]);
}

export type BulkDataset = {
  experiment_id: number;
  name: string;
  digest: string;
  source_type: string;
  source: string;
  schema: string | null;
  profile: string | null;
};

const insertDatasetsText: Prepared = {
  name: "tracking_bulk_datasets",
  text: `
    insert into tracking.datasets (experiment_id, name, digest, source_type, source, schema, profile)
    select * from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    on conflict on constraint datasets_name_digest_key do nothing
    returning dataset_id`,
};

/** What is there already stays; returns how many were not. */
export async function insertDatasets(database: Queryable, rows: readonly BulkDataset[]): Promise<number> {
  const added = await database.prepared(insertDatasetsText, [
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.name),
    rows.map((row) => row.digest),
    rows.map((row) => row.source_type),
    rows.map((row) => row.source),
    rows.map((row) => row.schema),
    rows.map((row) => row.profile),
  ]);
  return added.length;
}

export type BulkRun = {
  experiment_id: number;
  run_uuid: string;
  name: string;
  user_id: string;
  status: number;
  start_time: Int;
  end_time: Int | null;
  deleted_at: Int | null;
  artifact_uri: string;
};

// PostgreSQL numbers and returns the rows in the order in which they are given.
const insertRunsText: Prepared = {
  name: "tracking_bulk_runs",
  text: `
    insert into tracking.runs
      (experiment_id, run_uuid, name, user_id, status, start_time, end_time, deleted_at, artifact_uri)
    select * from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::bigint[],
      $7::bigint[], $8::bigint[], $9::text[])
    returning run_id`,
};

/** The new ids, in order. A run that is there already violates `runs_run_uuid_key`. */
export async function insertRuns(database: Queryable, rows: readonly BulkRun[]): Promise<number[]> {
  const added = await database.prepared<{ run_id: number }>(insertRunsText, [
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.run_uuid),
    rows.map((row) => row.name),
    rows.map((row) => row.user_id),
    rows.map((row) => row.status),
    int8Array(rows.map((row) => row.start_time)),
    rows.map((row) => row.end_time),
    rows.map((row) => row.deleted_at),
    rows.map((row) => row.artifact_uri),
  ]);
  return added.map((row) => row.run_id);
}

const textsText = (table: string): string => `
  insert into tracking.${table} (run_id, key_id, experiment_id, value)
  select * from unnest($1::integer[], $2::integer[], $3::integer[], $4::text[])`;

const insertParamsText: Prepared = { name: "tracking_bulk_params", text: textsText("params") };
const insertTagsText: Prepared = { name: "tracking_bulk_tags", text: textsText("tags") };

export async function insertTexts(
  database: Queryable,
  table: "params" | "tags",
  { runIds, keyIds, experimentIds, values }: Texts,
): Promise<void> {
  await database.prepared(table === "params" ? insertParamsText : insertTagsText, [
    int4Array(runIds),
    int4Array(keyIds),
    int4Array(experimentIds),
    values,
  ]);
}

export type BulkRunDataset = {
  run_id: number;
  experiment_id: number;
  name: string;
  digest: string;
  tags: Readonly<Record<string, string>>;
};

const insertRunDatasetsText: Prepared = {
  name: "tracking_bulk_run_datasets",
  text: `
    insert into tracking.run_datasets (run_id, dataset_id, tags)
    select link.run_id, d.dataset_id, link.tags::jsonb
    from unnest($1::integer[], $2::integer[], $3::text[], $4::text[], $5::text[]) with ordinality
      as link (run_id, experiment_id, name, digest, tags, ordinal)
    join tracking.datasets as d using (experiment_id, name, digest)
    order by link.ordinal
    on conflict on constraint run_datasets_pkey do nothing
    returning run_id`,
};

/** Returns how many were stored: those whose dataset is there. */
export async function insertRunDatasets(
  database: Queryable,
  rows: readonly BulkRunDataset[],
): Promise<number> {
  const added = await database.prepared(insertRunDatasetsText, [
    int4Array(rows.map((row) => row.run_id)),
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.name),
    rows.map((row) => row.digest),
    rows.map((row) => JSON.stringify(row.tags)),
  ]);
  return added.length;
}

export type BulkRunModel = { run_id: number; model_id: string; direction: "i" | "o"; step: Int };

const insertRunModelsText: Prepared = {
  name: "tracking_bulk_run_models",
  text: `
    insert into tracking.run_models (run_id, model_id, direction, step)
    select * from unnest($1::integer[], $2::text[], $3::"char"[], $4::bigint[])
    on conflict on constraint run_models_pkey do nothing`,
};

export async function insertRunModels(database: Queryable, rows: readonly BulkRunModel[]): Promise<void> {
  await database.prepared(insertRunModelsText, [
    int4Array(rows.map((row) => row.run_id)),
    rows.map((row) => row.model_id),
    rows.map((row) => row.direction),
    int8Array(rows.map((row) => row.step)),
  ]);
}

const reserveSeriesText: Prepared = {
  name: "tracking_bulk_reserve_series",
  text: `
    select nextval(pg_get_serial_sequence('tracking.run_metrics', 'series_id'))::integer as series_id
    from generate_series(1, $1::integer)`,
};

/** Numbers for new series: their points can then be written before their newest one is known. */
export async function reserveSeries(database: Queryable, count: number): Promise<number[]> {
  const rows = await database.prepared<{ series_id: number }>(reserveSeriesText, [count]);
  return rows.map((row) => row.series_id);
}

const insertPointsText: Prepared = {
  name: "tracking_bulk_points",
  text: `
    insert into tracking.metric_points (value, timestamp, series_id, step, wide_step)
    select value, timestamp, series_id,
      case when step between -2147483648 and 2147483647 then step::integer else 0 end,
      case when step between -2147483648 and 2147483647 then null else step end
    from unnest($1::float8[], $2::bigint[], $3::integer[], $4::bigint[]) as new (value, timestamp, series_id, step)`,
};

export async function insertBulkPoints(database: Queryable, points: Points): Promise<void> {
  await database.prepared(insertPointsText, [
    float8Array(points.values),
    int8Array(points.timestamps),
    int4Array(points.seriesIds),
    int8Array(points.steps),
  ]);
}

export type BulkSeries = {
  run_id: number;
  key_id: number;
  experiment_id: number;
  series_id: number;
  value: number;
  timestamp: Int;
  step: Int;
};

const insertSeriesText: Prepared = {
  name: "tracking_bulk_series",
  text: `
    insert into tracking.run_metrics (run_id, key_id, experiment_id, series_id, value, timestamp, step)
    select * from unnest($1::integer[], $2::integer[], $3::integer[], $4::integer[], $5::float8[], $6::bigint[],
      $7::bigint[])`,
};

export async function insertBulkSeries(database: Queryable, rows: readonly BulkSeries[]): Promise<void> {
  await database.prepared(insertSeriesText, [
    int4Array(rows.map((row) => row.run_id)),
    int4Array(rows.map((row) => row.key_id)),
    int4Array(rows.map((row) => row.experiment_id)),
    int4Array(rows.map((row) => row.series_id)),
    float8Array(rows.map((row) => row.value)),
    int8Array(rows.map((row) => row.timestamp)),
    int8Array(rows.map((row) => row.step)),
  ]);
}
