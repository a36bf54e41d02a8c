import { table, type RowOf } from "./table.ts";

export const runs = table("pipelines.runs", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  pipeline_id: "uuid?",
  stack_id: "uuid?",
  snapshot_id: "uuid?",
  orchestrator_run_id: "text?",
  status: "text",
  in_progress: "boolean",
  status_reason: "text?",
  index: "integer",
  start_time: "time?",
  end_time: "time?",
  orchestrator_environment_json: "json",
  is_dynamic: "boolean",
  step_count: "integer",
  execution_mode: "text",
  triggered_by_step_run_id: "uuid?",
  triggered_by_deployment_id: "uuid?",
  trigger_id: "uuid?",
  model_version_id: "uuid?",
  original_run_id: "uuid?",
  parent_run_id: "uuid?",
  root_run_id: "uuid?",
  child_key: "text?",
  exception_info_json: "json?",
  enable_heartbeat: "boolean",
  outputs_json: "json?",
  change_id: "uuid?",
  created: "time",
  updated: "time",
});
export type PipelineRunRow = RowOf<typeof runs>;

export const steps = table("pipelines.steps", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  run_id: "uuid",
  snapshot_id: "uuid",
  name: "text",
  version: "integer",
  type: "text?",
  status: "text",
  is_retriable: "boolean",
  start_time: "time?",
  end_time: "time?",
  latest_heartbeat: "time?",
  heartbeat_threshold: "integer?",
  cache_key: "text?",
  cache_expires_at: "time?",
  code_hash: "text?",
  docstring: "text?",
  source_code: "text?",
  original_step_run_id: "uuid?",
  model_version_id: "uuid?",
  exception_info_json: "json?",
  spec_json: "json?",
  config_json: "json?",
  node_json: "json?",
  substitutions_json: "json",
  change_id: "uuid?",
  created: "time",
  updated: "time",
});
export type StepRunRow = RowOf<typeof steps>;

export const stepParents = table("pipelines.step_parents", {
  step_id: "uuid",
  parent_id: "uuid",
});
export const stepInputs = table("pipelines.step_inputs", {
  step_id: "uuid",
  name: "text",
  position: "integer",
  artifact_version_id: "uuid",
  type: "text",
  chunk_index: "integer?",
  chunk_size: "integer?",
});
export type StepInputRow = RowOf<typeof stepInputs>;

export const stepOutputs = table("pipelines.step_outputs", {
  step_id: "uuid",
  name: "text",
  position: "integer",
  artifact_version_id: "uuid",
});
export const runMetadata = table("pipelines.run_metadata", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  key: "text",
  value_json: "json",
  type: "text",
  stack_component_id: "uuid?",
  publisher_step_id: "uuid?",
  created: "time",
});
export type RunMetadataRow = RowOf<typeof runMetadata>;

export const runMetadataResources = table("pipelines.run_metadata_resources", {
  resource_id: "uuid",
  metadata_id: "uuid",
  resource_type: "text",
});
export const hookInvocations = table("pipelines.hook_invocations", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text?",
  hook_type: "text",
  status: "text",
  source: "text?",
  start_time: "time?",
  end_time: "time?",
  pipeline_run_id: "uuid",
  step_run_id: "uuid?",
  exception_info_json: "json?",
  outputs_json: "json",
  created: "time",
  updated: "time",
});
export type HookInvocationRow = RowOf<typeof hookInvocations>;

export const logs = table("pipelines.logs", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  uri: "text?",
  source: "text",
  pipeline_run_id: "uuid?",
  step_run_id: "uuid?",
  hook_invocation_id: "uuid?",
  artifact_store_id: "uuid?",
  log_store_id: "uuid?",
  created: "time",
  updated: "time",
});
export type LogsRow = RowOf<typeof logs>;

export const runWaitConditions = table("pipelines.run_wait_conditions", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  run_id: "uuid",
  name: "text",
  type: "text",
  status: "text",
  question: "text?",
  data_schema_json: "json?",
  last_polled_at: "time?",
  poller_instance_id: "text?",
  poller_lease_expires_at: "time?",
  resolved_at: "time?",
  resolved_by_user_id: "uuid?",
  resolution: "text?",
  result_json: "json?",
  created: "time",
  updated: "time",
});
export type RunWaitConditionRow = RowOf<typeof runWaitConditions>;
