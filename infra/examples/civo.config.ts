// Civo: a small cluster for development, and one for production, with Plinth for tracking and ZenML for pipelines.
import type { Platform } from "@plinth/infra";

export default {
  name: "acme",
  owner: "ml-platform",
  labels: { "cost-center": "4711" },
  domain: "mlops.example.com",

  target: {
    kind: "civo",
    region: "LON1",
    adminCidrs: ["203.0.113.0/24"],
  },

  gitOps: { repository: "https://git.example.com/ml-platform/deploy.git" },
  gateway: { contact: "ml-platform@example.com" },

  tracking: {
    engine: "plinth",
    image: "registry.example.com/ml-platform/plinth:0.1.0",
  },
  pipelines: {
    engine: "zenml",
    exposure: { kind: "public" },
    activation: { user: "admin" },
  },

  environments: {
    dev: {
      domain: "dev.mlops.example.com",
      target: { cluster: { size: "g4s.kube.small", nodes: 2 } },
      gateway: { issuer: "staging" },
      pipelines: { exposure: { kind: "cluster" } },
    },
    prod: {
      target: {
        backupRegion: "FRA1",
        cluster: {
          nodes: 4,
          gpuPools: [{ name: "gpu", size: "an.g1.l40s.kube.x1", nodes: 1 }],
        },
      },
      tracking: {
        replicas: 3,
        exposure: { kind: "public" },
      },
      serving: {
        engine: "kserve",
        models: [
          { name: "churn", format: "mlflow", storage: "churn/3", minReplicas: 2 },
          {
            name: "summary",
            format: "huggingface",
            storage: "summary/1",
            minReplicas: 1,
            resources: { cpu: "2", memory: "12Gi", memoryLimit: "16Gi" },
            gpu: { pool: "gpu" },
          },
        ],
      },
    },
  },
} satisfies Platform;
