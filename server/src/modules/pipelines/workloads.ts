import type { Database, Prepared, Row } from "../../kernel/database.ts";

/** What a token of a workload is bound to; of each at most one. */
export type Workload = {
  readonly pipeline_run_id?: string;
  readonly schedule_id?: string;
  readonly deployment_id?: string;
};

type WorkloadRow = {
  run_workspace: number | null;
  run_root: string | null;
  in_progress: boolean | null;
  end_time: number | null;
  schedule_workspace: number | null;
  schedule_active: boolean | null;
  deployment_workspace: number | null;
};

// What is in a deleted project is gone.
const selectText: Prepared = {
  name: "pipelines_select_workload",
  text: `
    select r.workspace_id as run_workspace, r.root_run_id as run_root, r.in_progress, r.end_time,
      s.workspace_id as schedule_workspace, s.active and not s.is_archived as schedule_active,
      d.workspace_id as deployment_workspace
    from (select) as nothing
    left join (pipelines.runs as r join identity.workspaces as rw on rw.workspace_id = r.workspace_id and not rw.hidden)
      on r.id = $1::uuid
    left join (pipelines.schedules as s join identity.workspaces as sw
      on sw.workspace_id = s.workspace_id and not sw.hidden) on s.id = $2::uuid
    left join (pipelines.deployments as d join identity.workspaces as dw
      on dw.workspace_id = d.workspace_id and not dw.hidden) on d.id = $3::uuid`,
};

export type WorkloadState = {
  /** Where its run, schedule and deployment are; undefined for what is not there. */
  readonly workspaces: Readonly<Record<keyof Workload, number | undefined>>;
  readonly isInProgress: boolean;
  readonly isScheduleActive: boolean;
  /** The run that the run was begun by, or by those it was begun by. */
  readonly rootRunId: string | undefined;
  /** When tokens of it end, in milliseconds since 1970; undefined: they have ended. */
  readonly endsAt: number | undefined;
};

/** What works on a run may go on after it: its other steps, when one has failed. */
const LEEWAY_MS = 60 * 60 * 1000;

export type Workloads = { read(workload: Workload): Promise<WorkloadState> };

export const createWorkloads = ({ database, now }: { database: Database; now(): number }): Workloads => ({
  async read(workload) {
    const { pipeline_run_id: run, schedule_id: schedule, deployment_id: deployment } = workload;
    const values = [run ?? null, schedule ?? null, deployment ?? null];
    const [row] = await database.prepared<WorkloadRow & Row>(selectText, values);
    if (row === undefined) throw new Error("no row came back");
    const ended = row.end_time === null ? 0 : row.end_time / 1000 + LEEWAY_MS;
    const runEnds = row.in_progress === true ? Infinity : ended;
    const isGone =
      (run !== undefined && (row.run_workspace === null || runEnds <= now())) ||
      (schedule !== undefined && row.schedule_active !== true) ||
      (deployment !== undefined && row.deployment_workspace === null);
    return {
      workspaces: {
        pipeline_run_id: row.run_workspace ?? undefined,
        schedule_id: row.schedule_workspace ?? undefined,
        deployment_id: row.deployment_workspace ?? undefined,
      },
      isInProgress: row.in_progress === true,
      isScheduleActive: row.schedule_active === true,
      rootRunId: row.run_root ?? undefined,
      endsAt: isGone ? undefined : run === undefined ? Infinity : runEnds,
    };
  },
});
