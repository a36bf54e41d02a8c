import { planOf, type Plan } from "../../plan.ts";
import { merge, type JsonObject } from "../../spec/merge.ts";
import { resolveEnvironment } from "../../spec/resolve.ts";
import type { TerraformResource } from "../resource.ts";
import { gcpClusterStage } from "./cluster-stage.ts";

/** Environments on Google Cloud that tests look at. */

const base: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
  target: { kind: "gcp", project: "acme-mlops", region: "europe-west1" },
};

export const disaster: JsonObject = {
  target: {
    backupRegion: "europe-west4",
    budget: {
      billingAccount: "ABCDEF-012345-6789AB",
      monthly: 2000,
      currency: "EUR",
      notify: ["finance@example.com", "ops@example.com"],
    },
  },
  tracking: { exposure: { kind: "public" }, database: { replica: true } },
  pipelines: {
    engine: "zenml",
    exposure: { kind: "gateway-login", users: { secret: "zenml-users" } },
    activation: {},
  },
  serving: { engine: "kserve", exposure: { kind: "networks", cidrs: ["198.51.100.0/24"] } },
};

export const standard: JsonObject = {
  target: {
    authorizedNetworks: [{ name: "office", cidr: "203.0.113.0/24" }],
    cluster: {
      mode: "standard",
      nodePools: [{ name: "general" }],
      gpuPools: [{ name: "l4", size: "g2-standard-8", accelerator: "nvidia-l4" }],
    },
  },
  gateway: { engine: "envoy-gateway" },
  tracking: { engine: "mlflow", database: { engine: "cloudnative-pg" }, exposure: { kind: "public" } },
  pipelines: { engine: "zenml" },
  serving: { engine: "kserve" },
};

const elsewhere: JsonObject = {
  objectStore: {
    engine: "s3",
    endpoint: "https://s3.example.com",
    credentials: { secret: "s3-keys" },
    buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
  },
  tracking: {
    database: {
      engine: "external",
      dialect: "postgresql",
      host: "db.example.com",
      port: 5432,
      name: "plinth",
      user: "plinth",
      password: { secret: "plinth-db" },
    },
  },
};

const minio: JsonObject = {
  objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
  serving: { engine: "kserve" },
};

export const situations: [string, string, JsonObject][] = [
  ["development, all defaults", "dev", {}],
  ["production, all defaults", "prod", {}],
  ["production with a second region and all components", "prod", disaster],
  ["staging in Standard mode with upstream engines", "staging", standard],
  ["production with state elsewhere", "prod", elsewhere],
  ["development with MinIO", "dev", minio],
  [
    "production with sealed secrets",
    "prod",
    { ...standard, secrets: { engine: "sealed" }, pipelines: { engine: "none" } },
  ],
];

export function planFor(name: string, change: JsonObject): Plan {
  const { environment, problems } = resolveEnvironment(
    { ...merge(base, change), environments: { [name]: {} } },
    name,
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return planOf(environment);
}

export const stageOf = (plan: Plan): TerraformResource[] =>
  gcpClusterStage(plan).filter((resource) => resource.kind === "terraform");
