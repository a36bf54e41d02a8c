import type {
  ArtifactVersionRow,
  ArtifactVisualizationRow,
  CreatedArtifactVersion,
  NewArtifactVersion,
} from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import type { ZenmlCall } from "./endpoint.ts";
import { entity, json, stamps, type ViewContext } from "./envelope.ts";
import { artifactSummary, artifactVersionBody } from "./summaries.ts";

/** What is shown with each version, by its id. */
type Parts = {
  users: ReadonlyMap<string, object>;
  /** By the id of the artifact. */
  artifacts: ReadonlyMap<string, object>;
  tags: ReadonlyMap<string, readonly object[]>;
  producers: ReadonlyMap<string, { step_id: string; run_id: string }>;
  /** Both null where the metadata was not asked for. */
  visualizations: ReadonlyMap<string, readonly ArtifactVisualizationRow[]> | null;
  metadata: ReadonlyMap<string, string> | null;
};

export const visualizationView = (row: ArtifactVisualizationRow): object =>
  entity({ id: row.id }, { body: { ...stamps(row), type: row.type, uri: row.uri } });

function viewOf(row: ArtifactVersionRow, parts: Parts, context: ViewContext): object {
  const producer = parts.producers.get(row.id);
  return entity(
    { id: row.id },
    {
      body: artifactVersionBody(row, parts.artifacts.get(row.artifact_id) ?? null, context),
      metadata:
        parts.metadata === null
          ? null
          : {
              visualizations: (parts.visualizations?.get(row.id) ?? []).map(visualizationView),
              run_metadata: json(parts.metadata.get(row.id) ?? "{}"),
            },
      resources: {
        user: parts.users.get(row.user_id ?? "") ?? null,
        tags: parts.tags.get(row.id) ?? [],
        producer_step_run_id: producer?.step_id ?? null,
        producer_pipeline_run_id: producer?.run_id ?? null,
      },
    },
  );
}

export async function artifactVersionViews(
  context: ZenmlContext,
  call: ZenmlCall,
  { rows, hydrate }: { rows: readonly ArtifactVersionRow[]; hydrate: boolean },
): Promise<object[]> {
  const related = context.relatedFor(call);
  const { artifactVersions } = context.pipelines;
  const ids = rows.map((row) => row.id);
  const [users, artifacts, tags, producers, visualizations, metadata] = await Promise.all([
    related.users(rows.map((row) => row.user_id)),
    related.artifacts(rows.map((row) => row.artifact_id)),
    related.tagsOf(ids),
    artifactVersions.producersOf(ids),
    hydrate ? artifactVersions.visualizationsOf(ids) : null,
    hydrate ? related.metadataOf(ids) : null,
  ]);
  const parts = { users, artifacts, tags, producers, visualizations, metadata };
  return rows.map((row) => viewOf(row, parts, context.viewContext(call)));
}

/** Of versions that this request made: nothing is asked for but what the tags are. */
export async function createdVersionViews(
  context: ZenmlContext,
  call: ZenmlCall,
  { given, created }: { given: readonly NewArtifactVersion[]; created: readonly CreatedArtifactVersion[] },
): Promise<object[]> {
  const related = context.relatedFor(call);
  const shown = context.viewContext(call);
  const [users, tags] = await Promise.all([
    related.users(given.map((one) => one.user_id)),
    related.tagsOf(given.filter((one) => one.tags.length > 0).map((one) => one.id)),
  ]);
  const parts: Parts = {
    users,
    tags,
    producers: new Map(),
    artifacts: new Map(created.map(({ artifact }) => [artifact.id, artifactSummary(artifact, shown)])),
    visualizations: new Map(created.map(({ row, visualizations }) => [row.id, visualizations])),
    metadata: new Map(
      given.map(({ id, metadata }) => [
        id,
        `{${metadata.map((one) => `${JSON.stringify(one.key)}:${one.value_json}`).join(",")}}`,
      ]),
    ),
  };
  return created.map(({ row }) => viewOf(row, parts, shown));
}
