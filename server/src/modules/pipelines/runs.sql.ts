import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import { runs, type PipelineRunRow } from "./run-tables.ts";

const COLUMNS = Object.keys(runs.columns).join(", ");

export type RunSnapshot = {
  id: string;
  workspace_id: number;
  pipeline_id: string | null;
  stack_id: string | null;
  is_dynamic: boolean;
  step_count: number;
  pipeline_configuration_json: string;
};

// Those who begin runs of one snapshot at once come one after the other: one of them makes the run, the others get it.
const lockSnapshotText: Prepared = {
  name: "pipelines_lock_snapshot_of_run",
  text: `
    select id, workspace_id, pipeline_id, stack_id, is_dynamic, step_count, pipeline_configuration_json
    from pipelines.snapshots where id = $1 for no key update`,
};

export async function lockSnapshot(transaction: Queryable, id: string): Promise<RunSnapshot | undefined> {
  return (await transaction.prepared<RunSnapshot & Row>(lockSnapshotText, [id]))[0];
}

const begunText: Prepared = {
  name: "pipelines_select_begun_runs",
  text: `
    select ${COLUMNS} from pipelines.runs where id = $1
    union all
    select ${COLUMNS} from pipelines.runs
    where snapshot_id = $2 and orchestrator_run_id = $3 and id <> $1
      and status not in ('initializing', 'provisioning')`,
};

/** The run that this request made before, and the one that has its place in the orchestrator. */
export const selectBegunRuns = (
  transaction: Queryable,
  by: { id: string; snapshotId: string; orchestratorRunId: string | null },
): Promise<PipelineRunRow[]> =>
  transaction.prepared<PipelineRunRow & Row>(begunText, [by.id, by.snapshotId, by.orchestratorRunId]);

const placeholderText: Prepared = {
  name: "pipelines_lock_placeholder_run",
  text: `
    select ${COLUMNS} from pipelines.runs
    where snapshot_id = $1 and (orchestrator_run_id = $2 or orchestrator_run_id is null)
      and status in ('initializing', 'provisioning')
    order by orchestrator_run_id nulls last, created limit 1 for no key update`,
};

/** The announced run of a snapshot that is begun now. */
export async function lockPlaceholder(
  transaction: Queryable,
  snapshotId: string,
  orchestratorRunId: string | null,
): Promise<PipelineRunRow | undefined> {
  const values = [snapshotId, orchestratorRunId];
  return (await transaction.prepared<PipelineRunRow & Row>(placeholderText, values))[0];
}

const indexText: Prepared = {
  name: "pipelines_number_run",
  text: "update pipelines.pipelines set run_count = run_count + 1 where id = $1 returning run_count",
};

/** The number of the next run of a pipeline. */
export async function nextRunIndex(transaction: Queryable, pipelineId: string): Promise<number> {
  const [row] = await transaction.prepared<{ run_count: number }>(indexText, [pipelineId]);
  return row?.run_count ?? 0;
}

const countText: Prepared = {
  name: "pipelines_count_runs",
  text: "select coalesce(sum(runs), 0)::bigint as total from pipelines.run_counts where workspace_id = $1",
};

/** All runs of a workspace, without counting them. */
export async function countRuns(database: Queryable, workspaceId: number): Promise<number> {
  return (await database.prepared<{ total: number }>(countText, [workspaceId]))[0]?.total ?? 0;
}

const stepIdsText: Prepared = {
  name: "pipelines_select_step_ids_of_run",
  text: "select id from pipelines.steps where run_id = $1",
};

export async function selectStepIds(database: Queryable, runId: string): Promise<string[]> {
  const rows = await database.prepared<{ id: string }>(stepIdsText, [runId]);
  return rows.map(({ id }) => id);
}

const heartbeatText: Prepared = {
  name: "pipelines_disable_heartbeat_of_steps",
  text: "update pipelines.steps set heartbeat_threshold = null where run_id = $1 and heartbeat_threshold is not null",
};

export async function disableStepHeartbeats(transaction: Queryable, runId: string): Promise<void> {
  await transaction.prepared(heartbeatText, [runId]);
}

// A scalar subquery, which looks each of them up: `not exists` becomes a join, and reads every version there is.
const artifactsText: Prepared = {
  name: "pipelines_select_missing_artifact_version",
  text: `
    select w.id from unnest($1::uuid[]) as w (id)
    where (select v.id from pipelines.artifact_versions as v where v.id = w.id and v.workspace_id = $2) is null limit 1`,
};

/** One of these that is not in the workspace; undefined where all are. */
export async function findMissingArtifactVersion(
  database: Queryable,
  ids: readonly string[],
  workspaceId: number,
): Promise<string | undefined> {
  if (ids.length === 0) return undefined;
  return (await database.prepared<{ id: string }>(artifactsText, [ids, workspaceId]))[0]?.id;
}
