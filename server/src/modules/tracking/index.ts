import { createDatasets, type Datasets } from "./datasets.ts";
import type { TrackingDeps } from "./deps.ts";
import { createExperiments, type Experiments } from "./experiments.ts";
import { createKeys, type Keys } from "./keys.ts";
import { createLoggedModels, type LoggedModels } from "./logged-models.ts";
import { createMetricHistory, type MetricHistory } from "./metric-history.ts";
import { createPurge, type Purge } from "./purge.ts";
import { createRunData, type RunData } from "./run-data.ts";
import { createRunSearch, type RunSearch } from "./run-search.ts";
import { createRuns, type Runs } from "./runs.ts";

/** The door of experiment tracking: all that protocols may ask of it. */
export type Tracking = Experiments &
  Runs &
  RunSearch &
  MetricHistory &
  Datasets &
  LoggedModels &
  Purge & {
    /** Stores one request's metrics, parameters and tags: all of them, durably, or none. */
    logData(data: RunData): Promise<void>;
    /** The dictionary behind the key ids in the columns of runs. */
    readonly keys: Keys;
  };

export type TrackingOptions = Omit<TrackingDeps, "keys">;

export function createTracking(options: TrackingOptions): Tracking {
  const keys = createKeys(options.database);
  const deps = { ...options, keys };
  const runData = createRunData(deps);
  return {
    ...createExperiments(deps),
    ...createRuns(deps),
    ...createRunSearch(deps),
    ...createMetricHistory(deps),
    ...createDatasets(deps),
    ...createLoggedModels(deps),
    ...createPurge(deps),
    logData: (data) => runData.add(data),
    keys,
  };
}
