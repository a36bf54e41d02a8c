import { durationText } from "../../kernel/durations.ts";
import type {
  ArtifactRow,
  ArtifactVersionRow,
  BuildRow,
  CodeReferenceRow,
  CodeRepositoryRow,
  DeploymentRow,
  FlavorRow,
  LogsRow,
  PipelineModelRow,
  PipelineModelVersionRow,
  PipelineRow,
  PipelineRunRow,
  RunTemplateRow,
  RunWaitConditionRow,
  ScheduleRow,
  ServiceConnectorRow,
  ShownComponentRow,
  ShownCuratedRow,
  ShownSnapshotRow,
  StackRow,
  TagRow,
} from "../../modules/pipelines/index.ts";
import {
  entity,
  iso,
  json,
  projectBody,
  sharedBody,
  stamps,
  statusFor,
  type ViewContext,
} from "./envelope.ts";

/**
 * The bodies of entities, and what stands for one in the resources of others: its body alone. Everything that either
 * of the versions 0.84 and 0.98 reads is in them.
 */

export const stackSummary = (row: StackRow): object => entity(row, { body: sharedBody(row) });

export const componentBody = (row: ShownComponentRow): object => ({
  ...sharedBody(row),
  type: row.type,
  flavor_name: row.flavor_name,
  integration: row.integration,
  logo_url: row.logo_url,
});
export const componentSummary = (row: ShownComponentRow): object => entity(row, { body: componentBody(row) });

export const flavorBody = (row: FlavorRow): object => ({
  ...sharedBody(row),
  type: row.type,
  display_name: row.display_name,
  integration: row.integration,
  source: row.source,
  logo_url: row.logo_url,
  is_custom: row.is_custom,
});
export const flavorSummary = (row: FlavorRow): object => entity(row, { body: flavorBody(row) });

export const connectorBody = (row: ServiceConnectorRow): object => ({
  ...sharedBody(row),
  description: row.description,
  connector_type: row.connector_type,
  auth_method: row.auth_method,
  resource_types: row.resource_types,
  resource_id: row.resource_id,
  supports_instances: row.supports_instances,
  expires_at: iso(row.expires_at),
  expires_skew_tolerance: row.expires_skew_tolerance,
});
export const connectorSummary = (row: ServiceConnectorRow): object =>
  entity(row, { body: connectorBody(row) });

export const tagBody = (row: TagRow): object => ({
  ...sharedBody(row),
  color: row.color,
  exclusive: row.exclusive,
});
export const tagSummary = (row: TagRow): object => entity(row, { body: tagBody(row) });

export const codeRepositoryBody = (row: CodeRepositoryRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  source: json(row.source_json),
  logo_url: row.logo_url,
});
export const codeRepositorySummary = (row: CodeRepositoryRow, context: ViewContext): object =>
  entity(row, { body: codeRepositoryBody(row, context) });

export const codeReferenceSummary = (row: CodeReferenceRow, repository: object | null): object =>
  entity(
    { id: row.id },
    {
      body: {
        ...stamps(row),
        commit: row.commit,
        subdirectory: row.subdirectory,
        code_repository: repository,
      },
    },
  );

export const pipelineSummary = (row: PipelineRow, context: ViewContext): object =>
  entity(row, { body: projectBody(row, context) });

export const buildSummary = (row: BuildRow, context: ViewContext): object =>
  entity({ id: row.id }, { body: projectBody(row, context) });

export const scheduleBody = (row: ScheduleRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  active: row.active,
  cron_expression: row.cron_expression,
  start_time: iso(row.start_time),
  end_time: iso(row.end_time),
  interval_second: row.interval_second === null ? null : durationText(row.interval_second),
  catchup: row.catchup,
  run_once_start_time: iso(row.run_once_start_time),
  is_archived: row.is_archived,
});
export const scheduleSummary = (row: ScheduleRow, context: ViewContext): object =>
  entity(row, { body: scheduleBody(row, context) });

/** Whether the server could run or serve it by itself is for `runnable` and `deployable`. */
export const snapshotBody = (row: ShownSnapshotRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  runnable: row.runnable,
  deployable: row.deployable,
  is_dynamic: row.is_dynamic,
  pipeline_id: row.pipeline_id,
});
export const snapshotSummary = (row: ShownSnapshotRow, context: ViewContext): object =>
  entity(row, { body: snapshotBody(row, context) });

export const runTemplateBody = (row: RunTemplateRow, runnable: boolean, context: ViewContext): object => ({
  ...projectBody(row, context),
  runnable,
  hidden: row.hidden,
});
export const runTemplateSummary = (row: RunTemplateRow, runnable: boolean, context: ViewContext): object =>
  entity(row, { body: runTemplateBody(row, runnable, context) });

