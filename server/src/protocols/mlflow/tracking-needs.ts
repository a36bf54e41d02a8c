import type { Action } from "../../kernel/access.ts";
import { needs, type Need } from "./guard.ts";
import type { Values } from "./wire.ts";

/** What requests of the tracking API need; the ids are those that their handlers use. */

const text = (value: unknown): string => (value ?? "") as string;

export const onExperiment =
  (action: Action) =>
  (values: Values): Need[] => [needs(action, { type: "experiment", id: text(values["experiment_id"]) })];

/** What is part of an experiment goes with it, and comes back with it. */
export const onWholeExperiment = (values: Values): Need[] => {
  const experimentId = text(values["experiment_id"]);
  return [
    needs("manage", { type: "experiment", id: experimentId }),
    ...partsOfExperiments.map((part) => needs("manage", { type: "part", part, experimentId })),
  ];
};

const partsOfExperiments = ["run", "trace", "logged_model", "assessment", "review_queue"] as const;

/** To make a part of the experiment that the request names. */
export const toCreate =
  (part: "run" | "logged_model") =>
  (values: Values): Need[] => [...onExperiment("edit")(values), { notDenied: part }];

export const onRun =
  (action: Action) =>
  (values: Values): Need[] => [needs(action, { type: "run", id: runOf(values) })];

/** By its old name, too, where the request knows it; one that names no run is refused by its handler. */
const runOf = (values: Values): string => text(values["run_id"]) || text(values["run_uuid"]);

/**
 * A run, and every logged model that is written to along with it: else whoever may change one run of their own
 * could add to anybody's models (GHSA-3p64-6gvh-82v5).
 */
export function onRunAndModels(values: Values, models: unknown): Need[] {
  const ids = new Set(((models ?? []) as Values[]).map((one) => text(one["model_id"])));
  ids.delete("");
  return [
    needs("edit", { type: "run", id: runOf(values) }),
    ...[...ids].map((id) => needs("edit", { type: "logged_model", id })),
  ];
}
