import type { Rule } from "../rule.ts";
import { consumerRules } from "./consumers.ts";
import { helmRules } from "./helm.ts";
import { kserveRuntimeRules } from "./kserve-runtimes.ts";
import { kserveRules } from "./kserve.ts";
import { kubernetesSchemaRules } from "./kubernetes-schema.ts";
import { zenmlRules } from "./zenml.ts";

/** The rules on manifests, charts and what runs on the cluster. */
export const platformRules: readonly Rule[] = [
  ...kubernetesSchemaRules,
  ...helmRules,
  ...consumerRules,
  ...zenmlRules,
  ...kserveRules,
  ...kserveRuntimeRules,
];
