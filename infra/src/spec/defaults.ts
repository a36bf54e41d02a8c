import { registryLocation } from "./google-regions.ts";
import type { JsonObject } from "./merge.ts";

/** Defaults that depend on where and how seriously an environment runs. The plain ones stand in the schema. */

const TIERS: Readonly<Record<string, string>> = {
  dev: "development",
  development: "development",
  test: "development",
  stage: "staging",
  staging: "staging",
  prod: "production",
  production: "production",
};

/** The tier an environment has by its name; undefined for other names, which must say it. */
export const tierOf = (environment: string): string | undefined => TIERS[environment];

const object = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

type Situation = {
  name: string;
  environment: string;
  target: JsonObject;
  production: boolean;
  development: boolean;
};

/** What holds where `given`, the merged settings of the user, says nothing. */
export function defaultsFor(given: JsonObject, platform: string, environment: string): JsonObject {
  const target = object(given["target"]);
  const situation: Situation = {
    name: platform,
    environment,
    target,
    production: given["tier"] === "production",
    development: given["tier"] === "development",
  };
  return {
    ...stateDefaults(given, situation),
    tracking: trackingDefaults(object(given["tracking"]), situation),
    pipelines: pipelineDefaults(object(given["pipelines"]), situation),
    serving: { engine: "none" },
    secrets: secretDefaults(situation),
    policies: { engine: "kyverno", action: situation.production ? "Deny" : "Audit" },
    monitoring: { engine: target["kind"] === "gcp" ? "managed" : "prometheus-operator" },
    gateway: { engine: target["kind"] === "gcp" ? "gke" : "envoy-gateway" },
  };
}

function stateDefaults(given: JsonObject, { name, target, development }: Situation): JsonObject {
  const backup = { enabled: !development };
  switch (target["kind"]) {
    case "gcp":
      return {
        backup,
        objectStore: { engine: "gcs" },
        stateBackend: { kind: "gcs", bucket: `${String(target["project"])}-terraform-state` },
      };
    case "civo": {
      const region = String(target["region"]);
      return {
        backup,
        objectStore: { engine: "civo" },
        stateBackend: {
          kind: "s3",
          bucket: `${name}-terraform-state`,
          region,
          endpoint: `https://objectstore.${region.toLowerCase()}.civo.com`,
        },
      };
    }
    default:
      return { backup, stateBackend: { kind: "kubernetes" } };
  }
}

function trackingDefaults(given: JsonObject, situation: Situation): JsonObject {
  const { target, production } = situation;
  const registry = target["kind"] === "gcp" ? googleRegistry(situation) : undefined;
  const engine = given["engine"] ?? "plinth";
  return {
    engine,
    replicas: production ? 2 : 1,
    resources:
      engine === "mlflow"
        ? { cpu: "500m", memory: "2Gi", memoryLimit: "4Gi" }
        : { cpu: "500m", memory: "512Mi", memoryLimit: "1Gi" },
    ...(engine === "plinth" && registry !== undefined ? { image: `${registry}/plinth:0.1.0` } : {}),
    database: databaseDefaults(object(given["database"]), "postgresql", situation),
  };
}

/** The repository of Artifact Registry that the cluster stage makes for this environment. */
function googleRegistry({ target, name, environment }: Situation): string {
  const { backupRegion } = target;
  const location = registryLocation(
    String(target["region"]),
    typeof backupRegion === "string" ? backupRegion : undefined,
  );
  return `${location}-docker.pkg.dev/${String(target["project"])}/${name}-${environment}`;
}

function pipelineDefaults(given: JsonObject, situation: Situation): JsonObject {
  if (given["engine"] !== "zenml") return { engine: "none" };
  return {
    engine: "zenml",
    replicas: situation.production ? 2 : 1,
    resources: { cpu: "250m", memory: "512Mi", memoryLimit: "2Gi" },
    database: databaseDefaults(object(given["database"]), "mysql", situation),
  };
}

function databaseDefaults(
  given: JsonObject,
  dialect: "mysql" | "postgresql",
  { target, production }: Situation,
): JsonObject {
  const engine = given["engine"] ?? databaseEngine(target["kind"], dialect);
  switch (engine) {
    case "cloudnative-pg":
      return { engine, instances: production ? 3 : 1 };
    case "kubeblocks":
      return { engine, dialect, replicas: production ? 2 : 1 };
    case "cloud-sql":
      return { engine, dialect, highAvailability: production };
    case "civo-database": {
      const version = (given["dialect"] ?? dialect) === "mysql" ? "8.0" : "17";
      return { engine, dialect, version, nodes: production ? 2 : 1 };
    }
    default:
      return { engine };
  }
}

function databaseEngine(target: unknown, dialect: "mysql" | "postgresql"): string {
  if (target === "gcp") return "cloud-sql";
  if (dialect === "postgresql") return "cloudnative-pg";
  return target === "civo" ? "civo-database" : "kubeblocks";
}

function secretDefaults({ target, development }: Situation): JsonObject {
  if (target["kind"] === "gcp") {
    return {
      engine: "external-secrets",
      store: { kind: "gcp-secret-manager", project: target["project"] },
    };
  }
  return { engine: development ? "plain" : "sealed" };
}
