import type { Database } from "../../kernel/database.ts";
import { createMicroClock } from "../../kernel/micros.ts";
import type { Outbound } from "../../kernel/outbound/outbound.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { createArtifactStores, type ArtifactStores } from "./artifact-stores/open-store.ts";
import { createComponents, type Components } from "./components.ts";
import { createAccountLists, type AccountLists } from "./account-lists.ts";
import { createBuilds, type Builds } from "./builds.ts";
import { createArtifactVersions, type ArtifactVersions } from "./artifact-versions.ts";
import { createArtifacts, type Artifacts } from "./artifacts.ts";
import { createCuratedVisualizations, type CuratedVisualizations } from "./curated-visualizations.ts";
import { createRunMetadata, type RunMetadata } from "./run-metadata.ts";
import { createCodeRepositories, type CodeRepositories } from "./code-repositories.ts";
import { createServiceConnectors, type ServiceConnectors } from "./connectors.ts";
import { createSecretStore, type SecretStore } from "./secrets.ts";
import { createProjectList, type ProjectList } from "./project-list.ts";
import { createFlavors, type Flavors } from "./flavors.ts";
import { createLogChunks, type LogChunks } from "./log-chunks.ts";
import { createLogFiles } from "./log-files.ts";
import { createLogReader, type LogReader } from "./log-reader.ts";
import { createLogs, type Logs } from "./logs.ts";
import { createDownloadTokens, type DownloadTokens } from "./download-tokens.ts";
import { createDeployments, type Deployments } from "./deployments.ts";
import { createPipelineEntities, type PipelineEntities } from "./pipeline-entities.ts";
import { createProjects, type Projects } from "./projects.ts";
import { createStacks, type Stacks } from "./stacks.ts";
import { createRunTemplates, type RunTemplates } from "./run-templates.ts";
import { createSchedules, type Schedules } from "./schedules.ts";
import { createHookInvocations, type HookInvocations } from "./hook-invocations.ts";
import { createWaitConditions, type WaitConditions } from "./wait-conditions.ts";
import { createRuns, type Runs } from "./runs.ts";
import { createSteps, type Steps } from "./steps.ts";
import { createSnapshots, type Snapshots } from "./snapshots.ts";
import { createTags, type Tags } from "./tags.ts";

import { createModelLinks, type ModelLinks } from "./model-links.ts";
import { createModels, type Models } from "./models.ts";
import { createModelVersions, type ModelVersions } from "./model-versions.ts";
import { createServices, type Services } from "./services.ts";
import { createTriggers, type Triggers } from "./triggers.ts";
import { createWebhooks, type Webhooks } from "./webhooks.ts";
import { createServerState, type ServerState } from "./server-settings.ts";
import { createWorkloads, type Workloads } from "./workloads.ts";

export type PipelinesDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  secrets: Secrets;
  /** The way to services elsewhere. */
  outbound: Outbound;
};

/** The door of ZenML's control plane: one part for each kind of entity. */
export type Pipelines = {
  readonly projects: Projects;
  readonly projectList: ProjectList;
  readonly accountLists: AccountLists;
  readonly workloads: Workloads;
  readonly serverState: ServerState;
  readonly models: Models;
  readonly modelVersions: ModelVersions;
  readonly modelLinks: ModelLinks;
  readonly services: Services;
  readonly triggers: Triggers;
  readonly webhooks: Webhooks;
  readonly codeRepositories: CodeRepositories;
  readonly pipelines: PipelineEntities;
  readonly snapshots: Snapshots;
  readonly builds: Builds;
  readonly schedules: Schedules;
  readonly runTemplates: RunTemplates;
  readonly runs: Runs;
  readonly steps: Steps;
  readonly hookInvocations: HookInvocations;
  readonly waitConditions: WaitConditions;
  readonly deployments: Deployments;
  readonly flavors: Flavors;
  readonly components: Components;
  readonly stacks: Stacks;
  readonly tags: Tags;
  readonly artifacts: Artifacts;
  readonly artifactVersions: ArtifactVersions;
  readonly curatedVisualizations: CuratedVisualizations;
  readonly runMetadata: RunMetadata;
  readonly secrets: SecretStore;
  readonly serviceConnectors: ServiceConnectors;
  readonly artifactStores: ArtifactStores;
  readonly downloadTokens: DownloadTokens;
  readonly logs: Logs;
  readonly logReader: LogReader;
  readonly logChunks: LogChunks;
};

export function createPipelines(given: PipelinesDeps): Pipelines {
  const deps = { ...given, clock: createMicroClock(given.now) };
  const serviceConnectors = createServiceConnectors(deps);
  const artifactStores = createArtifactStores({ ...deps, connectors: serviceConnectors });
  const logChunks = createLogChunks(deps);
  return {
    artifactStores,
    downloadTokens: createDownloadTokens(deps),
    logs: createLogs(deps),
    logReader: createLogReader({
      database: deps.database,
      stores: artifactStores,
      files: createLogFiles(deps),
      chunks: logChunks,
    }),
    logChunks,
    projects: createProjects(deps),
    projectList: createProjectList(deps),
    accountLists: createAccountLists(deps),
    workloads: createWorkloads(deps),
    serverState: createServerState(deps),
    models: createModels(deps),
    modelVersions: createModelVersions(deps),
    modelLinks: createModelLinks(deps),
    services: createServices(deps),
    triggers: createTriggers(deps),
    webhooks: createWebhooks(deps),
    codeRepositories: createCodeRepositories(deps),
    pipelines: createPipelineEntities(deps),
    snapshots: createSnapshots(deps),
    builds: createBuilds(deps),
    schedules: createSchedules(deps),
    runTemplates: createRunTemplates(deps),
    runs: createRuns(deps),
    steps: createSteps(deps),
    hookInvocations: createHookInvocations(deps),
    waitConditions: createWaitConditions(deps),
    deployments: createDeployments(deps),
    flavors: createFlavors(deps),
    components: createComponents(deps),
    stacks: createStacks(deps),
    tags: createTags(deps),
    artifacts: createArtifacts(deps),
    artifactVersions: createArtifactVersions(deps),
    curatedVisualizations: createCuratedVisualizations(deps),
    runMetadata: createRunMetadata(deps),
    secrets: createSecretStore(deps),
    serviceConnectors,
  };
}
