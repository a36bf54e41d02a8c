import type { Prepared, Queryable } from "../../kernel/database.ts";
import {
  float8Array,
  int4Array,
  int8Array,
  readFloats,
  readInts,
  readInt8s,
} from "../../kernel/pg-arrays.ts";

/** Every statement of the write path of metrics, parameters and tags. Rows come sorted by (run, key). */

export type RunState = {
  run_uuid: string;
  run_id: number;
  experiment_id: number;
  workspace_id: number;
  deleted: boolean;
};

const selectRunStatesText: Prepared = {
  name: "tracking_select_run_states",
  text: `
    select runs.run_uuid, runs.run_id, runs.experiment_id, e.workspace_id, runs.deleted_at is not null as deleted
    from unnest($1::text[]) as wanted (run_uuid)
    join tracking.runs using (run_uuid) join tracking.experiments as e on e.experiment_id = runs.experiment_id`,
};

export async function selectRunStates(database: Queryable, uuids: readonly string[]): Promise<RunState[]> {
  return database.prepared<RunState>(selectRunStatesText, [uuids]);
}

const selectParamsText: Prepared = {
  name: "tracking_select_params",
  text: `
    select params.run_id, params.key_id, params.value
    from unnest($1::integer[], $2::integer[]) as wanted (run_id, key_id)
    join tracking.params using (run_id, key_id)`,
};

export type StoredParam = { run_id: number; key_id: number; value: string };

export async function selectParams(
  database: Queryable,
  wanted: { runIds: readonly number[]; keyIds: readonly number[] },
): Promise<StoredParam[]> {
  return database.prepared<StoredParam>(selectParamsText, [
    int4Array(wanted.runIds),
    int4Array(wanted.keyIds),
  ]);
}

/** The newest point of one metric of one run, and the number of its series once known. */
export type Series = {
  run_id: number;
  key_id: number;
  experiment_id: number;
  value: number;
  timestamp: number | bigint;
  step: number | bigint;
};

export type StoredSeries = { ordinal: number; series_id: number; step: Int; timestamp: Int; value: number };
type Int = number | bigint;

// The lock keeps a second process from comparing with the same newest value at the same time.
// Locked in order of (run, key), so two batches cannot wait for each other.
const lockSeriesText: Prepared = {
  name: "tracking_lock_series",
  text: `
    with locked as materialized (
      select wanted.ordinal, m.series_id, m.step, m.timestamp, m.value
      from unnest($1::integer[], $2::integer[]) with ordinality as wanted (run_id, key_id, ordinal)
      join tracking.run_metrics as m using (run_id, key_id)
      order by m.run_id, m.key_id
      for no key update of m
    )
    select array_agg(ordinal)::text as ordinals, array_agg(series_id)::text as series_ids,
      array_agg(step)::text as steps, array_agg(timestamp)::text as timestamps, array_agg(value)::text as values
    from locked`,
};

/** Locks and returns those of the given series that exist; `ordinal` counts from 0. */
export async function lockSeries(database: Queryable, series: readonly Series[]): Promise<StoredSeries[]> {
  const [row] = await database.prepared<Record<string, string | null>>(lockSeriesText, [
    int4Array(series.map((one) => one.run_id)),
    int4Array(series.map((one) => one.key_id)),
  ]);
  const ordinals = readInts(row?.["ordinals"] ?? null);
  const ids = readInts(row?.["series_ids"] ?? null);
  const steps = readInt8s(row?.["steps"] ?? null);
  const timestamps = readInt8s(row?.["timestamps"] ?? null);
  const values = readFloats(row?.["values"] ?? null);
  return ordinals.map((ordinal, index) => ({
    ordinal: ordinal - 1,
    series_id: ids[index] as number,
    step: steps[index] as Int,
    timestamp: timestamps[index] as Int,
    value: values[index] as number,
  }));
}

// A process that inserted the same series since it was looked for wins or loses by the newest point.
const insertSeriesText: Prepared = {
  name: "tracking_insert_series",
  text: `
    insert into tracking.run_metrics as m (run_id, key_id, experiment_id, value, timestamp, step)
    select run_id, key_id, experiment_id, value, timestamp, step
    from unnest($1::integer[], $2::integer[], $3::integer[], $4::float8[], $5::bigint[], $6::bigint[])
      as new (run_id, key_id, experiment_id, value, timestamp, step)
    on conflict on constraint run_metrics_pkey do update set
      (value, timestamp, step) = (select newest.value, newest.timestamp, newest.step
        from (values (m.value, m.timestamp, m.step), (excluded.value, excluded.timestamp, excluded.step))
          as newest (value, timestamp, step)
        order by newest.step desc, newest.timestamp desc, coalesce(nullif(newest.value, 'NaN'), 0) desc limit 1)
    returning series_id`,
};

/** Returns the series' ids in the order of `series`: PostgreSQL returns rows as it inserts them. */
export async function insertSeries(database: Queryable, series: readonly Series[]): Promise<number[]> {
  const rows = await database.prepared<{ series_id: number }>(insertSeriesText, seriesColumns(series));
  return rows.map((row) => row.series_id);
}

const seriesColumns = (series: readonly Series[]): Buffer[] => [
  int4Array(series.map((one) => one.run_id)),
  int4Array(series.map((one) => one.key_id)),
  int4Array(series.map((one) => one.experiment_id)),
  float8Array(series.map((one) => one.value)),
  int8Array(series.map((one) => one.timestamp)),
  int8Array(series.map((one) => one.step)),
];

