import type { JsonObject } from "../spec/merge.ts";

/** Settings that trip the rules over the platform around the components, and settings that do not. */

export const cluster: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "kubernetes" },
  tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
  objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
};

const google: JsonObject = {
  target: { kind: "gcp", project: "acme-mlops", region: "europe-west1" },
  objectStore: { engine: "gcs" },
};

type Case = { rule: string; wrong: JsonObject; path: string; right: JsonObject };

const kyverno = (more: JsonObject): JsonObject => ({ policies: { engine: "kyverno", ...more } });

export const cases: Case[] = [
  {
    rule: "policies/audit-in-production",
    wrong: kyverno({ action: "Audit" }),
    path: "policies.action",
    right: kyverno({ action: "Deny" }),
  },
  {
    rule: "policies/audit-in-production",
    wrong: kyverno({ action: "Audit" }),
    path: "policies.action",
    right: { tier: "staging", ...kyverno({ action: "Audit" }) },
  },
  {
    rule: "policies/none-in-production",
    wrong: { policies: { engine: "none" } },
    path: "policies.engine",
    right: { tier: "development", policies: { engine: "none" } },
  },
  {
    rule: "policies/own-namespace-exempt",
    wrong: kyverno({ exempt: ["notebooks", "tracking"] }),
    path: "policies.exempt.1",
    right: kyverno({ exempt: ["notebooks"] }),
  },
  {
    rule: "policies/registries-judge-nothing",
    wrong: kyverno({ registries: ["ghcr.io/acme"] }),
    path: "policies.registries",
    right: { ...google, ...kyverno({ registries: ["ghcr.io/acme"] }) },
  },
  {
    rule: "monitoring/none-in-production",
    wrong: { monitoring: { engine: "none" } },
    path: "monitoring.engine",
    right: { monitoring: { engine: "prometheus-operator" } },
  },
  {
    rule: "monitoring/storage",
    wrong: { monitoring: { storage: "20 GB" } },
    path: "monitoring.storage",
    right: { monitoring: { storage: "50Gi" } },
  },
  {
    rule: "namespaces/shared",
    wrong: { gateway: { namespace: "tracking" } },
    path: "gateway.namespace",
    right: { gateway: { namespace: "edge" } },
  },
  {
    rule: "namespaces/shared",
    wrong: { serving: { engine: "kserve", namespace: "default" } },
    path: "serving.namespace",
    right: { serving: { engine: "kserve", namespace: "inference" } },
  },
  {
    rule: "namespaces/shared",
    wrong: { gateway: { namespace: "edge" }, serving: { engine: "kserve", namespace: "edge" } },
    path: "serving.namespace",
    right: { gateway: { namespace: "edge" }, serving: { engine: "kserve" } },
  },
  {
    rule: "gateway/staging-certificates-in-production",
    wrong: { gateway: { issuer: "staging" } },
    path: "gateway.issuer",
    right: { tier: "staging", gateway: { issuer: "staging" } },
  },
  {
    rule: "gitops/path-outside-output",
    wrong: { gitOps: { path: "deploy/../{environment}" } },
    path: "gitOps.path",
    right: { gitOps: { path: "deploy/{environment}" } },
  },
  {
    rule: "gitops/unknown-placeholder",
    wrong: { gitOps: { path: "deploy/{env}" } },
    path: "gitOps.path",
    right: { gitOps: { path: "platform" } },
  },
  {
    rule: "secrets/store-in-other-project",
    wrong: { ...google, secrets: { store: { kind: "gcp-secret-manager", project: "acme-secrets" } } },
    path: "secrets.store.project",
    right: google,
  },
];
