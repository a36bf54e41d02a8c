import { z } from "zod";

/** Texts of a query, which name one thing each. */
const text = z.string().min(1).max(2048);

/** Where to look; `default` unless said. */
const workspace = z.string().min(1).max(63).default("default");

/** `GET /console/api/lineage/model-version`: where a model version comes from. */
export const modelLineageRequest = z.strictObject({
  workspace,
  name: text,
  /** The number of the version, or one of the model's aliases: one of the two. */
  version: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
  alias: text.optional(),
});

export const MAX_LINEAGE_PAGE = 1000;

const page = {
  workspace,
  max_results: z.coerce.number().int().min(1).max(MAX_LINEAGE_PAGE).default(100),
  page_token: text.optional(),
};

/** `GET /console/api/lineage/model-versions`: what became of an experiment, a run, a logged model or a dataset. */
export const lineageOriginRequest = z.union([
  z.strictObject({ ...page, experiment_id: text }),
  z.strictObject({ ...page, run_id: text }),
  z.strictObject({ ...page, model_id: text }),
  z.strictObject({ ...page, dataset_name: text, dataset_digest: text }),
]);

const milliseconds = z.number();
const lifecycleStage = z.enum(["active", "deleted"]);

const linkedModel = z.object({
  model_id: z.string(),
  /** Null: no such logged model is in this workspace (any more). */
  name: z.string().nullable(),
});

/** A version as its lineage shows it. `run_id` and `model_id` are as the client gave them. */
const linkedVersion = z.object({
  name: z.string(),
  version: z.int(),
  aliases: z.array(z.string()),
  stage: z.string(),
  creation_time: milliseconds,
  run_id: z.string().nullable(),
  model_id: z.string().nullable(),
});

export const modelLineage = z.object({
  model_version: linkedVersion.extend({ source: z.string() }),
  /** Null, here and below: not named, purged, or not of this workspace. */
  logged_model: z
    .object({
      model_id: z.string(),
      name: z.string(),
      experiment_id: z.string(),
      source_run_id: z.string().nullable(),
      lifecycle_stage: lifecycleStage,
      creation_time: milliseconds,
    })
    .nullable(),
  /** The run that the version names, else the one its logged model names. */
  run: z
    .object({
      run_id: z.string(),
      run_name: z.string(),
      user_id: z.string(),
      status: z.string(),
      lifecycle_stage: lifecycleStage,
      start_time: milliseconds,
      end_time: milliseconds.nullable(),
    })
    .nullable(),
  experiment: z
    .object({ experiment_id: z.string(), name: z.string(), lifecycle_stage: lifecycleStage })
    .nullable(),
  /** The run's parent, that one's parent and so on, at most 10. */
  parent_runs: z.array(z.object({ run_id: z.string(), run_name: z.string() })),
  /** At most 1,000 of each of these; `truncated` says whether there are more. */
  datasets: z.array(
    z.object({
      name: z.string(),
      digest: z.string(),
      source_type: z.string(),
      /** Its first 1,000 characters. */
      source: z.string(),
      context: z.string().nullable(),
    }),
  ),
  /** Logged models that the run used, and that it made. */
  input_models: z.array(linkedModel),
  output_models: z.array(linkedModel),
  truncated: z.boolean(),
});

export type ModelLineage = z.infer<typeof modelLineage>;

export const lineageVersions = z.object({
  /** The newest first; of a dataset, run by run. */
  model_versions: z.array(linkedVersion),
  next_page_token: z.string().optional(),
});

export type LineageVersions = z.infer<typeof lineageVersions>;
