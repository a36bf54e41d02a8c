import type { Queryable } from "../../kernel/database.ts";
import { invalidState, notFound } from "../../kernel/errors.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import { deleteRow, updateRow } from "./records.ts";
import { attachLogs, type GivenLogs } from "./run-logs.ts";
import { touchRun } from "./run-progress.sql.ts";
import { settleRun } from "./run-progress.ts";
import { isPlaceholder } from "./run-status.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";
import { disableStepHeartbeats, findMissingArtifactVersion, selectStepIds } from "./runs.sql.ts";
import { attachTags, detachAll, detachTags } from "./tag-links.ts";

export type UpdateRun = {
  status?: string | undefined;
  statusReason?: string | undefined;
  orchestratorRunId?: string | undefined;
  exceptionInfoJson?: string | undefined;
  /** Ids of artifact versions by the names of outputs. */
  outputs?: Readonly<Record<string, string>> | undefined;
  addTags?: readonly string[] | undefined;
  removeTags?: readonly string[] | undefined;
  addLogs?: readonly GivenLogs[] | undefined;
  /** Whose change it is, and of which project, where tags or logs are added. */
  by?: { userId: string | null; projectId: string; ids(): string };
};

const LABEL = "pipeline run";

/**
 * The run as it is afterwards. Throws `not_found`, and `invalid_state` for a state that cannot follow, or a place in
 * the orchestrator that is another than before.
 */
export function updateRun(
  { database, clock }: CollectionDeps,
  id: string,
  change: UpdateRun,
): Promise<PipelineRunRow> {
  // The first id of the request: a repetition of a change that was made is told what is there.
  const changeId = change.by?.ids();
  return database.transaction(async (transaction) => {
    const now = clock();
    const run = await touchRun(transaction, id, now);
    if (run === undefined) throw noSuch(LABEL, id);
    if (changeId !== undefined && run.change_id === changeId) return run;
    const settled =
      change.status === undefined
        ? run
        : await settleRun(transaction, run, {
            asked: { status: change.status, reason: change.statusReason },
            now,
          });
    const fields = await fieldsOf(transaction, settled, change);
    const updated = await updateRow(transaction, runs, id, {
      ...fields,
      ...(changeId === undefined ? {} : { change_id: changeId }),
    });
    await addTo(transaction, run, { change, now });
    return updated ?? settled;
  });
}

async function fieldsOf(
  transaction: Queryable,
  run: PipelineRunRow,
  { orchestratorRunId: place, exceptionInfoJson, outputs }: UpdateRun,
): Promise<Partial<PipelineRunRow>> {
  if (place !== undefined && place !== "") refuseOtherPlace(run, place);
  if (outputs !== undefined) await requireOutputs(transaction, run, Object.values(outputs));
  return {
    ...(place ? { orchestrator_run_id: place } : {}),
    ...(exceptionInfoJson === undefined ? {} : { exception_info_json: exceptionInfoJson }),
    ...(outputs === undefined ? {} : { outputs_json: JSON.stringify(outputs) }),
  };
}

function refuseOtherPlace({ status, orchestrator_run_id: known }: PipelineRunRow, place: string): void {
  if (!isPlaceholder(status)) {
    throw invalidState(
      "Cannot update the orchestrator run id of a pipeline run that is not a placeholder run.",
    );
  }
  if (known !== null && known !== place) {
    throw invalidState(
      `Pipeline run already has a different orchestrator run id. Existing: ${known}, New: ${place}`,
    );
  }
}

async function requireOutputs(
  transaction: Queryable,
  run: PipelineRunRow,
  ids: readonly string[],
): Promise<void> {
  const missing = await findMissingArtifactVersion(transaction, ids, run.workspace_id);
  if (missing === undefined) return;
  throw notFound(
    `The output artifact version with ID ${missing} referenced by the pipeline run being updated was not found in its project`,
  );
}

async function addTo(
  transaction: Queryable,
  { id, workspace_id: workspaceId }: PipelineRunRow,
  { change, now }: { change: UpdateRun; now: number },
): Promise<void> {
  const { by, addLogs = [], addTags, removeTags } = change;
  if (by === undefined) return;
  const { userId, projectId, ids } = by;
  const owner = { pipeline_run_id: id };
  const project = { workspaceId, projectId };
  for (const given of addLogs) {
    await attachLogs(transaction, { given, owner, source: "orchestrator", project, userId, ids, now });
  }
  const resource = { resourceType: "pipeline_run", resourceId: id } as const;
  await attachTags(transaction, { ...resource, tags: addTags, userId, ids, now });
  await detachTags(transaction, { resourceId: id, tags: removeTags });
}

/** Nobody waits for signs of life of the run's steps any more. */
export async function disableHeartbeat({ database, clock }: CollectionDeps, id: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const run = await touchRun(transaction, id, clock());
    if (run === undefined) throw noSuch(LABEL, id);
    await updateRow(transaction, runs, id, { enable_heartbeat: false });
    await disableStepHeartbeats(transaction, id);
  });
}

/** With its steps, and the tags and values that are about them. */
export async function removeRun({ database, clock }: CollectionDeps, id: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const run = await touchRun(transaction, id, clock());
    if (run === undefined) throw noSuch(LABEL, id);
    await detachAll(transaction, [id, ...(await selectStepIds(transaction, id))]);
    await deleteRow(transaction, runs, id);
  });
}
