import { planOf, type Plan } from "../../plan.ts";
import type { JsonObject } from "../../spec/merge.ts";
import { resolveEnvironment } from "../../spec/resolve.ts";

/** Environments that differ in what the platform around the components consists of. */

const shared: JsonObject = {
  name: "acme",
  owner: "ml",
  domain: "mlops.example.com",
  gitOps: { repository: "https://github.com/acme/mlops" },
  gateway: { contact: "ops@example.com" },
};
const login = { kind: "gateway-login", users: { secret: "users" } };
const model = { name: "fraud", format: "mlflow", storage: "fraud/v1" };
const zenml = { engine: "zenml", activation: {} };

const settings: Record<string, { name: string; settings: JsonObject }> = {
  "Civo, development": {
    name: "dev",
    settings: {
      target: { kind: "civo", region: "LON1", adminCidrs: ["203.0.113.0/24"] },
      tracking: {
        image: "ghcr.io/acme/plinth:0.1.0",
        exposure: { kind: "networks", cidrs: ["203.0.113.0/24"] },
      },
      pipelines: { ...zenml, exposure: { kind: "public" } },
    },
  },
  "Google Cloud, production": {
    name: "prod",
    settings: {
      target: { kind: "gcp", project: "acme-mlops", region: "europe-west1", backupRegion: "europe-west4" },
      pipelines: { ...zenml, exposure: { kind: "public" } },
      policies: { engine: "kyverno", action: "Deny", registries: ["europe-west1-docker.pkg.dev"] },
      serving: { engine: "kserve", exposure: { kind: "public" }, models: [model] },
    },
  },
  "bare cluster, upstream engines": {
    name: "prod",
    settings: {
      target: { kind: "kubernetes" },
      tracking: { engine: "mlflow", exposure: login },
      pipelines: { ...zenml, exposure: { kind: "public" } },
      serving: { engine: "kserve", exposure: login, models: [model] },
      objectStore: {
        engine: "s3",
        endpoint: "https://s3.example.com",
        credentials: { secret: "s3" },
        buckets: { artifacts: "acme-artifacts", models: "acme-models", backups: "acme-backups" },
      },
    },
  },
  "bare cluster, Knative and kgateway": {
    name: "staging",
    settings: {
      target: { kind: "kubernetes" },
      gateway: { contact: "ops@example.com", engine: "kgateway" },
      tracking: { engine: "mlflow" },
      pipelines: { ...zenml, exposure: { kind: "public" } },
      serving: { engine: "kserve", mode: "knative", models: [{ ...model, scaleMetric: "rps" }] },
      secrets: { engine: "external-secrets", store: { kind: "existing", name: "vault" } },
      policies: { engine: "kyverno", action: "Audit", exempt: ["notebooks"] },
      objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
    },
  },
  "nothing but tracking": {
    name: "dev",
    settings: {
      target: { kind: "kubernetes" },
      tracking: { image: "ghcr.io/acme/plinth:0.1.0" },
      monitoring: { engine: "none" },
      policies: { engine: "none" },
      objectStore: { engine: "minio", image: "ghcr.io/acme/minio:1.0.0" },
    },
  },
};

const planFor = (name: string, own: JsonObject): Plan => {
  const { environment, problems } = resolveEnvironment(
    { ...shared, ...own, environments: { [name]: {} } },
    name,
  );
  if (environment === undefined) throw new Error(JSON.stringify(problems));
  return planOf(environment);
};

/** Plans of all of them, by what is special about each. */
export const plans: readonly [title: string, plan: Plan][] = Object.entries(settings).map(
  ([title, { name, settings: own }]) => [title, planFor(name, own)],
);

export function planNamed(title: string): Plan {
  const found = plans.find(([known]) => known === title);
  if (found === undefined) throw new Error(`There is no plan "${title}".`);
  return found[1];
}
