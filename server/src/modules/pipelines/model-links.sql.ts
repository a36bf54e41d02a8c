import type { Prepared, Queryable } from "../../kernel/database.ts";

const linkArtifactText: Prepared = {
  name: "pipelines_link_artifact_to_model_version",
  text: `
    with added as (
      insert into pipelines.model_version_artifacts (id, model_version_id, artifact_version_id, created, updated)
      values ($1, $2, $3, $4, $4) on conflict do nothing returning id
    )
    select id from added union all
    select id from pipelines.model_version_artifacts where model_version_id = $2 and artifact_version_id = $3 limit 1`,
};
const linkRunText: Prepared = {
  name: "pipelines_link_run_to_model_version",
  text: `
    with added as (
      insert into pipelines.model_version_runs (id, model_version_id, pipeline_run_id, created, updated)
      values ($1, $2, $3, $4, $4) on conflict do nothing returning id
    )
    select id from added union all
    select id from pipelines.model_version_runs where model_version_id = $2 and pipeline_run_id = $3 limit 1`,
};

export type NewLink = { id: string; modelVersionId: string; toId: string; now: number };

/** The id of the link that is there afterwards; undefined where another transaction is just making it. */
export async function insertLink(
  database: Queryable,
  kind: "artifact" | "run",
  { id, modelVersionId, toId, now }: NewLink,
): Promise<string | undefined> {
  const statement = kind === "artifact" ? linkArtifactText : linkRunText;
  const [row] = await database.prepared<{ id: string }>(statement, [id, modelVersionId, toId, now]);
  return row?.id;
}

const unlinkArtifactText: Prepared = {
  name: "pipelines_unlink_artifact_from_model_version",
  text: `
    delete from pipelines.model_version_artifacts where id = (
      select l.id from pipelines.model_version_artifacts as l
      where l.model_version_id = $1 and (l.id = $2::uuid or $2::uuid is null and exists (
        select from pipelines.artifact_versions as v join pipelines.artifacts as a on a.id = v.artifact_id
        where v.id = l.artifact_version_id and a.name = $3))
      order by l.created, l.id limit 1
    ) returning id`,
};
const unlinkRunText: Prepared = {
  name: "pipelines_unlink_run_from_model_version",
  text: `
    delete from pipelines.model_version_runs where id = (
      select l.id from pipelines.model_version_runs as l
      where l.model_version_id = $1 and (l.id = $2::uuid or $2::uuid is null and exists (
        select from pipelines.runs as r where r.id = l.pipeline_run_id and r.name = $3))
      order by l.created, l.id limit 1
    ) returning id`,
};

/** False where there is no such link. Of links to artifacts of one name, the first goes. */
export async function deleteLink(
  database: Queryable,
  kind: "artifact" | "run",
  of: { modelVersionId: string; linkId: string | null; name: string },
): Promise<boolean> {
  const statement = kind === "artifact" ? unlinkArtifactText : unlinkRunText;
  return (await database.prepared(statement, [of.modelVersionId, of.linkId, of.name])).length > 0;
}

const unlinkAllText: Prepared = {
  name: "pipelines_unlink_artifacts_from_model_version",
  text: "delete from pipelines.model_version_artifacts where model_version_id = $1 returning artifact_version_id as id",
};

/** The ids of what was linked. */
export async function deleteArtifactLinks(database: Queryable, modelVersionId: string): Promise<string[]> {
  const rows = await database.prepared<{ id: string }>(unlinkAllText, [modelVersionId]);
  return rows.map(({ id }) => id);
}

const deleteVersionsText: Prepared = {
  name: "pipelines_delete_linked_artifact_versions",
  text: "delete from pipelines.artifact_versions where id = any ($1::uuid[])",
};

export async function deleteArtifactVersions(database: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await database.prepared(deleteVersionsText, [ids]);
}
