import { bucketsOf, hostsOf, namespaces, prefixOf, type Buckets } from "./names.ts";
import { secretsOf } from "./plan-secrets.ts";
import type { Environment } from "./spec/platform.ts";
import { dialectOf, type Database } from "./spec/state.ts";

/** What the parts of the output must agree on: Terraform makes it, Kubernetes uses it. Worked out once from the spec. */

/** A component that runs as pods, as its neighbours see it. */
export type Component = {
  /** Name of its Service, Deployment and pods (`app.kubernetes.io/name`). */
  name: "plinth" | "mlflow" | "zenml";
  namespace: string;
  serviceAccount: string;
  /** Port of the Service, and of the container. */
  port: number;
  containerPort: number;
  host: string;
  database: DatabasePlace;
};

/** Where a component finds its database. The host is known before anything runs. */
export type DatabasePlace = {
  dialect: "mysql" | "postgresql";
  host: string;
  port: number;
  name: string;
  user: string;
  /** Name of the database server: the CNPG or KubeBlocks Cluster, the instance of Cloud SQL or Civo. */
  server: string;
  tls: boolean;
};

/** A value of a secret: an entry of the store by its name. */
export type SecretInput = {
  /** Name of the entry in Secret Manager (`acme-prod-tracking-database`), and how scripts call it. */
  entry: string;
  /** Property within the entry, for entries with more than one value. */
  property?: string;
  /** `generated`: a random value that nobody needs to know. `cloud`: Terraform knows it once it made the thing. `given`: a person puts it there. */
  origin: "generated" | "cloud" | "given";
  /**
   * What a generated value looks like: a password of 40 letters and digits unless said otherwise. `key`: 32 bytes in
   * hexadecimal, which data is encrypted with, so it never changes. `name`: 20 lower-case letters.
   */
  shape?: "key" | "name";
  what: string;
};

/** A Kubernetes Secret that something in the output uses. */
export type PlatformSecret = {
  name: string;
  namespace: string;
  type?: string;
  annotations?: Record<string, string>;
  inputs: Record<string, SecretInput>;
  /** Its keys, as templates of External Secrets (engine v2) over the inputs: `{{ .password }}`. */
  data: Record<string, string>;
  /**
   * Who writes it into the cluster: the engine of `secrets`, or Terraform's platform stage, for credentials
   * that only Terraform knows and that no secret manager holds (Civo).
   */
  writer: "secrets" | "terraform";
  why: string;
};

export type Store = { scheme: "s3" | "gs"; endpoint: string; region: string; pathStyle: boolean };

export type Plan = {
  environment: Environment;
  prefix: string;
  tracking: Component;
  pipelines: Component | undefined;
  buckets: Buckets;
  /** How the bucket is addressed: `s3://` or `gs://`, and the endpoint of S3. */
  store: Store;
  /** Where backups of databases go: with Civo the store of the backup region, so that a lost region leaves them. */
  backupStore: Store;
  secrets: PlatformSecret[];
};

export function planOf(environment: Environment): Plan {
  const hosts = hostsOf(environment);
  const engine = environment.tracking.engine;
  const tracking: Component = {
    name: engine,
    namespace: namespaces.tracking,
    serviceAccount: engine,
    port: 5000,
    containerPort: 5000,
    host: hosts.tracking,
    database: placeOf(environment, environment.tracking.database, {
      component: "tracking",
      namespace: namespaces.tracking,
      database: engine,
    }),
  };
  const { pipelines } = environment;
  const zenml: Component | undefined =
    pipelines.engine === "none"
      ? undefined
      : {
          name: "zenml",
          namespace: namespaces.pipelines,
          serviceAccount: "zenml",
          // The chart's Service listens on 80, its container on 8080.
          port: 80,
          containerPort: 8080,
          host: hosts.pipelines,
          database: placeOf(environment, pipelines.database, {
            component: "zenml",
            namespace: namespaces.pipelines,
            database: "zenml",
          }),
        };
  const plan: Omit<Plan, "secrets"> = {
    environment,
    prefix: prefixOf(environment),
    tracking,
    pipelines: zenml,
    buckets: bucketsOf(environment),
    store: storeOf(environment),
    backupStore: backupStoreOf(environment),
  };
  return { ...plan, secrets: secretsOf(plan) };
}

type Use = { component: "tracking" | "zenml"; namespace: string; database: string };

function placeOf(environment: Environment, database: Database, use: Use): DatabasePlace {
  const dialect = dialectOf(database);
  const port = dialect === "mysql" ? 3306 : 5432;
  const own = { dialect, port, name: use.database, user: use.database };
  switch (database.engine) {
    case "cloudnative-pg": {
      const server = `${use.component}-pg`;
      return { ...own, server, host: `${server}-rw.${use.namespace}.svc.cluster.local`, tls: true };
    }
    case "kubeblocks": {
      const server = `${use.component}-${dialect === "mysql" ? "mysql" : "pg"}`;
      const component = dialect === "mysql" ? "mysql" : "postgresql";
      // KubeBlocks names the Service after cluster and component; PostgreSQL's has its own suffix.
      const service = dialect === "mysql" ? `${server}-${component}` : `${server}-${component}-postgresql`;
      return { ...own, server, host: `${service}.${use.namespace}.svc.cluster.local`, tls: false };
    }
    case "cloud-sql": {
      const server = `${prefixOf(environment)}-${use.component}`;
      // A private zone gives the instance a name, so that its address need not stand in Git.
      return { ...own, server, host: `${use.component}-db.${prefixOf(environment)}.internal`, tls: true };
    }
    case "civo-database": {
      const server = `${prefixOf(environment)}-${use.component}`;
      // A Service without selector in the namespace, whose endpoint Terraform sets to the private address.
      return { ...own, server, host: `${use.component}-db.${use.namespace}.svc.cluster.local`, tls: true };
    }
    case "external":
      return {
        dialect,
        host: database.host,
        port: database.port,
        name: database.name,
        user: database.user,
        server: database.host,
        tls: database.tls,
      };
  }
}

function backupStoreOf(environment: Environment): Store {
  const { objectStore, target } = environment;
  return objectStore.engine === "civo" && target.kind === "civo" && target.backupRegion !== undefined
    ? civoStore(target.backupRegion)
    : storeOf(environment);
}

/** Civo's store of a region: one host for each, the region in lower case. */
function civoStore(region: string): Store {
  const name = region.toLowerCase();
  return { scheme: "s3", endpoint: `https://objectstore.${name}.civo.com`, region: name, pathStyle: true };
}

function storeOf({ objectStore, target }: Environment): Store {
  switch (objectStore.engine) {
    case "civo":
      return civoStore(target.kind === "civo" ? target.region : "LON1");
    case "gcs":
      return { scheme: "gs", endpoint: "https://storage.googleapis.com", region: "auto", pathStyle: true };
    case "minio":
      return {
        scheme: "s3",
        endpoint: `http://minio.${namespaces.objectStore}.svc.cluster.local:9000`,
        region: "us-east-1",
        pathStyle: true,
      };
    case "s3":
      return {
        scheme: "s3",
        endpoint: objectStore.endpoint,
        region: objectStore.region,
        pathStyle: objectStore.pathStyle,
      };
  }
}
