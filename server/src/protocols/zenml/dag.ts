import { microsToIso, type Micros } from "../../kernel/micros.ts";
import {
  formatTemplate,
  readRunConfiguration,
  withTimes,
  type DagArtifact,
  type DagCondition,
  type DagData,
  type DagNode,
  type DagRun,
  type DagStep,
} from "../../modules/pipelines/index.ts";
import { json, statusFor, type ViewContext } from "./envelope.ts";

type Node = { node_id: string; type: string; id: string | null; name: string; metadata: object };
type Edge = { source: string; target: string; metadata: object };

/** Nodes by their ids: what is added again takes the place of what was there, as ZenML's own graph has it. */
type Graph = {
  data: DagData;
  context: ViewContext;
  substitutions: Readonly<Record<string, string>>;
  steps: Map<string, Node>;
  artifacts: Map<string, Node>;
  others: Map<string, Node>;
  edges: Edge[];
  /** Ids of the nodes of a step's own outputs, by the names of the step and the output. */
  outputs: Map<string, Map<string, string>>;
  typeNames: Map<string, string>;
};

const STEP_OUTPUT = "step_output";

/** The graph of a run, as ZenML's dashboard draws it. `configuration` is that of the run's pipeline. */
export function dagView(data: DagData, configuration: string, context: ViewContext): object {
  const { run } = data;
  const start = run.start_time ?? run.created;
  const graph: Graph = {
    data,
    context,
    substitutions: withTimes(readRunConfiguration(configuration).substitutions, start),
    steps: new Map(),
    artifacts: new Map(),
    others: new Map(),
    edges: [],
    outputs: new Map(data.nodes.map(([name]) => [name, new Map()])),
    typeNames: new Map(),
  };
  for (const condition of data.conditions) addCondition(graph, condition);
  for (const [name, node] of data.nodes) addStep(graph, name, node);
  for (const child of data.children) {
    addOther(graph, `child_run/${plain(child.name)}`, {
      type: "triggered_run",
      row: child,
      metadata: childMetadata(graph, child),
    });
  }
  return {
    id: run.id,
    status: statusFor(run.status, context),
    nodes: [...graph.steps.values(), ...graph.artifacts.values(), ...graph.others.values()],
    edges: graph.edges,
  };
}

/** Slashes are between the parts of an id. */
const plain = (name: string): string => name.replaceAll("/", "-");
const stepId = (name: string): string => `step/${plain(name)}`;
const artifactId = (
  step: string,
  io: "inputs" | "outputs",
  ...[type, name]: [type: string, name: string]
): string => `${plain(step)}/${io}/${type}/${plain(name)}`;

function addStep(graph: Graph, name: string, node: DagNode): void {
  const step = graph.data.steps.get(name);
  const id = stepId(name);
  graph.steps.set(id, {
    node_id: id,
    type: "step",
    id: step?.id ?? null,
    name,
    metadata: stepMetadata(graph, node, step),
  });
  // What an artifact connects needs no edge of its own.
  const upstream = new Set(node.upstream);
  if (step === undefined) addPlannedInputs(graph, { name, node, upstream });
  else {
    addInputs(graph, step, { name, node, upstream });
    addOutputs(graph, step, name);
  }
  addPlannedOutputs(graph, name, node);
  if (step !== undefined) addTriggered(graph, step, id);
  for (const one of upstream) {
    if (graph.steps.has(stepId(one))) graph.edges.push({ source: stepId(one), target: id, metadata: {} });
  }
}

function stepMetadata(graph: Graph, { type, group }: DagNode, step: DagStep | undefined): object {
  const logged = step === undefined ? undefined : graph.data.metadata.get(step.id);
  return {
    ...(type === null ? {} : { type }),
    ...(group === null ? {} : { group }),
    ...(step === undefined ? {} : { status: statusFor(step.status, graph.context) }),
    ...(step === undefined ? {} : timesOf(step)),
    ...(logged === undefined
      ? {}
      : { run_metadata: Object.fromEntries(logged.map(({ key, value_json: value }) => [key, json(value)])) }),
  };
}

type Times = { start_time: Micros | null; end_time: Micros | null };

function timesOf({ start_time: start, end_time: end }: Times): object {
  if (start === null) return {};
  return { start_time: microsToIso(start), ...(end === null ? {} : { duration: (end - start) / 1e6 }) };
}

type AtStep = { name: string; node: DagNode; upstream: Set<string> };

/** Where an output of another step is drawn. */
function outputNode(graph: Graph, step: string, output: string): string | undefined {
  return graph.outputs.get(step)?.get(outputName(graph, step, output));
}

function outputName(graph: Graph, step: string, output: string): string {
  if (!output.includes("{")) return output;
  const own = nodeNamed(graph, step)?.substitutions ?? {};
  return formatTemplate(output, { ...graph.substitutions, ...own });
}

const nodesOf = new WeakMap<DagData, Map<string, DagNode>>();

function nodeNamed({ data }: Graph, name: string): DagNode | undefined {
  let found = nodesOf.get(data);
  if (found === undefined) nodesOf.set(data, (found = new Map(data.nodes)));
  return found.get(name);
}

function addInputs(graph: Graph, step: DagStep, { name, node, upstream }: AtStep): void {
  for (const input of graph.data.inputs.get(step.id) ?? []) {
    const from = input.type === STEP_OUTPUT ? node.inputs[input.name]?.[input.position] : undefined;
    const source =
      from === undefined
        ? addLoaded(graph, name, input)
        : outputNode(graph, from.step_name, from.output_name);
    if (from !== undefined) upstream.delete(from.step_name);
    if (source === undefined) continue;
    graph.edges.push({
      source,
      target: stepId(name),
      metadata: {
        input_name: input.name,
        type: typeFor(graph, input.type),
        index: input.position,
        chunk_index: input.chunk_index,
        chunk_size: input.chunk_size,
      },
    });
  }
}

