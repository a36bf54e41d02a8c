import { googleServiceAccount } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import { backupSecretName } from "../../plan-secrets.ts";
import type { CloudNativePg } from "../../spec/state.ts";
import type { KubernetesObject, Reason, Resource } from "../resource.ts";
import { databaseImages } from "../versions.ts";
import { explained, fileOf, partFolders, type FolderFile, type Patch } from "./kustomize.ts";
import { isAmazon, overlayFolder, storageClassOf } from "./part.ts";
import { containerResources } from "./pods.ts";

/** A PostgreSQL server run by CloudNativePG, its backups to the bucket, and how it is restored. */
export type PostgresServer = {
  plan: Plan;
  component: Component;
  settings: CloudNativePg;
  /** Path of its settings: `tracking.database`. */
  setting: string;
  /** Connections that the component opens at most. */
  connections: number;
};

/** Connections of the superuser, the operator and the exporter. */
const RESERVED_CONNECTIONS = 20;

export function postgresServer(server: PostgresServer): Resource[] {
  const { plan, component, settings, setting } = server;
  const { server: name } = component.database;
  const { backup } = plan.environment;
  const because: Reason[] = [
    { setting: `${setting}.engine`, why: `CloudNativePG runs the database of ${component.name}.` },
  ];
  return [
    ...partFolders({
      plan,
      name,
      namespace: component.namespace,
      because,
      base: [
        explained(fileOf(because, "cluster.yaml", cluster(server)), CLUSTER_REMARKS),
        explained(fileOf(because, "database.yaml", database(component)), {
          comment: "Extensions that the operator keeps in the database.",
        }),
      ],
      overlay: {
        files: backup.enabled ? backupFiles(server) : [],
        patches: [clusterPatch(server)],
      },
    }),
    ...(backup.enabled ? restore(server, settings) : []),
  ];
}

const gvk = { group: "postgresql.cnpg.io", version: "v1", kind: "Cluster" } as const;

/** What every environment has in common: the settings of the server. */
function cluster({ component, settings }: PostgresServer): KubernetesObject {
  const { server, name: database, user } = component.database;
  return {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: { name: server, namespace: component.namespace },
    spec: {
      instances: 1,
      imageName: databaseImages.postgresql[settings.version],
      enableSuperuserAccess: false,
      primaryUpdateStrategy: "unsupervised",
      primaryUpdateMethod: "switchover",
      bootstrap: {
        initdb: { database, owner: user, encoding: "UTF8", dataChecksums: true },
      },
      postgresql: {
        parameters: {
          max_connections: "100",
          shared_buffers: "256MB",
          effective_cache_size: "1GB",
          work_mem: "4MB",
          "pg_stat_statements.max": "10000",
          "pg_stat_statements.track": "all",
        },
      },
      storage: { size: "20Gi", resizeInUseVolumes: true },
      affinity: {
        enablePodAntiAffinity: true,
        podAntiAffinityType: "preferred",
        topologyKey: "topology.kubernetes.io/zone",
      },
    },
  };
}

const CLUSTER_REMARKS = {
  notes: {
    "spec.enableSuperuserAccess": "Nobody needs it: applications own their database.",
    "spec.postgresql.parameters.max_connections": "All parameters are texts.",
    'spec.postgresql.parameters["pg_stat_statements.max"]':
      "With a setting of it, the operator loads the library (shared_preload_libraries): the extension alone counts nothing.",
  },
};

const database = ({ namespace, database: { server, name, user } }: Component): KubernetesObject => ({
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Database",
  metadata: { name: server, namespace },
  spec: {
    cluster: { name: server },
    name,
    owner: user,
    databaseReclaimPolicy: "retain",
    extensions: [
      { name: "pg_stat_statements", ensure: "present" },
      { name: "uuid-ossp", ensure: "present" },
    ],
  },
});

/** What this environment's server is: its size, copies, volumes and backups. */
function clusterPatch({ plan, component, settings, connections }: PostgresServer): Patch {
  const { environment } = plan;
  const { instances, resources, storage } = settings;
  const account =
    environment.objectStore.engine === "gcs" && environment.backup.enabled
      ? googleServiceAccount(environment, "backups")
      : undefined;
  const parameters = {
    ...(connections + RESERVED_CONNECTIONS > 100
      ? { max_connections: String(connections + RESERVED_CONNECTIONS) }
      : {}),
    ...memoryParameters(resources.memoryLimit),
  };
  const synchronous =
    instances >= 3 ? { synchronous: { method: "any", number: 1, dataDurability: "preferred" } } : {};
  const postgresql = {
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...synchronous,
  };
  return {
    target: { ...gvk, name: component.database.server },
    change: {
      spec: {
        instances,
        // With one instance a budget would keep its node from ever being emptied.
        enablePDB: instances > 1,
        resources: containerResources(resources),
        storage: { size: storage, storageClass: storageClassOf(environment) },
        ...(Object.keys(postgresql).length === 0 ? {} : { postgresql }),
        ...(environment.backup.enabled ? { plugins: [archiver(component)] } : {}),
        ...(account === undefined
          ? {}
          : {
              serviceAccountTemplate: {
                metadata: { annotations: { "iam.gke.io/gcp-service-account": account } },
              },
            }),
      },
    },
  };
}

const archiver = ({ database: { server } }: Component): Record<string, unknown> => ({
  name: "barman-cloud.cloudnative-pg.io",
  isWALArchiver: true,
  parameters: { barmanObjectName: backupSecretName(server) },
});

