import { expect, test } from "vitest";
import { merge, type JsonObject } from "../spec/merge.ts";
import { resolveEnvironment } from "../spec/resolve.ts";
import { componentRules } from "./components.ts";

/** A platform that no rule has anything to say about. */
const GOOD: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/deploy" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "kubernetes", storageClass: "fast", gpuPools: [{ name: "a100", gpusPerNode: 2 }] },
  objectStore: {
    engine: "s3",
    endpoint: "https://s3.example.com",
    credentials: { secret: "store" },
    buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
  },
  tracking: {
    image: "ghcr.io/acme/plinth:0.1.0",
    exposure: { kind: "networks", cidrs: ["203.0.113.0/24"] },
  },
  pipelines: { engine: "zenml" },
  serving: {
    engine: "kserve",
    models: [
      { name: "churn", format: "mlflow", storage: "churn/v1" },
      { name: "vision", format: "onnx", storage: "s3://other/vision", gpu: { pool: "a100", count: 2 } },
    ],
  },
};

function findings(over: JsonObject, name = "prod"): string[] {
  const resolved = resolveEnvironment({ ...merge(GOOD, over), environments: { [name]: {} } }, name);
  if (resolved.environment === undefined) throw new Error(JSON.stringify(resolved.problems));
  const { environment } = resolved;
  return componentRules.flatMap(({ id, check }) =>
    check(environment).map(({ path }) => `${id} ${path.join(".")}`),
  );
}

const model = (settings: JsonObject): JsonObject => ({
  serving: { models: [{ name: "churn", format: "mlflow", storage: "churn/v1", ...settings }] },
});

const knative = (settings: JsonObject): JsonObject =>
  merge(model(settings), { serving: { mode: "knative" } });

test("nothing is wrong with a good platform, in any tier", () => {
  for (const name of ["dev", "staging", "prod"]) expect(findings({}, name)).toEqual([]);
});

type Case = {
  rule: string;
  at: string;
  bad: JsonObject;
  /** The nearest settings that are right. */
  good: JsonObject;
  tier?: string;
};

const mlflow = (image: string): JsonObject => ({ tracking: { engine: "mlflow", image } });

