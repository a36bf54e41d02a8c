import { parseFaithfulJson } from "../../kernel/json-text.ts";
import { dagNodeOf } from "./dag-nodes.ts";
import type { ConfiguredModel } from "./model-versions.ts";
import type { PlannedStep, NewStepInput } from "./steps.sql.ts";

/** What the rules of steps need of a step's specification and configuration, however it is given. */
export type StepPlan = {
  upstream: readonly string[];
  maxRetries: number;
  enableHeartbeat: boolean;
  /** Minutes. */
  heartbeatThreshold: number;
  type: string | null;
  stepName: string;
  substitutions: Readonly<Record<string, string>>;
  model: ConfiguredModel | null;
  /** What the step keeps besides its snapshot; null where that says all. */
  specJson: string | null;
  configJson: string | null;
  /** What a graph shows of it. */
  nodeJson: string | null;
  /** How an input that is given when the step begins is connected. */
  inputAt(name: string, at: number): Omit<NewStepInput, "name" | "artifact_version_id">;
  /** The configuration without these parameters, which other artifacts take the place of. */
  withoutParameters(names: ReadonlySet<string>): string | null;
};

type Input = { chunk_index?: number | null; chunk_size?: number | null };

type Spec = {
  [field: string]: unknown;
  upstream_steps: readonly string[];
  inputs?: Readonly<Record<string, Input | readonly Input[]>>;
  enable_heartbeat?: boolean;
};

type Configuration = {
  [field: string]: unknown;
  name: string;
  step_type?: string | null;
  heartbeat_healthy_threshold?: number;
  substitutions?: Readonly<Record<string, string>>;
  parameters?: Readonly<Record<string, unknown>>;
  retry?: { max_retries?: number } | null;
  model?: ConfiguredModel | null;
  external_input_artifacts?: object;
  model_artifacts_or_metadata?: object;
  client_lazy_loaders?: object;
};

const DEFAULT_THRESHOLD = 30;

/** Of a step that the run's snapshot holds. */
export const plannedStep = ({ spec_json: spec, config_json: config, ...row }: PlannedStep): StepPlan =>
  planOf({ spec, config, isKept: false, maxRetries: row.max_retries });

/** Of a step that a dynamic pipeline makes up as it runs: both are JSON. */
export const dynamicStep = (spec: string, config: string): StepPlan => planOf({ spec, config, isKept: true });

function planOf(given: { spec: string; config: string; isKept: boolean; maxRetries?: number }): StepPlan {
  const spec = JSON.parse(given.spec) as Spec;
  const config = JSON.parse(given.config) as Configuration;
  return {
    upstream: spec.upstream_steps,
    maxRetries: given.maxRetries ?? config.retry?.max_retries ?? 0,
    enableHeartbeat: spec.enable_heartbeat ?? false,
    heartbeatThreshold: config.heartbeat_healthy_threshold ?? DEFAULT_THRESHOLD,
    type: config.step_type ?? null,
    stepName: config.name,
    substitutions: config.substitutions ?? {},
    model: config.model ?? null,
    specJson: given.isKept ? given.spec : null,
    configJson: given.isKept ? given.config : null,
    nodeJson: given.isKept ? JSON.stringify(dagNodeOf(spec, config)) : null,
    inputAt: (name, at) => inputOf({ spec, config }, name, at),
    withoutParameters(names) {
      const { parameters = {} } = config;
      if (!Object.keys(parameters).some((name) => names.has(name))) return given.isKept ? given.config : null;
      // As it came, digit for digit.
      const whole = parseFaithfulJson(Buffer.from(given.config)) as Configuration;
      const kept = Object.entries(whole.parameters ?? {}).filter(([name]) => !names.has(name));
      return JSON.stringify({ ...whole, parameters: Object.fromEntries(kept) });
    },
  };
}

const has = (object: object | undefined, name: string): boolean =>
  object !== undefined && Object.hasOwn(object, name);

const unplaced = { position: 0, chunk_index: null, chunk_size: null } as const;

function inputOf(
  { spec, config }: { spec: Spec; config: Configuration },
  ...[name, at]: [name: string, at: number]
): ReturnType<StepPlan["inputAt"]> {
  if (has(spec.inputs, name)) {
    const input = [spec.inputs?.[name] ?? []].flat()[at];
    return {
      type: "step_output",
      position: at,
      chunk_index: input?.chunk_index ?? null,
      chunk_size: input?.chunk_size ?? null,
    };
  }
  if (has(config.external_input_artifacts, name)) return { ...unplaced, type: "external" };
  if (has(config.model_artifacts_or_metadata, name) || has(config.client_lazy_loaders, name)) {
    return { ...unplaced, type: "lazy" };
  }
  return { ...unplaced, type: "manual" };
}
