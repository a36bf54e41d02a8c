import type { Prepared, Queryable } from "../../kernel/database.ts";
import { idText } from "./experiment-ids.ts";

export type LinkedRun = {
  run_id: string;
  run_name: string;
  user_id: string;
  status: string;
  lifecycle_stage: "active" | "deleted";
  start_time: number;
  end_time: number | null;
  experiment_id: string;
  experiment_name: string;
};

const COLUMNS = `
  r.run_uuid as run_id, r.name as run_name, r.user_id, r.start_time, r.end_time,
  coalesce((array['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'])[r.status], 'RUNNING') as status,
  case when r.deleted_at is null then 'active' else 'deleted' end as lifecycle_stage,
  ${idText("e.experiment_id")} as experiment_id, e.name as experiment_name`;

const byIdText: Prepared = {
  name: "tracking_select_linked_runs",
  text: `
    select ${COLUMNS} from tracking.runs as r join tracking.experiments as e using (experiment_id)
    where r.run_uuid = any ($2::text[]) and e.workspace_id = $1 order by r.start_time, r.run_uuid`,
};

/** Those of the workspace that there are. */
export const selectLinkedRuns = (
  database: Queryable,
  workspaceId: number,
  runIds: readonly string[],
): Promise<LinkedRun[]> => database.prepared<LinkedRun>(byIdText, [workspaceId, runIds]);

// The name of a run is one of its tags, and those are found by their values.
const byNameText: Prepared = {
  name: "tracking_select_tagged_runs_named",
  text: `
    select ${COLUMNS}
    from tracking.experiments as e
      join tracking.tags as n on n.experiment_id = e.experiment_id
        and n.key_id = (select key_id from tracking.keys where key = 'mlflow.runName')
        and left(n.value, 64) = left($3::text, 64) and n.value = $3::text
      join tracking.runs as r on r.run_id = n.run_id
    where e.workspace_id = $1 and e.name = $2 and exists (
      select from tracking.tags as t
      where t.run_id = r.run_id and t.key_id = (select key_id from tracking.keys where key = $4::text)
    )
    order by r.start_time, r.run_uuid limit $5::integer`,
};

export type NamedRuns = { experimentName: string; runName: string; tag: string; limit: number };

/** Runs of an experiment that are called so, and have a tag, whatever its value. */
export const selectTaggedRunsNamed = (
  database: Queryable,
  workspaceId: number,
  { experimentName, runName, tag, limit }: NamedRuns,
): Promise<LinkedRun[]> =>
  database.prepared<LinkedRun>(byNameText, [workspaceId, experimentName, runName, tag, limit]);
