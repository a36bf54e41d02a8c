import { sql } from "kysely";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { experimentConditions, type ExperimentQuery } from "./experiment-search.sql.ts";
import { isAfter, orderBy, placeOf, type OrderTerm, type Place } from "./keyset.ts";

export type KeyValue = { key: string; value: string };

/** Where an experiment is looked for: ids are unique in all workspaces, and found in one. */
export type ExperimentPlace = { workspaceId: number; id: number };

export type ExperimentRow = {
  experiment_id: number;
  name: string;
  artifact_location: string;
  creation_time: number;
  last_update_time: number;
  deleted_at: number | null;
  tags: KeyValue[];
};

const COLUMNS = `
  e.experiment_id, e.name, e.artifact_location, e.creation_time, e.last_update_time, e.deleted_at,
  coalesce((
    select json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key collate "C")
    from tracking.experiment_tags as t where t.experiment_id = e.experiment_id
  ), '[]') as tags`;

// `where not exists` keeps a client that asks again and again from using up the ids. An experiment is put below
// the root of its workspace, before the query that a root such as `s3://bucket/path?region=x` may have.
const insertExperimentText: Prepared = {
  name: "tracking_insert_experiment",
  text: `
    with home as (
      select workspace_id, coalesce(
        regexp_replace(default_artifact_root, '^mlflow-artifacts:/+', 'mlflow-artifacts:/workspaces/' || name || '/', 'i'),
        'mlflow-artifacts:/' || case when workspace_id = 1 then '' else 'workspaces/' || name end
      ) as root
      from identity.workspaces where workspace_id = $6 and not hidden
    ), new as (
      select nextval(pg_get_serial_sequence('tracking.experiments', 'experiment_id'))::integer as experiment_id,
        workspace_id, root
      from home where not exists (select from tracking.experiments where workspace_id = $6 and name = $1)
    ), added as (
      insert into tracking.experiments
        (experiment_id, workspace_id, name, artifact_location, creation_time, last_update_time)
      select experiment_id, workspace_id, $1,
        coalesce($2, regexp_replace(root, '/*([?].*)?$', '/' || experiment_id || '\\1')), $3, $3
      from new
      on conflict on constraint experiments_name_key do nothing
      returning experiment_id
    ), tagged as (
      insert into tracking.experiment_tags (experiment_id, key, value)
      select added.experiment_id, tag.key, tag.value
      from added cross join unnest($4::text[], $5::text[]) as tag (key, value)
    )
    select home.workspace_id, added.experiment_id from home left join added on true`,
};

export type NewExperimentRow = {
  workspaceId: number;
  name: string;
  artifactLocation: string | undefined;
  tags: readonly KeyValue[];
  now: number;
};

/**
 * The new experiment's id, or null when the name is taken; undefined when the workspace is gone, which may
 * also violate `experiments_workspace_id_fkey`.
 */
export async function insertExperiment(
  database: Queryable,
  experiment: NewExperimentRow,
): Promise<number | null | undefined> {
  const { workspaceId, name, artifactLocation, tags, now } = experiment;
  const [row] = await database.prepared<{ experiment_id: number | null }>(insertExperimentText, [
    name,
    artifactLocation ?? null,
    now,
    tags.map((tag) => tag.key),
    tags.map((tag) => tag.value),
    workspaceId,
  ]);
  return row?.experiment_id;
}

const selectExperimentText: Prepared = {
  name: "tracking_select_experiment",
  text: `select ${COLUMNS} from tracking.experiments as e where e.experiment_id = $1 and e.workspace_id = $2`,
};

export async function selectExperiment(
  database: Queryable,
  { id, workspaceId }: ExperimentPlace,
): Promise<ExperimentRow | undefined> {
  return (await database.prepared<ExperimentRow>(selectExperimentText, [id, workspaceId]))[0];
}

const selectExperimentByNameText: Prepared = {
  name: "tracking_select_experiment_by_name",
  text: `select ${COLUMNS} from tracking.experiments as e where e.workspace_id = $1 and e.name = $2`,
};

export async function selectExperimentByName(
  database: Queryable,
  workspaceId: number,
  name: string,
): Promise<ExperimentRow | undefined> {
  return (await database.prepared<ExperimentRow>(selectExperimentByNameText, [workspaceId, name]))[0];
}

const updateExperimentNameText: Prepared = {
  name: "tracking_update_experiment_name",
  text: `
    update tracking.experiments set name = $2, last_update_time = $3
    where experiment_id = $1 and workspace_id = $4 and deleted_at is null returning experiment_id`,
};

