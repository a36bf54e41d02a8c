import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { KeyValue } from "./experiments.sql.ts";
import type { Int } from "./run-data-plan.ts";

/** Where a logged model is looked for: ids are unique in all workspaces, and found in one. */
export type LoggedModelPlace = { workspaceId: number; id: string };

/** The model in `m` whose place is in the first two parameters of a statement. */
const OF_MODEL = `m.model_id = $1 and exists (
  select from tracking.experiments as e where e.experiment_id = m.experiment_id and e.workspace_id = $2)`;

/** A logged model's own row. */
export type LoggedModelInfo = {
  model_id: string;
  experiment_id: number;
  name: string;
  artifact_location: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  status: number;
  status_message: string | null;
  model_type: string | null;
  source_run_uuid: string | null;
};

/** With its data; metrics are columns, the same index is the same point. */
export type LoggedModelRow = LoggedModelInfo & {
  tags: KeyValue[];
  params: KeyValue[];
  metric_keys: string[] | null;
  metric_values: number[] | null;
  metric_timestamps: Int[] | null;
  metric_steps: Int[] | null;
  metric_run_ids: string[] | null;
  metric_dataset_names: (string | null)[] | null;
  metric_dataset_digests: (string | null)[] | null;
};

export const INFO_COLUMNS = `
  m.model_key, m.model_id, m.experiment_id, m.name, m.artifact_location, m.creation_timestamp,
  m.last_updated_timestamp, m.status, m.status_message, m.model_type, m.source_run_uuid`;

/** The data of the models in `m`. */
export const DATA_COLUMNS = `
  coalesce((
    select json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key collate "C")
    from tracking.logged_model_tags as t where t.model_key = m.model_key
  ), '[]') as tags,
  coalesce((
    select json_agg(json_build_object('key', p.key, 'value', p.value) order by p.key collate "C")
    from tracking.logged_model_params as p where p.model_key = m.model_key
  ), '[]') as params,
  metrics.*`;

export const DATA_JOIN = `
  cross join lateral (
    select array_agg(key) as metric_keys, array_agg(value) as metric_values, array_agg(timestamp) as metric_timestamps,
      array_agg(step) as metric_steps, array_agg(run_uuid) as metric_run_ids,
      array_agg(dataset_name) as metric_dataset_names, array_agg(dataset_digest) as metric_dataset_digests
    from (
      select k.key, v.value, v.timestamp, v.step, r.run_uuid, v.dataset_name, v.dataset_digest
      from tracking.logged_model_metrics as v
      join tracking.keys as k using (key_id) join tracking.runs as r using (run_id)
      where v.model_key = m.model_key
      order by k.key, v.timestamp, v.step, r.run_uuid
    ) as points
  ) as metrics`;

const selectLoggedModelText: Prepared = {
  name: "tracking_select_logged_model",
  text: `
    select ${INFO_COLUMNS}, ${DATA_COLUMNS} from tracking.logged_models as m ${DATA_JOIN}
    where ${OF_MODEL} and ($3 or m.deleted_at is null)`,
};

export async function selectLoggedModel(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
  allowDeleted: boolean,
): Promise<LoggedModelRow | undefined> {
  const values = [id, workspaceId, allowDeleted];
  return (await database.prepared<LoggedModelRow>(selectLoggedModelText, values))[0];
}

const insertLoggedModelText: Prepared = {
  name: "tracking_insert_logged_model",
  text: `
    with added as (
      insert into tracking.logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp,
        last_updated_timestamp, status, model_type, source_run_uuid)
      values ($1, $2, $3, $4, $5, $5, $6, $7, $8)
      returning model_key
    ), with_params as (
      insert into tracking.logged_model_params (model_key, key, value)
      select model_key, key, value from added cross join unnest($9::text[], $10::text[]) as new (key, value)
    )
    insert into tracking.logged_model_tags (model_key, key, value)
    select model_key, key, value from added cross join unnest($11::text[], $12::text[]) as new (key, value)`,
};

export async function insertLoggedModel(
  database: Queryable,
  model: LoggedModelInfo & { params: readonly KeyValue[]; tags: readonly KeyValue[] },
): Promise<void> {
  await database.prepared(insertLoggedModelText, [
    model.model_id,
    model.experiment_id,
    model.name,
    model.artifact_location,
    model.creation_timestamp,
    model.status,
    model.model_type,
    model.source_run_uuid,
    ...columns(model.params),
    ...columns(model.tags),
  ]);
}

const columns = (pairs: readonly KeyValue[]): [string[], string[]] => [
  pairs.map((pair) => pair.key),
  pairs.map((pair) => pair.value),
];

