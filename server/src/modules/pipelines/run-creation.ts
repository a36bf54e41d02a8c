import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter, notFound, type PlinthError } from "../../kernel/errors.ts";
import type { CollectionDeps } from "./collection.ts";
import type { Project } from "./projects.ts";
import { insertRow, selectRow, updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import { readRunConfiguration, withTimes, type RunConfiguration } from "./run-configuration.ts";
import { useModelVersion } from "./run-models.ts";
import { attachLogs, type GivenLogs } from "./run-logs.ts";
import { isPlaceholder } from "./run-status.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";
import {
  lockPlaceholder,
  lockSnapshot,
  nextRunIndex,
  selectBegunRuns,
  type RunSnapshot,
} from "./runs.sql.ts";
import { attachTags, type GivenTag } from "./tag-links.ts";

/** A run as a client announces or begins it. */
export type NewRun = {
  name: string;
  snapshotId: string;
  orchestratorRunId: string | null;
  status: "initializing" | "running";
  statusReason: string | null;
  startTime: number | null;
  endTime: number | null;
  orchestratorEnvironmentJson: string;
  triggeredByStepRunId: string | null;
  triggeredByDeploymentId: string | null;
  originalRunId: string | null;
  parentRunId: string | null;
  childKey: string | null;
  exceptionInfoJson: string | null;
  tags: readonly GivenTag[] | null;
  logs: GivenLogs | null;
};

export type GetOrCreateRun = {
  run: NewRun;
  project: Pick<Project, "workspaceId" | "projectId">;
  userId: string | null;
  /** Ids of what the request makes: the first is that of the run. */
  ids(): string;
};

type Step = GetOrCreateRun & { transaction: Queryable; id: string; now: number };

/**
 * The run that has this place in its orchestrator, or else the one that was announced for the snapshot and is begun
 * now, or else a new one; and whether it was begun by this request. Throws `not_found`, `already_exists` where its
 * name is taken.
 */
export async function getOrCreateRun(
  { database, clock }: CollectionDeps,
  request: GetOrCreateRun,
): Promise<[run: PipelineRunRow, created: boolean]> {
  const id = request.ids();
  try {
    return await database.transaction((transaction) =>
      inTransaction({ ...request, transaction, id, now: clock() }),
    );
  } catch (error) {
    const isTaken = ["runs_name_key", "runs_orchestrator_run_id_key", "runs_child_key"].some((key) =>
      violates(error, key),
    );
    if (isTaken) throw nameTaken(request.run.name);
    throw error;
  }
}

async function inTransaction(step: Step): Promise<[PipelineRunRow, boolean]> {
  const { transaction, id, run, project } = step;
  const [snapshot, begun] = await Promise.all([
    lockSnapshot(transaction, run.snapshotId),
    selectBegunRuns(transaction, {
      id,
      snapshotId: run.snapshotId,
      orchestratorRunId: run.orchestratorRunId,
    }),
  ]);
  if (snapshot === undefined || snapshot.workspace_id !== project.workspaceId) {
    throw missing("pipeline snapshot", run.snapshotId, project);
  }
  const [found] = begun;
  // A repetition is told what was told before.
  if (found !== undefined) return [found, found.id === id || found.change_id === id];
  if (!isPlaceholder(run.status)) {
    const placeholder = await lockPlaceholder(transaction, snapshot.id, run.orchestratorRunId);
    if (placeholder !== undefined) return [await begin(step, placeholder), true];
  }
  return create(step, snapshot);
}

/** Whoever executes an announced run says where it is. */
async function begin(
  { transaction, id, run, userId, ids, now }: Step,
  placeholder: PipelineRunRow,
): Promise<PipelineRunRow> {
  if (run.orchestratorRunId === null) {
    throw invalidParameter("Orchestrator run ID is required to replace a placeholder run.");
  }
  const begun = await updateRow(transaction, runs, placeholder.id, {
    orchestrator_run_id: run.orchestratorRunId,
    orchestrator_environment_json: run.orchestratorEnvironmentJson,
    status: run.status,
    in_progress: true,
    change_id: id,
    updated: now,
  });
  const options = { resourceType: "pipeline_run", resourceId: placeholder.id, tags: run.tags } as const;
  await attachTags(transaction, { ...options, userId, ids, now });
  return begun ?? placeholder;
}

async function create(step: Step, snapshot: RunSnapshot): Promise<[PipelineRunRow, boolean]> {
  const { transaction, id, run, project, userId, ids, now } = step;
  const parent = await referredTo(step);
  const configuration = readRunConfiguration(snapshot.pipeline_configuration_json);
  const index = snapshot.pipeline_id === null ? 0 : await nextRunIndex(transaction, snapshot.pipeline_id);
  const added = await insertRow(transaction, runs, {
    ...fieldsOf(run),
    id,
    workspace_id: project.workspaceId,
    user_id: userId,
    pipeline_id: snapshot.pipeline_id,
    stack_id: snapshot.stack_id,
    snapshot_id: snapshot.id,
    in_progress: true,
    index,
    is_dynamic: snapshot.is_dynamic,
    step_count: snapshot.step_count,
    execution_mode: configuration.executionMode,
    enable_heartbeat: configuration.enableHeartbeat,
    root_run_id: parent === undefined ? null : (parent.root_run_id ?? parent.id),
    created: now,
    updated: now,
  });
  if (added) {
    const owner = { pipeline_run_id: id };
    await attachLogs(transaction, { given: run.logs, owner, source: "client", project, userId, ids, now });
    await useModel(step, configuration);
    await attachTags(transaction, {
      resourceType: "pipeline_run",
      resourceId: id,
      tags: run.tags,
      userId,
      ids,
      now,
    });
  }
  const made = await selectRow(transaction, runs, id);
  if (made === undefined) throw missing("pipeline run", id, project);
  return [made, true];
}

const fieldsOf = (run: NewRun): Omit<Partial<PipelineRunRow>, "id"> => ({
  name: run.name,
  orchestrator_run_id: run.orchestratorRunId,
  status: run.status,
  status_reason: run.statusReason,
  start_time: run.startTime,
  end_time: run.endTime,
  orchestrator_environment_json: run.orchestratorEnvironmentJson,
  triggered_by_step_run_id: run.triggeredByStepRunId,
  triggered_by_deployment_id: run.triggeredByDeploymentId,
  original_run_id: run.originalRunId,
  parent_run_id: run.parentRunId,
  child_key: run.childKey,
  exception_info_json: run.exceptionInfoJson,
});

/** Other runs that are named must be in the same project; answers the parent. */
async function referredTo({ transaction, run, project }: Step): Promise<PipelineRunRow | undefined> {
  await requireReferences(
    transaction,
    [
      { table: runs, label: "original run", id: run.originalRunId },
      { table: runs, label: "parent run", id: run.parentRunId },
    ],
    { label: "pipeline run", operation: "created", project },
  );
  return run.parentRunId === null ? undefined : selectRow(transaction, runs, run.parentRunId);
}

async function useModel(
  { transaction, id, run, project, userId, ids, now }: Step,
  { model, substitutions }: RunConfiguration,
): Promise<void> {
  if (model === null) return;
  const version = await useModelVersion(transaction, {
    model,
    substitutions: withTimes(substitutions, run.startTime ?? now),
    runId: id,
    workspaceId: project.workspaceId,
    userId,
    ids,
    now,
  });
  await updateRow(transaction, runs, id, { model_version_id: version });
}

const missing = (kind: string, id: string, { projectId }: GetOrCreateRun["project"]): PlinthError =>
  notFound(
    `The ${kind} with ID ${id} referenced by the pipeline run being created was not found in the '${projectId}' project`,
  );

const nameTaken = (name: string): PlinthError =>
  alreadyExists(
    `Pipeline run name '${name}' already exists in this project. Each pipeline run must have a unique name.\n\n` +
      `Use another name, or one with placeholders such as "${name}_{date}_{time}".`,
  );
