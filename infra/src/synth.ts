import { planOf } from "./plan.ts";
import { civoClusterStage } from "./resources/civo/cluster-stage.ts";
import { gcpClusterStage } from "./resources/gcp/cluster-stage.ts";
import { componentResources } from "./resources/kubernetes/components.ts";
import { platformStage } from "./resources/platform-stage/platform-stage.ts";
import { argoCd } from "./resources/kubernetes/argocd.ts";
import { certificates } from "./resources/kubernetes/certificates.ts";
import { gatewayRoutes } from "./resources/kubernetes/gateway-routes.ts";
import { gateway } from "./resources/kubernetes/gateway.ts";
import { knativeServing } from "./resources/kubernetes/knative.ts";
import { monitoring } from "./resources/kubernetes/monitoring.ts";
import { namespaceResources } from "./resources/kubernetes/namespaces.ts";
import { networkPolicies } from "./resources/kubernetes/network-policies.ts";
import { policies } from "./resources/kubernetes/policies.ts";
import { secrets } from "./resources/kubernetes/secrets.ts";
import type { Resource } from "./resources/resource.ts";
import { stacksStage } from "./resources/stacks-stage/stacks-stage.ts";
import { startFiles } from "./resources/start/start.ts";
import type { Environment } from "./spec/platform.ts";

/** A file of the output. */
export type OutputFile = { path: string; text: string; executable: boolean };

/** Everything that one environment consists of, as plain data, in no particular order of files. */
export function resourcesOf(environment: Environment): Resource[] {
  const plan = planOf(environment);
  return GENERATORS.flatMap((generate) => generate(plan));
}

type Generator = (plan: ReturnType<typeof planOf>) => Resource[];

/** One per part of the output. Each is silent where the environment does not have its part. */
const GENERATORS: readonly Generator[] = [
  startFiles,
  civoClusterStage,
  gcpClusterStage,
  platformStage,
  stacksStage,
  componentResources,
  argoCd,
  certificates,
  gatewayRoutes,
  gateway,
  knativeServing,
  monitoring,
  namespaceResources,
  networkPolicies,
  policies,
  secrets,
];
