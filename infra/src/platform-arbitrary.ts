import fc from "fast-check";
import type { JsonObject } from "./spec/merge.ts";

/** Configurations that are valid, over all that the specification can express. For property tests. */

const memory = fc.constantFrom("512Mi", "1Gi", "3Gi");
const resources = fc.record({
  cpu: fc.constantFrom("250m", "1", "2"),
  memory: fc.constantFrom("512Mi", "1Gi"),
  memoryLimit: fc.constantFrom("2Gi", "4Gi"),
});
const autoscaling = fc.record({
  minReplicas: fc.constantFrom(2, 3),
  maxReplicas: fc.constantFrom(4, 10),
  cpuPercent: fc.constantFrom(50, 80),
});

type Kind = "civo" | "gcp" | "kubernetes";
type Tier = "development" | "staging" | "production";

/** Keys that are sometimes there. */
const some = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject> =>
  fc.record(fields, { requiredKeys: [] });

const targets: Readonly<Record<Kind, fc.Arbitrary<JsonObject>>> = {
  civo: fc
    .record({
      region: fc.constantFrom("LON1", "FRA1", "NYC1"),
      cluster: some({
        nodes: fc.integer({ min: 1, max: 6 }),
        cni: fc.constantFrom("flannel", "cilium"),
        gpuPools: fc.constant([{ name: "gpu", size: "an.g1.l40s.kube.x1" }]),
      }),
    })
    .map((fields) => ({ kind: "civo", adminCidrs: ["203.0.113.0/24"], ...fields })),
  gcp: fc
    .record({
      region: fc.constantFrom("europe-west1", "us-central1"),
      cluster: fc.oneof(
        some({ releaseChannel: fc.constantFrom("REGULAR", "STABLE") }),
        fc.constant({ mode: "standard", nodePools: [{ name: "general" }] }),
        fc.constant({ gpuPools: [{ name: "gpu", accelerator: "nvidia-l4" }] }),
      ),
      authorizedNetworks: fc.constantFrom([], [{ name: "office", cidr: "203.0.113.0/24" }]),
    })
    .map((fields) => ({ kind: "gcp", project: "example-mlops", ...fields })),
  kubernetes: some({ gpuPools: fc.constant([{ name: "gpu" }]) }).map((fields) => ({
    kind: "kubernetes",
    storageClass: "fast",
    ...fields,
  })),
};

function databases(kind: Kind, dialect: "mysql" | "postgresql"): fc.Arbitrary<JsonObject> {
  const external = fc.constant({
    engine: "external",
    dialect,
    host: "db.example.com",
    port: dialect === "mysql" ? 3306 : 5432,
    name: "mlops",
    user: "mlops",
    password: { secret: "external-database" },
  });
  const onKubernetes = [
    ...(dialect === "postgresql"
      ? [some({ storage: fc.constant("50Gi") }).map((more) => ({ engine: "cloudnative-pg", ...more }))]
      : []),
    // KubeBlocks cannot write its backups to Google's storage.
    ...(dialect === "mysql" && kind !== "gcp"
      ? [fc.constant<JsonObject>({ engine: "kubeblocks", dialect })]
      : []),
  ];
  const ofCloud: fc.Arbitrary<JsonObject>[] =
    kind === "gcp"
      ? [some({ diskGb: fc.constant(50) }).map((more) => ({ engine: "cloud-sql", dialect, ...more }))]
      : kind === "civo"
        ? [fc.constant({ engine: "civo-database", dialect })]
        : [];
  return fc.oneof(external, ...onKubernetes, ...ofCloud);
}

function stores(kind: Kind, tier: Tier): fc.Arbitrary<JsonObject> {
  const s3 = fc.constant<JsonObject>({
    engine: "s3",
    endpoint: "https://s3.example.com",
    credentials: { secret: "object-store" },
    buckets: { artifacts: "ml-artifacts", models: "ml-models", backups: "ml-backups" },
  });
  const minio = fc.constant<JsonObject>({
    engine: "minio",
    image: "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
  });
  const own: fc.Arbitrary<JsonObject>[] =
    kind === "gcp"
      ? [fc.constant({ engine: "gcs" })]
      : kind === "civo"
        ? [fc.constant({ engine: "civo" })]
        : [];
  return fc.oneof(s3, ...own, ...(tier === "development" ? [minio] : []));
}

const login = { kind: "gateway-login", users: { secret: "users" } };

