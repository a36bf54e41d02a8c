import type { Rule } from "../rule.ts";
import { argocdApplicationRules } from "./argocd-applications.ts";
import { argocdRules } from "./argocd.ts";
import { consumerRules } from "./consumers.ts";
import { databaseOperatorRules } from "./database-operators.ts";
import { gatewayRules } from "./gateways.ts";
import { helmRules } from "./helm.ts";
import { kserveRuntimeRules } from "./kserve-runtimes.ts";
import { kserveRules } from "./kserve.ts";
import { kubernetesSchemaRules } from "./kubernetes-schema.ts";
import { kustomizeRules } from "./kustomize.ts";
import { kyvernoRules } from "./kyverno.ts";
import { mlflowRules } from "./mlflow.ts";
import { namespaceRules } from "./namespaces.ts";
import { ownershipRules } from "./ownership.ts";
import { policyTargetRules } from "./policy-targets.ts";
import { probeRules } from "./probes.ts";
import { rbacRules } from "./rbac.ts";
import { referenceRules } from "./references.ts";
import { serviceRules } from "./services.ts";
import { workloadRules } from "./workloads.ts";
import { zenmlRules } from "./zenml.ts";

/** The rules on manifests, charts and what runs on the cluster. */
export const platformRules: readonly Rule[] = [
  ...kubernetesSchemaRules,
  ...helmRules,
  ...serviceRules,
  ...referenceRules,
  ...gatewayRules,
  ...policyTargetRules,
  ...kustomizeRules,
  ...workloadRules,
  ...probeRules,
  ...consumerRules,
  ...namespaceRules,
  ...ownershipRules,
  ...argocdRules,
  ...argocdApplicationRules,
  ...kyvernoRules,
  ...rbacRules,
  ...databaseOperatorRules,
  ...zenmlRules,
  ...mlflowRules,
  ...kserveRules,
  ...kserveRuntimeRules,
];
