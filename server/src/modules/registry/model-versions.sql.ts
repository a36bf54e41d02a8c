import { sql } from "kysely";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import {
  isAfter,
  orderBy,
  type ModelVersionComparison,
  type OrderTerm,
  type Place,
} from "../tracking/index.ts";
import type { KeyValue } from "./deps.ts";
import { listsOf, parseColumns, stateOf, type FoundVersion, type Lists } from "./listed-versions.sql.ts";
import type { Stage } from "./names.ts";
import type { ModelPlace } from "./registered-models.sql.ts";
import { versionConditions } from "./registry-search.sql.ts";
import { isVisible, type VisibleModels } from "./visible-models.ts";
import { RECORDED, recordEvent } from "./webhooks/deliveries.sql.ts";

export type VersionPlace = ModelPlace & { version: number };

export type VersionRow = {
  model_key: number;
  name: string;
  version: number;
  creation_timestamp: number;
  last_updated_timestamp: number;
  stage: Stage;
  status: string;
  status_message: string | null;
  description: string | null;
  user_id: string | null;
  source: string;
  storage_location: string;
  run_uuid: string;
  run_link: string;
  model_id: string | null;
  tags: KeyValue[];
  aliases: string[];
};

const COLUMNS = `
  v.model_key, m.name, v.version, v.creation_timestamp, v.last_updated_timestamp, v.stage, v.status,
  v.status_message, v.description, v.user_id, v.source, v.storage_location, v.run_uuid, v.run_link, v.model_id,
  coalesce((
    select json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key collate "C")
    from registry.model_version_tags as t where t.version_key = v.version_key
  ), '[]') as tags,
  array(
    select a.alias from registry.aliases as a where a.version_key = v.version_key order by a.alias
  ) as aliases`;

const FROM = "registry.model_versions as v join registry.registered_models as m using (model_key)";

/** The model or version whose place is in the first parameters of a statement. */
const OF_MODEL = "m.workspace_id = $1 and m.name = $2";
const OF_VERSION = `${OF_MODEL} and v.version = $3`;

const selectVersionText: Prepared = {
  name: "registry_select_version",
  text: `select ${COLUMNS} from ${FROM} where ${OF_VERSION}`,
};

export async function selectVersion(
  database: Queryable,
  { workspaceId, name, version }: VersionPlace,
): Promise<VersionRow | undefined> {
  return (await database.prepared<VersionRow>(selectVersionText, [workspaceId, name, version]))[0];
}

const selectVersionsByAliasText: Prepared = {
  name: "registry_select_versions_by_alias",
  text: `
    select wanted.ordinal::integer as ordinal, ${COLUMNS}
    from unnest($1::integer[], $2::text[], $3::text[]) with ordinality as wanted (workspace_id, name, alias, ordinal)
    join registry.registered_models as m on m.workspace_id = wanted.workspace_id and m.name = wanted.name
    join registry.aliases as found on found.model_key = m.model_key and found.alias = wanted.alias
    join registry.model_versions as v on v.version_key = found.version_key`,
};

export type AliasPlace = ModelPlace & { alias: string };

/** The version of each alias in the order given; undefined where there is none. */
export async function selectVersionsByAlias(
  database: Queryable,
  places: readonly AliasPlace[],
): Promise<(VersionRow | undefined)[]> {
  const rows = await database.prepared<VersionRow & { ordinal: number }>(selectVersionsByAliasText, [
    int4Array(places.map(({ workspaceId }) => workspaceId)),
    places.map(({ name }) => name),
    places.map(({ alias }) => alias),
  ]);
  const found = new Map(rows.map((row) => [row.ordinal - 1, row]));
  return places.map((_, at) => found.get(at));
}

// One descent of the index for each model and stage, however many versions there are.
const selectLatestText: Prepared = {
  name: "registry_select_latest_versions",
  text: `
    select wanted.ordinal::integer as ordinal, ${COLUMNS}
    from unnest($1::integer[], $2::text[]) with ordinality as wanted (workspace_id, name, ordinal)
    join registry.registered_models as m on m.workspace_id = wanted.workspace_id and m.name = wanted.name
    cross join unnest(array['None', 'Staging', 'Production', 'Archived']) as among (stage)
    cross join lateral (
      select * from registry.model_versions as newest
      where newest.model_key = m.model_key and newest.stage = among.stage
      order by newest.version desc limit 1
    ) as v
    order by wanted.ordinal, v.version`,
};