const tracking = (kind: Kind, gateway: string): fc.Arbitrary<JsonObject> => {
  // Plinth has users of its own, MLflow's server has none.
  const moreOf = (ownWay: JsonObject): fc.Arbitrary<JsonObject> =>
    some({
      replicas: fc.integer({ min: 2, max: 5 }),
      resources,
      autoscaling,
      exposure: fc.constantFrom<JsonObject>(
        { kind: "cluster" },
        ...(gateway === "envoy-gateway" ? [ownWay, { kind: "networks", cidrs: ["203.0.113.0/24"] }] : []),
      ),
    });
  const plinth = fc
    .record({ database: databases(kind, "postgresql"), more: moreOf({ kind: "public" }) })
    .map((fields) => ({
      engine: "plinth",
      image: "registry.example.com/ml/plinth:0.1.0",
      database: fields.database,
      ...fields.more,
    }));
  const mlflow = fc
    .constantFrom("mysql" as const, "postgresql" as const)
    .chain((dialect) => fc.record({ database: databases(kind, dialect), more: moreOf(login) }))
    .map((fields) => ({ engine: "mlflow", database: fields.database, ...fields.more }));
  return fc.oneof(plinth, mlflow);
};

const pipelines = (kind: Kind): fc.Arbitrary<JsonObject> =>
  fc.oneof(
    fc.constant<JsonObject>({ engine: "none" }),
    fc
      .record({
        database: databases(kind, "mysql"),
        more: some({ replicas: fc.integer({ min: 2, max: 4 }), resources, autoscaling }),
        exposure: fc.constantFrom("cluster", "public"),
      })
      .map((fields) => ({
        engine: "zenml",
        activation: { user: "admin" },
        database: fields.database,
        exposure: { kind: fields.exposure },
        ...fields.more,
      })),
  );

const serving = (hasGpu: boolean): fc.Arbitrary<JsonObject> =>
  fc.oneof(
    fc.constant<JsonObject>({ engine: "none" }),
    fc.constantFrom("standard", "knative").chain((mode) =>
      fc
        .uniqueArray(
          fc.record({
            name: fc.constantFrom("churn", "summary", "ranking"),
            format: fc.constantFrom("mlflow", "sklearn", "huggingface"),
            minReplicas: fc.integer({ min: mode === "standard" ? 1 : 0, max: 3 }),
            gpu: hasGpu ? fc.constantFrom(undefined, { pool: "gpu" }) : fc.constant(undefined),
            memory,
          }),
          { selector: ({ name }) => name, maxLength: 3 },
        )
        .map((models) => ({
          engine: "kserve",
          mode,
          models: models.map(({ name, format, minReplicas, gpu, memory: asked }) => ({
            name,
            format,
            storage: `${name}/1`,
            minReplicas,
            maxReplicas: 4,
            ...(mode === "knative" ? { scaleMetric: "concurrency", scaleTarget: 10 } : {}),
            resources: { cpu: "1", memory: asked, memoryLimit: "4Gi" },
            ...(gpu === undefined ? {} : { gpu }),
          })),
        })),
    ),
  );

const hasGpu = (target: JsonObject): boolean => JSON.stringify(target).includes("gpuPools");

/** What a configuration file with the one environment `env` could export. */
export const platform: fc.Arbitrary<JsonObject> = fc
  .record({
    kind: fc.constantFrom<Kind>("civo", "gcp", "kubernetes"),
    tier: fc.constantFrom<Tier>("development", "staging", "production"),
    elsewhere: fc.boolean(),
  })
  .chain(({ kind, tier, elsewhere }) => {
    const gateway = kind === "gcp" && !elsewhere ? "gke" : "envoy-gateway";
    return targets[kind].chain((target) =>
      fc
        .record({
          tracking: tracking(kind, gateway),
          pipelines: pipelines(kind),
          serving: serving(hasGpu(target)),
          objectStore: stores(kind, tier),
          policies: fc.constantFrom<JsonObject>({ engine: "none" }, { engine: "kyverno", action: "Deny" }),
          monitoring: fc.constantFrom<JsonObject>(
            { engine: "none" },
            { engine: kind === "gcp" ? "managed" : "prometheus-operator" },
          ),
          labels: fc.constantFrom<JsonObject>({}, { "cost-center": "4711" }),
        })
        .map((parts) => ({
          name: "acme",
          owner: "ml",
          domain: "mlops.example.com",
          gitOps: { repository: "https://git.example.com/ml/deploy.git" },
          gateway: { engine: gateway, contact: "ml@example.com" },
          target,
          ...parts,
          environments: { env: { tier } },
        })),
    );
  });
