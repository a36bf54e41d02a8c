import { podSelector } from "../../names.ts";
import type { Component, Plan } from "../../plan.ts";
import { backupSecretName, databaseSecretName } from "../../plan-secrets.ts";
import type { KubeBlocks } from "../../spec/state.ts";
import type { KubernetesObject, Reason, Resource } from "../resource.ts";
import { databaseImages, kubeBlocksVersions } from "../versions.ts";
import { accountJobName } from "./database-parts.ts";
import { accountScript } from "./account-script.ts";
import { explained, fileOf, partFolders, type FolderFile, type Patch } from "./kustomize.ts";
import { overlayFolder, storageClassOf } from "./part.ts";
import { containerResources, containerSecurity, podSecurity, secretVariable, variable } from "./pods.ts";

/** A MySQL or PostgreSQL server run by KubeBlocks, with its backups and the application's account in it. */
export type KubeBlocksServer = {
  plan: Plan;
  component: Component;
  settings: KubeBlocks;
  /** Path of its settings: `pipelines.database`. */
  setting: string;
};

export function kubeBlocksServer(server: KubeBlocksServer): Resource[] {
  const { plan, component, settings, setting } = server;
  const because: Reason[] = [
    {
      setting: `${setting}.engine`,
      why: `KubeBlocks runs the ${settings.dialect === "mysql" ? "MySQL" : "PostgreSQL"} database of ${component.name}.`,
    },
  ];
  return [
    ...partFolders({
      plan,
      name: component.database.server,
      namespace: component.namespace,
      because,
      base: [
        explained(fileOf(because, "cluster.yaml", cluster(server)), {
          notes: {
            "spec.terminationPolicy":
              "Deleting this object deletes nothing. WipeOut would take the backups along with the volumes.",
          },
        }),
        fileOf(because, "configmap.yaml", accountConfig(server)),
        accountJob(server, because),
      ],
      overlay: {
        files: plan.environment.backup.enabled ? [backupRepository(server)] : [],
        patches: [clusterPatch(server)],
      },
    }),
    ...(plan.environment.backup.enabled ? [restore(server)] : []),
  ];
}

const DEFINITIONS = {
  mysql: { name: "mysql", administrator: "root" },
  postgresql: { name: "postgresql", administrator: "postgres" },
} as const;

function cluster({ component, settings }: KubeBlocksServer): KubernetesObject {
  const { server } = component.database;
  const { name } = DEFINITIONS[settings.dialect];
  const isMySql = settings.dialect === "mysql";
  return {
    apiVersion: "apps.kubeblocks.io/v1",
    kind: "Cluster",
    metadata: { name: server, namespace: component.namespace },
    spec: {
      terminationPolicy: "DoNotTerminate",
      ...(isMySql ? {} : { clusterDef: "postgresql", topology: "replication" }),
      componentSpecs: [
        {
          name,
          ...(isMySql ? { componentDef: "mysql-8.0" } : {}),
          serviceVersion: kubeBlocksVersions[settings.dialect],
          // Patroni finds the pods of its cluster by this label.
          ...(isMySql ? {} : { labels: { "apps.kubeblocks.postgres.patroni/scope": `${server}-${name}` } }),
          replicas: 1,
          disableExporter: false,
          resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "500m", memory: "1Gi" } },
          volumeClaimTemplates: [
            {
              name: "data",
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } },
            },
          ],
        },
      ],
    },
  };
}

function clusterPatch({ plan, component, settings }: KubeBlocksServer): Patch {
  const { environment } = plan;
  const { cpu, memory, memoryLimit } = settings.resources;
  const item = "/spec/componentSpecs/0";
  const { backup } = environment;
  const isMySql = settings.dialect === "mysql";
  return {
    target: {
      group: "apps.kubeblocks.io",
      version: "v1",
      kind: "Cluster",
      name: component.database.server,
    },
    operations: [
      ...(environment.tier === "development"
        ? [{ op: "replace" as const, path: "/spec/terminationPolicy", value: "Delete" }]
        : []),
      { op: "replace", path: `${item}/replicas`, value: settings.replicas },
      {
        op: "replace",
        path: `${item}/resources`,
        // KubeBlocks sizes the server's own parameters by its limits, of CPU too.
        value: { requests: { cpu, memory }, limits: { cpu, memory: memoryLimit } },
      },
      {
        op: "replace",
        path: `${item}/volumeClaimTemplates/0/spec`,
        value: {
          storageClassName: storageClassOf(environment),
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: settings.storage } },
        },
      },
      ...(backup.enabled
        ? [
            {
              op: "add" as const,
              path: "/spec/backup",
              value: {
                enabled: true,
                repoName: component.database.server,
                method: isMySql ? "xtrabackup" : "pg-basebackup",
                cronExpression: backup.schedule,
                retentionPeriod: `${backup.retentionDays}d`,
                pitrEnabled: true,
                continuousMethod: isMySql ? "archive-binlog" : "archive-wal",
              },
            },
          ]
        : []),
    ],
  };
}

