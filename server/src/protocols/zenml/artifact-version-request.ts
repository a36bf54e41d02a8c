import { z } from "zod";
import { readMetadata, type NewArtifactVersion } from "../../modules/pipelines/index.ts";
import { flag, integer, longText, shortText, sourceOrPath, tagNames, uuid } from "./fields.ts";

const MAX_VERSION = 254;

const version = z.union([
  integer.transform(String),
  z.string().max(MAX_VERSION, "Assertion failed, The length of the value for this field can not exceed 255"),
]);

const artifactTypes = [
  "DataAnalysisArtifact",
  "DataArtifact",
  "ModelArtifact",
  "SchemaArtifact",
  "ServiceArtifact",
  "StatisticsArtifact",
  "BaseArtifact",
] as const;

export const artifactVersionRequest = z
  .object({
    project: uuid,
    artifact_id: uuid.nullish(),
    artifact_name: shortText.nullish(),
    version: version.nullish(),
    has_custom_name: flag.default(false),
    type: z.enum(artifactTypes),
    artifact_store_id: uuid.nullish(),
    uri: longText,
    materializer: sourceOrPath,
    data_type: sourceOrPath,
    content_hash: shortText.nullish(),
    tags: tagNames.nullish(),
    visualizations: z
      .array(z.object({ type: z.enum(["csv", "html", "image", "markdown", "json"]), uri: longText }))
      .nullish(),
    save_type: z.enum(["step_output", "manual", "preexisting", "external"]),
    metadata: z.record(z.string(), z.unknown()).nullish(),
    item_count: integer.nullish(),
  })
  .refine((given) => !given.artifact_id || !given.artifact_name, {
    message: "Value error, Only one of artifact_name and artifact_id can be set.",
  })
  .refine((given) => given.artifact_id || given.artifact_name, {
    message: "Value error, Either artifact_name or artifact_id must be set.",
  })
  .refine(({ version: given }) => given !== "" && given !== "0", {
    message: "Value error, Missing version for artifact version request.",
  });

export type ArtifactVersionRequest = z.infer<typeof artifactVersionRequest>;

/** Ids are taken in the order of the request. Throws `invalid_parameter` for metadata that cannot be kept. */
export function newArtifactVersion(
  given: ArtifactVersionRequest,
  { workspaceId, userId, newId }: { workspaceId: number; userId: string | null; newId: () => string },
): NewArtifactVersion {
  return {
    id: newId(),
    workspace_id: workspaceId,
    user_id: userId,
    artifact: given.artifact_id
      ? { id: given.artifact_id }
      : {
          name: given.artifact_name ?? "",
          newId: newId(),
          has_custom_name: given.has_custom_name,
        },
    version: given.version ?? null,
    type: given.type,
    uri: given.uri,
    materializer_json: JSON.stringify(given.materializer),
    data_type_json: JSON.stringify(given.data_type),
    artifact_store_id: given.artifact_store_id ?? null,
    content_hash: given.content_hash ?? null,
    save_type: given.save_type,
    item_count: given.item_count ?? null,
    tags: given.tags ?? [],
    visualizations: (given.visualizations ?? []).map((one) => ({ id: newId(), ...one })),
    metadata: readMetadata(given.metadata ?? {}).map((value) => ({ id: newId(), ...value })),
  };
}
