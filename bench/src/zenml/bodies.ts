// What the client of 0.98.0 sends when it runs a pipeline, field by field as recorded.
import { randomUUID } from "node:crypto";

const source = (name: string): object => ({ module: "bench", attribute: name, type: "user" });
const materializer = {
  module: "zenml.materializers.built_in_materializer",
  attribute: "BuiltInMaterializer",
  type: "internal",
};

const hooks = {
  failure_hook_source: null,
  success_hook_source: null,
  start_hook_source: null,
  end_hook_source: null,
};

const stepConfig = (name: string): object => ({
  enable_cache: false,
  enable_artifact_metadata: null,
  enable_artifact_visualization: null,
  enable_step_logs: null,
  step_operator: null,
  experiment_tracker: null,
  parameters: {},
  settings: {},
  environment: {},
  secrets: [],
  extra: {},
  ...hooks,
  model: null,
  retry: null,
  substitutions: {},
  cache_policy: {
    include_step_code: true,
    include_step_parameters: true,
    include_artifact_values: true,
    include_artifact_ids: true,
    ignored_inputs: null,
    file_dependencies: null,
    source_dependencies: null,
    cache_func: null,
    expires_after: null,
  },
  runtime: null,
  heartbeat_healthy_threshold: 30,
  group: null,
  outputs: {
    output: { materializer_source: [materializer], default_materializer_source: null, artifact_config: null },
  },
  name,
  step_type: null,
  template: null,
  caching_parameters: {
    step_source: "73871eb581f58498f79e8e6ee32d2573e6d330f458d30ba71c06310d2ee9a100",
    output_materializer_source: "51c7336ab167699b85ac003fad8e777b",
  },
  external_input_artifacts: {},
  model_artifacts_or_metadata: {},
  client_lazy_loaders: {},
  command: null,
});

export const stepName = (at: number): string => `step_${String(at).padStart(4, "0")}`;

/** Steps come in fan-outs of ten: each has one of the layer before for its parent. */
export const parentOf = (at: number): number | undefined => (at < 10 ? undefined : at - 10);

function stepOf(at: number): object {
  const name = stepName(at);
  const parent = parentOf(at);
  const config = stepConfig(name);
  return {
    spec: {
      source: source(name),
      upstream_steps: parent === undefined ? [] : [stepName(parent)],
      inputs:
        parent === undefined
          ? {}
          : {
              value: {
                step_name: stepName(parent),
                output_name: "output",
                chunk_index: null,
                chunk_size: null,
              },
            },
      invocation_id: name,
      enable_heartbeat: false,
      parameter_spec: {},
    },
    config,
    step_config_overrides: config,
  };
}

export type Place = { project: string; stack: string; artifactStore: string };

export const snapshotBody = ({ project, stack }: Place, pipeline: string, steps: number): object => ({
  project,
  run_name_template: "bench-{date}-{time}",
  pipeline_configuration: {
    enable_cache: false,
    enable_artifact_metadata: null,
    enable_artifact_visualization: null,
    enable_step_logs: null,
    enable_heartbeat: null,
    environment: {},
    secrets: [],
    enable_pipeline_logs: null,
    execution_mode: "continue_on_failure",
    settings: {},
    tags: null,
    extra: {},
    ...hooks,
    pause_hook_source: null,
    resume_hook_source: null,
    init_hook_source: null,
    init_hook_kwargs: null,
    cleanup_hook_source: null,
    model: null,
    parameters: {},
    retry: null,
    substitutions: {},
    cache_policy: null,
    name: "bench",
    steps_to_skip: [],
    skip_successful_steps: false,
    step_input_overrides: {},
    step_default_input_overrides: {},
  },
  step_configurations: Object.fromEntries(
    Array.from({ length: steps }, (_, at) => [stepName(at), stepOf(at)]),
  ),
  client_environment: { environment: "native", os: "linux", python_version: "3.11.7" },
  client_version: "0.98.0",
  server_version: "0.98.0",
  pipeline_version_hash: null,
  pipeline_spec: null,
  is_dynamic: false,
  stack,
  pipeline,
  build: null,
  schedule: null,
  code_reference: null,
  code_path: null,
  template: null,
  source_snapshot: null,
});

const now = (): string => new Date().toISOString().slice(0, -1);

export const runBody = ({ project }: Place, snapshot: string): object => ({
  project,
  name: `bench-${randomUUID()}`,
  snapshot,
  orchestrator_run_id: randomUUID(),
  start_time: now(),
  end_time: null,
  status: "running",
  status_reason: null,
  orchestrator_environment: { environment: "native", os: "linux", python_version: "3.11.7" },
  trigger_info: null,
  tags: null,
  logs: null,
});

export type StepInputs = { run: string; at: number; input: string | undefined };

export const stepBody = ({ project }: Place, { run, at, input }: StepInputs): object => ({
  project,
  name: stepName(at),
  start_time: now(),
  end_time: null,
  status: "running",
  cache_key: randomUUID().replaceAll("-", ""),
  cache_expires_at: null,
  code_hash: null,
  docstring: null,
  source_code: `@step(enable_cache=False)\ndef ${stepName(at)}(value: int = 0) -> int:\n    return value + 1\n`,
  pipeline_run_id: run,
  original_step_run_id: null,
  parent_step_ids: [],
  inputs: input === undefined ? {} : { value: [input] },
  outputs: {},
  logs: null,
  exception_info: null,
  dynamic_config: null,
});

export function artifactBody({ project, artifactStore }: Place, step: string, name: string): object {
  const uri = `s3://bench/${name}/output/${step}`;
  return {
    project,
    artifact_id: null,
    artifact_name: `bench::${name}::output`,
    version: null,
    has_custom_name: false,
    type: "DataArtifact",
    artifact_store_id: artifactStore,
    uri,
    materializer,
    data_type: { module: "builtins", attribute: "int", type: "builtin" },
    content_hash: "3d4f575c5548b6d8997793f37b1d4962",
    tags: [],
    visualizations: [{ type: "json", uri: `${uri}/data.json` }],
    save_type: "step_output",
    metadata: { storage_size: 1, string_representation: "1" },
    item_count: null,
  };
}

export const endBody = (output: string): object => ({
  outputs: { output: [output] },
  status: "completed",
  end_time: now(),
});
