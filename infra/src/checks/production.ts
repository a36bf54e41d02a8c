import type { Environment } from "../spec/platform.ts";
import type { Database } from "../spec/state.ts";
import type { SpecProblem, SpecRule } from "./check.ts";
import { databasesOf } from "./databases-of.ts";

/** Rules on what production must not lack. */

const inProduction =
  (check: (environment: Environment) => SpecProblem[]) =>
  (environment: Environment): SpecProblem[] =>
    environment.tier === "production" ? check(environment) : [];

const oneCopy: SpecRule = {
  id: "production/one-copy",
  severity: "warning",
  covers: ["E26"],
  title: "One copy of a server in production",
  why: "While its node is emptied or a new version starts, nobody is served.",
  check: inProduction(({ tracking, pipelines }) => {
    const servers: [string, typeof tracking | typeof pipelines][] = [
      ["tracking", tracking],
      ["pipelines", pipelines],
    ];
    return servers.flatMap(([name, settings]) => {
      if (settings.engine === "none") return [];
      const { autoscaling, replicas } = settings;
      const least = autoscaling?.minReplicas ?? replicas;
      return least >= 2
        ? []
        : [
            {
              path: autoscaling === undefined ? [name, "replicas"] : [name, "autoscaling", "minReplicas"],
              message: `${name} runs in one copy in production`,
              remedy: `Set ${name}.replicas: 2, or autoscaling with minReplicas: 2 and more.`,
            },
          ];
    });
  }),
};

/** How many instances a server has, and the setting that says so. */
function instancesOf(database: Database): { setting: string; count: number; more: string } | undefined {
  switch (database.engine) {
    case "cloudnative-pg":
      return { setting: "instances", count: database.instances, more: "instances: 3" };
    case "kubeblocks":
      return { setting: "replicas", count: database.replicas, more: "replicas: 2" };
    case "civo-database":
      return { setting: "nodes", count: database.nodes, more: "nodes: 2" };
    case "cloud-sql":
      return {
        setting: "highAvailability",
        count: database.highAvailability ? 2 : 1,
        more: "highAvailability: true",
      };
    case "external":
      return undefined;
  }
}

const oneInstance: SpecRule = {
  id: "production/one-database-instance",
  severity: "warning",
  covers: ["E12", "E26"],
  title: "One instance of a database in production",
  why: "When its node or zone fails, the platform stands still until a backup is restored.",
  check: inProduction((environment) =>
    databasesOf(environment).flatMap(({ path, component, database }) => {
      const instances = instancesOf(database);
      return instances === undefined || instances.count >= 2
        ? []
        : [
            {
              path: [...path, instances.setting],
              message: `the database of ${component} has one instance in production`,
              remedy: `Set ${instances.more}, or use a database that somebody runs for you (engine: "external").`,
            },
          ];
    }),
  ),
};

const noBackup: SpecRule = {
  id: "production/no-backup",
  severity: "error",
  covers: ["E12", "E26"],
  title: "Production without backups",
  why: "Copies follow a mistake at once: what was deleted or overwritten is gone everywhere.",
  check: inProduction((environment) =>
    environment.backup.enabled ||
    databasesOf(environment).every(({ database }) => database.engine === "external")
      ? []
      : [
          {
            path: ["backup", "enabled"],
            message: "backups are off in production",
            remedy:
              'Set backup.enabled: true, or use databases that somebody else backs up (engine: "external").',
          },
        ],
  ),
};

const plainSecrets: SpecRule = {
  id: "production/development-secrets",
  severity: "error",
  covers: ["E24"],
  title: "Secrets of development in production",
  why: "Secrets that a script puts into the cluster once are nowhere else: nobody can restore, rotate or review them.",
  check: inProduction(({ secrets }) =>
    secrets.engine !== "plain"
      ? []
      : [
          {
            path: ["secrets", "engine"],
            message: 'secrets.engine "plain" is made for development: its values exist only in the cluster',
            remedy:
              'Use { engine: "external-secrets" } with a secret manager, or { engine: "sealed" }, whose encrypted values are in Git.',
          },
        ],
  ),
};

const localVolumes: SpecRule = {
  id: "production/local-volumes",
  severity: "error",
  covers: ["E26"],
  title: "State on the disk of one node in production",
  why: "Volumes of local-path are folders of a node: what is on them is lost with the node, and the pod can run nowhere else.",
  check: inProduction((environment) => {
    const { target, objectStore } = environment;
    if (target.kind !== "kubernetes" || !/^(local-path|hostpath|standard-local)$/.test(target.storageClass)) {
      return [];
    }
    const holders = [
      ...databasesOf(environment)
        .filter(({ database }) => database.engine === "cloudnative-pg" || database.engine === "kubeblocks")
        .map(({ component }) => `the database of ${component}`),
      ...(objectStore.engine === "minio" ? ["MinIO"] : []),
    ];
    return holders.length === 0
      ? []
      : [
          {
            path: ["target", "storageClass"],
            message: `${holders.join(" and ")} would be on the disk of one node (${target.storageClass})`,
            remedy:
              'Name a storage class whose volumes outlive a node, or keep the state outside of the cluster (database.engine: "external").',
          },
        ];
  }),
};

export const productionRules: readonly SpecRule[] = [
  oneCopy,
  oneInstance,
  noBackup,
  plainSecrets,
  localVolumes,
];
