import { googleServiceAccount, podSelector } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import { databaseSecretName } from "../../plan-secrets.ts";
import type { DocumentResource, Reason, Resource } from "../resource.ts";
import { explained, fileOf, partFolders } from "./kustomize.ts";
import { baseFolder, overlayFolder } from "./part.ts";
import { containerResources, disruptionBudget, leastReplicas } from "./pods.ts";

type ZenMl = Extract<Plan["environment"]["pipelines"], { engine: "zenml" }>;

/** ZenML's server by its official chart: values of the base and of the environment, and what the chart has not. */
export function zenmlResources(plan: Plan): Resource[] {
  const { pipelines: zenml, environment } = plan;
  const { pipelines } = environment;
  if (zenml === undefined || pipelines.engine !== "zenml") return [];
  const because: Reason[] = [
    { setting: "pipelines.engine", why: "ZenML's own server runs pipelines, stacks and connectors." },
  ];
  return [
    baseValues(because),
    overlayValues(plan, zenml, pipelines),
    ...partFolders({
      plan,
      name: "zenml",
      namespace: zenml.namespace,
      because,
      base: [],
      overlay: {
        files:
          leastReplicas(pipelines) < 2
            ? []
            : [
                explained(
                  fileOf(
                    [
                      {
                        setting: "pipelines.replicas",
                        why: "With two copies one always stays while nodes are emptied.",
                      },
                    ],
                    "pdb.yaml",
                    disruptionBudget(zenml, {
                      ...podSelector("zenml"),
                      "app.kubernetes.io/instance": "zenml",
                      // The migration Job's pods carry the other two labels as well.
                      "app.kubernetes.io/component": "server",
                    }),
                  ),
                  { comment: "The chart has none." },
                ),
              ],
      },
    }),
  ];
}

/** What is the same in every environment. */
function baseValues(because: readonly Reason[]): DocumentResource {
  return {
    kind: "document",
    file: `${baseFolder("zenml")}/values.yaml`,
    because,
    comment:
      "Values of ZenML's chart that hold in every environment. Those of the environment are merged over them.",
    value: {
      server: {
        image: { pullPolicy: "IfNotPresent" },
        analyticsOptIn: false,
        logging: { verbosity: "info" },
        auth: { jwtSecretKey: "placeholder-see-environmentSecretKeyRefs" },
        enableImplicitAuthMethods: false,
        secretsStore: { enabled: true, type: "sql" },
        environmentSecretKeyRefs: [
          { name: "ZENML_SERVER_JWT_SECRET_KEY", secretName: "zenml-server", secretKey: "jwt-secret-key" },
          {
            name: "ZENML_SECRETS_STORE_ENCRYPTION_KEY",
            secretName: "zenml-server",
            secretKey: "encryption-key",
          },
        ],
        ingress: { enabled: false },
        gateway: { enabled: false },
      },
      serviceAccount: { create: true, name: "zenml" },
      podSecurityContext: {
        fsGroup: 1000,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      },
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              podAffinityTerm: {
                topologyKey: "topology.kubernetes.io/zone",
                labelSelector: { matchLabels: podSelector("zenml") },
              },
            },
          ],
        },
      },
    },
    notes: {
      "server.auth.jwtSecretKey":
        "No key: left out, the chart would make a random one each time Argo CD renders it, and restart the server for it. The one that counts is the environment variable below, which wins over this.",
      "server.enableImplicitAuthMethods":
        "Service connectors with the server's own identity would give that identity to every user.",
      "server.ingress":
        "The route is the gateway's, in k8s-manifests; the chart's own would be a second one.",
    },
  };
}

function overlayValues(plan: Plan, zenml: Component, settings: ZenMl): DocumentResource {
  const { environment } = plan;
  const { exposure, activation, autoscaling, replicas, resources } = settings;
  const account = googleServiceAccount(environment, "zenml");
  const isRouted = exposure.kind !== "cluster";
  return {
    kind: "document",
    file: `${overlayFolder(plan, "zenml")}/values.yaml`,
    because: [{ setting: "pipelines", why: "Size, address and database of ZenML in this environment." }],
    value: {
      server: {
        image: { tag: settings.version },
        ...(autoscaling === undefined ? { replicaCount: replicas } : {}),
        serverURL: isRouted ? `https://${zenml.host}` : `http://zenml.${zenml.namespace}.svc.cluster.local`,
        database: databaseValues(zenml, settings),
        ...(activation === undefined
          ? {}
          : {
              environment: {
                ZENML_SERVER_AUTO_ACTIVATE: "true",
                ZENML_DEFAULT_USER_NAME: activation.user,
              },
              environmentSecretKeyRefs: [
                {
                  name: "ZENML_SERVER_JWT_SECRET_KEY",
                  secretName: "zenml-server",
                  secretKey: "jwt-secret-key",
                },
                {
                  name: "ZENML_SECRETS_STORE_ENCRYPTION_KEY",
                  secretName: "zenml-server",
                  secretKey: "encryption-key",
                },
                { name: "ZENML_DEFAULT_USER_PASSWORD", secretName: "zenml-admin", secretKey: "password" },
              ],
            }),
        ...(isRouted ? { proxyHeaders: { enabled: true } } : {}),
      },
      ...(account === undefined
        ? {}
        : { serviceAccount: { annotations: { "iam.gke.io/gcp-service-account": account } } }),
      resources: containerResources(resources),
      ...(autoscaling === undefined
        ? {}
        : {
            autoscaling: {
              enabled: true,
              minReplicas: autoscaling.minReplicas,
              maxReplicas: autoscaling.maxReplicas,
              targetCPUUtilizationPercentage: autoscaling.cpuPercent,
            },
          }),
    },
    notes: {
      "server.database.url": "Without a password: the server takes it from passwordSecretRef.",
      ...(settings.database.engine === "cloud-sql"
        ? {
            "server.database.sslVerifyServerCert":
              "The instance's certificate does not name its private address: its authority is what is checked.",
          }
        : {}),
      ...(activation === undefined
        ? {}
        : {
            "server.environment.ZENML_SERVER_AUTO_ACTIVATE":
              "A server that is not activated belongs to whoever comes first.",
            "server.environmentSecretKeyRefs": "Helm replaces lists: those of the base stand here again.",
          }),
    },
  };
}

/** Connections for all threads that answer requests (40) and check logins (5). */
const POOL = { poolSize: 20, maxOverflow: 30 };

function databaseValues(zenml: Component, { database }: ZenMl): Record<string, unknown> {
  const { user, host, port, name, tls } = zenml.database;
  const secret = databaseSecretName(zenml);
  const isCloudSql = database.engine === "cloud-sql";
  return {
    url: `mysql://${user}@${host}:${port}/${name}`,
    passwordSecretRef: { name: secret, key: "password" },
    ssl: tls,
    ...(isCloudSql
      ? { sslCa: { secretRef: { name: secret, key: "server-ca.pem" } }, sslVerifyServerCert: false }
      : {}),
    ...POOL,
    // A copy before each migration, in a database of its own where the user may make one.
    ...(database.engine === "external"
      ? { backupStrategy: "in-memory" }
      : { backupStrategy: "database", backupDatabase: "zenml_backup" }),
  };
}
