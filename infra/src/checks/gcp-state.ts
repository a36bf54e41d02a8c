import { bucketsOf, googleAccountId } from "../names.ts";
import type { Environment } from "../spec/platform.ts";
import type { CloudSql, Database } from "../spec/state.ts";
import type { SpecProblem, SpecRule } from "./check.ts";
import { onGoogle } from "./gcp-target.ts";

/** Rules over Cloud SQL, buckets, secrets and names on Google Cloud. */

type Placed = { database: Database; path: readonly string[]; component: "tracking" | "pipelines" };

function databasesOf({ tracking, pipelines }: Environment): Placed[] {
  const all: Placed[] = [
    { database: tracking.database, path: ["tracking", "database"], component: "tracking" },
  ];
  if (pipelines.engine === "zenml") {
    all.push({ database: pipelines.database, path: ["pipelines", "database"], component: "pipelines" });
  }
  return all;
}

type CloudSqlPlaced = { database: CloudSql; path: readonly string[] };

const cloudSqlOf = (environment: Environment): CloudSqlPlaced[] =>
  databasesOf(environment).flatMap(({ database, path }) =>
    database.engine === "cloud-sql" ? [{ database, path }] : [],
  );

const notOnGoogle: SpecRule = {
  id: "gcp/not-on-google",
  severity: "error",
  covers: ["E47"],
  title: "A service of Google Cloud for a cluster that is elsewhere",
  why: "Cloud SQL's private address, Workload Identity and GKE's gateway are within Google's network; long-lived keys would take their place.",
  check: (environment) => {
    const { target, objectStore, secrets, monitoring, gateway } = environment;
    if (target.kind === "gcp") return [];
    const problem = (path: readonly string[], what: string, remedy: string): SpecProblem => ({
      path,
      message: `${what} cannot be used with target ${target.kind}`,
      remedy,
    });
    const cluster = 'or set target.kind: "gcp".';
    return [
      ...cloudSqlOf(environment).map(({ path }) =>
        problem(
          [...path, "engine"],
          "Cloud SQL",
          `Use "cloudnative-pg", "kubeblocks" or "external", ${cluster}`,
        ),
      ),
      ...(objectStore.engine === "gcs"
        ? [problem(["objectStore", "engine"], "Google Cloud Storage", `Use "s3" or "minio", ${cluster}`)]
        : []),
      ...(secrets.engine === "external-secrets" && secrets.store.kind === "gcp-secret-manager"
        ? [
            problem(
              ["secrets", "store", "kind"],
              "Google's Secret Manager",
              `Use a store of your own (kind "existing"), or secrets.engine "sealed", ${cluster}`,
            ),
          ]
        : []),
      ...(monitoring.engine === "managed"
        ? [
            problem(
              ["monitoring", "engine"],
              "Google's managed Prometheus",
              `Use "prometheus-operator", ${cluster}`,
            ),
          ]
        : []),
      ...(gateway.engine === "gke"
        ? [problem(["gateway", "engine"], "GKE's gateway", `Use "envoy-gateway" or "kgateway", ${cluster}`)]
        : []),
    ];
  },
};

const PLUS_TIER = /^db-perf-optimized-N-\d+$/;
const CUSTOM_TIER = /^db-custom-(\d+)-(\d+)$/;

const cloudSqlTier: SpecRule = {
  id: "gcp/cloud-sql-tier",
  severity: "error",
  covers: ["E43"],
  title: "A tier of Cloud SQL that its edition or its database does not have",
  why: "Enterprise Plus has machines of its own; PostgreSQL takes custom and shared ones only. Terraform checks none of it.",
  check: (environment) =>
    cloudSqlOf(environment).flatMap(({ database, path }) => {
      const problem = tierProblem(database);
      return problem === undefined ? [] : [{ path: [...path, "tier"], ...problem }];
    }),
};

function tierProblem({ tier, edition, dialect }: CloudSql): Omit<SpecProblem, "path"> | undefined {
  if (edition === "ENTERPRISE_PLUS") {
    if (PLUS_TIER.test(tier)) return undefined;
    return {
      message: `edition ENTERPRISE_PLUS has no tier ${tier}`,
      remedy: 'Use one of its own, for example "db-perf-optimized-N-2", or edition "ENTERPRISE".',
    };
  }
  if (tier.startsWith("db-perf-optimized-")) {
    return {
      message: `the tier ${tier} is of edition ENTERPRISE_PLUS`,
      remedy: 'Use a tier such as "db-custom-2-7680", or edition "ENTERPRISE_PLUS".',
    };
  }
  if (tier.startsWith("db-n1-") && dialect === "postgresql") {
    return {
      message: `PostgreSQL has no tier ${tier}: only custom and shared ones`,
      remedy: 'Use a custom tier, for example "db-custom-2-7680", or a shared one ("db-g1-small").',
    };
  }
  const [, cpus, memory] = CUSTOM_TIER.exec(tier) ?? [];
  return cpus === undefined ? undefined : customProblem(tier, Number(cpus), Number(memory));
}

