import { canonicalExperimentId, type Tracking } from "../../modules/tracking/index.ts";
import type { Owners } from "./guard.ts";

/** Where things are, as the modules know it. */
export const createOwners = (tracking: Tracking, { isPrompt }: Pick<Owners, "isPrompt">): Owners => ({
  experimentOfRun: (id) => tracking.experimentOfRun(id),
  experimentOfLoggedModel: (id) => tracking.experimentOfLoggedModel(id),
  experimentOfName: (scope, name) => tracking.experimentOfName(scope, name),
  experimentIdOf: canonicalExperimentId,
  placesOfKey: (key) => tracking.placesOfKey(key),
  experimentsBelow: (key) => tracking.experimentsBelow(key),
  isPrompt,
});
