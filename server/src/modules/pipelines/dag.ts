import type { Database } from "../../kernel/database.ts";
import {
  selectChildRuns,
  selectDagConditions,
  selectDagInputs,
  selectDagMetadata,
  selectDagNodes,
  selectDagOutputs,
  selectDagSteps,
  selectTriggeredRuns,
  type DagArtifact,
  type DagCondition,
  type DagRun,
  type DagStep,
} from "./dag.sql.ts";
import type { DagNode } from "./dag-nodes.ts";
import { artifactVersions } from "./artifact-tables.ts";
import { selectRows } from "./records.ts";
import type { PipelineRunRow, StepInputRow } from "./run-tables.ts";

/** All that the graph of a run is drawn from. */
export type DagData = {
  run: PipelineRunRow;
  /** In the order in which they can run. */
  nodes: readonly (readonly [name: string, node: DagNode])[];
  /** Steps that have begun, by name. */
  steps: ReadonlyMap<string, DagStep>;
  inputs: ReadonlyMap<string, readonly StepInputRow[]>;
  outputs: ReadonlyMap<string, readonly DagArtifact[]>;
  /** Of inputs that no step of the run made, by the id of the artifact version. */
  loaded: ReadonlyMap<string, Pick<DagArtifact, "artifact_type" | "data_type_json" | "save_type">>;
  conditions: readonly DagCondition[];
  triggered: ReadonlyMap<string, readonly DagRun[]>;
  children: readonly DagRun[];
  metadata: ReadonlyMap<string, readonly { key: string; value_json: string }[]>;
};

export async function loadDag(
  database: Database,
  run: PipelineRunRow,
  metadataKeys: readonly string[],
): Promise<DagData> {
  const [nodes, steps, inputs, outputs, conditions, children, metadata] = await Promise.all([
    selectDagNodes(database, run),
    selectDagSteps(database, run.id),
    selectDagInputs(database, run.id),
    selectDagOutputs(database, run.id),
    run.is_dynamic ? selectDagConditions(database, run.id) : [],
    selectChildRuns(database, run.id),
    selectDagMetadata(database, run.id, metadataKeys),
  ]);
  const [triggered, loaded] = await Promise.all([
    selectTriggeredRuns(
      database,
      steps.map(({ id }) => id),
    ),
    selectRows(
      database,
      artifactVersions,
      inputs.flatMap((input) => (input.type === "step_output" ? [] : [input.artifact_version_id])),
    ),
  ]);
  return {
    run,
    nodes: sortNodes(nodes),
    steps: new Map(steps.map((step) => [step.name, step])),
    inputs: Map.groupBy(inputs, (input) => input.step_id),
    outputs: Map.groupBy(outputs, (output) => output.step_id),
    loaded: new Map([...loaded].map(([id, row]) => [id, { ...row, artifact_type: row.type }])),
    conditions,
    triggered: Map.groupBy(triggered, (one) => one.triggered_by_step_run_id ?? ""),
    children,
    metadata,
  };
}

/** Level by level: first those that wait for nothing, in the order in which they are given. Pure. */
export function sortNodes(nodes: ReadonlyMap<string, DagNode>): [string, DagNode][] {
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const [name, { upstream }] of nodes) {
    const needed = new Set(upstream.filter((one) => nodes.has(one)));
    waiting.set(name, needed.size);
    for (const one of needed) {
      const known = followers.get(one);
      if (known === undefined) followers.set(one, [name]);
      else known.push(name);
    }
  }
  const sorted = [...waiting].filter(([, count]) => count === 0).map(([name]) => name);
  // Grows while it is gone through.
  for (const name of sorted) {
    for (const follower of followers.get(name) ?? []) {
      const count = (waiting.get(follower) ?? 0) - 1;
      waiting.set(follower, count);
      if (count === 0) sorted.push(follower);
    }
  }
  return sorted.flatMap((name) => {
    const node = nodes.get(name);
    return node === undefined ? [] : [[name, node] satisfies [string, DagNode]];
  });
}
