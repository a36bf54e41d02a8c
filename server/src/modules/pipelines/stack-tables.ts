import { table, type RowOf } from "./table.ts";

export const secrets = table("pipelines.secrets", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  private: "boolean",
  sealed_values: "text",
  created: "time",
  updated: "time",
});
export type SecretRow = RowOf<typeof secrets>;

export const serviceConnectors = table("pipelines.service_connectors", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  description: "text",
  connector_type: "text",
  auth_method: "text",
  resource_types: "texts",
  resource_id: "text?",
  supports_instances: "boolean",
  expires_at: "time?",
  expires_skew_tolerance: "integer?",
  expiration_seconds: "integer?",
  configuration_json: "json",
  sealed_secrets: "text?",
  labels_json: "json",
  created: "time",
  updated: "time",
});
export type ServiceConnectorRow = RowOf<typeof serviceConnectors>;

export const flavors = table("pipelines.flavors", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  type: "text",
  display_name: "text",
  integration: "text?",
  source: "text",
  config_schema_json: "json",
  connector_type: "text?",
  connector_resource_type: "text?",
  connector_resource_id_attr: "text?",
  logo_url: "text?",
  docs_url: "text?",
  sdk_docs_url: "text?",
  is_custom: "boolean",
  created: "time",
  updated: "time",
});
export type FlavorRow = RowOf<typeof flavors>;

export const components = table("pipelines.components", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  type: "text",
  flavor_name: "text",
  configuration_json: "json",
  environment_json: "json",
  secrets: "uuids",
  labels_json: "json?",
  connector_id: "uuid?",
  connector_resource_id: "text?",
  created: "time",
  updated: "time",
});
export type ComponentRow = RowOf<typeof components>;

export const stacks = table("pipelines.stacks", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  description: "text?",
  stack_spec_path: "text?",
  environment_json: "json",
  secrets: "uuids",
  labels_json: "json?",
  created: "time",
  updated: "time",
});
export type StackRow = RowOf<typeof stacks>;

export const stackComponents = table("pipelines.stack_components", {
  stack_id: "uuid",
  component_id: "uuid",
  position: "integer",
});

export const tags = table("pipelines.tags", {
  id: "uuid",
  user_id: "uuid?",
  name: "text",
  color: "text",
  exclusive: "boolean",
  created: "time",
  updated: "time",
});
export type TagRow = RowOf<typeof tags>;

export const tagResources = table("pipelines.tag_resources", {
  id: "uuid",
  tag_id: "uuid",
  resource_id: "uuid",
  resource_type: "text",
  scope_id: "uuid?",
  created: "time",
  updated: "time",
});
export type TagResourceRow = RowOf<typeof tagResources>;