const CASES: readonly Case[] = [
  {
    rule: "zenml/needs-mysql",
    at: "pipelines.database.engine",
    bad: { pipelines: { database: { engine: "cloudnative-pg" } } },
    good: { pipelines: { database: { engine: "kubeblocks" } } },
  },
  {
    rule: "zenml/needs-mysql",
    at: "pipelines.database.dialect",
    bad: { pipelines: { database: { engine: "kubeblocks", dialect: "postgresql" } } },
    good: { pipelines: { database: { engine: "kubeblocks", dialect: "mysql" } } },
  },
  {
    rule: "plinth/needs-postgresql",
    at: "tracking.database.dialect",
    bad: { tracking: { database: { engine: "kubeblocks", dialect: "mysql" } } },
    good: { tracking: { engine: "mlflow", database: { engine: "kubeblocks", dialect: "mysql" } } },
  },
  {
    rule: "mlflow/image-without-drivers",
    at: "tracking.image",
    bad: mlflow("ghcr.io/mlflow/mlflow:v3.12.0"),
    good: mlflow("ghcr.io/mlflow/mlflow:v3.12.0-full"),
  },
  {
    rule: "mlflow/image-without-drivers",
    at: "tracking.image",
    bad: mlflow("ghcr.io/mlflow/mlflow:v3.8.1-full"),
    good: mlflow("registry.example.com/mlflow:v2.9.2"),
  },
  {
    rule: "zenml/chart-before-server-key",
    at: "pipelines.version",
    bad: { pipelines: { version: "0.95.0" } },
    good: { pipelines: { version: "0.95.1" } },
  },
  {
    rule: "zenml/chart-before-server-key",
    at: "pipelines.version",
    bad: { pipelines: { version: "0.84.3" } },
    good: { pipelines: { version: "1.0.0" } },
  },
  {
    rule: "minio/production",
    at: "objectStore.engine",
    bad: { objectStore: { engine: "minio", image: "registry.example.com/minio:2026.1" } },
    good: {},
  },
  {
    rule: "civo/not-on-civo",
    at: "tracking.database.engine",
    bad: {
      tracking: { database: { engine: "civo-database", dialect: "postgresql", version: "17", nodes: 2 } },
    },
    good: { tracking: { database: { engine: "cloudnative-pg" } } },
  },
  {
    rule: "civo/not-on-civo",
    at: "objectStore.engine",
    bad: { objectStore: { engine: "civo" } },
    good: {
      target: {
        kind: "civo",
        region: "LON1",
        adminCidrs: ["203.0.113.0/24"],
        cluster: { gpuPools: [{ name: "a100", gpusPerNode: 2 }] },
      },
      objectStore: { engine: "civo" },
    },
  },
  {
    rule: "tracking/two-logins",
    at: "tracking.exposure.kind",
    bad: { tracking: { exposure: { kind: "gateway-login", users: { secret: "users" } } } },
    good: { tracking: { exposure: { kind: "networks", cidrs: ["203.0.113.0/24"] } } },
  },
  {
    rule: "tracking/public-without-login",
    at: "tracking.exposure.kind",
    bad: { tracking: { engine: "mlflow", exposure: { kind: "public" } } },
    good: { tracking: { engine: "plinth", exposure: { kind: "public" } } },
  },
  {
    rule: "tracking/public-without-login",
    at: "tracking.exposure.kind",
    bad: { tracking: { engine: "mlflow", exposure: { kind: "public" } } },
    good: { tracking: { engine: "mlflow", exposure: { kind: "cluster" } } },
  },
  {
    rule: "serving/public-without-login",
    at: "serving.exposure.kind",
    bad: { serving: { exposure: { kind: "public" } } },
    good: { serving: { exposure: { kind: "gateway-login", users: { secret: "users" } } } },
  },
  {
    rule: "zenml/reachable-without-activation",
    at: "pipelines.activation",
    bad: { pipelines: { exposure: { kind: "public" } } },
    good: { pipelines: { exposure: { kind: "public" }, activation: {} } },
  },
  {
    rule: "gateway/no-access-control",
    at: "tracking.exposure.kind",
    bad: { gateway: { engine: "kgateway" } },
    good: { gateway: { engine: "kgateway" }, tracking: { exposure: { kind: "cluster" } } },
  },
  {
    rule: "knative/no-route",
    at: "serving.exposure.kind",
    bad: merge(knative({ scaleMetric: "rps" }), {
      serving: { exposure: { kind: "networks", cidrs: ["203.0.113.0/24"] } },
    }),
    good: knative({ scaleMetric: "rps" }),
  },
  {
    rule: "kserve/scale-to-zero",
    at: "serving.models.0.minReplicas",
    bad: model({ minReplicas: 0 }),
    good: knative({ minReplicas: 0, scaleMetric: "concurrency" }),
  },
  {
    rule: "kserve/metric-of-other-mode",
    at: "serving.models.0.scaleMetric",
    bad: knative({ scaleMetric: "cpu" }),
    good: knative({ scaleMetric: "rps", scaleTarget: 500 }),
  },
  {
    rule: "kserve/metric-of-other-mode",
    at: "serving.models.0.scaleMetric",
    bad: model({ scaleMetric: "concurrency" }),
    good: model({ scaleMetric: "memory" }),
  },
  {
    rule: "kserve/utilization-over-100",
    at: "serving.models.0.scaleTarget",
    bad: model({ scaleTarget: 101 }),
    good: model({ scaleTarget: 100 }),
  },
  {
    rule: "kserve/gpu-pool",
    at: "serving.models.0.gpu.pool",
    bad: model({ gpu: { pool: "h100" } }),
    good: model({ gpu: { pool: "a100" } }),
  },
  {
    rule: "kserve/gpu-pool",
    at: "serving.models.0.gpu.count",
    bad: model({ gpu: { pool: "a100", count: 3 } }),
    good: model({ gpu: { pool: "a100", count: 2 } }),
  },
  {
    rule: "kserve/storage-without-credentials",
    at: "serving.models.0.storage",
    bad: model({ storage: "gs://other/churn" }),
    good: model({ storage: "s3://other/churn" }),
  },
  {
    rule: "kserve/duplicate-model",
    at: "serving.models.1.name",
    bad: {
      serving: {
        models: [
          { name: "churn", format: "mlflow", storage: "a" },
          { name: "churn", format: "onnx", storage: "b" },
        ],
      },
    },
    good: {},
  },
  {
    rule: "resources/limit-below-request",
    at: "tracking.resources.memoryLimit",
    bad: { tracking: { resources: { cpu: "1", memory: "2Gi", memoryLimit: "1536Mi" } } },
    good: { tracking: { resources: { cpu: "1", memory: "2Gi", memoryLimit: "2048Mi" } } },
  },
  {
    rule: "resources/limit-below-request",
    at: "pipelines.database.resources.memoryLimit",
    bad: { pipelines: { database: { resources: { cpu: "1", memory: "2Gi", memoryLimit: "1Gi" } } } },
    good: { pipelines: { database: { resources: { cpu: "1", memory: "1Gi", memoryLimit: "1Gi" } } } },
  },
  {
    rule: "autoscaling/bounds",
    at: "tracking.autoscaling.maxReplicas",
    bad: { tracking: { autoscaling: { minReplicas: 3, maxReplicas: 2 } } },
    good: { tracking: { autoscaling: { minReplicas: 2, maxReplicas: 2 } } },
  },
  {
    rule: "autoscaling/bounds",
    at: "serving.models.0.maxReplicas",
    bad: model({ minReplicas: 4, maxReplicas: 3 }),
    good: model({ minReplicas: 3, maxReplicas: 3 }),
  },
  {
    rule: "production/one-copy",
    at: "tracking.replicas",
    bad: { tracking: { replicas: 1 } },
    good: { tracking: { replicas: 1, autoscaling: { minReplicas: 2, maxReplicas: 3 } } },
  },
  {
    rule: "production/one-copy",
    at: "pipelines.autoscaling.minReplicas",
    bad: { pipelines: { autoscaling: { minReplicas: 1, maxReplicas: 3 } } },
    good: { pipelines: { autoscaling: { minReplicas: 2, maxReplicas: 3 } } },
  },
  {
    rule: "production/one-database-instance",
    at: "tracking.database.instances",
    bad: { tracking: { database: { instances: 1 } } },
    good: { tracking: { database: { instances: 2 } } },
  },
  {
    rule: "production/no-backup",
    at: "backup.enabled",
    bad: { backup: { enabled: false } },
    good: { backup: { enabled: true } },
  },
  {
    rule: "production/development-secrets",
    at: "secrets.engine",
    bad: { secrets: { engine: "plain" } },
    good: { secrets: { engine: "external-secrets", store: { kind: "existing", name: "vault" } } },
  },
  {
    rule: "production/local-volumes",
    at: "target.storageClass",
    bad: { target: { storageClass: "local-path" } },
    good: { target: { storageClass: "longhorn" } },
  },
];

