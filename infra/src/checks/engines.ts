import { dialectOf } from "../spec/state.ts";
import type { SpecRule } from "./check.ts";

/** Rules on which engine serves what, and on what it needs. */

const zenmlOnPostgres: SpecRule = {
  id: "zenml/needs-mysql",
  severity: "error",
  covers: ["E01"],
  title: "ZenML's own server on PostgreSQL",
  why: "ZenML's server keeps its state in MySQL or SQLite; any other address is refused when it starts.",
  check: ({ pipelines }) =>
    pipelines.engine !== "zenml" || dialectOf(pipelines.database) === "mysql"
      ? []
      : [
          {
            path: [
              "pipelines",
              "database",
              pipelines.database.engine === "cloudnative-pg" ? "engine" : "dialect",
            ],
            message: `ZenML's server cannot use PostgreSQL (${pipelines.database.engine}): it knows MySQL and SQLite`,
            remedy:
              'Set pipelines.database to a MySQL: { engine: "kubeblocks" } or a managed one with dialect: "mysql", or leave pipelines out (engine: "none").',
          },
        ],
};

const plinthOnMySql: SpecRule = {
  id: "plinth/needs-postgresql",
  severity: "error",
  covers: ["E45"],
  title: "Plinth on MySQL",
  why: "Plinth speaks to PostgreSQL only; the address of a MySQL is refused when it starts.",
  check: ({ tracking }) =>
    tracking.engine !== "plinth" || dialectOf(tracking.database) === "postgresql"
      ? []
      : [
          {
            path: ["tracking", "database", "dialect"],
            message: `Plinth cannot use MySQL (${tracking.database.engine}): it needs PostgreSQL 15 or newer`,
            remedy:
              'Set dialect: "postgresql" (or database.engine: "cloudnative-pg"), or serve tracking with tracking.engine: "mlflow".',
          },
        ],
};

/** The first release of MLflow with an image that has database drivers. */
const FULL_SINCE = [3, 9] as const;

const mlflowImage: SpecRule = {
  id: "mlflow/image-without-drivers",
  severity: "error",
  covers: ["E28"],
  title: "MLflow's image without database drivers",
  why: "The project's default image holds MLflow alone: no driver of a database, no client of a bucket. Images with `-full` have them, from 3.9.0 on.",
  check: ({ tracking }) => {
    if (tracking.engine !== "mlflow") return [];
    const match = /^ghcr\.io\/mlflow\/mlflow:v?(\d+)\.(\d+)[^@]*/.exec(tracking.image);
    if (match === null && !tracking.image.startsWith("ghcr.io/mlflow/mlflow:")) return [];
    const isFull = /-full(@|$)/.test(tracking.image);
    const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
    const isNewEnough = major > FULL_SINCE[0] || (major === FULL_SINCE[0] && minor >= FULL_SINCE[1]);
    if (isFull && isNewEnough) return [];
    return [
      {
        path: ["tracking", "image"],
        message: isFull
          ? `there is no image ${tracking.image}: those with -full begin with 3.9.0`
          : `${tracking.image} has no driver for ${tracking.database.engine} and no client for the bucket`,
        remedy:
          "Use a tag with -full of 3.9.0 or newer (ghcr.io/mlflow/mlflow:v3.12.0-full), or an image of your own with the drivers in it.",
      },
    ];
  },
};

/** The release whose chart has the keys that are written: `server` where older ones have `zenml`. */
const CHART_SINCE = [0, 95, 1] as const;

const zenmlVersion: SpecRule = {
  id: "zenml/chart-before-server-key",
  severity: "error",
  covers: ["E03"],
  title: "A release of ZenML whose chart has other keys",
  why: "The chart's main key is `server` since 0.95.1; older charts take it without a word and read nothing of it.",
  check: ({ pipelines }) => {
    if (pipelines.engine !== "zenml") return [];
    const version = pipelines.version.split(".").map(Number);
    const at = CHART_SINCE.findIndex((part, index) => version[index] !== part);
    if (at === -1 || (version[at] ?? 0) > (CHART_SINCE[at] ?? 0)) return [];
    return [
      {
        path: ["pipelines", "version"],
        message: `the chart of ZenML ${pipelines.version} would ignore the values written for it: it is older than 0.95.1`,
        remedy:
          'Set pipelines.version to 0.95.1 or newer (0.98.0), or leave ZenML out (pipelines.engine: "none").',
      },
    ];
  },
};

const minioInProduction: SpecRule = {
  id: "minio/production",
  severity: "error",
  covers: ["E23", "E26"],
  title: "MinIO in production",
  why: "The community's MinIO gets no security fixes since 2025, and one pod with one volume loses everything with its node.",
  check: ({ tier, objectStore }) =>
    tier !== "production" || objectStore.engine !== "minio"
      ? []
      : [
          {
            path: ["objectStore", "engine"],
            message:
              "MinIO in one pod is not made for production: it is no longer maintained and has no copy of anything",
            remedy:
              'Use the cloud\'s own store (objectStore.engine: "civo" or "gcs"), or one that somebody runs for you: { engine: "s3", endpoint: "https://..." }.',
          },
        ],
};

const otherCloud: SpecRule = {
  id: "civo/not-on-civo",
  severity: "error",
  covers: ["E13"],
  title: "A service of Civo for a cluster that is elsewhere",
  why: "Terraform makes Civo's buckets and databases in the cluster's region and network; elsewhere there is neither.",
  check: ({ target, objectStore, tracking, pipelines }) => {
    if (target.kind === "civo") return [];
    const databases = [
      { path: ["tracking", "database", "engine"], database: tracking.database },
      ...(pipelines.engine === "none"
        ? []
        : [{ path: ["pipelines", "database", "engine"], database: pipelines.database }]),
    ];
    return [
      ...databases
        .filter(({ database }) => database.engine === "civo-database")
        .map(({ path }) => ({
          path,
          message: `a database of Civo cannot be used with target ${target.kind}`,
          remedy: 'Use "cloudnative-pg", "kubeblocks" or "external", or set target.kind: "civo".',
        })),
      ...(objectStore.engine === "civo"
        ? [
            {
              path: ["objectStore", "engine"],
              message: `Civo's object store cannot be used with target ${target.kind}`,
              remedy: 'Use { engine: "s3" } with its address and credentials, or set target.kind: "civo".',
            },
          ]
        : []),
    ];
  },
};

export const engineRules: readonly SpecRule[] = [
  zenmlOnPostgres,
  plinthOnMySql,
  mlflowImage,
  zenmlVersion,
  minioInProduction,
  otherCloud,
];