const MIB_A_GIB = 1024;

function customProblem(tier: string, cpus: number, memory: number): Omit<SpecProblem, "path"> | undefined {
  const remedy = 'Use for example "db-custom-2-7680" (2 CPUs, 7.5 GiB) or "db-custom-4-15360".';
  if (cpus !== 1 && (cpus % 2 !== 0 || cpus < 2 || cpus > 96)) {
    return { message: `${tier} has ${cpus} CPUs: 1, or an even number up to 96`, remedy };
  }
  const least = Math.max(3840, Math.ceil(cpus * 0.9 * MIB_A_GIB));
  const most = cpus * 6.5 * MIB_A_GIB;
  if (memory % 256 === 0 && memory >= least && memory <= most) return undefined;
  return {
    message: `${tier} has ${memory} MiB of memory: a multiple of 256 between ${least} and ${most} goes with ${cpus} CPUs`,
    remedy,
  };
}

const sharedInProduction: SpecRule = {
  id: "gcp/shared-core-in-production",
  severity: "warning",
  covers: [],
  title: "A shared-core database in production",
  why: "Machines with a shared core have no service level agreement.",
  check: (environment) =>
    environment.tier !== "production"
      ? []
      : cloudSqlOf(environment)
          .filter(({ database }) => /^db-(f1-micro|g1-small)$/.test(database.tier))
          .map(({ database, path }) => ({
            path: [...path, "tier"],
            message: `the tier ${database.tier} shares its core with others and has no service level agreement`,
            remedy: 'Use a custom tier, for example "db-custom-1-3840", or set tier: "staging".',
          })),
};

const ENTERPRISE_LOG_DAYS = 7;

const pointInTime: SpecRule = {
  id: "gcp/point-in-time-days",
  severity: "error",
  covers: ["E43"],
  title: "More days to go back to than Cloud SQL keeps logs for",
  why: "Edition Enterprise keeps transaction logs for 7 days, Enterprise Plus for 35, and logs need a backup before them.",
  check: (environment) => {
    const { backup } = environment;
    if (!backup.enabled) return [];
    return cloudSqlOf(environment).flatMap(({ database, path }) => {
      const problems: SpecProblem[] = [];
      if (database.edition === "ENTERPRISE" && backup.pointInTimeDays > ENTERPRISE_LOG_DAYS) {
        problems.push({
          path: ["backup", "pointInTimeDays"],
          message: `${path.join(".")}: edition ENTERPRISE goes back ${ENTERPRISE_LOG_DAYS} days, not ${backup.pointInTimeDays}`,
          remedy: `Set backup.pointInTimeDays to ${ENTERPRISE_LOG_DAYS} or less, or ${path.join(".")}.edition: "ENTERPRISE_PLUS".`,
        });
      }
      if (backup.pointInTimeDays > backup.retentionDays) {
        problems.push({
          path: ["backup", "pointInTimeDays"],
          message: `${path.join(".")}: logs of ${backup.pointInTimeDays} days are of no use with backups of ${backup.retentionDays}`,
          remedy: `Raise backup.retentionDays to ${backup.pointInTimeDays}, or lower backup.pointInTimeDays.`,
        });
      }
      return problems;
    });
  },
};

const availability: SpecRule = {
  id: "gcp/high-availability-without-backups",
  severity: "error",
  covers: ["E43"],
  title: "A highly available or copied Cloud SQL without backups",
  why: "The second machine and the copy are made from backups and logs. Terraform accepts it, and the API refuses it.",
  check: (environment) =>
    environment.backup.enabled
      ? []
      : cloudSqlOf(environment).flatMap(({ database, path }) =>
          (["highAvailability", "replica"] as const)
            .filter((key) => database[key])
            .map((key) => ({
              path: [...path, key],
              message: `${path.join(".")}.${key} needs backups, and backup.enabled is false`,
              remedy: `Set backup: { enabled: true }, or ${path.join(".")}.${key}: false.`,
            })),
        ),
};

const replicaRegion: SpecRule = {
  id: "gcp/replica-without-region",
  severity: "error",
  covers: ["E47"],
  title: "A copy of the database without a second region",
  why: "The copy is for the loss of the region: it is in another one.",
  check: onGoogle(({ environment, target }) =>
    target.backupRegion !== undefined
      ? []
      : cloudSqlOf(environment)
          .filter(({ database }) => database.replica)
          .map(({ path }) => ({
            path: [...path, "replica"],
            message: `${path.join(".")} is to have a copy, and there is no second region for it`,
            remedy: `Set target.backupRegion, or ${path.join(".")}.replica: false.`,
          })),
  ),
};

