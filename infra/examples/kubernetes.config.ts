// A cluster that is there already, with the upstream engines: MLflow's and ZenML's own servers, KServe.
import type { Platform } from "@plinth/infra";

export default {
  name: "acme",
  owner: "ml-platform",
  domain: "mlops.example.com",

  target: {
    kind: "kubernetes",
    storageClass: "fast",
    gpuPools: [{ name: "inference", gpusPerNode: 4 }],
  },

  gitOps: { repository: "https://git.example.com/ml-platform/deploy.git" },
  gateway: { contact: "ml-platform@example.com" },

  tracking: { engine: "mlflow" },
  pipelines: { engine: "zenml", activation: { user: "admin" } },
  serving: {
    engine: "kserve",
    mode: "knative",
    models: [
      {
        name: "oumi",
        format: "mlflow",
        storage: "oumi-model-v1",
        minReplicas: 0,
        maxReplicas: 3,
        scaleMetric: "concurrency",
        scaleTarget: 10,
        resources: { cpu: "2", memory: "8Gi", memoryLimit: "16Gi" },
        gpu: { pool: "inference" },
      },
    ],
  },

  environments: {
    dev: {
      domain: "dev.mlops.example.com",
      objectStore: {
        engine: "minio",
        image: "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
        storage: "100Gi",
      },
    },
    prod: {
      objectStore: {
        engine: "s3",
        endpoint: "https://s3.example.com",
        credentials: { secret: "object-store" },
        buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
      },
      tracking: { exposure: { kind: "gateway-login", users: { secret: "tracking-users" } } },
      pipelines: { exposure: { kind: "public" } },
    },
  },
} satisfies Platform;
