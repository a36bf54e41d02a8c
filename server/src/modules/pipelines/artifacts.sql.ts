import type { Prepared, Queryable } from "../../kernel/database.ts";

export type LatestVersion = { artifact_id: string; id: string; version: string };

const latestText: Prepared = {
  name: "pipelines_select_latest_versions",
  text: `
    select a.id as artifact_id, v.id, v.version from unnest($1::uuid[]) as a (id)
      cross join lateral (
        select id, version from pipelines.artifact_versions
        where artifact_id = a.id order by created desc, id desc limit 1
      ) as v`,
};

/** The newest version of each artifact that has one. */
export async function selectLatestVersions(
  database: Queryable,
  artifactIds: readonly string[],
): Promise<Map<string, LatestVersion>> {
  if (artifactIds.length === 0) return new Map();
  const rows = await database.prepared<LatestVersion>(latestText, [artifactIds]);
  return new Map(rows.map((row) => [row.artifact_id, row]));
}

const versionIdsText: Prepared = {
  name: "pipelines_select_version_ids",
  text: `select id from pipelines.artifact_versions where artifact_id = $1::uuid`,
};

export async function selectVersionIds(transaction: Queryable, artifactId: string): Promise<string[]> {
  const rows = await transaction.prepared<{ id: string }>(versionIdsText, [artifactId]);
  return rows.map(({ id }) => id);
}

const lockEmptyText: Prepared = {
  name: "pipelines_lock_empty_artifacts",
  text: `
    select a.id from pipelines.artifacts as a
    where a.workspace_id = $1::integer
      and not exists (select from pipelines.artifact_versions as v where v.artifact_id = a.id)
    order by a.id for update`,
};

// In a statement of its own, which sees versions that were added before the lock was got.
const deleteEmptyText: Prepared = {
  name: "pipelines_delete_empty_artifacts",
  text: `
    delete from pipelines.artifacts as a
    where a.id = any ($1::uuid[])
      and not exists (select from pipelines.artifact_versions as v where v.artifact_id = a.id)
    returning a.id`,
};

/** Deletes the artifacts of a workspace that have no versions; their ids. */
export async function deleteEmptyArtifacts(transaction: Queryable, workspaceId: number): Promise<string[]> {
  const empty = await transaction.prepared<{ id: string }>(lockEmptyText, [workspaceId]);
  if (empty.length === 0) return [];
  const deleted = await transaction.prepared<{ id: string }>(deleteEmptyText, [empty.map(({ id }) => id)]);
  return deleted.map(({ id }) => id);
}
