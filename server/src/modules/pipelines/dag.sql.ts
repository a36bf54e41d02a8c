import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import { readDagNode, type DagNode } from "./dag-nodes.ts";
import type { PipelineRunRow, StepInputRow, StepRunRow } from "./run-tables.ts";

/** What the graph of a run shows: a statement for each kind, all of them along indexes. */

type NodeRow = {
  name: string;
  node_json: string | null;
  spec_json: string | null;
  config_json: string | null;
};

// The whole configuration is read only where no node was kept.
const plannedText: Prepared = {
  name: "pipelines_select_planned_nodes",
  text: `
    select name, node_json, case when node_json is null then spec_json end as spec_json,
      case when node_json is null then config_json end as config_json
    from pipelines.snapshot_steps where snapshot_id = $1 order by position`,
};

const madeUpText: Prepared = {
  name: "pipelines_select_made_up_nodes",
  text: `
    select s.name, s.node_json, case when s.node_json is null then coalesce(s.spec_json, c.spec_json) end as spec_json,
      case when s.node_json is null then coalesce(s.config_json, c.config_json) end as config_json
    from pipelines.steps as s
      left join pipelines.snapshot_steps as c on c.snapshot_id = s.snapshot_id and c.name = s.name
    where s.run_id = $1 and s.status <> 'retried' order by s.created, s.id`,
};

/** By the names of steps: those that the snapshot holds, or those that a dynamic pipeline has made up so far. */
export async function selectDagNodes(
  database: Queryable,
  { id, snapshot_id: snapshotId, is_dynamic: isDynamic }: PipelineRunRow,
): Promise<Map<string, DagNode>> {
  const rows = await database.prepared<NodeRow & Row>(isDynamic ? madeUpText : plannedText, [
    isDynamic ? id : snapshotId,
  ]);
  return new Map(rows.map((row) => [row.name, readDagNode(row)]));
}

export type DagStep = Pick<StepRunRow, "id" | "name" | "status" | "start_time" | "end_time">;

const stepsText: Prepared = {
  name: "pipelines_select_dag_steps",
  text: `
    select id, name, status, start_time, end_time from pipelines.steps
    where run_id = $1 and status <> 'retried' order by created, id`,
};

export const selectDagSteps = (database: Queryable, runId: string): Promise<DagStep[]> =>
  database.prepared<DagStep & Row>(stepsText, [runId]);

export type DagArtifact = {
  step_id: string;
  name: string;
  artifact_version_id: string;
  artifact_type: string;
  data_type_json: string;
  save_type: string;
};

const outputsText: Prepared = {
  name: "pipelines_select_dag_outputs",
  text: `
    select o.step_id, o.name, o.artifact_version_id, v.type as artifact_type, v.data_type_json, v.save_type
    from pipelines.steps as s join pipelines.step_outputs as o on o.step_id = s.id
      join pipelines.artifact_versions as v on v.id = o.artifact_version_id
    where s.run_id = $1 and s.status <> 'retried' order by o.name, o.position`,
};

export const selectDagOutputs = (database: Queryable, runId: string): Promise<DagArtifact[]> =>
  database.prepared<DagArtifact & Row>(outputsText, [runId]);

const inputsText: Prepared = {
  name: "pipelines_select_dag_inputs",
  text: `
    select i.step_id, i.name, i.position, i.artifact_version_id, i.type, i.chunk_index, i.chunk_size
    from pipelines.steps as s join pipelines.step_inputs as i on i.step_id = s.id
    where s.run_id = $1 and s.status <> 'retried' order by i.name, i.position`,
};

export const selectDagInputs = (database: Queryable, runId: string): Promise<StepInputRow[]> =>
  database.prepared<StepInputRow & Row>(inputsText, [runId]);

export type DagRun = Pick<PipelineRunRow, "id" | "name" | "status" | "index" | "start_time" | "end_time"> & {
  triggered_by_step_run_id: string | null;
};

const RUN = "id, name, status, index, start_time, end_time, triggered_by_step_run_id";

const childrenText: Prepared = {
  name: "pipelines_select_child_runs",
  text: `select ${RUN} from pipelines.runs where parent_run_id = $1 order by created, id`,
};

export const selectChildRuns = (database: Queryable, runId: string): Promise<DagRun[]> =>
  database.prepared<DagRun & Row>(childrenText, [runId]);

const triggeredText: Prepared = {
  name: "pipelines_select_triggered_runs",
  text: `
    select ${RUN} from pipelines.runs where triggered_by_step_run_id = any ($1::uuid[]) order by created, id`,
};

export const selectTriggeredRuns = (database: Queryable, stepIds: readonly string[]): Promise<DagRun[]> =>
  database.prepared<DagRun & Row>(triggeredText, [stepIds]);

export type DagCondition = {
  id: string;
  name: string;
  type: string;
  status: string;
  resolution: string | null;
  question: string | null;
  resolved_at: Micros | null;
  created: Micros;
};

const conditionsText: Prepared = {
  name: "pipelines_select_dag_conditions",
  text: `
    select id, name, type, status, resolution, question, resolved_at, created from pipelines.run_wait_conditions
    where run_id = $1 order by created, id`,
};

export const selectDagConditions = (database: Queryable, runId: string): Promise<DagCondition[]> =>
  database.prepared<DagCondition & Row>(conditionsText, [runId]);

const metadataText: Prepared = {
  name: "pipelines_select_dag_metadata",
  text: `
    select distinct on (s.id, m.key) s.id as step_id, m.key, m.value_json
    from pipelines.steps as s join pipelines.run_metadata_resources as l on l.resource_id = s.id
      join pipelines.run_metadata as m on m.id = l.metadata_id
    where s.run_id = $1 and s.status <> 'retried' and m.key = any ($2::text[])
    order by s.id, m.key, m.created desc, m.id`,
};

/** Values of these keys by the ids of steps. */
export async function selectDagMetadata(
  database: Queryable,
  runId: string,
  keys: readonly string[],
): Promise<Map<string, { key: string; value_json: string }[]>> {
  if (keys.length === 0) return new Map();
  type Logged = { step_id: string; key: string; value_json: string };
  const rows = await database.prepared<Logged>(metadataText, [runId, keys]);
  return Map.groupBy(rows, (row) => row.step_id);
}
