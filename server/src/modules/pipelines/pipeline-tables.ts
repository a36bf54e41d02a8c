import { table, type RowOf } from "./table.ts";

export const codeRepositories = table("pipelines.code_repositories", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  config_json: "json",
  source_json: "json",
  logo_url: "text?",
  description: "text?",
  created: "time",
  updated: "time",
});
export type CodeRepositoryRow = RowOf<typeof codeRepositories>;

export const codeReferences = table("pipelines.code_references", {
  id: "uuid",
  workspace_id: "integer",
  code_repository_id: "uuid",
  commit: "text",
  subdirectory: "text",
  created: "time",
  updated: "time",
});
export type CodeReferenceRow = RowOf<typeof codeReferences>;

export const pipelines = table("pipelines.pipelines", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  description: "text?",
  run_count: "integer",
  created: "time",
  updated: "time",
});
export type PipelineRow = RowOf<typeof pipelines>;

export const builds = table("pipelines.builds", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  pipeline_id: "uuid?",
  stack_id: "uuid?",
  images_json: "json",
  is_local: "boolean",
  contains_code: "boolean",
  zenml_version: "text?",
  python_version: "text?",
  checksum: "text?",
  stack_checksum: "text?",
  duration: "integer?",
  created: "time",
  updated: "time",
});
export type BuildRow = RowOf<typeof builds>;

export const schedules = table("pipelines.schedules", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  active: "boolean",
  cron_expression: "text?",
  start_time: "time?",
  end_time: "time?",
  interval_second: "number?",
  catchup: "boolean",
  run_once_start_time: "time?",
  orchestrator_id: "uuid?",
  pipeline_id: "uuid?",
  is_archived: "boolean",
  created: "time",
  updated: "time",
});
export type ScheduleRow = RowOf<typeof schedules>;

export const snapshots = table("pipelines.snapshots", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text?",
  description: "text?",
  pipeline_id: "uuid?",
  stack_id: "uuid?",
  build_id: "uuid?",
  schedule_id: "uuid?",
  code_reference_id: "uuid?",
  template_id: "uuid?",
  source_snapshot_id: "uuid?",
  is_dynamic: "boolean",
  step_count: "integer",
  run_name_template: "text",
  pipeline_configuration_json: "json",
  client_environment_json: "json",
  python_packages_json: "json?",
  client_version: "text?",
  server_version: "text?",
  pipeline_version_hash: "text?",
  pipeline_spec_json: "json?",
  source_code: "text?",
  code_path: "text?",
  created: "time",
  updated: "time",
});
export type SnapshotRow = RowOf<typeof snapshots>;

export const runTemplates = table("pipelines.run_templates", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  description: "text?",
  hidden: "boolean",
  source_snapshot_id: "uuid?",
  created: "time",
  updated: "time",
});
export type RunTemplateRow = RowOf<typeof runTemplates>;

export const deployments = table("pipelines.deployments", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  snapshot_id: "uuid?",
  deployer_id: "uuid?",
  url: "text?",
  status: "text?",
  deployment_metadata_json: "json",
  sealed_auth_key: "text?",
  created: "time",
  updated: "time",
});
export type DeploymentRow = RowOf<typeof deployments>;

export const webhooks = table("pipelines.webhooks", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  webhook_type: "text",
  active: "boolean",
  sealed_secret: "text",
  received_count: "integer",
  accepted_count: "integer",
  auth_failed_count: "integer",
  invalid_payload_count: "integer",
  last_received_at: "time?",
  last_accepted_at: "time?",
  last_error_at: "time?",
  last_error_summary: "text?",
  created: "time",
  updated: "time",
});
export type PipelineWebhookRow = RowOf<typeof webhooks>;

export const triggers = table("pipelines.triggers", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  type: "text",
  flavor: "text",
  active: "boolean",
  concurrency: "text",
  is_archived: "boolean",
  data_json: "json",
  webhook_id: "uuid?",
  next_occurrence: "time?",
  created: "time",
  updated: "time",
});
export type TriggerRow = RowOf<typeof triggers>;
