import { parse } from "yaml";
import { planOf, type Plan } from "../../plan.ts";
import { merge, valueAt, type JsonObject } from "../../spec/merge.ts";
import { resolveEnvironment } from "../../spec/resolve.ts";
import type { KubernetesObject, Resource } from "../resource.ts";
import { componentResources } from "./components.ts";

/** Platforms for tests, and a look at what they become. */

const SHARED: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/deploy" },
  gateway: { contact: "ops@example.com" },
  tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
};

const CIVO = {
  kind: "civo",
  region: "LON1",
  backupRegion: "FRA1",
  adminCidrs: ["203.0.113.0/24"],
  cluster: { gpuPools: [{ name: "a100" }] },
};
const GCP = {
  kind: "gcp",
  project: "acme-ml-prod",
  region: "europe-west1",
  cluster: { gpuPools: [{ name: "l4", accelerator: "nvidia-l4" }] },
};
const BARE = { kind: "kubernetes", storageClass: "fast", gpuPools: [{ name: "a100" }] };
const S3 = {
  engine: "s3",
  endpoint: "https://s3.example.com",
  credentials: { secret: "store" },
  buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
};
const MLFLOW = { engine: "mlflow", image: "ghcr.io/mlflow/mlflow:v3.12.0-full" };
const models = (pool: string): JsonObject => ({
  engine: "kserve",
  models: [
    { name: "churn", format: "mlflow", storage: "churn/v1", minReplicas: 2, maxReplicas: 5 },
    { name: "vision", format: "onnx", storage: "vision/v1", gpu: { pool } },
  ],
});

export const PLATFORMS: Record<string, { tier: string; settings: JsonObject }> = {
  "civo, small": { tier: "dev", settings: { target: CIVO } },
  "civo, production": {
    tier: "prod",
    settings: {
      target: CIVO,
      tracking: {
        autoscaling: { minReplicas: 2, maxReplicas: 12 },
        exposure: { kind: "public" },
        database: { resources: { cpu: "2", memory: "4Gi", memoryLimit: "4Gi" } },
      },
      pipelines: {
        engine: "zenml",
        exposure: { kind: "gateway-login", users: { secret: "users" } },
        activation: {},
      },
      serving: models("a100"),
    },
  },
  "google, upstream": {
    tier: "prod",
    settings: {
      target: GCP,
      tracking: { ...MLFLOW, database: { dialect: "mysql" } },
      pipelines: { engine: "zenml", autoscaling: { minReplicas: 2, maxReplicas: 4 } },
      serving: models("l4"),
    },
  },
  "google, plinth": {
    tier: "prod",
    settings: { target: GCP, tracking: { database: { engine: "cloudnative-pg" } } },
  },
  "any cluster, MinIO": {
    tier: "staging",
    settings: {
      target: BARE,
      objectStore: { engine: "minio", image: "registry.example.com/minio:2026.1" },
      tracking: MLFLOW,
      pipelines: { engine: "zenml" },
      serving: {
        engine: "kserve",
        mode: "knative",
        models: [
          {
            name: "a",
            format: "sklearn",
            storage: "a",
            scaleMetric: "rps",
            minReplicas: 0,
            gpu: { pool: "a100" },
          },
        ],
      },
    },
  },
  "any cluster, KubeBlocks": {
    tier: "prod",
    settings: {
      target: BARE,
      objectStore: S3,
      tracking: { database: { engine: "kubeblocks", dialect: "postgresql" } },
    },
  },
  "any cluster, external": {
    tier: "prod",
    settings: {
      target: BARE,
      objectStore: S3,
      tracking: {
        ...MLFLOW,
        database: {
          engine: "external",
          dialect: "mysql",
          host: "db.example.com",
          port: 3306,
          name: "mlflow",
          user: "mlflow",
          password: { secret: "db" },
        },
      },
    },
  },
};

export function built(platform: string): { plan: Plan; resources: Resource[]; objects: KubernetesObject[] } {
  const { tier, settings } = PLATFORMS[platform] ?? { tier: "", settings: {} };
  const resolved = resolveEnvironment({ ...merge(SHARED, settings), environments: { [tier]: {} } }, tier);
  if (resolved.environment === undefined) throw new Error(JSON.stringify(resolved.problems));
  const plan = planOf(resolved.environment);
  const resources = componentResources(plan);
  return {
    plan,
    resources,
    objects: resources.flatMap((resource) => (resource.kind === "manifest" ? [resource.object] : [])),
  };
}

export const kustomizations = (resources: readonly Resource[]): { folder: string; value: JsonObject }[] =>
  resources.flatMap((resource) =>
    resource.kind === "document" && resource.file.endsWith("/kustomization.yaml")
      ? [
          {
            folder: resource.file.slice(0, -"/kustomization.yaml".length),
            value: resource.value as JsonObject,
          },
        ]
      : [],
  );

type Patched = { target: JsonObject; change: JsonObject; operations: JsonObject[] };

/** The patches of all overlays, taken apart again. */
export const patchesOf = (resources: readonly Resource[]): Patched[] =>
  kustomizations(resources).flatMap(({ value }) =>
    ((value["patches"] ?? []) as { target?: JsonObject; patch: string }[]).map(({ target, patch }) => {
      const parsed: unknown = parse(patch);
      if (Array.isArray(parsed))
        return { target: target ?? {}, change: {}, operations: parsed as JsonObject[] };
      const change = parsed as JsonObject;
      const { name, namespace } = change["metadata"] as JsonObject;
      return { target: { kind: change["kind"], name, namespace }, change, operations: [] };
    }),
  );

type Container = {
  name: string;
  image?: string;
  env?: { name: string; valueFrom?: JsonObject }[];
} & JsonObject;

export const podOf = (object: JsonObject): JsonObject | undefined =>
  valueAt(object, ["spec", "template", "spec"]) as JsonObject | undefined;

/** A pod's only container with what the overlay adds to it. */
export function containerOf(resources: readonly Resource[], object: KubernetesObject): Container {
  const [own] = (podOf(object)?.["containers"] ?? []) as Container[];
  const patch = patchesOf(resources).find(
    ({ target }) => target["kind"] === object.kind && target["name"] === object.metadata.name,
  );
  const [more] = ((patch === undefined ? undefined : podOf(patch.change))?.["containers"] ??
    []) as Container[];
  if (own === undefined) throw new Error(`${object.metadata.name} has no container`);
  return { ...own, ...more, env: [...(more?.env ?? []), ...(own.env ?? [])] };
}

export const withPods = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.filter(({ kind }) => ["Deployment", "Job"].includes(kind));
