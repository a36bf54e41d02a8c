import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import type { Environment } from "../spec/platform.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { civoRules } from "./civo.ts";
import { stateBackendRules } from "./state-backend.ts";

const rules = [...civoRules, ...stateBackendRules];

const civo: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "civo", region: "LON1", adminCidrs: ["203.0.113.0/24"] },
  tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
  objectStore: { engine: "civo" },
  pipelines: { engine: "zenml" },
};

const cluster = (settings: JsonObject): JsonObject => ({ target: { cluster: settings } });
const postgres = (version: string): JsonObject => ({
  tracking: { database: { engine: "civo-database", dialect: "postgresql", version } },
});

type Case = { rule: string; wrong: JsonObject; path: string; right: JsonObject };

const cases: Case[] = [
  {
    rule: "civo/cilium-on-talos",
    wrong: cluster({ type: "talos", version: "talos-v1.9.0" }),
    path: "target.cluster.cni",
    right: cluster({ type: "talos", version: "talos-v1.9.0", cni: "flannel" }),
  },
  {
    rule: "civo/version-of-other-type",
    wrong: cluster({ type: "talos", cni: "flannel" }),
    path: "target.cluster.version",
    right: cluster({ type: "talos", version: "talos-v1.9.0", cni: "flannel" }),
  },
  {
    rule: "civo/version-of-other-type",
    wrong: cluster({ version: "talos-v1.9.0" }),
    path: "target.cluster.version",
    right: cluster({ version: "1.31.1-k3s1" }),
  },
  {
    rule: "civo/unknown-region",
    wrong: { target: { backupRegion: "XXX9" } },
    path: "target.backupRegion",
    right: { target: { backupRegion: "FRA1" } },
  },
  {
    rule: "civo/backup-region-same",
    wrong: { target: { backupRegion: "LON1" } },
    path: "target.backupRegion",
    right: { target: { backupRegion: "FRA1" } },
  },
  {
    rule: "civo/backup-region-without-backups",
    wrong: { target: { backupRegion: "FRA1" }, backup: { enabled: false } },
    path: "target.backupRegion",
    right: { target: { backupRegion: "FRA1" } },
  },
  {
    rule: "civo/backup-region-without-backups",
    wrong: {
      target: { backupRegion: "FRA1" },
      objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
    },
    path: "target.backupRegion",
    right: { objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" } },
  },
  {
    rule: "civo/object-store-size",
    wrong: { objectStore: { sizeGb: 700 } },
    path: "objectStore.sizeGb",
    right: { objectStore: { sizeGb: 1000 } },
  },
  {
    rule: "civo/open-kubernetes-api",
    wrong: { target: { adminCidrs: ["203.0.113.0/24", "0.0.0.0/0"] } },
    path: "target.adminCidrs.1",
    right: { target: { adminCidrs: ["198.51.100.7/32"] } },
  },
  {
    rule: "civo/network-range",
    wrong: { target: { network: { cidr: "8.8.8.0/24" } } },
    path: "target.network.cidr",
    right: { target: { network: { cidr: "192.168.4.0/24" } } },
  },
  {
    rule: "civo/network-range",
    wrong: { target: { network: { cidr: "10.20.0.7/24" } } },
    path: "target.network.cidr",
    right: { target: { network: { cidr: "172.31.0.0/16" } } },
  },
  {
    rule: "civo/small-nodes",
    wrong: cluster({ size: "g4s.kube.small" }),
    path: "target.cluster.size",
    right: cluster({ size: "g4s.kube.large" }),
  },
  {
    rule: "civo/gpu-pool-without-size",
    wrong: cluster({ gpuPools: [{ name: "gpu" }] }),
    path: "target.cluster.gpuPools.0",
    right: cluster({ gpuPools: [{ name: "gpu", size: "an.g1.l40s.kube.x1" }] }),
  },
  {
    rule: "civo/database-version",
    wrong: postgres("14"),
    path: "tracking.database.version",
    right: postgres("17"),
  },
  {
    rule: "civo/database-version",
    wrong: { pipelines: { database: { engine: "civo-database", dialect: "mysql", version: "5.7" } } },
    path: "pipelines.database.version",
    right: { pipelines: { database: { engine: "civo-database", dialect: "mysql", version: "8.4" } } },
  },
  {
    rule: "terraform/state-in-own-cluster",
    wrong: { stateBackend: { kind: "kubernetes" } },
    path: "stateBackend.kind",
    right: { stateBackend: { kind: "s3", bucket: "state", region: "eu-west-1" } },
  },
  {
    rule: "terraform/local-state",
    wrong: { stateBackend: { kind: "local" } },
    path: "stateBackend.kind",
    right: { tier: "development", stateBackend: { kind: "local" } },
  },
];

function environmentOf(change: JsonObject): Environment {
  const { environment, problems } = resolveEnvironment(
    { ...merge(civo, change), environments: { prod: {} } },
    "prod",
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return environment;
}

const problemsOf = (rule: string, change: JsonObject) =>
  rules.filter(({ id }) => id === rule).flatMap(({ check }) => check(environmentOf(change)));

test.each(cases)("$rule is tripped at $path, and not by what is right", ({ rule, wrong, path, right }) => {
  const found = problemsOf(rule, wrong);
  expect(found.map((problem) => problem.path.join("."))).toEqual([path]);
  expect(found[0]?.message).not.toMatch(/undefined|NaN/);
  expect(found[0]?.remedy).toMatch(/[.?]$/);
  expect(problemsOf(rule, right)).toEqual([]);
});

test("every rule has a case, and what is given by default trips none", () => {
  expect([...new Set(cases.map(({ rule }) => rule))].sort()).toEqual(rules.map(({ id }) => id).sort());
  expect(rules.flatMap(({ check }) => check(environmentOf({})))).toEqual([]);
});
