import { z } from "zod";
import { plainNumber } from "../../kernel/json-text.ts";
import { integer, jsonObject, uuid } from "./fields.ts";

/**
 * Configurations of pipelines and steps as ZenML's own models read them: what is missing is filled in as they do, what
 * they do not know is left out. Everything that either of the versions 0.84 and 0.98 reads is in them.
 */

const flag = z.boolean().nullable().default(null);
const text = z.string().nullable().default(null);
const texts = z.array(z.string()).nullable().default(null);
const object = jsonObject.default(() => ({}));
const objectOrNull = jsonObject.nullable().default(null);
const named = z.record(z.string(), z.string());
const idOrName = z.array(z.string()).default(() => []);
const anything = z.unknown().default(null);
const flagOrText = z.union([z.boolean(), z.string()]).nullable().default(null);

/** `package.module.attribute`, as older clients and people write it. */
function readImportPath(given: unknown): unknown {
  if (typeof given !== "string") return given;
  const path = given.split("@", 1)[0] ?? "";
  const dot = path.lastIndexOf(".");
  return dot === -1
    ? { module: path, attribute: null, type: "unknown" }
    : { module: path.slice(0, dot), attribute: path.slice(dot + 1), type: "unknown" };
}

const sourceTypes = [
  "user",
  "builtin",
  "internal",
  "distribution_package",
  "code_repository",
  "notebook",
  "unknown",
];

/** A Python module, class or function, with whatever its type says besides. */
const codeSource = z.preprocess(
  readImportPath,
  z.looseObject({
    module: z.string().min(1, "Invalid empty import path."),
    attribute: text,
    type: z.literal(sourceTypes),
  }),
);
const optionalSource = codeSource.nullable().default(null);

const settings = z.record(z.string(), jsonObject).default(() => ({}));

const cachePolicyFields = z.object({
  include_step_code: z.boolean().default(true),
  include_step_parameters: z.boolean().default(true),
  include_artifact_values: z.boolean().default(true),
  include_artifact_ids: z.boolean().default(true),
  ignored_inputs: texts,
  file_dependencies: texts,
  source_dependencies: z.array(codeSource).nullable().default(null),
  cache_func: optionalSource,
  expires_after: integer.nullable().default(null),
});
const cachePolicy = z.preprocess(
  (given) => (typeof given === "string" && given.toLowerCase() === "default" ? {} : given),
  cachePolicyFields,
);

const notNegative = integer.refine((value) => value >= 0, "Input should be greater than or equal to 0");
const retry = z
  .object({
    max_retries: notNegative.refine((value) => value > 0, "Input should be greater than 0").default(1),
    delay: notNegative.default(0),
    backoff: notNegative.default(0),
  })
  .nullable()
  .default(null);

const model = z
  .object({
    name: z.string(),
    license: text,
    description: text,
    audience: text,
    use_cases: text,
    limitations: text,
    trade_offs: text,
    ethics: text,
    tags: texts,
    version: z
      .preprocess(plainNumber, z.union([z.number().int(), z.string()]))
      .nullable()
      .default(null),
    save_models_to_registry: z.boolean().default(true),
    model_version_id: uuid.nullable().default(null),
    suppress_class_validation_warnings: anything.transform(() => true),
  })
  .nullable()
  .default(null);

const configuredTag = z.union([
  z.string(),
  z.object({ name: z.string(), color: text, exclusive: flag, cascade: flag }),
]);

const inputIds = z.record(z.string(), z.record(z.string(), uuid)).default(() => ({}));

export const pipelineConfiguration = z.object({
  enable_cache: flag,
  enable_artifact_metadata: flag,
  enable_artifact_visualization: flag,
  enable_step_logs: flag,
  enable_heartbeat: flag,
  environment: object,
  secrets: idOrName,
  enable_pipeline_logs: flag,
  execution_mode: z
    .literal(["fail_fast", "stop_on_failure", "continue_on_failure"])
    .default("continue_on_failure"),
  settings,
  tags: z.array(configuredTag).nullable().default(null),
  extra: object,
  failure_hook_source: optionalSource,
  success_hook_source: optionalSource,
  start_hook_source: optionalSource,
  end_hook_source: optionalSource,
  pause_hook_source: optionalSource,
  resume_hook_source: optionalSource,
  init_hook_source: optionalSource,
  init_hook_kwargs: objectOrNull,
  cleanup_hook_source: optionalSource,
  model,
  parameters: objectOrNull,
  retry,
  substitutions: named.default(() => ({})),
  cache_policy: cachePolicy.nullable().default(null),
  name: z.string(),
  steps_to_skip: z.array(z.string()).default(() => []),
  skip_successful_steps: z.boolean().default(false),
  step_input_overrides: inputIds,
  step_default_input_overrides: inputIds,
});

