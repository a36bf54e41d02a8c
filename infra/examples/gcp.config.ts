// Google Cloud: GKE Autopilot, Cloud SQL, Secret Manager; production with a second region for backups and copies.
import type { Platform } from "@plinth/infra";

export default {
  name: "acme",
  owner: "ml-platform",
  labels: { "cost-center": "4711" },
  domain: "mlops.example.com",

  target: {
    kind: "gcp",
    project: "acme-mlops-dev",
    region: "europe-west1",
  },

  gitOps: { repository: "https://git.example.com/ml-platform/deploy.git" },
  gateway: { contact: "ml-platform@example.com" },

  tracking: { engine: "plinth" },
  pipelines: {
    engine: "zenml",
    exposure: { kind: "public" },
    activation: { user: "admin" },
  },

  environments: {
    dev: { domain: "dev.mlops.example.com", pipelines: { exposure: { kind: "cluster" } } },
    prod: {
      target: {
        project: "acme-mlops-prod",
        backupRegion: "europe-west4",
        authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
        budget: {
          billingAccount: "0A1B2C-3D4E5F-6A7B8C",
          monthly: 3000,
          currency: "EUR",
          notify: ["ml-platform@example.com"],
        },
        cluster: { gpuPools: [{ name: "l4", accelerator: "nvidia-l4" }] },
      },
      pipelines: { autoscaling: { minReplicas: 2, maxReplicas: 5 } },
      backup: { retentionDays: 35 },
      serving: {
        engine: "kserve",
        models: [
          { name: "churn", format: "mlflow", storage: "churn/3", minReplicas: 2, maxReplicas: 6 },
          {
            name: "summary",
            format: "huggingface",
            storage: "summary/1",
            resources: { cpu: "4", memory: "16Gi", memoryLimit: "16Gi" },
            gpu: { pool: "l4" },
          },
        ],
      },
    },
  },
} satisfies Platform;