const secretManager: SpecRule = {
  id: "gcp/secret-manager",
  severity: "error",
  covers: ["E19", "E24"],
  title: "Credentials that only Terraform knows, and no Secret Manager to keep them",
  why: "Passwords of Cloud SQL and keys of buckets are made by Terraform: Secret Manager hands them to the cluster without showing them to anybody.",
  check: onGoogle(({ environment }) => {
    const { secrets, objectStore, tracking } = environment;
    if (secrets.engine === "external-secrets" && secrets.store.kind === "gcp-secret-manager") return [];
    const users = [
      ...cloudSqlOf(environment).map(({ path }) => `the password of ${path.join(".")}`),
      ...(objectStore.engine === "gcs" && tracking.engine === "plinth" ? ["Plinth's key of its bucket"] : []),
    ];
    if (users.length === 0) return [];
    return [
      {
        path: ["secrets", "engine"],
        message: `${users.join(" and ")} would be known to Terraform alone`,
        remedy:
          'Set secrets: { engine: "external-secrets", store: { kind: "gcp-secret-manager", project } }, or use databases and an object store that have credentials of yours (engines "external" and "s3").',
      },
    ];
  }),
};

const kubeBlocksBackups: SpecRule = {
  id: "gcp/kubeblocks-backups",
  severity: "error",
  covers: [],
  title: "KubeBlocks with its backups in Google Cloud Storage",
  why: "KubeBlocks reaches a bucket with long-lived keys only, and none are made for it.",
  check: onGoogle(({ environment }) =>
    environment.objectStore.engine !== "gcs" || !environment.backup.enabled
      ? []
      : databasesOf(environment)
          .filter(({ database }) => database.engine === "kubeblocks")
          .map(({ path }) => ({
            path: [...path, "engine"],
            message: `backups of ${path.join(".")} have nowhere to go: KubeBlocks has no Workload Identity`,
            remedy: `Set ${path.join(".")}.engine: "cloud-sql", or backup: { enabled: false }.`,
          })),
  ),
};

const MAX_ACCOUNT = 30;
const MAX_BUCKET = 63;

const nameLengths: SpecRule = {
  id: "gcp/name-length",
  severity: "error",
  covers: ["E46"],
  title: "Names made of platform and environment that Google Cloud would refuse",
  why: "A service account has 30 characters, a bucket 63 and not the word google in it.",
  check: onGoogle(({ environment }) => {
    const { platform, name } = environment;
    // The longest of those that there are.
    const account = googleAccountId(
      environment,
      environment.objectStore.engine === "gcs" ? "tracking" : "nodes",
    );
    const bucket = bucketsOf(environment).artifacts;
    const problems: SpecProblem[] = [];
    if (account.length > MAX_ACCOUNT) {
      problems.push({
        path: ["name"],
        message: `the service account ${account} has ${account.length} characters, and Google takes ${MAX_ACCOUNT}`,
        remedy: `Give the platform a name that is ${account.length - MAX_ACCOUNT} characters shorter than ${platform}, or the environment one that is shorter than ${name}.`,
      });
    }
    if (environment.objectStore.engine !== "gcs") return problems;
    if (bucket.length > MAX_BUCKET) {
      problems.push({
        path: ["name"],
        message: `the bucket ${bucket} has ${bucket.length} characters, and Google takes ${MAX_BUCKET}`,
        remedy: "Shorten the name of the platform, or of the environment.",
      });
    }
    if (/google|^goog/.test(bucket)) {
      problems.push({
        path: ["name"],
        message: `the bucket ${bucket} has the word google in it, which Google refuses`,
        remedy: "Give the platform another name, or the environment.",
      });
    }
    return problems;
  }),
};

const MAX_CHANNELS = 5;

const budgetRecipients: SpecRule = {
  id: "gcp/budget-recipients",
  severity: "error",
  covers: [],
  title: "More people to tell of the budget than Google tells",
  why: "A budget has five notification channels.",
  check: onGoogle(({ target }) =>
    (target.budget?.notify.length ?? 0) <= MAX_CHANNELS
      ? []
      : [
          {
            path: ["target", "budget", "notify"],
            message: `the budget is to tell ${target.budget?.notify.length} people, and Google tells ${MAX_CHANNELS}`,
            remedy: "Name five, or the address of a group.",
          },
        ],
  ),
};

export const gcpStateRules: readonly SpecRule[] = [
  notOnGoogle,
  cloudSqlTier,
  sharedInProduction,
  pointInTime,
  availability,
  replicaRegion,
  secretManager,
  kubeBlocksBackups,
  nameLengths,
  budgetRecipients,
];
