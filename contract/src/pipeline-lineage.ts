import { z } from "zod";

/** `GET /console/api/lineage/pipeline-run`: all that belongs to a run of a pipeline, as one graph. */
export const pipelineRunLineageRequest = z.strictObject({
  /** Where to look; `default` unless said. */
  workspace: z.string().min(1).max(63).default("default"),
  run_id: z.uuid(),
});

/** ISO 8601 in UTC, with microseconds. */
const time = z.string().nullable();

const node = { id: z.string() };

/** `id` is unique among the nodes: the kind, a colon, and the id of what it is. */
const lineageNode = z.discriminatedUnion("kind", [
  z.object({
    ...node,
    kind: z.literal("pipeline_run"),
    run_id: z.string(),
    name: z.string(),
    /** Null of other runs than the one asked for, which are here for what they made or took. */
    details: z
      .object({
        status: z.string(),
        index: z.int(),
        pipeline: z.object({ id: z.string(), name: z.string() }).nullable(),
        start_time: time,
        end_time: time,
      })
      .nullable(),
  }),
  z.object({
    ...node,
    kind: z.literal("step"),
    step_id: z.string(),
    name: z.string(),
    /** Counts the attempts. */
    version: z.int(),
    status: z.string(),
    start_time: time,
    end_time: time,
    /** The step of an earlier run whose outputs it took over. */
    original_step_id: z.string().nullable(),
  }),
  z.object({
    ...node,
    kind: z.literal("artifact_version"),
    artifact_version_id: z.string(),
    artifact_id: z.string(),
    name: z.string(),
    version: z.string(),
    type: z.string(),
    uri: z.string(),
  }),
  z.object({
    ...node,
    kind: z.literal("mlflow_run"),
    run_id: z.string(),
    /** Null: in no experiment of this workspace, or in one that the caller may not read. */
    details: z
      .object({
        run_name: z.string(),
        user_id: z.string(),
        status: z.string(),
        lifecycle_stage: z.enum(["active", "deleted"]),
        experiment_id: z.string(),
        experiment_name: z.string(),
        start_time: z.number(),
        end_time: z.number().nullable(),
      })
      .nullable(),
  }),
  z.object({
    ...node,
    kind: z.literal("registered_model_version"),
    name: z.string(),
    version: z.int(),
    aliases: z.array(z.string()),
    stage: z.string(),
    creation_time: z.number(),
  }),
  z.object({
    ...node,
    kind: z.literal("model_version"),
    model_version_id: z.string(),
    model_id: z.string(),
    model_name: z.string(),
    name: z.string(),
    number: z.int(),
    stage: z.string().nullable(),
  }),
]);
export type LineageNode = z.infer<typeof lineageNode>;

/** `from` comes before `to`, but for `linked`, where `to` is a model version that holds `from`. */
const lineageEdge = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(["has", "then", "output", "input", "logged_to", "registered_as", "linked"]),
  /** Of an output or input: what the step calls it. */
  name: z.string().optional(),
});
export type LineageEdge = z.infer<typeof lineageEdge>;

export const pipelineRunLineage = z.object({
  nodes: z.array(lineageNode),
  edges: z.array(lineageEdge),
  /** Some kind of node was more than is shown: 3,000 steps, 5,000 artifacts, 1,000 of the others. */
  truncated: z.boolean(),
});
export type PipelineRunLineage = z.infer<typeof pipelineRunLineage>;
