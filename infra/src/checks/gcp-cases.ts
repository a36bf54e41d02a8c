import type { JsonObject } from "../spec/merge.ts";

/** Settings that trip the rules over Google Cloud, and settings that do not. */

export const google: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "gcp", project: "acme-mlops", region: "europe-west1" },
  pipelines: { engine: "zenml" },
};
const elsewhere: JsonObject = {
  ...google,
  target: { kind: "kubernetes" },
  tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
  objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
};
const standard = { mode: "standard", nodePools: [{ name: "general" }] };
const cloudSql = (more: JsonObject): JsonObject => ({
  tracking: { database: { engine: "cloud-sql", ...more } },
});
const gpuPool = (more: JsonObject, cluster: JsonObject = {}): JsonObject => ({
  target: { cluster: { ...cluster, gpuPools: [{ name: "gpu", accelerator: "nvidia-l4", ...more }] } },
});
const model = (count: number): JsonObject => ({
  serving: {
    engine: "kserve",
    models: [{ name: "m", format: "onnx", storage: "m", gpu: { pool: "gpu", count } }],
  },
});
const ranges = (network: JsonObject): JsonObject => ({ target: { network } });
const second = (backupRegion: string, more: JsonObject = {}): JsonObject => ({
  target: { backupRegion },
  ...more,
});

type Case = {
  rule: string;
  tier?: string;
  base?: JsonObject;
  wrong: JsonObject;
  path: string;
  right: JsonObject;
};

