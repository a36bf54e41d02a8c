import type { FastifyInstance } from "fastify";
import type { Identity, Workspaces } from "../../modules/identity/index.ts";
import type { Registry } from "../../modules/registry/index.ts";
import type { Storage } from "../../modules/storage/index.ts";
import type { Tracking } from "../../modules/tracking/index.ts";
import { authEndpoints } from "./auth.ts";
import { artifactEndpoints } from "./artifacts-listing.ts";
import { artifactCapabilities, multipartEndpoints } from "./artifacts-multipart.ts";
import { createKeyInScope } from "./artifacts-scope.ts";
import { registerArtifacts, type ArtifactOptions } from "./artifacts.ts";
import { parseBodiesAsBuffers, registerEndpoints } from "./endpoint.ts";
import { datasetEndpoints } from "./datasets.ts";
import { experimentEndpoints } from "./experiments.ts";
import { noEvaluationEndpoints } from "./genai-none-entities.ts";
import { noGatewayEndpoints } from "./genai-none-gateway.ts";
import { noTraceEndpoints } from "./genai-none-traces.ts";
import type { Guard } from "./guard.ts";
import { registerGraphql } from "./graphql.ts";
import { loggedModelEndpoints } from "./logged-models.ts";
import { metricHistoryEndpoints } from "./metric-history.ts";
import { registerModelVersionArtifacts } from "./model-version-artifacts.ts";
import { modelVersionEndpoints } from "./model-versions.ts";
import { registeredModelEndpoints } from "./registered-models.ts";
import { runDataEndpoints } from "./run-data.ts";
import { runEndpoints } from "./runs.ts";
import { runSearchEndpoints } from "./run-search.ts";
import { createScopeOf } from "./scope.ts";
import { serverInfoEndpoints } from "./server-info.ts";
import { webhookEndpoints } from "./webhooks.ts";
import { workspaceEndpoints } from "./workspaces.ts";

export type MlflowOptions = {
  workspaces: Workspaces;
  tracking: Tracking;
  registry: Registry;
  storage: Storage;
  guard: Guard;
  identity: Pick<Identity, "enter" | "grantCreator" | "listWorkspaces" | "principals" | "renew" | "roles">;
};

/** MLflow's REST API, each resource in its own file. */
export async function registerMlflow(
  app: FastifyInstance,
  { guard, identity, workspaces, tracking, registry, storage }: MlflowOptions,
): Promise<void> {
  const scopeOf = createScopeOf(identity.enter);
  const gate = { scopeOf, guard };
  const artifacts: ArtifactOptions = {
    storage,
    runArtifactUri: async (scope, runId) => (await tracking.getRunRow(scope, runId)).artifact_uri,
    modelArtifactUri: (scope, modelId) => tracking.getLoggedModelArtifactRoot(scope, modelId),
    ...gate,
    keyInScope: createKeyInScope({
      ownerOf: (path) => tracking.getArtifactOwner(path),
      hasOthersBelow: (path, workspaceId) => tracking.hasArtifactsOfOthers(path, workspaceId),
      isAlone: () => workspaces.isAlone(),
    }),
  };
  await app.register((scope, _options, done) => {
    registerArtifacts(scope, artifacts);
    registerModelVersionArtifacts(scope, { registry, storage, ...gate });
    done();
  });
  await app.register((scope, _options, done) => {
    parseBodiesAsBuffers(scope);
    const endpoints = [
      ...experimentEndpoints(tracking, identity),
      ...runEndpoints(tracking),
      ...runDataEndpoints(tracking),
      ...runSearchEndpoints(tracking),
      ...metricHistoryEndpoints(tracking),
      ...datasetEndpoints(tracking),
      ...loggedModelEndpoints(tracking),
      ...registeredModelEndpoints(registry, identity),
      ...modelVersionEndpoints(registry),
      ...webhookEndpoints(registry),
      ...artifactEndpoints(artifacts),
      ...multipartEndpoints(artifacts),
      ...workspaceEndpoints(workspaces, identity),
      ...authEndpoints({ ...identity, scopeOf, isPrompt: registry.isPrompt }),
      ...serverInfoEndpoints(artifactCapabilities(storage), workspaces),
    ];
    registerEndpoints(scope, endpoints, gate);
    registerEndpoints(
      scope,
      [...noTraceEndpoints(), ...noEvaluationEndpoints(), ...noGatewayEndpoints()],
      gate,
    );
    registerGraphql(scope, { endpoints, ...gate });
    done();
  });
}
