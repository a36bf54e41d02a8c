import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { ArtifactRow, ArtifactVersionRow, ArtifactVisualizationRow } from "./artifact-tables.ts";
import type { RunMetadataRow } from "./run-tables.ts";

const ARTIFACT = "a.id, a.workspace_id, a.user_id, a.name, a.has_custom_name, a.created, a.updated";

export type ArtifactKey = Pick<ArtifactRow, "workspace_id" | "name">;

const lockText: Prepared = {
  name: "pipelines_lock_artifacts",
  text: `
    select ${ARTIFACT} from unnest($1::integer[], $2::text[]) as n (workspace_id, name)
      join pipelines.artifacts as a on a.workspace_id = n.workspace_id and a.name = n.name
    order by a.id for no key update of a`,
};

/** Artifacts by their names; nobody else adds versions to them until the transaction ends. */
export const lockArtifacts = (transaction: Queryable, keys: readonly ArtifactKey[]): Promise<ArtifactRow[]> =>
  transaction.prepared<ArtifactRow & Row>(lockText, columnsOf(keys));

const lockByIdText: Prepared = {
  name: "pipelines_lock_artifacts_by_id",
  text: `select ${ARTIFACT} from pipelines.artifacts as a where a.id = any ($1::uuid[]) order by a.id for no key update`,
};

export const lockArtifactsById = (transaction: Queryable, ids: readonly string[]): Promise<ArtifactRow[]> =>
  transaction.prepared<ArtifactRow & Row>(lockByIdText, [ids]);

export type Top = { artifact_id: string; version_number: number };

// Asked behind the lock, in a statement of its own: one that waited for the lock would see what was before.
const topsText: Prepared = {
  name: "pipelines_select_top_versions",
  text: `
    select a.id as artifact_id, v.version_number
    from unnest($1::integer[], $2::text[]) as n (workspace_id, name)
      join pipelines.artifacts as a on a.workspace_id = n.workspace_id and a.name = n.name
      cross join lateral (
        select version_number from pipelines.artifact_versions
        where artifact_id = a.id and version_number is not null order by version_number desc limit 1
      ) as v`,
};

/** The highest number of each artifact's versions; none where no version has a number. */
export const selectTops = (transaction: Queryable, keys: readonly ArtifactKey[]): Promise<Top[]> =>
  transaction.prepared<Top & Row>(topsText, columnsOf(keys));

const topsByIdText: Prepared = {
  name: "pipelines_select_top_versions_by_id",
  text: `
    select artifact_id, max(version_number) as version_number from pipelines.artifact_versions
    where artifact_id = any ($1::uuid[]) and version_number is not null group by artifact_id`,
};

export const selectTopsById = (transaction: Queryable, ids: readonly string[]): Promise<Top[]> =>
  transaction.prepared<Top & Row>(topsByIdText, [ids]);

const columnsOf = (keys: readonly ArtifactKey[]): [number[], string[]] => [
  keys.map((key) => key.workspace_id),
  keys.map((key) => key.name),
];

const insertArtifactsText: Prepared = {
  name: "pipelines_insert_artifacts",
  text: `
    insert into pipelines.artifacts as a (id, workspace_id, user_id, name, has_custom_name, created, updated)
    select n.id, n.workspace_id, n.user_id, n.name, n.has_custom_name, n.created, n.updated
    from json_to_recordset($1::json) as n (id uuid, workspace_id integer, user_id uuid, name text,
      has_custom_name boolean, created bigint, updated bigint)
    order by n.workspace_id, n.name collate "C"
    on conflict do nothing returning ${ARTIFACT}`,
};

/** Those that others made meanwhile are left out. */
export const insertArtifacts = (
  transaction: Queryable,
  rows: readonly ArtifactRow[],
): Promise<ArtifactRow[]> =>
  transaction.prepared<ArtifactRow & Row>(insertArtifactsText, [JSON.stringify(rows)]);

const customText: Prepared = {
  name: "pipelines_name_artifacts",
  text: `update pipelines.artifacts set has_custom_name = true where id = any ($1::uuid[])`,
};

