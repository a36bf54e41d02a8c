import type { Environment } from "../spec/platform.ts";
import type { SettingPath } from "../spec/resolve.ts";
import type { Resources } from "../spec/values.ts";
import type { SpecRule } from "./check.ts";
import { databasesOf } from "./databases-of.ts";

/** Rules on sizes: memory, and how far something may grow. */

type Sized = { path: SettingPath; resources: Resources };

function sizedOf(environment: Environment): Sized[] {
  const { tracking, pipelines, serving } = environment;
  return [
    { path: ["tracking", "resources"], resources: tracking.resources },
    ...(pipelines.engine === "none"
      ? []
      : [{ path: ["pipelines", "resources"], resources: pipelines.resources }]),
    ...databasesOf(environment).flatMap(({ path, database }) =>
      "resources" in database ? [{ path: [...path, "resources"], resources: database.resources }] : [],
    ),
    ...(serving.engine === "kserve"
      ? serving.models.map(({ resources }, at) => ({
          path: ["serving", "models", at, "resources"],
          resources,
        }))
      : []),
  ];
}

const UNITS: Readonly<Record<string, number>> = { Ki: 1, Mi: 1024, Gi: 1024 ** 2, Ti: 1024 ** 3 };

function kibibytes(quantity: string): number {
  const match = /^(\d+)(Ki|Mi|Gi|Ti)$/.exec(quantity);
  return Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ""] ?? 0);
}

const limitBelowRequest: SpecRule = {
  id: "resources/limit-below-request",
  severity: "error",
  covers: [],
  title: "Less memory allowed than asked for",
  why: "Kubernetes refuses the pod.",
  check: (environment) =>
    sizedOf(environment)
      .filter(({ resources }) => kibibytes(resources.memoryLimit) < kibibytes(resources.memory))
      .map(({ path, resources }) => ({
        path: [...path, "memoryLimit"],
        message: `memoryLimit ${resources.memoryLimit} is less than memory ${resources.memory}`,
        remedy: `Raise memoryLimit to ${resources.memory} or more, or lower memory to ${resources.memoryLimit}.`,
      })),
};

type Bounds = { path: SettingPath; what: string; minReplicas: number; maxReplicas: number };

function boundsOf({ tracking, pipelines, serving }: Environment): Bounds[] {
  return [
    ...(tracking.autoscaling === undefined
      ? []
      : [{ path: ["tracking", "autoscaling"], what: "tracking", ...tracking.autoscaling }]),
    ...(pipelines.engine === "none" || pipelines.autoscaling === undefined
      ? []
      : [{ path: ["pipelines", "autoscaling"], what: "pipelines", ...pipelines.autoscaling }]),
    ...(serving.engine === "kserve"
      ? serving.models.map((model, at) => ({
          path: ["serving", "models", at],
          what: `the model ${model.name}`,
          minReplicas: model.minReplicas,
          maxReplicas: model.maxReplicas,
        }))
      : []),
  ];
}

const bounds: SpecRule = {
  id: "autoscaling/bounds",
  severity: "error",
  covers: ["E36"],
  title: "More copies at least than at most",
  why: "The autoscaler is refused.",
  check: (environment) =>
    boundsOf(environment)
      .filter(({ minReplicas, maxReplicas }) => maxReplicas < minReplicas)
      .map(({ path, what, minReplicas, maxReplicas }) => ({
        path: [...path, "maxReplicas"],
        message: `${what} has at least ${minReplicas} copies and at most ${maxReplicas}`,
        remedy: `Raise maxReplicas to ${minReplicas} or more, or lower minReplicas to ${maxReplicas}.`,
      })),
};

export const sizeRules: readonly SpecRule[] = [limitBelowRequest, bounds];