/** For each rule settings that trip it, where it says so, and the nearest ones that do not. */
export const cases: Case[] = [
  {
    rule: "gcp/autopilot-node-pools",
    wrong: { target: { cluster: { nodePools: [{ name: "general" }] } } },
    path: "target.cluster.nodePools",
    right: { target: { cluster: standard } },
  },
  {
    rule: "gcp/standard-without-nodes",
    wrong: { target: { cluster: { mode: "standard" } } },
    path: "target.cluster.nodePools",
    right: { target: { cluster: standard } },
  },
  {
    rule: "gcp/standard-without-nodes",
    wrong: gpuPool({ size: "g2-standard-8" }, { mode: "standard" }),
    path: "target.cluster.nodePools",
    right: gpuPool({ size: "g2-standard-8" }, standard),
  },
  {
    rule: "gcp/node-pool-shape",
    wrong: {
      target: { cluster: { ...standard, nodePools: [{ name: "general", minNodes: 4, maxNodes: 3 }] } },
    },
    path: "target.cluster.nodePools.0.minNodes",
    right: {
      target: { cluster: { ...standard, nodePools: [{ name: "general", minNodes: 3, maxNodes: 3 }] } },
    },
  },
  {
    rule: "gcp/node-pool-shape",
    wrong: gpuPool({ name: "general", size: "g2-standard-8" }, standard),
    path: "target.cluster.gpuPools.0.name",
    right: gpuPool({ size: "g2-standard-8" }, standard),
  },
  {
    rule: "gcp/node-pool-shape",
    wrong: { target: { cluster: { ...standard, nodePools: [{ name: "a".repeat(41) }] } } },
    path: "target.cluster.nodePools.0.name",
    right: { target: { cluster: { ...standard, nodePools: [{ name: "a".repeat(40) }] } } },
  },
  {
    rule: "gcp/gpu-without-accelerator",
    wrong: { target: { cluster: { gpuPools: [{ name: "gpu" }] } } },
    path: "target.cluster.gpuPools.0.accelerator",
    right: gpuPool({}),
  },
  {
    rule: "gcp/gpu-without-accelerator",
    wrong: gpuPool({ resource: "amd.com/gpu" }),
    path: "target.cluster.gpuPools.0.resource",
    right: gpuPool({ resource: "nvidia.com/gpu" }),
  },
  {
    rule: "gcp/gpu-machine",
    wrong: gpuPool({ size: "n1-standard-8" }, standard),
    path: "target.cluster.gpuPools.0.size",
    right: gpuPool({ size: "g2-standard-8" }, standard),
  },
  {
    rule: "gcp/gpu-machine",
    wrong: gpuPool({}, standard),
    path: "target.cluster.gpuPools.0.size",
    right: gpuPool({ accelerator: "nvidia-newer", size: "z9-standard-8" }, standard),
  },
  {
    rule: "gcp/gpu-machine",
    wrong: gpuPool({ size: "g2-standard-8" }),
    path: "target.cluster.gpuPools.0.size",
    right: gpuPool({}),
  },
  {
    rule: "gcp/autopilot-gpu-count",
    wrong: { ...gpuPool({}), ...model(3) },
    path: "serving.models.0.gpu.count",
    right: { ...gpuPool({}), ...model(4) },
  },
  {
    rule: "gcp/prometheus-operator-on-autopilot",
    wrong: { monitoring: { engine: "prometheus-operator" } },
    path: "monitoring.engine",
    right: { monitoring: { engine: "prometheus-operator" }, target: { cluster: standard } },
  },
  {
    rule: "gcp/kgateway-address",
    wrong: { gateway: { engine: "kgateway" }, tracking: { exposure: { kind: "public" } } },
    path: "gateway.engine",
    right: { gateway: { engine: "envoy-gateway" }, tracking: { exposure: { kind: "public" } } },
  },
  {
    rule: "gcp/overlapping-ranges",
    wrong: ranges({ services: "10.1.128.0/20" }),
    path: "target.network.services",
    right: ranges({ services: "10.4.128.0/20" }),
  },
  {
    rule: "gcp/overlapping-ranges",
    wrong: ranges({ controlPlane: "10.3.255.240/28" }),
    path: "target.network.controlPlane",
    right: ranges({ controlPlane: "10.4.0.0/28" }),
  },
  {
    rule: "gcp/range-not-a-network",
    wrong: ranges({ pods: "10.1.2.0/16" }),
    path: "target.network.pods",
    right: ranges({ pods: "10.128.0.0/9" }),
  },
  {
    rule: "gcp/range-not-a-network",
    wrong: { target: { authorizedNetworks: [{ name: "office", cidr: "203.0.113.7/24" }] } },
    path: "target.authorizedNetworks.0.cidr",
    right: { target: { authorizedNetworks: [{ name: "office", cidr: "203.0.113.7/32" }] } },
  },
  {
    rule: "gcp/range-size",
    wrong: ranges({ controlPlane: "172.16.0.0/24" }),
    path: "target.network.controlPlane",
    right: ranges({ controlPlane: "172.16.0.16/28" }),
  },
  {
    rule: "gcp/range-size",
    wrong: ranges({ privateServices: "10.3.0.0/25" }),
    path: "target.network.privateServices",
    right: ranges({ privateServices: "10.3.0.0/24" }),
  },
  {
    rule: "gcp/pods-for-nodes",
    wrong: {
      target: {
        cluster: { ...standard, nodePools: [{ name: "a", maxNodes: 8 }] },
        network: { pods: "10.1.0.0/21" },
      },
    },
    path: "target.network.pods",
    right: {
      target: {
        cluster: { ...standard, nodePools: [{ name: "a", maxNodes: 7 }] },
        network: { pods: "10.1.0.0/21" },
      },
    },
  },
  {
    rule: "gcp/docker-range",
    wrong: ranges({ pods: "172.17.0.0/16" }),
    path: "target.network.pods",
    right: ranges({ pods: "172.18.0.0/16" }),
  },
  {
    rule: "gcp/open-control-plane",
    wrong: { target: { authorizedNetworks: [{ name: "all", cidr: "0.0.0.0/0" }] } },
    path: "target.authorizedNetworks.0.cidr",
    right: { target: { authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }] } },
  },
  {
    rule: "gcp/unknown-region",
    wrong: { target: { region: "europe-wst1" } },
    path: "target.region",
    right: { target: { region: "europe-west99" } },
  },
  {
    rule: "gcp/unknown-region",
    wrong: second("europe-west5"),
    path: "target.backupRegion",
    right: second("europe-west4"),
  },
  {
    rule: "gcp/backup-region-same",
    wrong: second("europe-west1"),
    path: "target.backupRegion",
    right: second("europe-west4"),
  },
  {
    rule: "gcp/backup-region-without-backups",
    wrong: second("europe-west4", { backup: { enabled: false } }),
    path: "target.backupRegion",
    right: second("europe-west4"),
  },
  {
    rule: "gcp/backup-region-too-far",
    wrong: second("us-east1"),
    path: "target.backupRegion",
    right: second("europe-north1"),
  },
  {
    rule: "gcp/backup-region-too-far",
    wrong: second("europe-west2"),
    path: "target.backupRegion",
    right: second("europe-west9"),
  },
  {
    rule: "gcp/not-on-google",
    base: elsewhere,
    wrong: cloudSql({ dialect: "postgresql", highAvailability: false }),
    path: "tracking.database.engine",
    right: {},
  },
  {
    rule: "gcp/not-on-google",
    base: elsewhere,
    wrong: { objectStore: { engine: "gcs" } },
    path: "objectStore.engine",
    right: {},
  },
  {
    rule: "gcp/not-on-google",
    base: elsewhere,
    wrong: {
      secrets: { engine: "external-secrets", store: { kind: "gcp-secret-manager", project: "acme" } },
    },
    path: "secrets.store.kind",
    right: { secrets: { engine: "external-secrets", store: { kind: "existing", name: "vault" } } },
  },
  {
    rule: "gcp/not-on-google",
    base: elsewhere,
    wrong: { monitoring: { engine: "managed" } },
    path: "monitoring.engine",
    right: {},
  },
  {
    rule: "gcp/not-on-google",
    base: elsewhere,
    wrong: { gateway: { engine: "gke" } },
    path: "gateway.engine",
    right: { gateway: { engine: "kgateway" } },
  },
  {
    rule: "gcp/cloud-sql-tier",
    wrong: cloudSql({ edition: "ENTERPRISE_PLUS" }),
    path: "tracking.database.tier",
    right: cloudSql({ edition: "ENTERPRISE_PLUS", tier: "db-perf-optimized-N-2" }),
  },
  {
    rule: "gcp/cloud-sql-tier",
    wrong: cloudSql({ tier: "db-perf-optimized-N-2" }),
    path: "tracking.database.tier",
    right: cloudSql({ tier: "db-custom-4-15360" }),
  },
  {
    rule: "gcp/cloud-sql-tier",
    wrong: cloudSql({ tier: "db-n1-standard-2" }),
    path: "tracking.database.tier",
    right: { pipelines: { database: { tier: "db-n1-standard-2" } } },
  },
  {
    rule: "gcp/cloud-sql-tier",
    wrong: cloudSql({ tier: "db-custom-3-7680" }),
    path: "tracking.database.tier",
    right: cloudSql({ tier: "db-custom-1-3840" }),
  },
  {
    rule: "gcp/cloud-sql-tier",
    wrong: cloudSql({ tier: "db-custom-2-7600" }),
    path: "tracking.database.tier",
    right: cloudSql({ tier: "db-custom-2-13312" }),
  },
  {
    rule: "gcp/shared-core-in-production",
    wrong: cloudSql({ tier: "db-g1-small" }),
    path: "tracking.database.tier",
    right: { ...cloudSql({ tier: "db-g1-small" }), tier: "staging" },
  },
  {
    rule: "gcp/point-in-time-days",
    wrong: { backup: { pointInTimeDays: 8 } },
    path: "backup.pointInTimeDays",
    right: { backup: { pointInTimeDays: 7 } },
  },
  {
    rule: "gcp/point-in-time-days",
    wrong: { backup: { pointInTimeDays: 7, retentionDays: 6 } },
    path: "backup.pointInTimeDays",
    right: { backup: { pointInTimeDays: 7, retentionDays: 7 } },
  },
  {
    rule: "gcp/high-availability-without-backups",
    wrong: { backup: { enabled: false } },
    path: "tracking.database.highAvailability",
    right: {
      backup: { enabled: false },
      tracking: { database: { highAvailability: false } },
      pipelines: { database: { highAvailability: false } },
    },
  },
  {
    rule: "gcp/replica-without-region",
    wrong: cloudSql({ replica: true }),
    path: "tracking.database.replica",
    right: { ...cloudSql({ replica: true }), ...second("europe-west4") },
  },
  {
    rule: "gcp/secret-manager",
    wrong: { secrets: { engine: "sealed" } },
    path: "secrets.engine",
    right: {
      secrets: { engine: "sealed" },
      tracking: { engine: "mlflow", database: { engine: "cloudnative-pg" } },
      pipelines: { engine: "none" },
    },
  },
  {
    rule: "gcp/kubeblocks-backups",
    wrong: { pipelines: { database: { engine: "kubeblocks" } } },
    path: "pipelines.database.engine",
    right: { pipelines: { database: { engine: "kubeblocks" } }, backup: { enabled: false } },
  },
  {
    rule: "gcp/name-length",
    wrong: { name: "acme-machine-lear" },
    path: "name",
    right: { name: "acme-machine-lea" },
  },
  {
    rule: "gcp/name-length",
    wrong: { name: "my-google" },
    path: "name",
    right: { name: "my-goggle" },
  },
  {
    rule: "gcp/budget-recipients",
    wrong: { target: { budget: budgetOf(6) } },
    path: "target.budget.notify",
    right: { target: { budget: budgetOf(5) } },
  },
];

function budgetOf(people: number): JsonObject {
  const notify = Array.from({ length: people }, (_, at) => `person${at}@example.com`);
  return { billingAccount: "ABCDEF-012345-6789AB", monthly: 100, notify };
}