export async function updateCustomNames(transaction: Queryable, ids: readonly string[]): Promise<void> {
  await transaction.prepared(customText, [ids]);
}

export type NewMetadata = RunMetadataRow & { resource_id: string };

const insertText: Prepared = {
  name: "pipelines_insert_artifact_versions",
  text: `
    with versions as (
      insert into pipelines.artifact_versions (id, workspace_id, user_id, artifact_id, version, version_number, type,
        uri, materializer_json, data_type_json, artifact_store_id, content_hash, save_type, item_count, created, updated)
      select n.id, n.workspace_id, n.user_id, n.artifact_id, n.version, n.version_number, n.type,
        n.uri, n.materializer_json, n.data_type_json, n.artifact_store_id, n.content_hash, n.save_type, n.item_count,
        n.created, n.updated
      from json_to_recordset($1::json) as n (id uuid, workspace_id integer, user_id uuid, artifact_id uuid,
        version text, version_number integer, type text, uri text, materializer_json text, data_type_json text,
        artifact_store_id uuid, content_hash text, save_type text, item_count integer, created bigint, updated bigint)
      on conflict (id) do nothing returning id
    ), visualizations as (
      insert into pipelines.artifact_visualizations (id, artifact_version_id, position, type, uri, created, updated)
      select n.id, n.artifact_version_id, n.position, n.type, n.uri, n.created, n.updated
      from json_to_recordset($2::json) as n (id uuid, artifact_version_id uuid, position integer, type text, uri text,
        created bigint, updated bigint)
      where n.artifact_version_id in (select id from versions)
    ), given as (
      select n.* from json_to_recordset($3::json) as n (id uuid, resource_id uuid, workspace_id integer, user_id uuid,
        key text, value_json text, type text, created bigint)
      where n.resource_id in (select id from versions)
    ), metadata as (
      insert into pipelines.run_metadata (id, workspace_id, user_id, key, value_json, type, created)
      select id, workspace_id, user_id, key, value_json, type, created from given
    ), links as (
      insert into pipelines.run_metadata_resources (resource_id, metadata_id, resource_type)
      select resource_id, id, 'artifact_version' from given
    )
    select id from versions`,
};

/** Versions with all that is about them. The ids of those that were not there before. */
export async function insertVersions(
  transaction: Queryable,
  rows: {
    versions: readonly ArtifactVersionRow[];
    visualizations: readonly ArtifactVisualizationRow[];
    metadata: readonly NewMetadata[];
  },
): Promise<Set<string>> {
  const values = [rows.versions, rows.visualizations, rows.metadata].map((list) => JSON.stringify(list));
  const added = await transaction.prepared<{ id: string }>(insertText, values);
  return new Set(added.map(({ id }) => id));
}

const takenText: Prepared = {
  name: "pipelines_select_taken_versions",
  text: `
    select a.name, v.version from json_to_recordset($1::json) as n (artifact_id uuid, version text)
      join pipelines.artifact_versions as v on v.artifact_id = n.artifact_id and v.version = n.version
      join pipelines.artifacts as a on a.id = v.artifact_id
    limit 1`,
};

/** One of these versions that is there. */
export async function selectTaken(
  database: Queryable,
  versions: readonly Pick<ArtifactVersionRow, "artifact_id" | "version">[],
): Promise<{ name: string; version: string } | undefined> {
  const rows = await database.prepared<{ name: string; version: string }>(takenText, [
    JSON.stringify(versions),
  ]);
  return rows[0];
}

const visualizationsText: Prepared = {
  name: "pipelines_select_visualizations_of",
  text: `
    select id, artifact_version_id, position, type, uri, created, updated from pipelines.artifact_visualizations
    where artifact_version_id = any ($1::uuid[]) order by artifact_version_id, position`,
};