const artifactConfiguration = z
  .object({
    name: text,
    version: anything,
    tags: texts,
    run_metadata: objectOrNull,
    artifact_type: text,
  })
  .nullable()
  .default(null);

const output = z.object({
  materializer_source: z.preprocess((given) => (Array.isArray(given) ? given : [given]), z.array(codeSource)),
  default_materializer_source: optionalSource,
  artifact_config: artifactConfiguration,
});

const lazyModelData = z.object({
  model_name: z.string(),
  model_version: text,
  artifact_name: text,
  artifact_version: text,
  metadata_name: text,
});

const lazyCall = z.object({
  attribute_name: text,
  is_call: z.boolean().default(false),
  call_args: z.array(z.unknown()).default(() => []),
  call_kwargs: object,
  selector: anything,
});

const lazyLoader = z.object({
  method_name: z.string(),
  call_chain: z.array(lazyCall).default(() => []),
  exclude_next_call: z.boolean().default(false),
});

const group = z
  .object({ id: z.string(), name: text, type: z.literal(["manual", "map"]).default("manual") })
  .nullable()
  .default(null);

const minutes = integer
  .refine((value) => value >= 10 && value <= 60, "Input should be a whole number of 10 to 60")
  .default(30);

export const stepConfiguration = z.object({
  enable_cache: flag,
  enable_artifact_metadata: flag,
  enable_artifact_visualization: flag,
  enable_step_logs: flag,
  step_operator: flagOrText,
  experiment_tracker: flagOrText,
  parameters: object,
  settings,
  environment: named.default(() => ({})),
  secrets: idOrName,
  extra: object,
  failure_hook_source: optionalSource,
  success_hook_source: optionalSource,
  start_hook_source: optionalSource,
  end_hook_source: optionalSource,
  model,
  retry,
  substitutions: named.default(() => ({})),
  cache_policy: cachePolicy.default(() => cachePolicyFields.parse({})),
  runtime: z.literal(["inline", "isolated"]).nullable().default(null),
  heartbeat_healthy_threshold: minutes,
  group,
  outputs: z.record(z.string(), output).default(() => ({})),
  name: z.string(),
  step_type: z.literal(["tool_call", "llm_call", "memory_call"]).nullable().default(null),
  template: text,
  caching_parameters: object,
  external_input_artifacts: z
    .record(z.string(), z.object({ id: uuid.nullable().default(null) }))
    .default(() => ({})),
  model_artifacts_or_metadata: z.record(z.string(), lazyModelData).default(() => ({})),
  client_lazy_loaders: z.record(z.string(), lazyLoader).default(() => ({})),
  command: texts,
});

const input = z.object({
  step_name: z.string(),
  output_name: z.string(),
  chunk_index: integer.nullable().default(null),
  chunk_size: integer.nullable().default(null),
});

/** 0.84 calls the id of an invocation the name of a parameter of the pipeline: both read their own. */
export const stepSpec = z
  .object({
    source: codeSource,
    upstream_steps: z.array(z.string()),
    inputs: z.record(z.string(), z.union([input, z.array(input)])).default(() => ({})),
    invocation_id: z.string().optional(),
    pipeline_parameter_name: z.string().optional(),
    enable_heartbeat: z.boolean().default(false),
    parameter_spec: objectOrNull,
  })
  .transform(({ invocation_id: given, pipeline_parameter_name: old = "", ...spec }) => {
    const invocation = given ?? old;
    return { ...spec, invocation_id: invocation, pipeline_parameter_name: invocation };
  });

export const pipelineSpec = z.object({
  version: z.string().default("0.5"),
  source: optionalSource,
  parameters: object,
  input_schema: objectOrNull,
  steps: z.array(stepSpec),
  outputs: z.array(z.object({ step_name: z.string(), output_name: z.string() })).default(() => []),
  output_schema: objectOrNull,
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A step of a snapshot. Clients that do not say what the step itself sets send what holds for it in the end. */
export const configuredStep = z.preprocess(
  (given) =>
    isObject(given) && !Object.hasOwn(given, "step_config_overrides")
      ? { ...given, step_config_overrides: given["config"] }
      : given,
  z.object({
    spec: stepSpec,
    config: z.custom<object>(isObject, "Input should be a valid dictionary"),
    step_config_overrides: stepConfiguration,
  }),
);
