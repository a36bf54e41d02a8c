import { table, type RowOf } from "./table.ts";

export const artifacts = table("pipelines.artifacts", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  has_custom_name: "boolean",
  created: "time",
  updated: "time",
});
export type ArtifactRow = RowOf<typeof artifacts>;

export const artifactVersions = table("pipelines.artifact_versions", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  artifact_id: "uuid",
  version: "text",
  version_number: "integer?",
  type: "text",
  uri: "text",
  materializer_json: "json",
  data_type_json: "json",
  artifact_store_id: "uuid?",
  content_hash: "text?",
  save_type: "text",
  item_count: "integer?",
  created: "time",
  updated: "time",
});
export type ArtifactVersionRow = RowOf<typeof artifactVersions>;

export const artifactVisualizations = table("pipelines.artifact_visualizations", {
  id: "uuid",
  artifact_version_id: "uuid",
  position: "integer",
  type: "text",
  uri: "text",
  created: "time",
  updated: "time",
});
export type ArtifactVisualizationRow = RowOf<typeof artifactVisualizations>;

export const curatedVisualizations = table("pipelines.curated_visualizations", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  artifact_visualization_id: "uuid",
  display_name: "text?",
  display_order: "integer?",
  layout_size: "text",
  resource_id: "uuid",
  resource_type: "text",
  created: "time",
  updated: "time",
});
export type CuratedVisualizationRow = RowOf<typeof curatedVisualizations>;

export const models = table("pipelines.models", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  license: "text?",
  description: "text?",
  audience: "text?",
  use_cases: "text?",
  limitations: "text?",
  trade_offs: "text?",
  ethics: "text?",
  save_models_to_registry: "boolean",
  created: "time",
  updated: "time",
});
export type PipelineModelRow = RowOf<typeof models>;

export const modelVersions = table("pipelines.model_versions", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  model_id: "uuid",
  name: "text",
  number: "integer",
  description: "text?",
  stage: "text?",
  producer_run_id: "uuid?",
  created: "time",
  updated: "time",
});
export type PipelineModelVersionRow = RowOf<typeof modelVersions>;

export const modelVersionArtifacts = table("pipelines.model_version_artifacts", {
  id: "uuid",
  model_version_id: "uuid",
  artifact_version_id: "uuid",
  created: "time",
  updated: "time",
});
export type ModelVersionArtifactRow = RowOf<typeof modelVersionArtifacts>;

export const modelVersionRuns = table("pipelines.model_version_runs", {
  id: "uuid",
  model_version_id: "uuid",
  pipeline_run_id: "uuid",
  created: "time",
  updated: "time",
});
export type ModelVersionRunRow = RowOf<typeof modelVersionRuns>;

export const services = table("pipelines.services", {
  id: "uuid",
  workspace_id: "integer",
  user_id: "uuid?",
  name: "text",
  service_type_json: "json",
  type: "text?",
  flavor: "text?",
  service_source: "text?",
  admin_state: "text?",
  state: "text?",
  config_json: "json",
  pipeline_name: "text?",
  pipeline_step_name: "text?",
  labels_json: "json?",
  status_json: "json?",
  endpoint_json: "json?",
  prediction_url: "text?",
  health_check_url: "text?",
  model_version_id: "uuid?",
  pipeline_run_id: "uuid?",
  created: "time",
  updated: "time",
});
export type ServiceRow = RowOf<typeof services>;