export async function selectVisualizationsOf(
  database: Queryable,
  versionIds: readonly string[],
): Promise<ArtifactVisualizationRow[]> {
  if (versionIds.length === 0) return [];
  return database.prepared<ArtifactVisualizationRow & Row>(visualizationsText, [versionIds]);
}

export type Producer = { artifact_version_id: string; step_id: string; run_id: string };

// Steps that took it from an earlier one have it among their outputs, too, but did not make it.
const producersText: Prepared = {
  name: "pipelines_select_producers_of",
  text: `
    select distinct on (o.artifact_version_id) o.artifact_version_id, s.id as step_id, s.run_id
    from pipelines.step_outputs as o join pipelines.steps as s on s.id = o.step_id
    where o.artifact_version_id = any ($1::uuid[]) and s.status = 'completed'
    order by o.artifact_version_id, s.created, s.id`,
};

/** The step that made each version, and its run. */
export async function selectProducersOf(
  database: Queryable,
  versionIds: readonly string[],
): Promise<Map<string, Producer>> {
  if (versionIds.length === 0) return new Map();
  const rows = await database.prepared<Producer & Row>(producersText, [versionIds]);
  return new Map(rows.map((row) => [row.artifact_version_id, row]));
}

/** What steps took or made, what runs and hooks gave back. Over the alias `v` of a version. */
const USED = `
  exists (select from pipelines.step_outputs as o where o.artifact_version_id = v.id)
  or exists (select from pipelines.step_inputs as i where i.artifact_version_id = v.id)`;

const isUsedText: Prepared = {
  name: "pipelines_is_artifact_version_used",
  text: `select (${USED}) as used from pipelines.artifact_versions as v where v.id = $1::uuid`,
};

/** Whether a step took or made it. */
export const isVersionUsed = async (database: Queryable, id: string): Promise<boolean> =>
  (await database.prepared<{ used: boolean }>(isUsedText, [id]))[0]?.used === true;

export type Place = { id: string; created: number };

const pruneText: Prepared = {
  name: "pipelines_select_unused_versions",
  text: `
    with page as (
      select v.id, v.created from pipelines.artifact_versions as v
      where v.workspace_id = $1::integer and (v.created, v.id) > ($2::bigint, $3::uuid)
      order by v.created, v.id limit 5000
    ), given_back as (
      select e.value::uuid as id from pipelines.runs as r, json_each_text(r.outputs_json::json) as e
      where r.workspace_id = $1::integer and r.outputs_json is not null and e.value ~ '^[0-9a-f-]{36}$'
      union
      select e.value::uuid from pipelines.hook_invocations as h, json_each(h.outputs_json::json) as o,
        json_array_elements_text(case when json_typeof(o.value) = 'array' then o.value else json_build_array(o.value) end) as e
      where h.workspace_id = $1::integer and h.outputs_json <> '{}' and e.value ~ '^[0-9a-f-]{36}$'
    )
    select v.id, v.created, not (${USED} or v.id in (select id from given_back)) as unused
    from page as v order by v.created, v.id`,
};

/** The next of a workspace's versions behind a place, and whether anything uses them. */
export const selectPrunable = (
  database: Queryable,
  workspaceId: number,
  { id, created }: Place,
): Promise<(Place & { unused: boolean })[]> =>
  database.prepared<Place & { unused: boolean }>(pruneText, [workspaceId, created, id]);

const lockVersionsText: Prepared = {
  name: "pipelines_lock_artifact_versions",
  text: "select id from pipelines.artifact_versions where id = any ($1::uuid[]) order by id for update",
};

const deleteText: Prepared = {
  name: "pipelines_delete_unused_versions",
  text: `delete from pipelines.artifact_versions as v where v.id = any ($1::uuid[]) and not (${USED}) returning v.id`,
};

/** What came into use meanwhile stays. The ids of the others. */
export async function deleteUnusedVersions(
  transaction: Queryable,
  ids: readonly string[],
): Promise<string[]> {
  await transaction.prepared(lockVersionsText, [ids]);
  return (await transaction.prepared<{ id: string }>(deleteText, [ids])).map((row) => row.id);
}