const typeFor = ({ context }: Graph, type: string): string =>
  context.isOld && type === "override" ? "external" : type;

/** An artifact that no step of the run is known to have made: of its own for each step that loads it. */
function addLoaded(
  graph: Graph,
  step: string,
  input: { name: string; type: string; artifact_version_id: string },
): string | undefined {
  const version = graph.data.loaded.get(input.artifact_version_id);
  if (version === undefined) return undefined;
  const isManual = input.type === "manual";
  const id = artifactId(step, "inputs", input.type, isManual ? input.artifact_version_id : input.name);
  graph.artifacts.set(id, artifactNode(graph, id, { ...input, ...version }));
  return id;
}

const artifactNode = (
  graph: Graph,
  id: string,
  row: Pick<DagArtifact, "name" | "artifact_version_id" | "artifact_type" | "data_type_json" | "save_type">,
): Node => ({
  node_id: id,
  type: "artifact",
  id: row.artifact_version_id,
  name: row.name,
  metadata: {
    type: row.artifact_type,
    data_type: importPath(graph, row.data_type_json),
    save_type: row.save_type,
  },
});

/** Of a Python class; there are few of them among many artifacts. */
function importPath({ typeNames }: Graph, text: string): string {
  let found = typeNames.get(text);
  if (found === undefined) {
    const { module, attribute } = JSON.parse(text) as { module: string; attribute?: string | null };
    found = attribute ? `${module}.${attribute}` : module;
    typeNames.set(text, found);
  }
  return found;
}

function addOutputs(graph: Graph, step: DagStep, name: string): void {
  for (const output of graph.data.outputs.get(step.id) ?? []) {
    const isManual = output.save_type === "manual";
    const id = artifactId(
      name,
      "outputs",
      output.save_type,
      isManual ? output.artifact_version_id : output.name,
    );
    graph.artifacts.set(id, artifactNode(graph, id, output));
    graph.edges.push({
      source: stepId(name),
      target: id,
      metadata: { output_name: output.name, type: output.save_type },
    });
    if (output.save_type === STEP_OUTPUT) graph.outputs.get(name)?.set(output.name, id);
  }
}

/** Outputs that are still to come, or never came. */
function addPlannedOutputs(graph: Graph, step: string, node: DagNode): void {
  const known = graph.outputs.get(step);
  for (const output of node.outputs) {
    const name = outputName(graph, step, output);
    if (known?.has(name) === true) continue;
    const id = artifactId(step, "outputs", STEP_OUTPUT, name);
    addPlannedArtifact(graph, id, name);
    graph.edges.push({
      source: stepId(step),
      target: id,
      metadata: { output_name: output, type: STEP_OUTPUT },
    });
    known?.set(name, id);
  }
}

const addPlannedArtifact = (graph: Graph, id: string, name: string): void => {
  graph.artifacts.set(id, { node_id: id, type: "artifact", id: null, name, metadata: {} });
};

function addPlannedInputs(graph: Graph, { name, node, upstream }: AtStep): void {
  for (const [input, sources] of Object.entries(node.inputs)) {
    for (const one of sources) {
      upstream.delete(one.step_name);
      const source = outputNode(graph, one.step_name, one.output_name);
      if (source === undefined) continue;
      graph.edges.push({
        source,
        target: stepId(name),
        metadata: {
          input_name: input,
          type: STEP_OUTPUT,
          chunk_index: one.chunk_index ?? null,
          chunk_size: one.chunk_size ?? null,
        },
      });
    }
  }
  for (const [type, names] of [["lazy", node.lazy] as const, ["external", node.external] as const]) {
    for (const input of names) {
      const id = artifactId(name, "inputs", type, input);
      addPlannedArtifact(graph, id, input);
      graph.edges.push({ source: id, target: stepId(name), metadata: { input_name: input, type } });
    }
  }
}

function addTriggered(graph: Graph, step: DagStep, source: string): void {
  for (const row of graph.data.triggered.get(step.id) ?? []) {
    const id = `run/${plain(row.name)}`;
    const metadata = { status: statusFor(row.status, graph.context), index: row.index, ...timesOf(row) };
    addOther(graph, id, { type: "triggered_run", row, metadata });
    graph.edges.push({ source, target: id, metadata: {} });
  }
}

const childMetadata = ({ context }: Graph, row: DagRun): object => ({
  status: statusFor(row.status, context),
  ...timesOf(row),
  ...(row.start_time === null || row.end_time === null ? {} : { end_time: microsToIso(row.end_time) }),
});

function addCondition(graph: Graph, row: DagCondition): void {
  const metadata = {
    status: row.status,
    type: row.type,
    created_at: microsToIso(row.created),
    ...(row.resolution === null ? {} : { resolution: row.resolution }),
    ...(row.question ? { question: row.question } : {}),
    ...(row.resolved_at === null ? {} : { resolved_at: microsToIso(row.resolved_at) }),
  };
  addOther(graph, `wait_condition/${plain(row.name)}`, { type: "wait_condition", row, metadata });
}

const addOther = (
  graph: Graph,
  id: string,
  { type, row, metadata }: { type: string; row: { id: string; name: string }; metadata: object },
): void => {
  graph.others.set(id, { node_id: id, type, id: row.id, name: row.name, metadata });
};
