/** What a graph shows of a step's specification and configuration, and what its edges need: kept with the step. */
export type DagNode = {
  readonly upstream: readonly string[];
  readonly inputs: Readonly<Record<string, readonly DagInput[]>>;
  /** Names of outputs, perhaps with placeholders such as `{date}`. */
  readonly outputs: readonly string[];
  readonly substitutions: Readonly<Record<string, string>>;
  /** Inputs that are loaded when the step runs, and those that come from outside. */
  readonly lazy: readonly string[];
  readonly external: readonly string[];
  readonly type: string | null;
  readonly group: object | null;
};

export type DagInput = {
  readonly step_name: string;
  readonly output_name: string;
  readonly chunk_index?: number | null;
  readonly chunk_size?: number | null;
};

type Given = Readonly<Record<string, unknown>>;

/** `spec` and `config` are whole, as they are shown. */
export function dagNodeOf(spec: Given, config: Given): DagNode {
  const inputs = Object.entries((spec["inputs"] ?? {}) as Record<string, DagInput | DagInput[]>);
  return {
    upstream: (spec["upstream_steps"] ?? []) as string[],
    inputs: Object.fromEntries(inputs.map(([name, input]) => [name, [input].flat()])),
    outputs: keysOf(config["outputs"]),
    substitutions: (config["substitutions"] ?? {}) as Record<string, string>,
    lazy: [...keysOf(config["client_lazy_loaders"]), ...keysOf(config["model_artifacts_or_metadata"])],
    external: keysOf(config["external_input_artifacts"]),
    type: (config["step_type"] ?? null) as string | null,
    group: config["group"] ?? null,
  };
}

const keysOf = (object: unknown): string[] => Object.keys(object ?? {});

/** Of what is kept; of what was kept without it, worked out from the whole. */
export const readDagNode = (row: {
  node_json: string | null;
  spec_json: string | null;
  config_json: string | null;
}): DagNode =>
  row.node_json === null
    ? dagNodeOf(JSON.parse(row.spec_json ?? "{}") as Given, JSON.parse(row.config_json ?? "{}") as Given)
    : (JSON.parse(row.node_json) as DagNode);
