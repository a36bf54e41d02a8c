import { googleServiceAccount, podSelector } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import { caFolder, databaseSecretName } from "../../plan-secrets.ts";
import type { KubernetesObject, Reason, Resource } from "../resource.ts";
import { fileOf, partFolders, type FolderFile, type Patch } from "./kustomize.ts";
import { mlflowBase, mlflowEnvironment } from "./mlflow.ts";
import { plinthBase, plinthEnvironment } from "./plinth.ts";
import {
  autoscaler,
  containerResources,
  disruptionBudget,
  leastReplicas,
  type EnvironmentVariable,
} from "./pods.ts";

/** Experiment tracking and model registry: Plinth's server, or MLflow's own. */
export function trackingResources(plan: Plan): Resource[] {
  const { environment, tracking } = plan;
  const { name } = tracking;
  const { replicas, autoscaling, image } = environment.tracking;
  const because: Reason[] = [
    {
      setting: "tracking.engine",
      why:
        name === "plinth"
          ? "Plinth serves experiment tracking and the model registry."
          : "MLflow's own server serves experiment tracking and the model registry.",
    },
  ];
  const base = name === "plinth" ? plinthBase(plan, because) : mlflowBase(plan, because);
  return partFolders({
    plan,
    name,
    namespace: tracking.namespace,
    because,
    base,
    overlay: {
      files: availability(plan),
      images: [{ name: baseImage(base), image }],
      // An autoscaler sets the number itself; written here, every synchronisation would set it back.
      ...(autoscaling === undefined ? { replicas: { name, count: replicas } } : {}),
      patches: patchesOf(plan),
    },
  });
}

/** The image in the base, without its tag: the overlay names the one that runs. */
function baseImage(files: readonly FolderFile[]): string {
  const deployment = files.find(({ object }) => object.kind === "Deployment")?.object;
  const image = containersOf(deployment)[0]?.image ?? "";
  return image.slice(0, image.lastIndexOf(":"));
}

const containersOf = (object: KubernetesObject | undefined): { image: string }[] =>
  (object?.["spec"] as { template: { spec: { containers: { image: string }[] } } } | undefined)?.template.spec
    .containers ?? [];

function availability({ environment, tracking }: Plan): FolderFile[] {
  const { autoscaling } = environment.tracking;
  const files: FolderFile[] = [];
  if (autoscaling !== undefined) {
    files.push(
      fileOf(
        [{ setting: "tracking.autoscaling", why: "Copies follow the load." }],
        "hpa.yaml",
        autoscaler(tracking, autoscaling),
      ),
    );
  }
  if (leastReplicas(environment.tracking) >= 2) {
    files.push(
      fileOf(
        [{ setting: "tracking.replicas", why: "With two copies one always stays while nodes are emptied." }],
        "pdb.yaml",
        disruptionBudget(tracking, podSelector(tracking.name)),
      ),
    );
  }
  return files;
}

function patchesOf(plan: Plan): Patch[] {
  const { environment, tracking } = plan;
  const { name } = tracking;
  const connection = databaseConnection(plan);
  const volumes = connection.ca === undefined ? {} : { volumes: [caVolume(connection.ca)] };
  const mounts =
    connection.ca === undefined
      ? {}
      : { volumeMounts: [{ name: "database-ca", mountPath: caFolder, readOnly: true }] };
  const own = name === "plinth" ? plinthEnvironment(plan) : mlflowEnvironment(plan);
  const patches: Patch[] = [
    {
      target: { group: "apps", version: "v1", kind: "Deployment", name },
      change: {
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name,
                  env: [...connection.env, ...own],
                  resources: containerResources(environment.tracking.resources),
                  ...mounts,
                },
              ],
              ...volumes,
            },
          },
        },
      },
    },
  ];
  if (name === "mlflow") {
    patches.push({
      target: { group: "batch", version: "v1", kind: "Job", name: "mlflow-db-upgrade" },
      change: {
        spec: {
          template: {
            spec: { containers: [{ name: "upgrade", env: connection.env, ...mounts }], ...volumes },
          },
        },
      },
    });
    const account = googleServiceAccount(environment, "tracking");
    if (environment.objectStore.engine === "gcs" && account !== undefined) {
      patches.push({
        target: { version: "v1", kind: "ServiceAccount", name },
        change: { metadata: { annotations: { "iam.gke.io/gcp-service-account": account } } },
      });
    }
  }
  return patches;
}

type Connection = {
  env: EnvironmentVariable[];
  /** Secret and key with the certificate authority of the server. */
  ca?: { secret: string; key: string };
};

/** How the server reaches its database: an address from a Secret, the authority that its certificate is checked with. */
function databaseConnection({ environment, tracking }: Plan): Connection {
  const { engine } = environment.tracking.database;
  const name = tracking.name === "plinth" ? "PLINTH_DATABASE_URL" : "MLFLOW_BACKEND_STORE_URI";
  if (engine === "cloudnative-pg") {
    const { server } = tracking.database;
    const secret = { secretKeyRef: { name: `${server}-app`, key: "uri" } };
    const file = `${caFolder}/ca.crt`;
    return {
      ca: { secret: `${server}-ca`, key: "ca.crt" },
      env:
        tracking.name === "plinth"
          ? [
              { name: "DATABASE_ADDRESS", valueFrom: secret },
              { name, value: `$(DATABASE_ADDRESS)?sslmode=verify-full&sslrootcert=${file}` },
            ]
          : [
              { name, valueFrom: secret },
              { name: "PGSSLMODE", value: "verify-full" },
              { name: "PGSSLROOTCERT", value: file },
            ],
    };
  }
  const secret = databaseSecretName(tracking);
  const address: EnvironmentVariable = { name, valueFrom: { secretKeyRef: { name: secret, key: name } } };
  if (engine !== "cloud-sql") {
    const isMySql = tracking.name === "mlflow" && tracking.database.dialect === "mysql";
    // MySQL's driver asks for TLS only when it is told whom to trust: here those that the image trusts.
    return isMySql && engine === "external" && tracking.database.tls
      ? { env: [address, { name: "MLFLOW_MYSQL_SSL_CA", value: "/etc/ssl/certs/ca-certificates.crt" }] }
      : { env: [address] };
  }
  const ca = { secret, key: "server-ca.pem" };
  return tracking.database.dialect === "mysql"
    ? { ca, env: [address, { name: "MLFLOW_MYSQL_SSL_CA", value: `${caFolder}/${ca.key}` }] }
    : { ca, env: [address] };
}

const caVolume = ({ secret, key }: { secret: string; key: string }): Record<string, unknown> => ({
  name: "database-ca",
  secret: { secretName: secret, items: [{ key, path: key }] },
});
