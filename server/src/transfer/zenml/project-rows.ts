import { createHash } from "node:crypto";
import type {
  artifacts,
  artifactVersions,
  artifactVisualizations,
  builds,
  codeReferences,
  codeRepositories,
  models,
  modelVersions,
  NewRow,
  pipelines,
  runMetadata,
  runs,
  runTemplates,
  schedules,
  steps,
} from "../../modules/pipelines/index.ts";
import {
  entitiesOf,
  fieldOf,
  flagOf,
  idOf,
  jsonOf,
  numberOf,
  objectJsonOf,
  recordOf,
  stampsOf,
  textOf,
  timeOf,
  userOf,
  type Entity,
} from "./entity.ts";
import type { Mapping } from "./mapping.ts";

/** Where rows of a project go, and what stands there for what they refer to. */
export type Into = { workspaceId: number; mapping: Mapping };

const common = (entity: Entity, { workspaceId, mapping }: Into) => ({
  id: entity.id,
  workspace_id: workspaceId,
  user_id: mapping.users.get(userOf(entity)),
  ...stampsOf(entity),
});

export const codeRepositoryRow = (entity: Entity, into: Into): NewRow<typeof codeRepositories> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  config_json: objectJsonOf(entity, "config"),
  source_json: objectJsonOf(entity, "source"),
  logo_url: textOf(entity, "logo_url"),
  description: textOf(entity, "description"),
});

/** Nested in the snapshots that refer to it, which are of one project. */
export const codeReferenceRow = (entity: Entity, { workspaceId }: Into): NewRow<typeof codeReferences> => ({
  id: entity.id,
  workspace_id: workspaceId,
  code_repository_id: idOf(entity, "code_repository") ?? "",
  commit: textOf(entity, "commit") ?? "",
  subdirectory: textOf(entity, "subdirectory") ?? "",
  ...stampsOf(entity),
});

export const pipelineRow = (entity: Entity, into: Into): NewRow<typeof pipelines> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  description: textOf(entity, "description"),
});

export const buildRow = (entity: Entity, into: Into): NewRow<typeof builds> => ({
  ...common(entity, into),
  pipeline_id: idOf(entity, "pipeline"),
  stack_id: into.mapping.stacks.get(idOf(entity, "stack")),
  images_json: objectJsonOf(entity, "images"),
  is_local: flagOf(entity, "is_local"),
  contains_code: flagOf(entity, "contains_code"),
  zenml_version: textOf(entity, "zenml_version"),
  python_version: textOf(entity, "python_version"),
  checksum: textOf(entity, "checksum"),
  stack_checksum: textOf(entity, "stack_checksum"),
  duration: numberOf(entity, "duration"),
});

export const scheduleRow = (entity: Entity, into: Into): NewRow<typeof schedules> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  active: flagOf(entity, "active"),
  cron_expression: textOf(entity, "cron_expression"),
  start_time: timeOf(entity, "start_time"),
  end_time: timeOf(entity, "end_time"),
  interval_second: secondsOf(fieldOf(entity, "interval_second")),
  catchup: flagOf(entity, "catchup"),
  run_once_start_time: timeOf(entity, "run_once_start_time"),
  orchestrator_id: into.mapping.components.get(textOf(entity, "orchestrator_id")),
  pipeline_id: textOf(entity, "pipeline_id"),
  is_archived: flagOf(entity, "is_archived"),
});

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** A duration as Python's servers write it, `PT1H30M`, or as a number of seconds. */
export function secondsOf(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const plain: unknown = JSON.parse(JSON.stringify(value));
  if (typeof plain === "number") return plain;
  const parts = DURATION.exec(String(plain));
  if (parts === null) return null;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

export const runTemplateRow = (entity: Entity, into: Into): NewRow<typeof runTemplates> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  description: textOf(entity, "description"),
  hidden: flagOf(entity, "hidden"),
  source_snapshot_id: idOf(entity, "source_snapshot") ?? idOf(entity, "source_deployment"),
});

export const modelRow = (entity: Entity, into: Into): NewRow<typeof models> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  license: textOf(entity, "license"),
  description: textOf(entity, "description"),
  audience: textOf(entity, "audience"),
  use_cases: textOf(entity, "use_cases"),
  limitations: textOf(entity, "limitations"),
  trade_offs: textOf(entity, "trade_offs"),
  ethics: textOf(entity, "ethics"),
  save_models_to_registry: fieldOf(entity, "save_models_to_registry") !== false,
});

export const modelVersionRow = (entity: Entity, into: Into): NewRow<typeof modelVersions> => ({
  ...common(entity, into),
  model_id: idOf(entity, "model") ?? "",
  name: entity.name ?? "",
  number: numberOf(entity, "number") ?? 0,
  description: textOf(entity, "description"),
  stage: textOf(entity, "stage"),
});

const ended: ReadonlySet<string> = new Set([
  "completed",
  "failed",
  "cached",
  "stopped",
  "retried",
  "skipped",
  "cancelled",
]);

