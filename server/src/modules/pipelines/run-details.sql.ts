import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { PipelineRow, SnapshotRow } from "./pipeline-tables.ts";
import { runWaitConditions, type RunWaitConditionRow } from "./run-tables.ts";
import type { ShownSnapshotRow } from "./snapshots.sql.ts";
import type { StackRow } from "./stack-tables.ts";

/** What is shown of runs besides their rows, for as many of them as are shown. */

/** A snapshot as its runs show it, and what it leads to. */
export type SnapshotOfRun = Omit<ShownSnapshotRow, "deployment_id"> &
  Pick<
    SnapshotRow,
    "build_id" | "schedule_id" | "code_reference_id" | "template_id" | "source_snapshot_id" | "code_path"
  > & { pipeline: PipelineRow | null; stack: StackRow | null };

// With what every run shows of it, so that a page takes one statement for all three.
const snapshotsText: Prepared = {
  name: "pipelines_select_snapshots_of_runs",
  text: `
    select s.id, s.workspace_id, s.user_id, s.name, s.is_dynamic, s.pipeline_id, s.stack_id, s.created, s.updated,
      s.build_id, s.schedule_id, s.code_reference_id, s.template_id, s.source_snapshot_id, s.code_path,
      coalesce(not b.is_local and b.stack_id is not null, false) as runnable,
      s.build_id is not null and exists (
        select from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
        where l.stack_id = s.stack_id and c.type = 'deployer'
      ) as deployable,
      row_to_json(p) as pipeline, row_to_json(k) as stack
    from pipelines.snapshots as s left join pipelines.builds as b on b.id = s.build_id
      left join pipelines.pipelines as p on p.id = s.pipeline_id
      left join pipelines.stacks as k on k.id = s.stack_id
    where s.id = any ($1::uuid[])`,
};

export async function selectSnapshotsOfRuns(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, SnapshotOfRun>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<SnapshotOfRun & Row>(snapshotsText, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** What a run was configured with, and where it was begun: JSON. */
export type Configured = Pick<
  SnapshotRow,
  "id" | "pipeline_configuration_json" | "client_environment_json" | "python_packages_json"
>;

const configuredText: Prepared = {
  name: "pipelines_select_configurations_of_runs",
  text: `
    select id, pipeline_configuration_json, client_environment_json, python_packages_json from pipelines.snapshots
    where id = any ($1::uuid[])`,
};

export async function selectConfigured(
  database: Queryable,
  snapshotIds: readonly string[],
): Promise<Map<string, Configured>> {
  if (snapshotIds.length === 0) return new Map();
  const rows = await database.prepared<Configured & Row>(configuredText, [snapshotIds]);
  return new Map(rows.map((row) => [row.id, row]));
}

const waitingText: Prepared = {
  name: "pipelines_select_pending_conditions",
  text: `
    select ${Object.keys(runWaitConditions.columns).join(", ")} from pipelines.run_wait_conditions
    where run_id = any ($1::uuid[]) and status = 'pending'`,
};

/** What each run waits for: at most one condition. */
export async function selectPendingConditions(
  database: Queryable,
  runIds: readonly string[],
): Promise<Map<string, RunWaitConditionRow>> {
  if (runIds.length === 0) return new Map();
  const rows = await database.prepared<RunWaitConditionRow & Row>(waitingText, [runIds]);
  return new Map(rows.map((row) => [row.run_id, row]));
}
