import { dataFile, dataFiles } from "./schema-files.ts";
import type { JsonSchemaObject } from "./json-schema.ts";

/** One kind of Kubernetes with its strict schema. */
export type Kind = {
  schema: JsonSchemaObject;
  group: string;
  kind: string;
  /** The version that the schema describes. */
  version: string;
  versions: readonly { name: string; served: boolean; storage: boolean; deprecated?: boolean }[];
  scope: "Namespaced" | "Cluster";
};

export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** A kind that has a schema in `infra/data/crds`, whatever the version. */
export function kindOf(group: string, kind: string): Kind | undefined {
  const file = dataFile("crds", `${kind}.${group === "" ? "core" : group}`.toLowerCase());
  if (file === undefined) return undefined;
  const schema = file as JsonSchemaObject & Record<`x-${string}`, unknown>;
  if (schema["x-kind"] !== kind) return undefined;
  return {
    schema,
    group,
    kind,
    version: schema["x-version"] as string,
    versions: schema["x-versions"] as Kind["versions"],
    scope: schema["x-scope"] as Kind["scope"],
  };
}

/** Names of the kinds of a group: those with a schema, then those that are known to exist. */
export function kindsOfGroup(group: string): string[] {
  const ending = `.${group === "" ? "core" : group}`;
  const described = [...dataFiles("crds")].filter(
    (name) => name.endsWith(ending) && !name.slice(0, -ending.length).includes("."),
  );
  const names = described.map(
    (name) => (dataFile("crds", name) as Record<`x-${string}`, string>)["x-kind"] ?? name,
  );
  return [...names, ...(WITHOUT_SCHEMA[group] ?? [])];
}

/** Kinds that exist and have no schema here. What is in neither is most likely a slip, in the groups that are known whole. */
const WITHOUT_SCHEMA: Readonly<Record<string, readonly string[]>> = {
  // `Config` is a kubeconfig, the last ones are what a server answers about itself.
  "": [
    "Config",
    "Endpoints",
    "Event",
    "List",
    "Node",
    "Binding",
    "Status",
    "APIGroup",
    "APIGroupList",
    "APIResourceList",
    "PersistentVolume",
    "PodTemplate",
    "ReplicationController",
  ],
  apps: ["ControllerRevision", "ReplicaSet"],
  batch: [],
  policy: [],
  autoscaling: [],
  "rbac.authorization.k8s.io": [],
  "networking.k8s.io": ["IPAddress", "IngressClass", "ServiceCIDR"],
  "scheduling.k8s.io": ["PodGroup", "Workload"],
  "storage.k8s.io": [
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "VolumeAttachment",
    "VolumeAttributesClass",
  ],
  "admissionregistration.k8s.io": [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
  ],
  "serving.kserve.io": ["LLMInferenceServiceConfig", "LocalModelNamespaceCache", "LocalModelNode"],
  "external-secrets.io": [],
  "cert-manager.io": [],
  "gateway.networking.k8s.io": ["UDPRoute"],
  "serving.knative.dev": [],
  "postgresql.cnpg.io": ["FailoverQuorum"],
  "barmancloud.cnpg.io": [],
  "kustomize.config.k8s.io": ["Component", "Kustomization"],
};

/** Kinds of other tools go by `v1`, too, such as the `Config` of kubectl; and kustomize has plugins. */
const OPEN_GROUPS = new Set(["", "kustomize.config.k8s.io"]);

/** Whether all kinds of the group are known, so that another one does not exist. */
export const isWholeGroup = (group: string): boolean =>
  Object.hasOwn(WITHOUT_SCHEMA, group) && !OPEN_GROUPS.has(group);

/** Built-in groups that have a kind, for manifests with the apiVersion of another. */
export const groupsWith = (kind: string): string[] =>
  [...dataFiles("crds")]
    .filter((name) => name.startsWith(`${kind.toLowerCase()}.`))
    .map((name) => dataFile("crds", name) as Record<`x-${string}`, string>)
    .filter((file) => file["x-kind"] === kind)
    .map((file) => `${file["x-group"] === "" ? "" : `${file["x-group"]}/`}${file["x-version"]}`);

/** Versions of built-in kinds that servers in use no longer have, with the release that dropped them. */
const REMOVED: Readonly<Record<string, string>> = {
  "extensions/v1beta1": "1.22",
  "apps/v1beta1": "1.16",
  "apps/v1beta2": "1.16",
  "networking.k8s.io/v1beta1 Ingress": "1.22",
  "batch/v1beta1": "1.25",
  "policy/v1beta1": "1.25",
  "autoscaling/v2beta1": "1.25",
  "autoscaling/v2beta2": "1.26",
  "rbac.authorization.k8s.io/v1beta1": "1.22",
  "rbac.authorization.k8s.io/v1alpha1": "1.22",
  "storage.k8s.io/v1beta1 StorageClass": "1.22",
  "scheduling.k8s.io/v1beta1": "1.22",
  "admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": "1.22",
  "admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration": "1.22",
  "apiextensions.k8s.io/v1beta1": "1.22",
};

export const removedIn = (apiVersion: string, kind: string): string | undefined =>
  REMOVED[`${apiVersion} ${kind}`] ?? REMOVED[apiVersion];

/** Versions of built-in kinds that are served beside the one described. */
const ALSO_SERVED = new Set([
  "autoscaling/v1 HorizontalPodAutoscaler",
  "admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicyBinding",
]);

export const isAlsoServed = (apiVersion: string, kind: string): boolean =>
  ALSO_SERVED.has(`${apiVersion} ${kind}`);

/** Versions without a `deprecated` flag in their CRD whose end is announced, and what takes their place. */
const ANNOUNCED_END: Readonly<Record<string, string>> = {
  "kyverno.io ClusterPolicy":
    "it is deprecated since Kyverno 1.17 and its removal is announced for 1.20; use ValidatingPolicy, MutatingPolicy or GeneratingPolicy of policies.kyverno.io/v1",
  "kyverno.io Policy":
    "it is deprecated since Kyverno 1.17 and its removal is announced for 1.20; use NamespacedValidatingPolicy of policies.kyverno.io/v1",
};

export const announcedEnd = (group: string, kind: string): string | undefined =>
  ANNOUNCED_END[`${group} ${kind}`];
