import { sql } from "kysely";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import { isAfter, orderBy, placeOf, type OrderTerm, type Place } from "../tracking/index.ts";
import type { KeyValue } from "./deps.ts";
import type { FoundModel } from "./found-models.sql.ts";
import { PROMPT_TAG } from "./names.ts";
import { modelConditions } from "./registry-search.sql.ts";
import { isVisible, type VisibleModels } from "./visible-models.ts";
import { RECORDED, recordEvent } from "./webhooks/deliveries.sql.ts";
import type { RegisteredModelComparison } from "../tracking/index.ts";

/** Where a model stands: names are unique within a workspace. */
export type ModelPlace = { workspaceId: number; name: string };

export type ModelRow = {
  model_key: number;
  name: string;
  description: string;
  creation_timestamp: number;
  last_updated_timestamp: number;
  tags: KeyValue[];
  aliases: { alias: string; version: number }[];
};

const COLUMNS = `
  m.model_key, m.name, m.description, m.creation_timestamp, m.last_updated_timestamp,
  coalesce((
    select json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key collate "C")
    from registry.registered_model_tags as t where t.model_key = m.model_key
  ), '[]') as tags,
  coalesce((
    select json_agg(json_build_object('alias', a.alias, 'version', v.version) order by a.alias)
    from registry.aliases as a join registry.model_versions as v using (version_key)
    where a.model_key = m.model_key
  ), '[]') as aliases`;

// `where not exists`: clients register a model again and again, and must not use up the keys.
const insertModelText: Prepared = {
  name: "registry_insert_model",
  text: `
    with added as (
      insert into registry.registered_models
        (workspace_id, name, description, creation_timestamp, last_updated_timestamp)
      select $6, $1, $2, $3, $3
      where not exists (select from registry.registered_models where workspace_id = $6 and name = $1)
      on conflict on constraint registered_models_name_key do nothing
      returning model_key
    ), tagged as (
      insert into registry.registered_model_tags (model_key, key, value)
      select added.model_key, tag.key, tag.value
      from added cross join unnest($4::text[], $5::text[]) as tag (key, value)
    ), ${recordEvent("registered_model.created", {
      workspace: "$6",
      from: "added",
      data: `json_build_object(
        'name', $1::text,
        'tags', coalesce((
          select json_object_agg(tag.key, tag.value) from unnest($4::text[], $5::text[]) as tag (key, value)
        ), '{}'),
        'description', $2::text)`,
    })}
    select model_key, ${RECORDED} from added`,
};

/**
 * The new model's key and how many webhooks are to be told, or undefined when the name is taken. No tag may be
 * given twice. A workspace that is gone violates `registered_models_workspace_id_fkey`.
 */
export async function insertModel(
  database: Queryable,
  model: ModelPlace & { description: string; tags: readonly KeyValue[]; now: number },
): Promise<{ model_key: number; recorded: number } | undefined> {
  const [row] = await database.prepared<{ model_key: number; recorded: number }>(insertModelText, [
    model.name,
    model.description,
    model.now,
    model.tags.map((tag) => tag.key),
    model.tags.map((tag) => tag.value),
    model.workspaceId,
  ]);
  return row;
}

const selectModelText: Prepared = {
  name: "registry_select_model",
  text: `select ${COLUMNS} from registry.registered_models as m where m.workspace_id = $1 and m.name = $2`,
};

export async function selectModel(
  database: Queryable,
  { workspaceId, name }: ModelPlace,
): Promise<ModelRow | undefined> {
  return (await database.prepared<ModelRow>(selectModelText, [workspaceId, name]))[0];
}

const selectModelKeyText: Prepared = {
  name: "registry_select_model_key",
  text: "select model_key from registry.registered_models where workspace_id = $1 and name = $2",
};

export async function selectModelKey(
  database: Queryable,
  { workspaceId, name }: ModelPlace,
): Promise<number | undefined> {
  const [row] = await database.prepared<{ model_key: number }>(selectModelKeyText, [workspaceId, name]);
  return row?.model_key;
}

const selectArePromptsText: Prepared = {
  name: "registry_select_are_prompts",
  text: `
    select exists (
      select from registry.registered_models as m join registry.registered_model_tags as t using (model_key)
      where m.workspace_id = wanted.workspace_id and m.name = wanted.name
        and t.key = '${PROMPT_TAG}' and lower(t.value) = 'true'
    ) as is_prompt
    from unnest($1::integer[], $2::text[]) with ordinality as wanted (workspace_id, name, ordinal)
    order by ordinal`,
};