/** Where the backups go. It has no namespace; the Secret it names has one. */
function backupRepository({ plan, component }: KubeBlocksServer): FolderFile {
  const { backupStore: store, buckets } = plan;
  const { server } = component.database;
  return explained(
    fileOf(
      [{ setting: "backup.enabled", why: `${server} writes its backups and its log to the bucket.` }],
      "backup-repo.yaml",
      {
        apiVersion: "dataprotection.kubeblocks.io/v1alpha1",
        kind: "BackupRepo",
        metadata: { name: server },
        spec: {
          storageProviderRef: store.pathStyle ? "minio" : "s3",
          accessMethod: "Tool",
          pvReclaimPolicy: "Retain",
          pathPrefix: server,
          config: { bucket: buckets.backups, endpoint: store.endpoint, region: store.region },
          credential: { name: backupSecretName(server), namespace: component.namespace },
        },
      },
    ),
    store.pathStyle
      ? {
          notes: {
            "spec.storageProviderRef":
              "KubeBlocks' name for every store that speaks S3 with the bucket in the path.",
          },
        }
      : {},
  );
}

/** An example that no kustomization lists: nothing of it is applied until somebody does. */
function restore({ plan, component }: KubeBlocksServer): Resource {
  const { namespace, database } = component;
  const { server } = database;
  return {
    kind: "manifest",
    file: `${overlayFolder(plan, server)}/restore/restore.yaml`,
    because: [{ setting: "backup.enabled", why: "A backup is worth what its restore is: this is how." }],
    comment: [
      `Restores a backup of ${server} as a new cluster beside the old one. No kustomization lists this file.`,
      "1. Choose a backup and write its name below. With the one of the log, restorePointInTime says to which moment.",
      `kubectl get backups.dataprotection.kubeblocks.io -n ${namespace} --sort-by=.metadata.creationTimestamp`,
      "2. Apply it and wait until the cluster runs:",
      "kubectl create --filename restore/restore.yaml",
      `kubectl get clusters.apps.kubeblocks.io/${server}-restored -n ${namespace} --watch`,
      `3. Compare, then let ${component.name} use ${server}-restored, or dump the database from it into the old one.`,
      "Do this every few months: a restore that was never tried is none.",
    ].join("\n"),
    object: {
      apiVersion: "operations.kubeblocks.io/v1alpha1",
      kind: "OpsRequest",
      metadata: { name: `${server}-restore`, namespace },
      spec: {
        type: "Restore",
        clusterName: `${server}-restored`,
        restore: {
          backupName: "name-of-the-backup",
          backupNamespace: namespace,
          volumeRestorePolicy: "Parallel",
        },
      },
    },
  };
}

const accountConfig = ({ component, settings }: KubeBlocksServer): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: accountJobName(component.database.server),
    namespace: component.namespace,
  },
  data: { "account.sh": accountScript(settings.dialect) },
});

/** User of the images: mysql in MySQL's, postgres in PostgreSQL's. */
const USERS = { mysql: 999, postgresql: 26 } as const;

function accountJob({ component, settings }: KubeBlocksServer, because: readonly Reason[]): FolderFile {
  const { dialect } = settings;
  const { server, host, port, name: database, user } = component.database;
  const { name: definition, administrator } = DEFINITIONS[dialect];
  const name = accountJobName(server);
  const administration = `${server}-${definition}-account-${administrator}`;
  return explained(
    fileOf(because, "account-job.yaml", {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        namespace: component.namespace,
        labels: podSelector(name),
        annotations: {
          "argocd.argoproj.io/hook": "Sync",
          "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
          "argocd.argoproj.io/sync-wave": "1",
        },
      },
      spec: {
        backoffLimit: 10,
        activeDeadlineSeconds: 1800,
        template: {
          metadata: { labels: podSelector(name) },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: podSecurity(USERS[dialect]),
            containers: [
              {
                name: "account",
                image: dialect === "mysql" ? databaseImages.mysqlClient : databaseImages.postgresql[16],
                imagePullPolicy: "IfNotPresent",
                command: ["sh", "/scripts/account.sh"],
                env: [
                  variable("DATABASE_HOST", host),
                  variable("DATABASE_PORT", String(port)),
                  variable("DATABASE_NAME", database),
                  variable("DATABASE_USER", user),
                  secretVariable("DATABASE_PASSWORD", databaseSecretName(component), "password"),
                  secretVariable("ADMINISTRATOR", administration, "username"),
                  secretVariable("ADMINISTRATOR_PASSWORD", administration, "password"),
                ],
                resources: containerResources({ cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" }),
                securityContext: containerSecurity,
                volumeMounts: [
                  { name: "scripts", mountPath: "/scripts", readOnly: true },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              { name: "scripts", configMap: { name } },
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
            ],
          },
        },
      },
    }),
    {
      comment:
        "KubeBlocks makes the accounts that its own work needs, not the application's. This makes the application's database and user, and gives the user its current password; it does no harm when it runs again.",
    },
  );
}
