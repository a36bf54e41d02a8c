import type { Prepared, Queryable, Row } from "../../kernel/database.ts";

const tables = {
  deployment: "pipelines.deployments",
  model: "pipelines.models",
  pipeline: "pipelines.pipelines",
  pipeline_run: "pipelines.runs",
  pipeline_snapshot: "pipelines.snapshots",
} as const;

/** On what visualizations can be put. */
export const visualizedTypes = [
  "deployment",
  "model",
  "pipeline",
  "pipeline_run",
  "pipeline_snapshot",
  "project",
] as const;
export type VisualizedType = (typeof visualizedTypes)[number];

export type VisualizedRow = { id: string; workspace_id: number; user_id: string | null };

const textOf = (type: VisualizedType): Prepared => ({
  name: `pipelines_select_visualized_${type}`,
  text:
    type === "project"
      ? "select uuid as id, workspace_id, null::uuid as user_id from identity.workspaces where uuid = $1::uuid and not hidden"
      : `select id, workspace_id, user_id from ${tables[type]} where id = $1::uuid`,
});

const texts = new Map(visualizedTypes.map((type) => [type, textOf(type)]));

export async function selectVisualized(
  database: Queryable,
  type: VisualizedType,
  id: string,
): Promise<VisualizedRow | undefined> {
  const text = texts.get(type);
  if (text === undefined) throw new TypeError(`nothing is shown on ${type}`);
  return (await database.prepared<VisualizedRow & Row>(text, [id]))[0];
}

const workspaceText: Prepared = {
  name: "pipelines_select_workspace_of_visualization",
  text: `
    select v.workspace_id from pipelines.artifact_visualizations as a
      join pipelines.artifact_versions as v on v.id = a.artifact_version_id
    where a.id = $1::uuid`,
};

/** The workspace that a visualization of an artifact is in. */
export async function selectVisualizationWorkspace(
  database: Queryable,
  id: string,
): Promise<number | undefined> {
  return (await database.prepared<{ workspace_id: number }>(workspaceText, [id]))[0]?.workspace_id;
}