/** Points as columns, ready for one set-based insert. */
export type Points = { values: number[]; timestamps: Int[]; seriesIds: number[]; steps: Int[] };

const pointColumns = (points: Points): Buffer[] => [
  float8Array(points.values),
  int8Array(points.timestamps),
  int4Array(points.seriesIds),
  int8Array(points.steps),
];

// One statement instead of two saves a round trip in every batch: 15 % more single points a second.
const insertPointsText: Prepared = {
  name: "tracking_insert_points",
  text: `
    with updated as (
      update tracking.run_metrics as m set value = new.value, timestamp = new.timestamp, step = new.step
      from unnest($5::integer[], $6::integer[], $7::integer[], $8::float8[], $9::bigint[], $10::bigint[])
        as new (run_id, key_id, experiment_id, value, timestamp, step)
      where m.run_id = new.run_id and m.key_id = new.key_id
    )
    insert into tracking.metric_points (value, timestamp, series_id, step, wide_step)
    select value, timestamp, series_id,
      case when step between -2147483648 and 2147483647 then step::integer else 0 end,
      case when step between -2147483648 and 2147483647 then null else step end
    from unnest($1::float8[], $2::bigint[], $3::integer[], $4::bigint[]) as new (value, timestamp, series_id, step)`,
};

/** Inserts points and makes `newest` the newest ones of their series. */
export async function insertPoints(
  database: Queryable,
  points: Points,
  newest: readonly Series[],
): Promise<void> {
  await database.prepared(insertPointsText, [...pointColumns(points), ...seriesColumns(newest)]);
}

/** Parameters or tags as columns. */
export type Texts = { runIds: number[]; keyIds: number[]; experimentIds: number[]; values: string[] };

const textColumns = (texts: Texts): unknown[] => [
  int4Array(texts.runIds),
  int4Array(texts.keyIds),
  int4Array(texts.experimentIds),
  texts.values,
];

const insertParamsText: Prepared = {
  name: "tracking_insert_params",
  text: `
    insert into tracking.params (run_id, key_id, experiment_id, value)
    select run_id, key_id, experiment_id, value
    from unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) as new (run_id, key_id, experiment_id, value)
    on conflict on constraint params_pkey do nothing
    returning run_id`,
};

/** Returns how many were inserted: fewer than given means that another process was first. */
export async function insertParams(database: Queryable, params: Texts): Promise<number> {
  return (await database.prepared(insertParamsText, textColumns(params))).length;
}

const upsertTagsText: Prepared = {
  name: "tracking_upsert_tags",
  text: `
    insert into tracking.tags (run_id, key_id, experiment_id, value)
    select run_id, key_id, experiment_id, value
    from unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) as new (run_id, key_id, experiment_id, value)
    on conflict on constraint tags_pkey do update set value = excluded.value
      where tags.value is distinct from excluded.value`,
};

export async function upsertTags(database: Queryable, tags: Texts): Promise<void> {
  await database.prepared(upsertTagsText, textColumns(tags));
}

const updateRunNamesText: Prepared = {
  name: "tracking_update_run_names",
  text: `
    update tracking.runs set name = new.name
    from unnest($1::integer[], $2::text[]) as new (run_id, name) where runs.run_id = new.run_id`,
};

export async function updateRunNames(
  database: Queryable,
  names: { runIds: readonly number[]; names: readonly string[] },
): Promise<void> {
  await database.prepared(updateRunNamesText, [int4Array(names.runIds), names.names]);
}

export type ModelMetrics = {
  modelIds: string[];
  keyIds: number[];
  runIds: number[];
  steps: Int[];
  timestamps: Int[];
  values: number[];
  datasetNames: (string | null)[];
  datasetDigests: (string | null)[];
};

const insertModelMetricsText: Prepared = {
  name: "tracking_insert_model_metrics",
  text: `
    insert into tracking.logged_model_metrics
      (model_key, key_id, run_id, step, timestamp, value, dataset_name, dataset_digest)
    select logged_models.model_key, key_id, run_id, step, timestamp, value, dataset_name, dataset_digest
    from unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::float8[], $7::text[], $8::text[])
      as new (model_id, key_id, run_id, step, timestamp, value, dataset_name, dataset_digest)
    join tracking.logged_models using (model_id)
    on conflict on constraint logged_model_metrics_pkey do nothing`,
};

export async function insertModelMetrics(database: Queryable, metrics: ModelMetrics): Promise<void> {
  await database.prepared(insertModelMetricsText, [
    metrics.modelIds,
    int4Array(metrics.keyIds),
    int4Array(metrics.runIds),
    int8Array(metrics.steps),
    int8Array(metrics.timestamps),
    float8Array(metrics.values),
    metrics.datasetNames,
    metrics.datasetDigests,
  ]);
}

const selectModelIdsText: Prepared = {
  name: "tracking_select_model_ids",
  text: `
    select m.model_id, e.workspace_id from tracking.logged_models as m
    join tracking.experiments as e using (experiment_id) where m.model_id = any($1::text[])`,
};

/** The workspaces of those of the logged models that exist. */
export async function selectModelIds(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const rows = await database.prepared<{ model_id: string; workspace_id: number }>(selectModelIdsText, [ids]);
  return new Map(rows.map((row) => [row.model_id, row.workspace_id]));
}