/** Whether each of these is a prompt; what is not there is none. */
export async function selectArePrompts(
  database: Queryable,
  places: readonly ModelPlace[],
): Promise<boolean[]> {
  const rows = await database.prepared<{ is_prompt: boolean }>(selectArePromptsText, [
    int4Array(places.map(({ workspaceId }) => workspaceId)),
    places.map(({ name }) => name),
  ]);
  return rows.map((row) => row.is_prompt);
}

const updateDescriptionText: Prepared = {
  name: "registry_update_model_description",
  text: `
    update registry.registered_models set description = $3, last_updated_timestamp = $4
    where workspace_id = $1 and name = $2 returning model_key`,
};

/** False when there is no such model. */
export async function updateModelDescription(
  database: Queryable,
  change: ModelPlace & { description: string; now: number },
): Promise<boolean> {
  const { workspaceId, name, description, now } = change;
  return (await database.prepared(updateDescriptionText, [workspaceId, name, description, now])).length > 0;
}

const updateNameText: Prepared = {
  name: "registry_update_model_name",
  text: `
    with renamed as (
      update registry.registered_models set name = $2, last_updated_timestamp = $3
      where workspace_id = $4 and name = $1 returning model_key
    ), touched as (
      update registry.model_versions as v set last_updated_timestamp = $3
      from renamed where v.model_key = renamed.model_key
    )
    select model_key from renamed`,
};

/** False when there is no such model; a taken name violates `registered_models_name_key`. */
export async function updateModelName(
  database: Queryable,
  { workspaceId, name, newName, now }: ModelPlace & { newName: string; now: number },
): Promise<boolean> {
  return (await database.prepared(updateNameText, [name, newName, now, workspaceId])).length > 0;
}

const deleteModelText: Prepared = {
  name: "registry_delete_model",
  text: "delete from registry.registered_models where workspace_id = $1 and name = $2 returning model_key",
};

/** With its versions, tags and aliases. False when there is no such model. */
export async function deleteModel(database: Queryable, { workspaceId, name }: ModelPlace): Promise<boolean> {
  return (await database.prepared(deleteModelText, [workspaceId, name])).length > 0;
}

const upsertTagText: Prepared = {
  name: "registry_upsert_model_tag",
  text: `
    insert into registry.registered_model_tags (model_key, key, value)
    select model_key, $3, $4 from registry.registered_models where workspace_id = $1 and name = $2
    on conflict on constraint registered_model_tags_pkey do update set value = excluded.value
    returning model_key`,
};

/** False when there is no such model. */
export async function upsertModelTag(
  database: Queryable,
  { workspaceId, name }: ModelPlace,
  tag: KeyValue,
): Promise<boolean> {
  return (await database.prepared(upsertTagText, [workspaceId, name, tag.key, tag.value])).length > 0;
}

const deleteTagText: Prepared = {
  name: "registry_delete_model_tag",
  text: `
    with model as (
      select model_key from registry.registered_models where workspace_id = $1 and name = $2
    ), gone as (
      delete from registry.registered_model_tags as t using model
      where t.model_key = model.model_key and t.key = $3
    )
    select model_key from model`,
};

/** False when there is no such model; a tag that is not there is no matter. */
export async function deleteModelTag(
  database: Queryable,
  { workspaceId, name }: ModelPlace,
  key: string,
): Promise<boolean> {
  return (await database.prepared(deleteTagText, [workspaceId, name, key])).length > 0;
}

export type ModelQuery = {
  workspaceId: number;
  filter: readonly RegisteredModelComparison[];
  visible: VisibleModels | undefined;
};

/** Up to `limit` models of a workspace in the order of `terms`, after `after`. */
export async function selectModels(
  database: Database,
  query: ModelQuery,
  page: { terms: readonly OrderTerm[]; after: Place | undefined; limit: number },
): Promise<(FoundModel & { place: string[] })[]> {
  const { terms, after, limit } = page;
  const conditions = [
    sql`m.workspace_id = ${sql.lit(query.workspaceId)}`,
    ...modelConditions(query.filter),
    ...isVisible(query.visible),
  ];
  if (after !== undefined) conditions.push(isAfter(terms, after));
  const built = sql<FoundModel & { place: string[] }>`
    select m.model_key, m.name, m.description, m.creation_timestamp, m.last_updated_timestamp, m.last_version,
      ${placeOf(terms)} as place
    from registry.registered_models as m where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(terms)} limit ${sql.lit(limit)}`;
  return database.run(built.compile(database.kysely));
}
