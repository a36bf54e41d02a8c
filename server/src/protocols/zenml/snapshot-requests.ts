import { z } from "zod";
import { configuredStep, pipelineConfiguration, pipelineSpec } from "./configuration.ts";
import { jsonObject, longText, shortText, time, uuid } from "./fields.ts";

const text = z.string().nullish();
const tagNames = z.array(z.string()).nullish();

/** A name, or false for none. */
const name = z
  .union([z.string(), z.boolean()])
  .nullish()
  .refine((given) => given !== "", "Value error, Snapshot name cannot be empty.")
  .refine((given) => given !== true, "Value error, Snapshot name cannot be `True`.")
  .refine(
    (given) => typeof given !== "string" || given.length <= 255,
    "Value error, Snapshot name is too long. The maximum length is 255 characters.",
  )
  .transform((given) => given ?? undefined);

const codeReference = z
  .object({ commit: shortText, subdirectory: shortText, code_repository: uuid })
  .transform((given) => ({
    codeRepositoryId: given.code_repository,
    commit: given.commit,
    subdirectory: given.subdirectory,
  }));

const fields = {
  project: uuid,
  run_name_template: z.string(),
  pipeline_configuration: pipelineConfiguration,
  step_configurations: z.record(z.string(), configuredStep).default({}),
  client_environment: jsonObject.default({}),
  client_version: text,
  server_version: text,
  pipeline_version_hash: text,
  pipeline_spec: pipelineSpec.nullish(),
  is_dynamic: z.boolean().default(false),
  name,
  description: longText.nullish(),
  source_code: longText.nullish(),
  replace: z.boolean().nullish(),
  tags: tagNames,
  stack: uuid,
  build: uuid.nullish(),
  schedule: uuid.nullish(),
  code_reference: codeReference.nullish(),
  code_path: text,
  template: uuid.nullish(),
  source_snapshot: uuid.nullish(),
};

export const snapshotRequest = z.object({ ...fields, pipeline: uuid });
/** What 0.84 calls a deployment of a pipeline, which may name none. */
export const deploymentRequest = z.object({ ...fields, pipeline: uuid.nullish() });
export type SnapshotRequest = z.output<typeof deploymentRequest>;

export const snapshotUpdate = z.object({
  name,
  description: longText.nullish(),
  replace: z.boolean().nullish(),
  add_tags: tagNames,
  remove_tags: tagNames,
});

export const pruneRequest = z.object({
  project: uuid,
  older_than: time,
  apply: z.boolean().default(false),
});