/** False when there is no such active experiment; a taken name violates `experiments_name_key`. */
export async function updateExperimentName(
  database: Queryable,
  { id, workspaceId, name, now }: ExperimentPlace & { name: string; now: number },
): Promise<boolean> {
  return (await database.prepared(updateExperimentNameText, [id, name, now, workspaceId])).length > 0;
}

// The time of deletion is later than that of any run deleted before, so that it marks exactly the
// runs that went with the experiment.
const updateExperimentDeletedText: Prepared = {
  name: "tracking_update_experiment_deleted",
  text: `
    with gone as (
      update tracking.experiments set last_update_time = $2, deleted_at = greatest($2, (
        select max(deleted_at) + 1 from tracking.runs where experiment_id = $1 and deleted_at is not null
      ))
      where experiment_id = $1 and workspace_id = $3 and deleted_at is null
      returning experiment_id, deleted_at
    ), followed as (
      update tracking.runs set deleted_at = gone.deleted_at from gone
      where runs.experiment_id = gone.experiment_id and runs.deleted_at is null
    )
    select experiment_id from gone`,
};

/** Marks the experiment and its active runs deleted; false when there is no such active experiment. */
export async function updateExperimentDeleted(
  database: Queryable,
  { id, workspaceId, now }: ExperimentPlace & { now: number },
): Promise<boolean> {
  return (await database.prepared(updateExperimentDeletedText, [id, now, workspaceId])).length > 0;
}

const updateExperimentRestoredText: Prepared = {
  name: "tracking_update_experiment_restored",
  text: `
    with old as (
      select experiment_id, deleted_at from tracking.experiments
      where experiment_id = $1 and workspace_id = $3 and deleted_at is not null for update
    ), back as (
      update tracking.experiments as e set deleted_at = null, last_update_time = $2 from old
      where e.experiment_id = old.experiment_id returning e.experiment_id, old.deleted_at
    ), followed as (
      update tracking.runs set deleted_at = null from back
      where runs.experiment_id = back.experiment_id and runs.deleted_at = back.deleted_at
    )
    select experiment_id from back`,
};

/** Undoes `updateExperimentDeleted`; runs deleted by themselves stay so. */
export async function updateExperimentRestored(
  database: Queryable,
  { id, workspaceId, now }: ExperimentPlace & { now: number },
): Promise<boolean> {
  return (await database.prepared(updateExperimentRestoredText, [id, now, workspaceId])).length > 0;
}

const upsertExperimentTagText: Prepared = {
  name: "tracking_upsert_experiment_tag",
  text: `
    insert into tracking.experiment_tags (experiment_id, key, value)
    select experiment_id, $2, $3 from tracking.experiments
    where experiment_id = $1 and workspace_id = $4 and deleted_at is null
    on conflict on constraint experiment_tags_pkey do update set value = excluded.value
    returning experiment_id`,
};

/** False when there is no such active experiment. */
export async function upsertExperimentTag(
  database: Queryable,
  { id, workspaceId }: ExperimentPlace,
  { key, value }: KeyValue,
): Promise<boolean> {
  return (await database.prepared(upsertExperimentTagText, [id, key, value, workspaceId])).length > 0;
}

const lockExperimentText: Prepared = {
  name: "tracking_lock_experiment",
  text: `
    select experiment_id from tracking.experiments
    where experiment_id = $1 and workspace_id = $2 for no key update`,
};

export async function lockExperiment(
  database: Queryable,
  { id, workspaceId }: ExperimentPlace,
): Promise<void> {
  await database.prepared(lockExperimentText, [id, workspaceId]);
}

const deleteExperimentTagText: Prepared = {
  name: "tracking_delete_experiment_tag",
  text: "delete from tracking.experiment_tags where experiment_id = $1 and key = $2 returning experiment_id",
};

export async function deleteExperimentTag(database: Queryable, id: number, key: string): Promise<boolean> {
  return (await database.prepared(deleteExperimentTagText, [id, key])).length > 0;
}

/** Up to `limit` experiments in the order of `terms`, after `after`. */
export async function selectExperiments(
  database: Database,
  query: ExperimentQuery,
  page: { terms: readonly OrderTerm[]; after: Place | undefined; limit: number },
): Promise<(ExperimentRow & { place: string[] })[]> {
  const { terms, after, limit } = page;
  const conditions = experimentConditions(query);
  if (after !== undefined) conditions.push(isAfter(terms, after));
  const built = sql<ExperimentRow & { place: string[] }>`
    select ${sql.raw(COLUMNS)}, ${placeOf(terms)} as place
    from tracking.experiments as e where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(terms)} limit ${sql.lit(limit)}`;
  return database.run(built.compile(database.kysely));
}