/** The newest version of each stage of each model, the lowest number first; none where there is no such model. */
export async function selectLatestVersions(
  database: Queryable,
  places: readonly ModelPlace[],
): Promise<VersionRow[][]> {
  const rows = await database.prepared<VersionRow & { ordinal: number }>(selectLatestText, [
    int4Array(places.map(({ workspaceId }) => workspaceId)),
    places.map(({ name }) => name),
  ]);
  const latest = places.map((): VersionRow[] => []);
  for (const row of rows) latest[row.ordinal - 1]?.push(row);
  return latest;
}

const updateDescriptionText: Prepared = {
  name: "registry_update_version_description",
  text: `
    update registry.model_versions as v set description = $4, last_updated_timestamp = $5
    from registry.registered_models as m
    where ${OF_VERSION} and v.model_key = m.model_key returning v.version_key`,
};

export async function updateVersionDescription(
  database: Queryable,
  change: VersionPlace & { description: string | null; now: number },
): Promise<boolean> {
  const { workspaceId, name, version, description, now } = change;
  const values = [workspaceId, name, version, description, now];
  return (await database.prepared(updateDescriptionText, values)).length > 0;
}

const lockModelText: Prepared = {
  name: "registry_lock_model",
  text: `
    update registry.registered_models as m set last_updated_timestamp = $4
    from registry.model_versions as v
    where ${OF_VERSION} and v.model_key = m.model_key returning m.model_key`,
};

/** Marks the model of a version changed, which locks it; its key, or undefined when there is no such version. */
export async function lockModelOfVersion(
  transaction: Queryable,
  { workspaceId, name, version, now }: VersionPlace & { now: number },
): Promise<number | undefined> {
  const values = [workspaceId, name, version, now];
  const [row] = await transaction.prepared<{ model_key: number }>(lockModelText, values);
  return row?.model_key;
}

const updateStageText: Prepared = {
  name: "registry_update_version_stage",
  text: `
    update registry.model_versions set
      stage = case when version = $2 then $3 else 'Archived' end,
      last_updated_timestamp = $4
    where model_key = $1 and (version = $2 or ($5 and stage = $3))`,
};

/** Moves a version, and with `archive` those that were in that stage out of it. */
export async function updateVersionStage(
  transaction: Queryable,
  change: { modelKey: number; version: number; stage: Stage; archive: boolean; now: number },
): Promise<void> {
  const { modelKey, version, stage, archive, now } = change;
  await transaction.prepared(updateStageText, [modelKey, version, stage, now, archive]);
}

const deleteVersionText: Prepared = {
  name: "registry_delete_version",
  text: "delete from registry.model_versions where model_key = $1 and version = $2 returning version_key",
};

/** With its tags and aliases; its number is never given again. */
export async function deleteVersion(
  transaction: Queryable,
  modelKey: number,
  version: number,
): Promise<boolean> {
  return (await transaction.prepared(deleteVersionText, [modelKey, version])).length > 0;
}

/** A new state for the versions of a statement that changes their tags: `listed-versions.sql.ts` says why. */
const touch = (changed: string): string => `
    touched as (
      update registry.model_versions as v set version = v.version
      from ${changed} where v.version_key = ${changed}.version_key
    )`;

const upsertTagText: Prepared = {
  name: "registry_upsert_version_tag",
  text: `
    with changed as (
      insert into registry.model_version_tags (version_key, key, value)
      select v.version_key, $4, $5 from ${FROM} where ${OF_VERSION}
      on conflict on constraint model_version_tags_pkey do update set value = excluded.value
      returning version_key
    ), ${touch("changed")}, ${recordEvent("model_version_tag.set", {
      workspace: "$1",
      from: "changed",
      data: "json_build_object('name', $2::text, 'version', $3::text, 'key', $4::text, 'value', $5::text)",
    })}
    select ${RECORDED} from changed`,
};

type Recorded = { recorded: number };

/** How many webhooks are to be told; undefined when there is no such version. */
export async function upsertVersionTag(
  database: Queryable,
  { workspaceId, name, version }: VersionPlace,
  tag: KeyValue,
): Promise<number | undefined> {
  const values = [workspaceId, name, version, tag.key, tag.value];
  return (await database.prepared<Recorded>(upsertTagText, values))[0]?.recorded;
}

const deleteTagText: Prepared = {
  name: "registry_delete_version_tag",
  text: `
    with version as (
      select v.version_key from ${FROM} where ${OF_VERSION}
    ), gone as (
      delete from registry.model_version_tags as t using version
      where t.version_key = version.version_key and t.key = $4
      returning t.version_key
    ), ${touch("gone")}, ${recordEvent("model_version_tag.deleted", {
      workspace: "$1",
      from: "version",
      data: "json_build_object('name', $2::text, 'version', $3::text, 'key', $4::text)",
    })}
    select ${RECORDED} from version`,
};

