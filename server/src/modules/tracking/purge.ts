import type { TrackingDeps } from "./deps.ts";
import {
  deleteExperiments,
  deleteLoggedModels,
  deleteRuns,
  selectPurgeableExperiments,
  selectPurgeableModels,
  selectPurgeableRuns,
} from "./purge.sql.ts";

export type PurgeResult = { runs: number; logged_models: number; experiments: number };

export type Purge = {
  /**
   * Removes for good what was deleted at least `olderThanMs` ago: rows, points and artifacts, and
   * frees the names of experiments. Works in small transactions, bytes first: stopped half-way it
   * leaves nothing that a second call does not finish.
   */
  purge(options: { olderThanMs: number }): Promise<PurgeResult>;
};

/** Runs a transaction removes at once: small enough not to hold up writers, large enough to be quick. */
const BATCH = 200;

export function createPurge(deps: TrackingDeps): Purge {
  return {
    async purge({ olderThanMs }) {
      const before = deps.now() - olderThanMs;
      const result: PurgeResult = { runs: 0, logged_models: 0, experiments: 0 };
      for (;;) {
        const runs = await selectPurgeableRuns(deps.database, { before, limit: BATCH });
        if (runs.length === 0) break;
        for (const run of runs) await deps.deleteArtifacts(parentOf(run.artifact_uri));
        await deps.database.transaction((transaction) =>
          deleteRuns(
            transaction,
            runs.map((run) => run.run_id),
          ),
        );
        result.runs += runs.length;
      }
      for (;;) {
        const models = await selectPurgeableModels(deps.database, { before, limit: BATCH });
        if (models.length === 0) break;
        for (const model of models) await deps.deleteArtifacts(parentOf(model.artifact_location));
        const keys = models.map((model) => model.model_key);
        await deps.database.transaction((transaction) => deleteLoggedModels(transaction, keys));
        result.logged_models += models.length;
      }
      const experiments = await selectPurgeableExperiments(deps.database, before);
      for (const { experiment_id: id, artifact_location: location } of experiments) {
        // A place of its own; one that a client chose may hold what belongs to others.
        if (isOwnPlace(location, id)) await deps.deleteArtifacts(location);
      }
      result.experiments = await deleteExperiments(
        deps.database,
        experiments.map((experiment) => experiment.experiment_id),
      );
      return result;
    },
  };
}

/** Clients choose no place below `workspaces/`. */
const isOwnPlace = (location: string, id: number): boolean =>
  location === `mlflow-artifacts:/${id}` ||
  (location.startsWith("mlflow-artifacts:/workspaces/") && location.endsWith(`/${id}`));

/** A run's artifacts stand in `<its own folder>/artifacts`: the folder goes too. */
const parentOf = (uri: string): string => uri.replace(/\/artifacts\/?$/, "");
