import type { Scope } from "../identity/index.ts";
import { createArtifactOwner, type ArtifactOwner } from "./artifact-owner.ts";
import { createDatasets, type Datasets } from "./datasets.ts";
import type { TrackingDeps } from "./deps.ts";
import { createExperiments, type Experiments } from "./experiments.ts";
import { createExperimentIds } from "./experiment-ids.ts";
import { createKeys, type Keys } from "./keys.ts";
import { createLinkedRuns, type LinkedRuns } from "./linked-runs.ts";
import { createLoggedModels, type LoggedModels } from "./logged-models.ts";
import { createModelVersionTag, type ModelVersionTag } from "./model-version-tag.ts";
import { createMetricHistory, type MetricHistory } from "./metric-history.ts";
import { createObjectOwners, type ObjectOwners } from "./object-owners.ts";
import { createPurge, type Purge } from "./purge.ts";
import type { RunData } from "./run-data-plan.ts";
import { createRunData } from "./run-data.ts";
import { createRunSearch, type RunSearch } from "./run-search.ts";
import { createRuns, type Runs } from "./runs.ts";

export type { LinkedRun, LinkedRuns } from "./linked-runs.ts";
export { createTrackingContents } from "./workspace-contents.ts";

/** What the registry shares with tracking: rules for names and places, paging, and MLflow's search grammar. */
export { checkArtifactLocation, checkOutsideOfWorkspaces } from "./artifact-location.ts";
export { compareBigint, compareText } from "./comparison.sql.ts";
export { decodePlace, encodePlace, isAfter, orderBy, placeOf, type OrderTerm, type Place } from "./keyset.ts";
export { checkKey, checkLength, checkPathLike } from "./limits.ts";
export { canonicalExperimentId } from "./object-owners.ts";
export {
  parseModelVersionFilter,
  parseModelVersionOrderBy,
  parseRegisteredModelFilter,
  parseRegisteredModelOrderBy,
  type ModelVersionComparison,
  type ModelVersionOrderBy,
  type RegisteredModelComparison,
  type RegisteredModelOrderBy,
} from "./search-registry.ts";
export { pythonText } from "./search-text.ts";

/** What `plinth export` reads. */
export {
  countExportRuns,
  experimentTables,
  historyOf,
  metricsTable,
  runTables,
  selectExportExperiments,
  selectExportRuns,
  selectExportSeries,
  selectMostUsedKeys,
  type ExportExperiment,
  type ExportSelection,
  type Series,
  type UsedKeys,
} from "./export.sql.ts";

/** The door of experiment tracking: all that protocols may ask of it. */
export type Tracking = Experiments &
  Runs &
  RunSearch &
  MetricHistory &
  Datasets &
  LinkedRuns &
  LoggedModels &
  ModelVersionTag &
  ArtifactOwner &
  ObjectOwners &
  Purge & {
    /** Stores one request's metrics, parameters and tags: all of them, durably, or none. */
    logData(scope: Scope, data: Omit<RunData, "workspaceId">): Promise<void>;
    /** The dictionary behind the key ids in the columns of runs. */
    readonly keys: Keys;
    /** The id, as clients know it, of an experiment in a row that was got here. */
    experimentIdOf(number: number): string;
  };

export type TrackingOptions = Omit<TrackingDeps, "keys" | "ids">;

export function createTracking(options: TrackingOptions): Tracking {
  const keys = createKeys(options.database);
  const ids = createExperimentIds(options.database);
  const deps = { ...options, keys, ids };
  const runData = createRunData(deps);
  const runs = createRuns(deps);
  const loggedModels = createLoggedModels(deps);
  const { remember, ...owners } = createObjectOwners(deps);
  return {
    ...createExperiments(deps),
    ...runs,
    async createRun(scope, run) {
      const created = await runs.createRun(scope, run);
      const { run_uuid: id, experiment_id: number } = created.row;
      if (scope.policy.uniform === undefined) remember("run", id, ids.idOf(number));
      return created;
    },
    ...createRunSearch(deps),
    ...createMetricHistory(deps),
    ...createDatasets(deps),
    ...createLinkedRuns(deps),
    ...loggedModels,
    async createLoggedModel(scope, given) {
      const model = await loggedModels.createLoggedModel(scope, given);
      if (scope.policy.uniform === undefined) {
        remember("logged_model", model.model_id, ids.idOf(model.experiment_id));
      }
      return model;
    },
    ...owners,
    ...createModelVersionTag(),
    ...createArtifactOwner(deps),
    ...createPurge(deps),
    logData: ({ workspaceId }, data) => runData.add({ ...data, workspaceId }),
    keys,
    experimentIdOf: (number) => ids.idOf(number),
  };
}
