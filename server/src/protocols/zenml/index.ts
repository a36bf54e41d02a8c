import type { FastifyInstance } from "fastify";
import type { Identity, Workspaces } from "../../modules/identity/index.ts";
import type { Database, Pipelines } from "../../modules/pipelines/index.ts";
import { artifactVersionEndpoints } from "./artifact-versions.ts";
import { artifactEndpoints } from "./artifacts.ts";
import { buildEndpoints } from "./builds.ts";
import { codeRepositoryEndpoints } from "./code-repositories.ts";
import { componentEndpoints } from "./components.ts";
import { connectorTypeEndpoints } from "./connector-types.ts";
import { connectorUseEndpoints } from "./connector-use.ts";
import { createZenmlContext } from "./context.ts";
import { deploymentEndpoints } from "./deployments.ts";
import { deviceEndpoints } from "./devices.ts";
import { artifactBytesEndpoints } from "./artifact-bytes.ts";
import { registerLogIngest } from "./log-ingest.ts";
import { logSourceEndpoints } from "./log-sources.ts";
import { logsEndpoints } from "./logs.ts";
import { registerZenmlEndpoints } from "./endpoint.ts";
import { flavorEndpoints } from "./flavors.ts";
import { loginEndpoints } from "./login.ts";
import { modelVersionLinkEndpoints } from "./model-version-links.ts";
import { modelVersionEndpoints } from "./model-versions.ts";
import { modelEndpoints } from "./models.ts";
import { projectEndpoints } from "./projects.ts";
import { hookInvocationEndpoints } from "./hook-invocations.ts";
import { waitConditionEndpoints } from "./wait-conditions.ts";
import { runStatisticsEndpoints } from "./run-statistics.ts";
import { runEndpoints } from "./runs.ts";
import { stepEndpoints } from "./steps.ts";
import { secretEndpoints } from "./secrets.ts";
import { serviceConnectorEndpoints } from "./service-connectors.ts";
import { pipelineEndpoints } from "./pipelines.ts";
import { runTemplateEndpoints } from "./run-templates.ts";
import { scheduleEndpoints } from "./schedules.ts";
import { serverInfoEndpoints } from "./server-info.ts";
import { serverSettingsEndpoints } from "./server-settings.ts";
import { serviceEndpoints } from "./services.ts";
import { serviceAccountEndpoints } from "./service-accounts.ts";
import { stackDeploymentEndpoints } from "./stack-deployments.ts";
import { stackEndpoints } from "./stacks.ts";
import { curatedVisualizationEndpoints } from "./curated-visualizations.ts";
import { runMetadataEndpoints } from "./run-metadata.ts";
import { tagResourceEndpoints } from "./tag-resources.ts";
import { tagEndpoints } from "./tags.ts";
import { snapshotEndpoints } from "./snapshots.ts";
import { resourceRequestEndpoints } from "./resource-requests.ts";
import { triggerEndpoints } from "./triggers.ts";
import { userEndpoints } from "./users.ts";
import { webhookEndpoints } from "./webhooks.ts";
import { workspaceAliases } from "./workspace-aliases.ts";

export type ZenmlOptions = {
  identity: Identity;
  workspaces: Workspaces;
  pipelines: Pipelines;
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  loginRequired: boolean;
};

/** ZenML's REST API below `/api/v1`, for its clients of 0.84 and 0.98 at once. */
export async function registerZenml(
  app: FastifyInstance,
  { identity, workspaces, pipelines, database, now, loginRequired }: ZenmlOptions,
): Promise<void> {
  const { tokens, principals } = identity;
  const context = createZenmlContext({ identity, pipelines, database, principals, now });
  const endpoints = [
    ...serverInfoEndpoints({ tokens, principals, loginRequired, ...pipelines }),
    ...loginEndpoints({ identity, now, access: context.access, ...pipelines }),
    ...deviceEndpoints(context),
    ...userEndpoints(context),
    ...serviceAccountEndpoints(context),
    ...serverSettingsEndpoints(context, { database, loginRequired, now }),
    ...projectEndpoints(context, workspaces),
    ...modelEndpoints(context),
    ...modelVersionEndpoints(context),
    ...modelVersionLinkEndpoints(context),
    ...serviceEndpoints(context),
    ...triggerEndpoints(context),
    ...resourceRequestEndpoints(),
    ...webhookEndpoints(context),
    ...codeRepositoryEndpoints(context),
    ...pipelineEndpoints(context),
    ...snapshotEndpoints(context),
    ...buildEndpoints(context),
    ...scheduleEndpoints(context),
    ...runTemplateEndpoints(context),
    ...deploymentEndpoints(context),
    ...artifactBytesEndpoints(context, database),
    ...logsEndpoints(context),
    ...logSourceEndpoints(context, database),
    ...flavorEndpoints(context),
    ...componentEndpoints(context),
    ...stackEndpoints(context),
    ...stackDeploymentEndpoints(context, { identity, now, access: context.access, ...pipelines }),
    ...tagEndpoints(context),
    ...artifactEndpoints(context),
    ...artifactVersionEndpoints(context),
    ...curatedVisualizationEndpoints(context),
    ...runMetadataEndpoints(context),
    ...tagResourceEndpoints(context),
    ...secretEndpoints(context),
    ...connectorTypeEndpoints(context),
    ...serviceConnectorEndpoints(context),
    ...connectorUseEndpoints(context),
    ...runEndpoints(context, database),
    ...stepEndpoints(context, database),
    ...runStatisticsEndpoints(context, database),
    ...hookInvocationEndpoints(context, database),
    ...waitConditionEndpoints(context),
  ];
  await registerZenmlEndpoints(app, [...endpoints, ...workspaceAliases(endpoints, pipelines.projects)]);
  await registerLogIngest(app, { access: context.access, database, pipelines, now });
}

export const isZenmlUrl = (url: string): boolean => url.startsWith("/api/v1/") || url.startsWith("/otlp/");
