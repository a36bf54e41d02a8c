import type { Model } from "../spec/components.ts";
import type { Environment } from "../spec/platform.ts";
import type { SettingPath } from "../spec/resolve.ts";
import type { GpuPool } from "../spec/target.ts";
import type { SpecProblem, SpecRule } from "./check.ts";

/** Rules on models. */

type Served = { model: Model; path: SettingPath; mode: "standard" | "knative" };

const modelsOf = ({ serving }: Environment): Served[] =>
  serving.engine !== "kserve"
    ? []
    : serving.models.map((model, at) => ({ model, path: ["serving", "models", at], mode: serving.mode }));

/** A rule that looks at one model at a time. */
const onModels =
  (check: (served: Served, environment: Environment) => SpecProblem[]) =>
  (environment: Environment): SpecProblem[] =>
    modelsOf(environment).flatMap((served) => check(served, environment));

const scaleToZero: SpecRule = {
  id: "kserve/scale-to-zero",
  severity: "error",
  covers: ["E36"],
  title: "No copies at rest in Standard mode",
  why: "In Standard mode an autoscaler of Kubernetes counts the copies, and it needs one to measure: only Knative starts from none.",
  check: onModels(({ model, path, mode }) =>
    mode === "knative" || model.minReplicas > 0
      ? []
      : [
          {
            path: [...path, "minReplicas"],
            message: `the model ${model.name} cannot go down to 0 copies in Standard mode`,
            remedy: 'Set minReplicas: 1, or serving.mode: "knative", which scales to zero.',
          },
        ],
  ),
};

const OF_MODE = { standard: ["cpu", "memory"], knative: ["concurrency", "rps"] } as const;

const foreignMetric: SpecRule = {
  id: "kserve/metric-of-other-mode",
  severity: "error",
  covers: ["E36"],
  title: "A metric that the mode's autoscaler does not know",
  why: "Knative's autoscaler counts requests (concurrency, rps); the one of Standard mode measures cpu and memory. KServe refuses the other's.",
  check: onModels(({ model, path, mode }) => {
    const own: readonly string[] = OF_MODE[mode];
    if (own.includes(model.scaleMetric)) return [];
    const other = mode === "standard" ? "knative" : "standard";
    return [
      {
        path: [...path, "scaleMetric"],
        message: `the model ${model.name} is scaled by ${model.scaleMetric}, which the autoscaler of ${mode} mode does not know`,
        remedy: `Use scaleMetric ${own.map((metric) => `"${metric}"`).join(" or ")}, or serving.mode: "${other}".`,
      },
    ];
  }),
};

const impossibleTarget: SpecRule = {
  id: "kserve/utilization-over-100",
  severity: "error",
  covers: ["E36"],
  title: "More than 100 percent to keep of a model's cpu or memory",
  why: "Of cpu and memory the target is a share of what was requested, in percent: KServe takes 1 to 100.",
  check: onModels(({ model, path }) =>
    (model.scaleMetric !== "cpu" && model.scaleMetric !== "memory") || model.scaleTarget <= 100
      ? []
      : [
          {
            path: [...path, "scaleTarget"],
            message: `the model ${model.name} is to keep ${model.scaleTarget} percent of the requested ${model.scaleMetric}`,
            remedy: "Use a target of 100 or less (80 is usual), or scale by requests in Knative mode.",
          },
        ],
  ),
};

const gpuPools = ({ target }: Environment): readonly GpuPool[] =>
  target.kind === "kubernetes" ? target.gpuPools : target.cluster.gpuPools;

const gpuPool: SpecRule = {
  id: "kserve/gpu-pool",
  severity: "error",
  covers: [],
  title: "A model with a GPU that no pool has",
  why: "A pod that asks for what no node has waits for ever.",
  check: onModels(({ model, path }, environment) => {
    if (model.gpu === undefined) return [];
    const { pool: wanted, count } = model.gpu;
    const pools = gpuPools(environment);
    const pool = pools.find(({ name }) => name === wanted);
    const setting = environment.target.kind === "kubernetes" ? "target.gpuPools" : "target.cluster.gpuPools";
    if (pool === undefined) {
      const known =
        pools.length === 0 ? "there is none" : `there are ${pools.map(({ name }) => name).join(", ")}`;
      return [
        {
          path: [...path, "gpu", "pool"],
          message: `the model ${model.name} asks for the GPU pool ${wanted}, and ${known}`,
          remedy: `Add it to ${setting}: { name: "${wanted}" }, or name a pool that is there${pools[0] === undefined ? " once it is" : ` ("${pools[0].name}")`}.`,
        },
      ];
    }
    // Autopilot makes a machine with as many as are asked for.
    const { target } = environment;
    if (target.kind === "gcp" && target.cluster.mode === "autopilot") return [];
    return count <= pool.gpusPerNode
      ? []
      : [
          {
            path: [...path, "gpu", "count"],
            message: `the model ${model.name} asks for ${count} GPUs in one pod, and nodes of the pool ${pool.name} have ${pool.gpusPerNode}`,
            remedy: `Ask for at most ${pool.gpusPerNode}, or give the pool nodes with more (gpusPerNode, size).`,
          },
        ];
  }),
};

const foreignStorage: SpecRule = {
  id: "kserve/storage-without-credentials",
  severity: "error",
  covers: ["E38"],
  title: "A model in a store that the models' account has no way to",
  why: "The account that pods of models run as has the credentials of the platform's own object store, and no others.",
  check: onModels(({ model, path }, { objectStore }) => {
    const scheme = objectStore.engine === "gcs" ? "gs" : "s3";
    const given = /^(s3|gs):\/\//.exec(model.storage)?.[1];
    return given === undefined || given === scheme
      ? []
      : [
          {
            path: [...path, "storage"],
            message: `the model ${model.name} is at ${model.storage}, and the platform's store (${objectStore.engine}) is reached by ${scheme}://`,
            remedy: `Copy it to the bucket of models and give the path there ("${model.name}/v1"), or give a ${scheme}:// address.`,
          },
        ];
  }),
};

const duplicateNames: SpecRule = {
  id: "kserve/duplicate-model",
  severity: "error",
  covers: ["E58"],
  title: "Two models of one name",
  why: "They would be one object, and the last one written would win.",
  check: (environment) => {
    const seen = new Set<string>();
    return modelsOf(environment).flatMap(({ model, path }) => {
      const known = seen.has(model.name);
      seen.add(model.name);
      return known
        ? [
            {
              path: [...path, "name"],
              message: `there are two models with the name ${model.name}`,
              remedy: "Give one of them another name, or remove it.",
            },
          ]
        : [];
    });
  },
};

export const servingRules: readonly SpecRule[] = [
  scaleToZero,
  foreignMetric,
  impossibleTarget,
  gpuPool,
  foreignStorage,
  duplicateNames,
];
