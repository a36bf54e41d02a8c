import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { float8Array, int4Array, int8Array } from "../../../kernel/pg-arrays.ts";

/** Logged models written by imports: see load.sql.ts. */

type Int = number | bigint;

export type BulkLoggedModel = {
  model_id: string;
  experiment_id: number;
  name: string;
  artifact_location: string;
  creation_timestamp: Int;
  last_updated_timestamp: Int;
  status: number;
  status_message: string | null;
  model_type: string | null;
  source_run_uuid: string | null;
  deleted_at: Int | null;
};

const insertModelsText: Prepared = {
  name: "tracking_bulk_logged_models",
  text: `
    insert into tracking.logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp,
      last_updated_timestamp, status, status_message, model_type, source_run_uuid, deleted_at)
    select * from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::smallint[],
      $8::text[], $9::text[], $10::text[], $11::bigint[])`,
};

/** One that is there already violates `logged_models_model_id_key`. */
export async function insertLoggedModels(
  database: Queryable,
  rows: readonly BulkLoggedModel[],
): Promise<void> {
  await database.prepared(insertModelsText, [
    rows.map((row) => row.model_id),
    int4Array(rows.map((row) => row.experiment_id)),
    rows.map((row) => row.name),
    rows.map((row) => row.artifact_location),
    int8Array(rows.map((row) => row.creation_timestamp)),
    int8Array(rows.map((row) => row.last_updated_timestamp)),
    rows.map((row) => row.status),
    rows.map((row) => row.status_message),
    rows.map((row) => row.model_type),
    rows.map((row) => row.source_run_uuid),
    rows.map((row) => row.deleted_at),
  ]);
}

export type BulkModelText = { model_id: string; key: string; value: string };

const textsText = (table: string): string => `
  insert into tracking.${table} (model_key, key, value)
  select m.model_key, new.key, new.value
  from unnest($1::text[], $2::text[], $3::text[]) as new (model_id, key, value)
  join tracking.logged_models as m using (model_id)`;

const statements: Record<"logged_model_params" | "logged_model_tags", Prepared> = {
  logged_model_params: { name: "tracking_bulk_model_params", text: textsText("logged_model_params") },
  logged_model_tags: { name: "tracking_bulk_model_tags", text: textsText("logged_model_tags") },
};

export async function insertLoggedModelTexts(
  database: Queryable,
  table: keyof typeof statements,
  rows: readonly BulkModelText[],
): Promise<void> {
  await database.prepared(statements[table], [
    rows.map((row) => row.model_id),
    rows.map((row) => row.key),
    rows.map((row) => row.value),
  ]);
}

export type BulkModelMetric = {
  model_id: string;
  key_id: number;
  run_uuid: string;
  step: Int;
  timestamp: Int;
  value: number;
  dataset_name: string | null;
  dataset_digest: string | null;
};

const insertMetricsText: Prepared = {
  name: "tracking_bulk_model_metrics",
  text: `
    insert into tracking.logged_model_metrics
      (model_key, key_id, run_id, step, timestamp, value, dataset_name, dataset_digest)
    select m.model_key, new.key_id, r.run_id, new.step, new.timestamp, new.value, new.dataset_name, new.dataset_digest
    from unnest($1::text[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[], $7::text[], $8::text[])
      as new (model_id, key_id, run_uuid, step, timestamp, value, dataset_name, dataset_digest)
    join tracking.logged_models as m using (model_id) join tracking.runs as r using (run_uuid)
    on conflict on constraint logged_model_metrics_pkey do nothing
    returning model_key`,
};

/** Returns how many were stored: those whose run is there. */
export async function insertLoggedModelMetrics(
  database: Queryable,
  rows: readonly BulkModelMetric[],
): Promise<number> {
  const added = await database.prepared(insertMetricsText, [
    rows.map((row) => row.model_id),
    int4Array(rows.map((row) => row.key_id)),
    rows.map((row) => row.run_uuid),
    int8Array(rows.map((row) => row.step)),
    int8Array(rows.map((row) => row.timestamp)),
    float8Array(rows.map((row) => row.value)),
    rows.map((row) => row.dataset_name),
    rows.map((row) => row.dataset_digest),
  ]);
  return added.length;
}