test.each(CASES)("$rule at $at", ({ rule, at, bad, good }) => {
  expect(findings(bad)).toEqual([`${rule} ${at}`]);
  expect(findings(good)).toEqual([]);
});

test("what only production must not do is let be elsewhere", () => {
  const production = CASES.filter(
    ({ rule }) => rule.startsWith("production/") || rule === "minio/production",
  );
  expect(production.length).toBeGreaterThan(5);
  for (const { bad } of production) expect(findings(bad, "staging")).toEqual([]);
});

test("a GPU of Autopilot is made when it is asked for", () => {
  const google = {
    gateway: { engine: "envoy-gateway" },
    target: {
      kind: "gcp",
      project: "acme-ml-prod",
      region: "europe-west1",
      cluster: { gpuPools: [{ name: "l4", accelerator: "nvidia-l4" }] },
    },
    objectStore: { engine: "gcs" },
  };
  expect(findings(merge(google, model({ gpu: { pool: "l4", count: 8 } })))).toEqual([]);
});

test("every rule says what it saw and names two ways out", () => {
  for (const { bad } of CASES) {
    const resolved = resolveEnvironment({ ...merge(GOOD, bad), environments: { prod: {} } }, "prod");
    if (resolved.environment === undefined) throw new Error("does not resolve");
    const { environment } = resolved;
    for (const { check } of componentRules) {
      for (const { message, remedy } of check(environment)) {
        expect(message).not.toMatch(/undefined|\[object/);
        expect(remedy).toMatch(/, or |; leave it when/);
        expect(remedy).toMatch(/\.$/);
      }
    }
  }
});

test("each rule is tried, and has an id of its own", () => {
  const ids = componentRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(CASES.map(({ rule }) => rule))).toEqual(new Set(ids));
  for (const { covers } of componentRules) {
    for (const id of covers) expect(id).toMatch(/^E(0[1-9]|[1-5]\d|6[01])$/);
  }
});

test("models without an engine that serves them are no setting at all", () => {
  const resolved = resolveEnvironment(
    { ...GOOD, serving: { engine: "none", models: [] }, environments: { prod: {} } },
    "prod",
  );
  expect(resolved.problems.map(({ message }) => message)).toEqual(["unknown setting serving.models"]);
});
