import { z } from "zod";
import {
  noUpdate,
  type Complete,
  type JsonObject,
  type RunConfigurationUpdate,
} from "../../modules/pipelines/index.ts";
import { pipelineConfiguration, stepConfiguration } from "./configuration.ts";
import { invalidFilter } from "./errors.ts";
import { jsonObject } from "./fields.ts";

/**
 * What runs of a snapshot are to do otherwise. Only what is named changes, so nothing is filled in here; what is null
 * is not named, and what nobody knows is left out, as ZenML's models do.
 */

const pipelineFields = [
  "enable_cache",
  "enable_artifact_metadata",
  "enable_artifact_visualization",
  "enable_step_logs",
  "enable_pipeline_logs",
  "enable_heartbeat",
  "settings",
  "environment",
  "secrets",
  "tags",
  "extra",
  "model",
  "parameters",
  "retry",
  "init_hook_source",
  "init_hook_kwargs",
  "cleanup_hook_source",
  "failure_hook_source",
  "success_hook_source",
  "start_hook_source",
  "end_hook_source",
  "pause_hook_source",
  "resume_hook_source",
  "substitutions",
  "cache_policy",
  "execution_mode",
] as const satisfies readonly (keyof typeof pipelineConfiguration.shape)[];

const stepFields = [
  "enable_cache",
  "enable_artifact_metadata",
  "enable_artifact_visualization",
  "enable_step_logs",
  "step_operator",
  "experiment_tracker",
  "parameters",
  "settings",
  "environment",
  "secrets",
  "extra",
  "failure_hook_source",
  "success_hook_source",
  "start_hook_source",
  "end_hook_source",
  "model",
  "retry",
  "substitutions",
  "cache_policy",
  "runtime",
  "heartbeat_healthy_threshold",
  "group",
] as const satisfies readonly (keyof typeof stepConfiguration.shape)[];

/** What is null in these says nothing. */
const models: ReadonlySet<string> = new Set(["model", "retry", "cache_policy", "group"]);

const withoutNulls = (object: object): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

/** As it came, but for sources and policies that are named by a text, and for what says nothing. */
function sayingOf(field: string, given: unknown, read: unknown): unknown {
  if (typeof given !== "object" || given === null) return typeof read === "object" ? read : given;
  if (models.has(field)) return withoutNulls(given);
  if (field === "settings") {
    return Object.fromEntries(
      Object.entries(given as Record<string, object>).map(([key, value]) => [key, withoutNulls(value)]),
    );
  }
  return given;
}

type Fields = { shape: Readonly<Record<string, z.ZodType>>; names: readonly string[] };
const ofPipeline: Fields = { shape: pipelineConfiguration.shape, names: pipelineFields };
// Outputs are looked at where they are laid over those of the step.
const ofStep: Fields = {
  shape: { ...stepConfiguration.shape, outputs: jsonObject },
  names: [...stepFields, "outputs"],
};

type Place = { context: z.core.$RefinementCtx; path: readonly string[] };

function readChanges({ shape, names }: Fields, given: JsonObject, { context, path }: Place): JsonObject {
  const changes: Record<string, unknown> = {};
  for (const name of names) {
    const value = given[name];
    if (value === null || value === undefined) continue;
    const read = shape[name]?.safeParse(value);
    if (read?.success === true) changes[name] = sayingOf(name, value, read.data);
    for (const issue of read?.error?.issues ?? []) {
      context.addIssue({ code: "custom", message: issue.message, path: [...path, name, ...issue.path] });
    }
  }
  return changes;
}

const outer = z.looseObject({
  run_name: z.string().nullish(),
  steps: z.record(z.string(), jsonObject).nullish(),
});

/** Null and nothing are what they are mostly: the snapshot is run as it is. */
export const runConfigurationRequest = outer
  .transform((given, context): RunConfigurationUpdate => ({
    runName: given.run_name ?? null,
    pipeline: readChanges(ofPipeline, given, { context, path: [] }),
    steps: Object.fromEntries(
      Object.entries(given.steps ?? {}).map(([name, step]) => [
        name,
        readChanges(ofStep, step, { context, path: ["steps", name] }),
      ]),
    ),
    build: given["build"],
    schedule: given["schedule"],
  }))
  .nullish()
  .transform((given) => given ?? noUpdate);

function completed<T>(schema: z.ZodType<T>, name: string, given: JsonObject): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw invalidFilter(`1 validation error for ${name}\n${issue?.path.join(".")}\n  ${issue?.message}`);
}

export const completeConfigurations: Complete = {
  pipeline: (given) => completed(pipelineConfiguration, "PipelineConfiguration", given),
  step: (given) => completed(stepConfiguration, "StepConfiguration", given),
};
