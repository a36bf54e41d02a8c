import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, internal, invalidState, notFound, type PlinthError } from "../../kernel/errors.ts";
import { parseFaithfulJson } from "../../kernel/json-text.ts";
import type { Micros } from "../../kernel/micros.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { inOrder } from "./in-order.ts";
import type { Project } from "./projects.ts";
import { insertRow, updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import {
  CONTINUE_ON_FAILURE,
  readRunConfiguration,
  withTimes,
  type RunConfiguration,
} from "./run-configuration.ts";
import { attachLogs, type GivenLogs } from "./run-logs.ts";
import { useModelVersion } from "./run-models.ts";
import { touchRun } from "./run-progress.sql.ts";
import { settleRun } from "./run-progress.ts";
import { isSuccessful, refuseStepStatus } from "./run-status.ts";
import { steps, type PipelineRunRow, type StepRunRow } from "./run-tables.ts";
import { findMissingArtifactVersion } from "./runs.sql.ts";
import { mergeStepConfiguration, propagatedBy, type JsonObject } from "./step-configuration.ts";
import { selectStepParts, type WrittenStep } from "./step-details.sql.ts";
import { dynamicStep, plannedStep, type StepPlan } from "./step-plan.ts";
import {
  inheritMetadata,
  insertStepInputs,
  insertStepOutputs,
  insertStepParents,
  markRetried,
  selectAttempts,
  selectConfigurationText,
  selectInputsOf,
  selectPlannedStep,
  shareRun,
  type NamedArtifact,
  type NewStepInput,
} from "./steps.sql.ts";
import { attachAllTags } from "./tag-links.ts";

/** A step as a client begins it, or as it takes its result from the cache. */
export type NewStep = {
  name: string;
  runId: string;
  status: string;
  startTime: Micros | null;
  endTime: Micros | null;
  cacheKey: string | null;
  cacheExpiresAt: Micros | null;
  codeHash: string | null;
  docstring: string | null;
  sourceCode: string | null;
  originalStepRunId: string | null;
  exceptionInfoJson: string | null;
  /** In the order of the request: several artifacts of one name go together. */
  inputs: readonly NamedArtifact[];
  outputs: readonly NamedArtifact[];
  logs: GivenLogs | null;
  /** What a dynamic pipeline makes up: its specification as JSON, and what it configures itself. */
  dynamic: { specJson: string; overrides: JsonObject } | null;
};

export type CreateStep = {
  step: NewStep;
  project: Pick<Project, "workspaceId" | "projectId">;
  userId: string | null;
  /** Ids of what the request makes: the first is that of the step. */
  ids(): string;
};

type Configurations = { of(database: Queryable, snapshotId: string): Promise<RunConfiguration> };
type Deps = CollectionDeps & { configurations: Configurations };

/** Configurations of runs never change: those that were asked for last are kept. */
export function createRunConfigurations(): Configurations {
  const known = new Map<string, RunConfiguration>();
  return {
    async of(database, snapshotId) {
      const found = known.get(snapshotId);
      if (found !== undefined) return found;
      const read = readRunConfiguration(await selectConfigurationText(database, snapshotId));
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(snapshotId, read);
      return read;
    },
  };
}

const MAX_KNOWN = 1000;

type Making = CreateStep & {
  transaction: Queryable;
  id: string;
  now: Micros;
  run: PipelineRunRow;
  plan: StepPlan;
  attempts: readonly StepRunRow[];
  configuration: RunConfiguration;
};

/**
 * The step as it is afterwards. Throws `not_found` for what is not in the run's project and for a step that its
 * snapshot does not hold, `invalid_state` for a run that takes no more steps, and `already_exists` for a step that
 * succeeded or was tried often enough.
 */
export async function createStep(deps: Deps, request: CreateStep): Promise<WrittenStep> {
  refuseStepStatus(undefined, request.step.status);
  const id = request.ids();
  try {
    return await deps.database.transaction((transaction) =>
      inTransaction(deps, { ...request, transaction, id }),
    );
  } catch (error) {
    if (violates(error, "steps_name_key")) throw taken(request.step, "A step with this name already exists");
    throw error;
  }
}

async function inTransaction(
  { configurations, clock }: Deps,
  request: CreateStep & { transaction: Queryable; id: string },
): Promise<WrittenStep> {
  const { transaction, step, id, project } = request;
  const now = clock();
  const isBegun = step.status === "running";
  const [run, attempts, planned] = await Promise.all([
    // Whatever ends at once changes the run, and one such change comes after the other.
    isBegun ? shareRun(transaction, step.runId) : touchRun(transaction, step.runId, now),
    selectAttempts(transaction, step.runId, step.name),
    step.dynamic === null ? selectPlannedStep(transaction, step.runId, step.name) : undefined,
    requireArtifacts(transaction, step, project),
  ]);
  if (run === undefined || run.workspace_id !== project.workspaceId || run.snapshot_id === null) {
    throw noSuch("pipeline run", step.runId);
  }
  const repeated = attempts.find((attempt) => attempt.id === id);
  if (repeated !== undefined) return { row: repeated, shown: undefined };
  refuseOverRun(run, step);
  const configuration = await configurations.of(transaction, run.snapshot_id);
  const plan = await planFor(request, { run, planned });
  const making: Making = { ...request, now, run, plan, attempts, configuration };
  refuseAttempt(making);
  const inputs = await inputsOf(making);
  // Sent one behind the other, without waiting: what is shown of a step is read behind what was written of it.
  const [row, , shown] = await inOrder([
    write(making, run.snapshot_id),
    link(making, inputs),
    isPlain(making) ? selectStepParts(transaction, id) : undefined,
  ]);
  await finish(making, row);
  const version = await modelVersionOf(making, row);
  return {
    row: version === null ? row : { ...row, model_version_id: version },
    shown,
  };
}

/** Nothing follows from it that is written after its links. */
const isPlain = ({ step }: Making): boolean =>
  step.status === "running" && (step.logs === null || typeof step.logs === "string");

function refuseOverRun(run: PipelineRunRow, { name, runId }: NewStep): void {
  if (run.status === "stopping" || run.status === "stopped") {
    throw invalidState(
      `Cannot create step '${name}' for pipeline in ${run.status} state. Pipeline run ID: ${runId}`,
    );
  }
  if (run.status === "failed" && run.execution_mode !== CONTINUE_ON_FAILURE) {
    throw invalidState(
      `Cannot create step '${name}' for the run '${run.name}' because the run is in a FAILED state and the ` +
        `execution mode is ${run.execution_mode}.`,
    );
  }
}

type Planned = Awaited<ReturnType<typeof selectPlannedStep>>;

async function planFor(
  { transaction, step }: CreateStep & { transaction: Queryable },
  { run, planned }: { run: PipelineRunRow; planned: Planned },
): Promise<StepPlan> {
  const { dynamic } = step;
  if (dynamic === null) {
    if (planned === undefined) throw notFound(`Step configuration for step \`${step.name}\` not found.`);
    return plannedStep(planned);
  }
  if (!run.is_dynamic) {
    throw invalidState("Dynamic step configurations are not allowed for static pipelines.");
  }
  const text = await selectConfigurationText(transaction, run.snapshot_id ?? "");
  const pipeline = parseFaithfulJson(Buffer.from(text)) as JsonObject;
  const merged = mergeStepConfiguration(dynamic.overrides, propagatedBy(pipeline, { isDynamic: true }));
  return dynamicStep(dynamic.specJson, JSON.stringify(merged));
}

async function requireArtifacts(
  transaction: Queryable,
  { inputs, outputs, originalStepRunId }: NewStep,
  project: CreateStep["project"],
): Promise<void> {
  const ids = [...inputs, ...outputs].map(({ id }) => id);
  const original = { table: steps, label: "original step run", id: originalStepRunId };
  const [missing] = await Promise.all([
    findMissingArtifactVersion(transaction, ids, project.workspaceId),
    requireReferences(transaction, [original], { label: "step run", operation: "created", project }),
  ]);
  if (missing === undefined) return;
  const kind = inputs.some(({ id }) => id === missing) ? "input" : "output";
  throw notFound(
    `The ${kind} artifact with ID ${missing} referenced by the step run being created was not found in the '${project.projectId}' project`,
  );
}

function refuseAttempt({ step, attempts, plan }: Making): void {
  if (attempts.some(({ status }) => isSuccessful(status))) {
    throw taken(step, "A successful step with this name already exists");
  }
  if (attempts.length > plan.maxRetries) {
    throw alreadyExists(
      `Unable to create step \`${step.name}\`: The step has exceeded the maximum number of retries.`,
    );
  }
}

const taken = ({ name, runId }: NewStep, why: string): PlinthError =>
  alreadyExists(`Unable to create step \`${name}\`: ${why} in the pipeline run with ID '${runId}'.`);

/** Sends both statements at once, so that what refers to the step comes behind it. */
async function write(making: Making, snapshotId: string): Promise<StepRunRow> {
  const { transaction, id, now, run, step, plan, attempts, configuration, project, userId } = making;
  const isRetriable = attempts.length < plan.maxRetries;
  const overridden = configuration.overriddenInputs(step.name, plan.stepName);
  const row: StepRunRow = {
    id,
    workspace_id: project.workspaceId,
    user_id: userId,
    run_id: run.id,
    snapshot_id: snapshotId,
    name: step.name,
    version: attempts.length + 1,
    type: plan.type,
    status: isRetriable && step.status === "failed" ? "retrying" : step.status,
    is_retriable: isRetriable,
    start_time: step.startTime,
    end_time: step.endTime,
    latest_heartbeat: null,
    heartbeat_threshold: plan.enableHeartbeat && run.enable_heartbeat ? plan.heartbeatThreshold : null,
    cache_key: step.cacheKey,
    cache_expires_at: step.cacheExpiresAt,
    code_hash: step.codeHash,
    docstring: step.docstring,
    source_code: step.sourceCode,
    original_step_run_id: step.originalStepRunId,
    model_version_id: null,
    exception_info_json: step.exceptionInfoJson,
    spec_json: plan.specJson,
    config_json: overridden.size === 0 ? plan.configJson : plan.withoutParameters(overridden),
    node_json: plan.nodeJson,
    substitutions_json: JSON.stringify(substitutionsOf(making)),
    change_id: null,
    created: now,
    updated: now,
  };
  const earlier = { runId: run.id, name: step.name, now };
  await Promise.all([
    attempts.length === 0 ? undefined : markRetried(transaction, earlier),
    insertRow(transaction, steps, row),
  ]);
  return row;
}

const substitutionsOf = ({ plan, run, configuration }: Making): Record<string, string> =>
  withTimes({ ...configuration.substitutions, ...plan.substitutions }, run.start_time ?? run.created);

/** Sent behind the step itself, without waiting for it. */
async function link(making: Making, inputs: readonly NewStepInput[]): Promise<void> {
  const { transaction, id, now, run, step, plan, project, userId, ids } = making;
  const [found] = await Promise.all([
    insertStepParents(transaction, { stepId: id, runId: run.id, names: plan.upstream }),
    insertStepInputs(transaction, id, inputs),
    insertStepOutputs(transaction, id, step.outputs),
    attachLogs(transaction, {
      given: step.logs,
      owner: { step_run_id: id },
      source: "step",
      project,
      userId,
      ids,
      now,
    }),
  ]);
  const lost = plan.upstream.find((name) => !found.has(name));
  if (lost !== undefined) {
    throw internal(`Parent step run \`${lost}\` not found for step run \`${step.name}\`.`);
  }
}

async function inputsOf({ transaction, step, plan, configuration }: Making): Promise<NewStepInput[]> {
  if (step.inputs.length === 0) return [];
  if (step.originalStepRunId !== null) {
    return cachedInputs(step, await selectInputsOf(transaction, step.originalStepRunId));
  }
  const overridden = configuration.overriddenInputs(step.name, plan.stepName);
  const counts = new Map<string, number>();
  return step.inputs.map(({ name, id }) => {
    const at = counts.get(name) ?? 0;
    counts.set(name, at + 1);
    const connection = plan.inputAt(name, at);
    return overridden.has(name)
      ? { name, artifact_version_id: id, type: "override", position: 0, chunk_index: null, chunk_size: null }
      : { name, artifact_version_id: id, ...connection };
  });
}

/** Connected as those of the step whose result is taken, which its configuration alone does not tell. */
const cachedInputs = (
  { inputs, originalStepRunId }: NewStep,
  known: readonly NewStepInput[],
): NewStepInput[] =>
  inputs.map(({ name, id }) => {
    const found = known.find((one) => one.name === name && one.artifact_version_id === id);
    if (found !== undefined) return found;
    throw internal(
      `No input artifact found for input name \`${name}\`, artifact version \`${id}\` and step run \`${originalStepRunId}\`.`,
    );
  });

/** What follows for the run and for others, unless the step goes on. */
async function finish(making: Making, row: StepRunRow): Promise<void> {
  const { transaction, step, run, now, configuration, userId, ids } = making;
  if (row.status === "cached" || row.status === "skipped") {
    if (step.originalStepRunId !== null) await inheritMetadata(transaction, row.id, step.originalStepRunId);
    const tags = configuration.cascadingTags;
    const tagged = step.outputs.map(
      ({ id }) => ({ resourceType: "artifact_version", resourceId: id, tags }) as const,
    );
    if (tags.length > 0) await attachAllTags(transaction, tagged, { userId, ids, now });
  }
  if (step.status !== "running") await settleRun(transaction, run, { now });
}

async function modelVersionOf(making: Making, row: StepRunRow): Promise<string | null> {
  const { transaction, plan, run, attempts, project, userId, ids, now } = making;
  const [earlier] = attempts;
  if (earlier === undefined && plan.model === null) return null;
  const version =
    earlier === undefined && plan.model !== null
      ? await useModelVersion(transaction, {
          model: plan.model,
          substitutions: substitutionsOf(making),
          runId: run.id,
          workspaceId: project.workspaceId,
          userId,
          ids,
          now,
        })
      : (earlier?.model_version_id ?? null);
  if (version !== null) await updateRow(transaction, steps, row.id, { model_version_id: version });
  return version;
}
