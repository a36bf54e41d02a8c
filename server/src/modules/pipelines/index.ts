export type { Database } from "../../kernel/database.ts";
export * from "./artifact-tables.ts";
export {
  type Condition,
  type FieldKind,
  type Fields,
  type ListQuery,
  type Operand,
  type Operation,
} from "./list.ts";
export { isUuid } from "./list.sql.ts";
export * from "./pipeline-tables.ts";
export type { ProjectRow } from "./project-list.ts";
export type { Project, Projects } from "./projects.ts";
export { findRow, insertRows, selectRow, selectRows } from "./records.ts";
export {
  selectMetadataOf,
  selectShownComponents,
  selectShownVersions,
  type ShownVersionRow,
  selectTagsOf,
  type ShownComponentRow,
} from "./related.sql.ts";
export * from "./run-tables.ts";
export * from "./stack-tables.ts";
export { modelStages } from "./model-version-names.ts";
export { serviceStates } from "./services.ts";
export { supportedEvents, type AskedTriggers, type SourceType, type TriggerSubject } from "./triggers.ts";
export { webhookTypes } from "./webhook-providers.ts";
export { readTargets } from "./webhook-targets.ts";
export type { ServerSettings, ServerSettingsChange } from "./server-settings.ts";
export { createWorkloads, type Workload, type Workloads } from "./workloads.ts";
export { createPipelineContents } from "./workspace-contents.ts";
export { type NewRow, type RowOf, type Table } from "./table.ts";
export { createPipelines, type Pipelines } from "./pipelines.ts";
export { noSuch } from "./collection.ts";
export { isTagId, tagColors, taggableTypes, type GivenTag } from "./tag-links.ts";
export { connectorPlace, pipelinesSealedColumns, secretPlace } from "./sealed-columns.ts";
export type { SecretReader } from "./secrets.ts";
export { labelOf, type NewTagResource } from "./tags.ts";
export { selectShownSnapshots, type ShownSnapshotRow } from "./snapshots.sql.ts";
export type { ShownStep } from "./snapshot-steps.sql.ts";
export type { JsonObject } from "./step-configuration.ts";
export { noUpdate, type Complete, type RunConfigurationUpdate } from "./derived-snapshots.ts";
export { insertSnapshotSteps, type NewSnapshotStep } from "./snapshot-steps.sql.ts";
export { maxRetriesOf } from "./step-configuration.ts";
export { connectorTypeView, type ConnectorType } from "./connectors/connector-type.ts";
export { connectorTypes, getConnectorType } from "./connectors/connector-types.ts";
export { specificationOf, splitConfiguration } from "./connectors/configuration.ts";
export { isSecretReference } from "./component-rules.ts";
export { componentTypes, isRepeatable } from "./component-types.ts";
export { defaultComponents, InvalidConfiguration, isDefaultComponent } from "./components.ts";
export { DEFAULT_STACK } from "./stacks.ts";
export { flavorKey } from "./flavors.sql.ts";
export type { StackMemberRow } from "./stacks.sql.ts";
export { removeTree } from "./artifact-stores/remove-tree.ts";
export { StoreError } from "./artifact-stores/store.ts";
export type { SentEntry } from "./log-chunks.ts";
export { LEVELS, type LogFilter } from "./log-lines.ts";
export { INGEST_PATH } from "./log-reader.ts";
export { syncBuiltinFlavors } from "./builtin-flavors.ts";
export type { CreatedArtifactVersion, NewArtifactVersion } from "./artifact-versions.ts";
export { metadataTypes, readMetadata } from "./metadata-values.ts";
export { loadDag, type DagData } from "./dag.ts";
export { dagNodeOf, type DagNode } from "./dag-nodes.ts";
export type { DagArtifact, DagCondition, DagRun, DagStep } from "./dag.sql.ts";
export { formatTemplate, readRunConfiguration, spliceSubstitutions, withTimes } from "./run-configuration.ts";
export type { NewRun } from "./run-creation.ts";
export {
  selectConfigured,
  selectPendingConditions,
  selectSnapshotsOfRuns,
  type SnapshotOfRun,
} from "./run-details.sql.ts";
export { selectLogsOf, type GivenLogs } from "./run-logs.ts";
export { executionStatuses } from "./run-status.ts";
export type { UpdateRun } from "./run-updates.ts";
export type { NewStep } from "./step-creation.ts";
export {
  selectFullMetadata,
  selectStepDetails,
  selectStepLinks,
  type StepDetails,
  type StepLinks,
  type ShownStepParts,
  type WrittenStep,
} from "./step-details.sql.ts";
export type { NamedArtifact } from "./steps.sql.ts";
export { selectCuratedOf, type ShownCuratedRow } from "./curated-of.sql.ts";
export { AuthorizationFailure, type Client as ConnectorClient } from "./connectors/connector.ts";
export type { ConnectorResources } from "./connectors/verification.ts";
export type { ConnectorRequest } from "./connector-rows.ts";
export type { ConnectorChanges } from "./connectors.ts";
export { deploymentProviders, readDeploymentFacts, type DeploymentProvider } from "./stack-deployments.ts";
export { visualizedTypes } from "./curated-visualizations.ts";
export { metadataResourceTypes } from "./run-metadata.ts";
export {
  archiveOf,
  findFile,
  listArtifact,
  MAX_DOWNLOAD_BYTES,
  readFile,
  readWhole,
} from "./artifact-bytes.ts";
export type { Downloadable } from "./download-tokens.ts";
export { selectVisualizationsOf } from "./artifact-versions.sql.ts";
export { selectStackMembers } from "./stacks.sql.ts";
export { createPipelineLineage, type PipelineLineage, type RunLineage } from "./lineage.ts";
export { outputsOfHook } from "./hook-invocations.ts";
export { computeRunStatistics, type Grouping } from "./run-statistics.ts";
export { runConfigurationSchema } from "./run-configuration-schema.ts";
export type { Runnable } from "./run-configurations.ts";
