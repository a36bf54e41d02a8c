import type { Queryable } from "../../kernel/database.ts";
import { invalidState, notFound } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { selectRow, updateRow } from "./records.ts";
import { attachLogs, type GivenLogs } from "./run-logs.ts";
import { selectStepCounts } from "./run-progress.sql.ts";
import { settleRun } from "./run-progress.ts";
import { inOrder } from "./in-order.ts";
import type { Project } from "./projects.ts";
import { isFinished, refuseStepStatus } from "./run-status.ts";
import { steps, type PipelineRunRow, type StepRunRow } from "./run-tables.ts";
import { findMissingArtifactVersion } from "./runs.sql.ts";
import { selectStepParts, type WrittenStep } from "./step-details.sql.ts";
import {
  beatStep,
  insertStepInputs,
  insertStepOutputs,
  touchRunOfStep,
  type Heartbeat,
  type NamedArtifact,
} from "./steps.sql.ts";

export type UpdateStep = {
  status?: string | undefined;
  endTime?: Micros | undefined;
  exceptionInfoJson?: string | undefined;
  cacheExpiresAt?: Micros | undefined;
  outputs: readonly NamedArtifact[];
  /** Artifacts that the step loaded by itself, by the names it gave them. */
  loaded: readonly NamedArtifact[];
  addLogs: readonly GivenLogs[];
  /** Of the step's run. */
  project: Pick<Project, "workspaceId" | "projectId">;
  userId: string | null;
  /** Ids of what the request makes: the first is that of the change itself. */
  ids(): string;
};

const LABEL = "step run";

/**
 * The step as it is afterwards; the state of its run follows in the same transaction. Throws `not_found`, and
 * `invalid_state` for a state that cannot follow.
 */
export function updateStep(
  { database, clock }: CollectionDeps,
  id: string,
  change: UpdateStep,
): Promise<WrittenStep> {
  const changeId = change.ids();
  return database.transaction(async (transaction) => {
    const now = clock();
    // The run before its steps: whoever changes both does it in this order.
    const [run, step] = await Promise.all([
      touchRunOfStep(transaction, id, now),
      selectRow(transaction, steps, id),
      requireArtifacts(transaction, change),
    ]);
    if (run === undefined || step === undefined) throw noSuch(LABEL, id);
    if (step.change_id === changeId) return { row: step, shown: undefined };
    if (change.status !== undefined) refuseStepStatus(step.status, change.status);
    const fields = {
      ...fieldsOf(change),
      ...statusOf(step, run, change.status),
      change_id: changeId,
      updated: now,
    };
    const [updated, counts, , shown] = await inOrder([
      updateRow(transaction, steps, id, fields),
      run.is_dynamic ? new Map<string, number>() : selectStepCounts(transaction, run.id),
      addTo(transaction, step, { change, now }),
      change.addLogs.length === 0 ? selectStepParts(transaction, id) : undefined,
    ]);
    await settleRun(transaction, run, { now, counts: Promise.resolve(counts) });
    return { row: updated ?? step, shown };
  });
}

const fieldsOf = ({ endTime, exceptionInfoJson, cacheExpiresAt }: UpdateStep): Partial<StepRunRow> => ({
  ...(endTime === undefined ? {} : { end_time: endTime }),
  ...(exceptionInfoJson === undefined ? {} : { exception_info_json: exceptionInfoJson }),
  ...(cacheExpiresAt === undefined ? {} : { cache_expires_at: cacheExpiresAt }),
});

/** A failed step that will be tried again says so; one that was told to stop has stopped, however it ended. */
function statusOf(
  step: StepRunRow,
  run: PipelineRunRow,
  status: string | undefined,
): Partial<Pick<StepRunRow, "status">> {
  if (status === undefined) return {};
  const isOver = run.status === "stopping" || run.status === "stopped";
  if ((status === "failed" || status === "cancelled") && step.is_retriable && !isOver)
    return { status: "retrying" };
  return { status: step.status === "stopping" && status === "failed" ? "stopped" : status };
}

async function requireArtifacts(transaction: Queryable, change: UpdateStep): Promise<void> {
  const ids = [...change.outputs, ...change.loaded].map((one) => one.id);
  const missing = await findMissingArtifactVersion(transaction, ids, change.project.workspaceId);
  if (missing === undefined) return;
  const kind = change.outputs.some(({ id }) => id === missing) ? "output" : "input";
  throw notFound(
    `The ${kind} artifact with ID ${missing} referenced by the step run being updated was not found in its project`,
  );
}

async function addTo(
  transaction: Queryable,
  step: StepRunRow,
  { change, now }: { change: UpdateStep; now: Micros },
): Promise<void> {
  const { project, userId, ids } = change;
  const inputs = change.loaded.map(({ name, id }) => ({
    name,
    artifact_version_id: id,
    type: "manual",
    position: 0,
    chunk_index: null,
    chunk_size: null,
  }));
  await Promise.all([
    insertStepOutputs(transaction, step.id, change.outputs),
    insertStepInputs(transaction, step.id, inputs),
  ]);
  for (const given of change.addLogs) {
    await attachLogs(transaction, {
      given,
      owner: { step_run_id: step.id },
      source: "step",
      project,
      userId,
      ids,
      now,
    });
  }
}

/** Throws `not_found`, and `invalid_state` for a step that is finished. */
export async function beat({ database, clock }: CollectionDeps, id: string): Promise<Heartbeat> {
  const beaten = await beatStep(database, id, clock());
  if (beaten !== undefined) return beaten;
  const step = await selectRow(database, steps, id);
  if (step === undefined) throw noSuch(LABEL, id);
  if (isFinished(step.status)) throw invalidState("Can not update heartbeat for finished steps.");
  return beat({ database, clock }, id);
}