/** What a run refers to among runs (`parent_run_id`, ...) is put in once all of them are there. */
export function runRow(entity: Entity, into: Into): NewRow<typeof runs> {
  const status = textOf(entity, "status") ?? "failed";
  return {
    ...common(entity, into),
    name: entity.name ?? "",
    pipeline_id: idOf(entity, "pipeline"),
    stack_id: into.mapping.stacks.get(idOf(entity, "stack")),
    snapshot_id: idOf(entity, "snapshot") ?? textOf(entity, "deployment_id"),
    orchestrator_run_id: textOf(entity, "orchestrator_run_id"),
    status,
    in_progress: !ended.has(status),
    status_reason: textOf(entity, "status_reason"),
    index: numberOf(entity, "index") ?? 0,
    start_time: timeOf(entity, "start_time"),
    end_time: timeOf(entity, "end_time"),
    orchestrator_environment_json: objectJsonOf(entity, "orchestrator_environment"),
    model_version_id: idOf(entity, "model_version") ?? textOf(entity, "model_version_id"),
    child_key: textOf(entity, "child_key"),
    exception_info_json: jsonOf(entity, "exception_info"),
    enable_heartbeat: flagOf(entity, "enable_heartbeat"),
    outputs_json: null,
  };
}

/** `dynamic`: the snapshot does not hold the step, which therefore has its configuration with it. */
export const stepRow = (
  entity: Entity,
  into: Into,
  { snapshotId, dynamic }: { snapshotId: string; dynamic: boolean },
): NewRow<typeof steps> => ({
  ...common(entity, into),
  run_id: textOf(entity, "pipeline_run_id") ?? "",
  snapshot_id: snapshotId,
  name: entity.name ?? "",
  version: numberOf(entity, "version") ?? 1,
  type: textOf(entity, "type"),
  status: textOf(entity, "status") ?? "failed",
  is_retriable: flagOf(entity, "is_retriable"),
  start_time: timeOf(entity, "start_time"),
  end_time: timeOf(entity, "end_time"),
  latest_heartbeat: timeOf(entity, "latest_heartbeat"),
  heartbeat_threshold: numberOf(entity, "heartbeat_threshold"),
  cache_key: textOf(entity, "cache_key"),
  cache_expires_at: timeOf(entity, "cache_expires_at"),
  code_hash: textOf(entity, "code_hash"),
  docstring: textOf(entity, "docstring"),
  source_code: textOf(entity, "source_code"),
  model_version_id: textOf(entity, "model_version_id"),
  exception_info_json: jsonOf(entity, "exception_info"),
  spec_json: dynamic ? jsonOf(entity, "spec") : null,
  config_json: dynamic ? jsonOf(entity, "config") : null,
  substitutions_json: objectJsonOf(entity, "substitutions"),
});

export const artifactRow = (entity: Entity, into: Into): NewRow<typeof artifacts> => ({
  ...common(entity, into),
  name: entity.name ?? "",
  has_custom_name: flagOf(entity, "has_custom_name"),
});

const WHOLE = /^(?:0|[1-9]\d{0,8})$/;

export function artifactVersionRow(entity: Entity, into: Into): NewRow<typeof artifactVersions> {
  const version = String(fieldOf(entity, "version") ?? "");
  return {
    ...common(entity, into),
    artifact_id: idOf(entity, "artifact") ?? "",
    version,
    version_number: WHOLE.test(version) ? Number(version) : null,
    type: textOf(entity, "type") ?? "BaseArtifact",
    uri: textOf(entity, "uri") ?? "",
    materializer_json: objectJsonOf(entity, "materializer"),
    data_type_json: objectJsonOf(entity, "data_type"),
    artifact_store_id: into.mapping.components.get(textOf(entity, "artifact_store_id")),
    content_hash: textOf(entity, "content_hash"),
    save_type: textOf(entity, "save_type") ?? "step_output",
    item_count: numberOf(entity, "item_count"),
  };
}

export const visualizationRows = (version: Entity): NewRow<typeof artifactVisualizations>[] =>
  entitiesOf(version, "visualizations").map((entity, position) => ({
    id: entity.id,
    artifact_version_id: version.id,
    position,
    type: textOf(entity, "type") ?? "html",
    uri: textOf(entity, "uri") ?? "",
    ...stampsOf(entity),
  }));

/** An id that is worked out: of what has none of its own at the source. */
export function derivedId(...parts: readonly string[]): string {
  const hex = createHash("sha256").update(parts.join("\n")).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export type MetadataRows = {
  values: NewRow<typeof runMetadata>[];
  links: { resource_id: string; metadata_id: string; resource_type: string }[];
};

/** What was logged about an entity: the source tells the newest value of each key, without who wrote it. */
export function metadataRows(entity: Entity, into: Into, resourceType: string): MetadataRows {
  const { workspace_id, user_id, updated } = common(entity, into);
  const values = Object.entries(recordOf(entity, "run_metadata")).map(([key, value]) => ({
    id: derivedId("metadata", entity.id, key),
    workspace_id,
    user_id,
    key,
    value_json: JSON.stringify(value),
    type: typeOfValue(value),
    stack_component_id: null,
    publisher_step_id: null,
    created: updated,
  }));
  const links = values.map(({ id }) => ({
    resource_id: entity.id,
    metadata_id: id,
    resource_type: resourceType,
  }));
  return { values, links };
}

function typeOfValue(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  const text = JSON.stringify(value);
  return text.startsWith("{") ? "dict" : /^-?\d+$/.test(text) ? "int" : "float";
}