const updateStatusText: Prepared = {
  name: "tracking_update_logged_model_status",
  text: `
    update tracking.logged_models as m set status = $3, last_updated_timestamp = $4
    where ${OF_MODEL} returning m.model_key`,
};

/** False when there is no such model. */
export async function updateLoggedModelStatus(
  database: Queryable,
  { id, workspaceId, status, now }: LoggedModelPlace & { status: number; now: number },
): Promise<boolean> {
  return (await database.prepared(updateStatusText, [id, workspaceId, status, now])).length > 0;
}

const updateDeletedText: Prepared = {
  name: "tracking_update_logged_model_deleted",
  text: `
    update tracking.logged_models as m set deleted_at = coalesce(deleted_at, $3), last_updated_timestamp = $3
    where ${OF_MODEL} returning m.model_key`,
};

export async function updateLoggedModelDeleted(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
  now: number,
): Promise<boolean> {
  return (await database.prepared(updateDeletedText, [id, workspaceId, now])).length > 0;
}

const insertParamsText: Prepared = {
  name: "tracking_insert_logged_model_params",
  text: `
    with model as (
      select m.model_key from tracking.logged_models as m where ${OF_MODEL}
    ), added as (
      insert into tracking.logged_model_params (model_key, key, value)
      select model_key, key, value from model cross join unnest($3::text[], $4::text[]) as new (key, value)
      order by key
    )
    select model_key from model`,
};

/** False when there is no such model; a key that is there violates `logged_model_params_pkey`. */
export async function insertLoggedModelParams(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
  params: readonly KeyValue[],
): Promise<boolean> {
  return (await database.prepared(insertParamsText, [id, workspaceId, ...columns(params)])).length > 0;
}

const upsertTagsText: Prepared = {
  name: "tracking_upsert_logged_model_tags",
  text: `
    with model as (
      select m.model_key from tracking.logged_models as m where ${OF_MODEL}
    ), added as (
      insert into tracking.logged_model_tags (model_key, key, value)
      select model_key, key, value from model cross join unnest($3::text[], $4::text[]) as new (key, value)
      order by key
      on conflict on constraint logged_model_tags_pkey do update set value = excluded.value
    )
    select model_key from model`,
};

/** False when there is no such model. No key may be given twice. */
export async function upsertLoggedModelTags(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
  tags: readonly KeyValue[],
): Promise<boolean> {
  return (await database.prepared(upsertTagsText, [id, workspaceId, ...columns(tags)])).length > 0;
}

const deleteTagText: Prepared = {
  name: "tracking_delete_logged_model_tag",
  text: `
    with model as (
      select m.model_key from tracking.logged_models as m where ${OF_MODEL}
    ), gone as (
      delete from tracking.logged_model_tags as t using model
      where t.model_key = model.model_key and t.key = $3 returning t.key
    )
    select exists (select from model) as model, exists (select from gone) as tag`,
};

/** What was found of the two. */
export async function deleteLoggedModelTag(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
  key: string,
): Promise<{ model: boolean; tag: boolean }> {
  const values = [id, workspaceId, key];
  const [row] = await database.prepared<{ model: boolean; tag: boolean }>(deleteTagText, values);
  return row ?? { model: false, tag: false };
}

const selectArtifactRootText: Prepared = {
  name: "tracking_select_logged_model_artifact_root",
  text: `select m.artifact_location from tracking.logged_models as m where ${OF_MODEL} and m.deleted_at is null`,
};

export async function selectLoggedModelArtifactRoot(
  database: Queryable,
  { id, workspaceId }: LoggedModelPlace,
): Promise<string | undefined> {
  const values = [id, workspaceId];
  const [row] = await database.prepared<{ artifact_location: string }>(selectArtifactRootText, values);
  return row?.artifact_location;
}

const selectRunModelRootText: Prepared = {
  name: "tracking_select_run_model_root",
  // By the index on source_run_uuid. Anybody may name a run as the source of a model: it must be of the run's experiment.
  text: `
    select m.artifact_location from tracking.logged_models as m
    where m.source_run_uuid = $1 and m.name = $2 and m.experiment_id = $3 and m.deleted_at is null
    order by m.creation_timestamp desc, m.model_id limit 1`,
};

/** Where the newest model of that name is that a run has logged. */
export async function selectRunModelRoot(
  database: Queryable,
  { runId, experimentId, name }: { runId: string; experimentId: number; name: string },
): Promise<string | undefined> {
  const values = [runId, name, experimentId];
  const [row] = await database.prepared<{ artifact_location: string }>(selectRunModelRootText, values);
  return row?.artifact_location;
}
