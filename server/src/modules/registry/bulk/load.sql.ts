import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array, int8Array } from "../../../kernel/pg-arrays.ts";

/** Rows written past the request path, by imports: with the numbers, times and stages they had elsewhere. */

type Int = number | bigint;

export type BulkModel = {
  name: string;
  description: string;
  creation_timestamp: Int;
  last_updated_timestamp: Int;
  last_version: number;
};

const insertModelsText: Prepared = {
  name: "registry_bulk_models",
  text: `
    insert into registry.registered_models
      (workspace_id, name, description, creation_timestamp, last_updated_timestamp, last_version)
    select $1, name, description, creation_timestamp, last_updated_timestamp, last_version
    from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::integer[])
      as new (name, description, creation_timestamp, last_updated_timestamp, last_version)`,
};

export async function insertModels(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkModel[],
): Promise<void> {
  await database.prepared(insertModelsText, [
    workspaceId,
    rows.map((row) => row.name),
    rows.map((row) => row.description),
    int8Array(rows.map((row) => row.creation_timestamp)),
    int8Array(rows.map((row) => row.last_updated_timestamp)),
    int4Array(rows.map((row) => row.last_version)),
  ]);
}

export type BulkModelTag = { name: string; key: string; value: string };

const insertModelTagsText: Prepared = {
  name: "registry_bulk_model_tags",
  text: `
    insert into registry.registered_model_tags (model_key, key, value)
    select m.model_key, new.key, new.value
    from unnest($2::text[], $3::text[], $4::text[]) as new (name, key, value)
    join registry.registered_models as m on m.workspace_id = $1 and m.name = new.name`,
};

export async function insertModelTags(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkModelTag[],
): Promise<void> {
  await database.prepared(insertModelTagsText, [
    workspaceId,
    rows.map((row) => row.name),
    rows.map((row) => row.key),
    rows.map((row) => row.value),
  ]);
}

export type BulkVersion = {
  name: string;
  version: number;
  creation_timestamp: Int;
  last_updated_timestamp: Int;
  stage: string;
  status: string;
  status_message: string | null;
  description: string | null;
  user_id: string | null;
  source: string;
  storage_location: string;
  run_uuid: string;
  run_link: string;
  model_id: string | null;
};

// The number of the newest version goes to the model with the versions.
const insertVersionsText: Prepared = {
  name: "registry_bulk_versions",
  text: `
    with new as materialized (
      select m.model_key, given.*
      from unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
          $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
        as given (name, version, creation_timestamp, last_updated_timestamp, stage, status, status_message, description,
          user_id, source, storage_location, run_uuid, run_link, model_id)
      join registry.registered_models as m on m.workspace_id = $1 and m.name = given.name
    ), counted as (
      update registry.registered_models as m set last_version = greatest(m.last_version, newest.version)
      from (select model_key, max(version) as version from new group by model_key) as newest
      where m.model_key = newest.model_key
    )
    insert into registry.model_versions (model_key, version, creation_timestamp, last_updated_timestamp, stage, status,
      status_message, description, user_id, source, storage_location, run_uuid, run_link, model_id)
    select model_key, version, creation_timestamp, last_updated_timestamp, stage, status, status_message, description,
      user_id, source, storage_location, run_uuid, run_link, model_id
    from new
    returning version_key`,
};

/** Returns how many were stored: those whose model is there. */
export async function insertVersions(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkVersion[],
): Promise<number> {
  const added = await database.prepared(insertVersionsText, [
    workspaceId,
    rows.map((row) => row.name),
    int4Array(rows.map((row) => row.version)),
    int8Array(rows.map((row) => row.creation_timestamp)),
    int8Array(rows.map((row) => row.last_updated_timestamp)),
    rows.map((row) => row.stage),
    rows.map((row) => row.status),
    rows.map((row) => row.status_message),
    rows.map((row) => row.description),
    rows.map((row) => row.user_id),
    rows.map((row) => row.source),
    rows.map((row) => row.storage_location),
    rows.map((row) => row.run_uuid),
    rows.map((row) => row.run_link),
    rows.map((row) => row.model_id),
  ]);
  return added.length;
}

export type BulkVersionTag = { name: string; version: number; key: string; value: string };

const insertVersionTagsText: Prepared = {
  name: "registry_bulk_version_tags",
  text: `
    insert into registry.model_version_tags (version_key, key, value)
    select v.version_key, new.key, new.value
    from unnest($2::text[], $3::integer[], $4::text[], $5::text[]) as new (name, version, key, value)
    join registry.registered_models as m on m.workspace_id = $1 and m.name = new.name
    join registry.model_versions as v on v.model_key = m.model_key and v.version = new.version
    returning version_key`,
};

/** Returns how many were stored: those whose version is there. */
export async function insertVersionTags(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkVersionTag[],
): Promise<number> {
  const added = await database.prepared(insertVersionTagsText, [
    workspaceId,
    rows.map((row) => row.name),
    int4Array(rows.map((row) => row.version)),
    rows.map((row) => row.key),
    rows.map((row) => row.value),
  ]);
  return added.length;
}

export type BulkAlias = { name: string; alias: string; version: number };

const insertAliasesText: Prepared = {
  name: "registry_bulk_aliases",
  text: `
    insert into registry.aliases (model_key, alias, version_key)
    select m.model_key, new.alias, v.version_key
    from unnest($2::text[], $3::text[], $4::integer[]) as new (name, alias, version)
    join registry.registered_models as m on m.workspace_id = $1 and m.name = new.name
    join registry.model_versions as v on v.model_key = m.model_key and v.version = new.version
    on conflict on constraint aliases_pkey do nothing
    returning alias`,
};

/** Returns how many were stored: those whose version is there. */
export async function insertAliases(
  database: Queryable,
  workspaceId: number,
  rows: readonly BulkAlias[],
): Promise<number> {
  const added = await database.prepared(insertAliasesText, [
    workspaceId,
    rows.map((row) => row.name),
    rows.map((row) => row.alias),
    int4Array(rows.map((row) => row.version)),
  ]);
  return added.length;
}