const UNITS: Record<string, number> = { Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

/** A quarter of the memory for PostgreSQL's own cache, three quarters for both caches: the usual shares. */
function memoryParameters(limit: string): Record<string, string> {
  const match = /^(\d+)(Ki|Mi|Gi|Ti)$/.exec(limit);
  const mebibytes = Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ""] ?? 0);
  // The settings of the base are those for one gibibyte.
  if (mebibytes === 1024 || mebibytes < 64) return {};
  return {
    shared_buffers: `${Math.floor(mebibytes / 4)}MB`,
    effective_cache_size: `${Math.floor((mebibytes * 3) / 4)}MB`,
  };
}

function backupFiles(server: PostgresServer): FolderFile[] {
  const { plan, component } = server;
  const { server: name } = component.database;
  const because: Reason[] = [
    { setting: "backup.enabled", why: `${name} is backed up, and can go back to any moment.` },
  ];
  return [
    fileOf(because, "objectstore.yaml", objectStore(server)),
    explained(fileOf(because, "scheduled-backup.yaml", scheduledBackup(plan, component.namespace, name)), {
      notes: { "spec.schedule": "Six fields: seconds come first." },
    }),
  ];
}

const scheduledBackup = ({ environment }: Plan, namespace: string, cluster: string): KubernetesObject => ({
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "ScheduledBackup",
  metadata: { name: cluster, namespace },
  spec: {
    schedule: `0 ${environment.backup.schedule}`,
    immediate: true,
    backupOwnerReference: "self",
    cluster: { name: cluster },
    method: "plugin",
    pluginConfiguration: { name: "barman-cloud.cloudnative-pg.io" },
  },
});

function objectStore({ plan, component }: PostgresServer): KubernetesObject {
  const { environment, backupStore: store, buckets } = plan;
  const { server } = component.database;
  const secret = backupSecretName(server);
  const isS3 = store.scheme === "s3";
  return {
    apiVersion: "barmancloud.cnpg.io/v1",
    kind: "ObjectStore",
    metadata: { name: secret, namespace: component.namespace },
    spec: {
      retentionPolicy: `${environment.backup.retentionDays}d`,
      configuration: {
        destinationPath: `${store.scheme}://${buckets.backups}/postgresql`,
        ...(isS3
          ? {
              endpointURL: store.endpoint,
              s3Credentials: {
                accessKeyId: { name: secret, key: "ACCESS_KEY_ID" },
                secretAccessKey: { name: secret, key: "ACCESS_SECRET_KEY" },
              },
            }
          : { googleCredentials: { gkeEnvironment: true } }),
        wal: { compression: "gzip", maxParallel: 4 },
        data: { compression: "gzip" },
      },
      instanceSidecarConfiguration: {
        ...(isS3
          ? {
              env: [
                { name: "AWS_DEFAULT_REGION", value: store.region },
                // Newer boto3 sends checksums that few stores but Amazon's understand.
                ...(isAmazon(store)
                  ? []
                  : ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"].map((name) => ({
                      name,
                      value: "when_required",
                    }))),
              ],
            }
          : {}),
        resources: {
          requests: { cpu: "50m", memory: "128Mi" },
          limits: { memory: "512Mi" },
        },
      },
    },
  };
}

/** An example that no kustomization lists: nothing of it is applied until somebody does. */
function restore({ plan, component }: PostgresServer, settings: CloudNativePg): Resource[] {
  const { server, name: database, user } = component.database;
  const common = {
    kind: "manifest" as const,
    file: `${overlayFolder(plan, server)}/restore/cluster.yaml`,
    because: [{ setting: "backup.enabled", why: "A backup is worth what its restore is: this is how." }],
  };
  const restored: Resource = {
    ...common,
    comment: [
      `Restores ${server} to a moment, as a new cluster beside the old one. No kustomization lists this file.`,
      "1. Set targetTime (leave recoveryTarget out for the newest state there is).",
      "2. Apply it and wait:",
      "kubectl apply --server-side --filename restore/cluster.yaml",
      `kubectl wait --for=condition=Ready --timeout=1h -n ${component.namespace} cluster.postgresql.cnpg.io/${server}-restored`,
      `3. Compare, then let ${component.name} use ${server}-restored, or dump the database from it into the old one.`,
      "Do this every few months: a restore that was never tried is none.",
    ].join("\n"),
    object: {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Cluster",
      metadata: { name: `${server}-restored`, namespace: component.namespace },
      spec: {
        instances: 1,
        imageName: databaseImages.postgresql[settings.version],
        resources: containerResources(settings.resources),
        storage: { size: settings.storage, storageClass: storageClassOf(plan.environment) },
        // Its log is kept under its own name: that of the old cluster stays as it is.
        plugins: [archiver(component)],
        bootstrap: {
          recovery: {
            source: server,
            database,
            owner: user,
            recoveryTarget: { targetTime: "2026-01-31 02:00:00.000000+00" },
          },
        },
        externalClusters: [
          {
            name: server,
            plugin: {
              name: "barman-cloud.cloudnative-pg.io",
              parameters: { barmanObjectName: backupSecretName(server), serverName: server },
            },
          },
        ],
      },
    },
  };
  const backups = scheduledBackup(plan, component.namespace, `${server}-restored`);
  return [restored, { ...common, object: backups }];
}