/** How many webhooks are to be told; undefined when there is no such version. A tag that is not there is no matter. */
export async function deleteVersionTag(
  database: Queryable,
  { workspaceId, name, version }: VersionPlace,
  key: string,
): Promise<number | undefined> {
  const values = [workspaceId, name, version, key];
  return (await database.prepared<Recorded>(deleteTagText, values))[0]?.recorded;
}

const upsertAliasText: Prepared = {
  name: "registry_upsert_alias",
  text: `
    with changed as (
      insert into registry.aliases (model_key, alias, version_key)
      select v.model_key, $4, v.version_key from ${FROM} where ${OF_VERSION}
      on conflict on constraint aliases_pkey do update set version_key = excluded.version_key
      returning version_key
    ), ${recordEvent("model_version_alias.created", {
      workspace: "$1",
      from: "changed",
      data: "json_build_object('name', $2::text, 'alias', $4::text, 'version', $3::text)",
    })}
    select ${RECORDED} from changed`,
};

/** How many webhooks are to be told; undefined when there is no such version. */
export async function upsertAlias(
  database: Queryable,
  { workspaceId, name, version }: VersionPlace,
  alias: string,
): Promise<number | undefined> {
  const values = [workspaceId, name, version, alias];
  return (await database.prepared<Recorded>(upsertAliasText, values))[0]?.recorded;
}

const deleteAliasText: Prepared = {
  name: "registry_delete_alias",
  text: `
    with model as (
      select m.model_key from registry.registered_models as m where ${OF_MODEL}
    ), gone as (
      delete from registry.aliases as a using model where a.model_key = model.model_key and a.alias = $3
    ), ${recordEvent("model_version_alias.deleted", {
      workspace: "$1",
      from: "model",
      data: "json_build_object('name', $2::text, 'alias', $3::text)",
    })}
    select ${RECORDED} from model`,
};

/** How many webhooks are to be told; undefined when there is no such model. An alias that is not there is no matter. */
export async function deleteAlias(
  database: Queryable,
  { workspaceId, name }: ModelPlace,
  alias: string,
): Promise<number | undefined> {
  return (await database.prepared<Recorded>(deleteAliasText, [workspaceId, name, alias]))[0]?.recorded;
}

/** A version as lists show it: without its aliases, its logged model and where its files are. */
export type ListedVersion = Omit<VersionRow, "aliases" | "model_id" | "storage_location">;

/** A page of versions, and the place of the last of them when there are more. */
export type VersionPage = { found: FoundVersion[]; next: string[] | undefined };

/** Up to `limit` versions of a workspace in the order of `terms`, after `after`. */
export async function selectVersions(
  database: Database,
  query: {
    workspaceId: number;
    filter: readonly ModelVersionComparison[];
    visible: VisibleModels | undefined;
  },
  page: { terms: readonly OrderTerm[]; after: Place | undefined; limit: number },
): Promise<VersionPage> {
  const { terms, after, limit } = page;
  const conditions = [
    sql`m.workspace_id = ${sql.lit(query.workspaceId)}`,
    ...versionConditions(query.filter),
    ...isVisible(query.visible),
  ];
  if (after !== undefined) conditions.push(isAfter(terms, after));
  // The place is made of one row only: for all 1,000 it would take as long as the rest.
  const places = terms.map(({ expression }, at) => sql`${expression} as ${sql.raw(`term_${at}`)}`);
  const place = terms.map((_, at) => sql.raw(`term_${at}::text`));
  const built = sql<Lists>`
    with found as materialized (
      select v.version_key, ${sql.raw(stateOf)} as state, m.name, ${sql.join(places)}
      from ${sql.raw(FROM)} where ${sql.join(conditions, sql` and `)}
      order by ${orderBy(terms)} limit ${sql.lit(limit + 1)}
    )
    select ${sql.raw(listsOf(["version_key", "state", "name"]))}, (
      select array_to_json(array[${sql.join(place)}])::text from found offset ${sql.lit(limit - 1)} limit 1
    ) as place from found`;
  const [{ place: last, ...lists } = { place: null }] = await database.run(built.compile(database.kysely));
  const rows = parseColumns<{ version_key: number; state: string; name: string }>(lists);
  const found = rows.version_key.map((key, at) => ({
    key,
    state: rows.state[at] as string,
    name: rows.name[at] as string,
  }));
  const isMore = found.length > limit;
  return {
    found: isMore ? found.slice(0, limit) : found,
    next: isMore ? (JSON.parse(last ?? "[]") as string[]) : undefined,
  };
}