export const deploymentBody = (row: DeploymentRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  url: row.url,
  status: row.status,
});
export const deploymentSummary = (row: DeploymentRow, context: ViewContext): object =>
  entity(row, { body: deploymentBody(row, context) });

export const runBody = (row: PipelineRunRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  status: statusFor(row.status, context),
  in_progress: row.in_progress,
  status_reason: row.status_reason,
  index: row.index,
  pipeline_id: row.pipeline_id,
  child_key: row.child_key,
  root_run_id: row.root_run_id,
  // What 0.84 reads besides.
  deployment_id: row.snapshot_id,
  model_version_id: row.model_version_id,
});
export const runSummary = (row: PipelineRunRow, context: ViewContext, links: object = {}): object =>
  entity(row, { body: { ...runBody(row, context), ...links } });

export const waitConditionBody = (row: RunWaitConditionRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  type: row.type,
  status: row.status,
  last_polled_at: iso(row.last_polled_at),
  poller_instance_id: row.poller_instance_id,
  poller_lease_expires_at: iso(row.poller_lease_expires_at),
  resolved_at: iso(row.resolved_at),
  resolved_by_user_id: row.resolved_by_user_id,
});
export const waitConditionSummary = (row: RunWaitConditionRow, context: ViewContext): object =>
  entity(row, { body: waitConditionBody(row, context) });

export const modelSummary = (row: PipelineModelRow, context: ViewContext): object =>
  entity(row, { body: projectBody(row, context) });

export const modelVersionBody = (
  row: PipelineModelVersionRow,
  model: object | null,
  context: ViewContext,
): object => ({
  ...projectBody(row, context),
  stage: row.stage,
  number: row.number,
  model,
});
export const modelVersionSummary = (
  row: PipelineModelVersionRow,
  model: object | null,
  context: ViewContext,
): object => entity(row, { body: modelVersionBody(row, model, context) });

export const artifactSummary = (row: ArtifactRow, context: ViewContext): object =>
  entity(row, { body: projectBody(row, context) });

export const artifactVersionBody = (
  row: ArtifactVersionRow,
  artifact: object | null,
  context: ViewContext,
): object => ({
  ...projectBody(row, context),
  artifact,
  version: row.version,
  uri: row.uri,
  type: row.type,
  materializer: json(row.materializer_json),
  data_type: json(row.data_type_json),
  save_type: row.save_type,
  artifact_store_id: row.artifact_store_id,
  content_hash: row.content_hash,
  item_count: row.item_count,
});
export const artifactVersionSummary = (
  row: ArtifactVersionRow,
  artifact: object | null,
  context: ViewContext,
): object => entity({ id: row.id }, { body: artifactVersionBody(row, artifact, context) });

/** Its ids twice: 0.84 reads them in the metadata, and takes no address for none. */
export const logsView = (
  row: LogsRow,
  context: ViewContext,
  { hydrate, user }: { hydrate: boolean; user: object | null },
): object => {
  const ids = {
    step_run_id: row.step_run_id,
    pipeline_run_id: row.pipeline_run_id,
    artifact_store_id: row.artifact_store_id,
    log_store_id: row.log_store_id,
    hook_invocation_id: row.hook_invocation_id,
  };
  const uri = context.isOld ? (row.uri ?? "") : row.uri;
  return entity(
    { id: row.id },
    {
      body: { ...projectBody(row, context), uri, source: row.source, ...ids },
      metadata: hydrate ? (context.isOld ? { ...ids, artifact_store_id: storeForOld(row) } : ids) : null,
      resources: { user },
    },
  );
};

/** 0.84 needs an id there, and asks this server for what it shows of it. */
const storeForOld = ({ artifact_store_id: store, log_store_id: logStore, id }: LogsRow): string =>
  store ?? logStore ?? id;

/** Logs among what belongs to a run, a step or a hook. */
export const logsSummary = (row: LogsRow, context: ViewContext): object => ({
  ...logsView(row, context, { hydrate: false, user: null }),
  resources: null,
});

export const curatedVisualizationBody = (row: ShownCuratedRow, context: ViewContext): object => ({
  ...projectBody(row, context),
  artifact_visualization_id: row.artifact_visualization_id,
  artifact_version_id: row.artifact_version_id,
  display_name: row.display_name,
  display_order: row.display_order,
  layout_size: row.layout_size,
  resource_id: row.resource_id,
  resource_type: row.resource_type,
});
export const curatedVisualizationSummary = (row: ShownCuratedRow, context: ViewContext): object =>
  entity({ id: row.id }, { body: curatedVisualizationBody(row, context) });
