import type { TrackingDeps } from "./deps.ts";
import {
  deleteExperiments,
  deleteLoggedModels,
  deleteRuns,
  lockDeletedRuns,
  selectPurgeableExperiments,
  selectPurgeableModels,
  selectPurgeableRuns,
} from "./purge.sql.ts";

export type PurgeResult = { runs: number; logged_models: number; experiments: number };

export type Purge = {
  /**
   * Removes for good what was deleted at least `olderThanMs` ago: rows, points and artifacts, and
   * frees the names of experiments. Works in small transactions: each takes something with all that
   * belongs to it or leaves it whole, so that what is restored meanwhile lacks nothing.
   */
  purge(options: { olderThanMs: number }): Promise<PurgeResult>;
};

/** As many as a transaction removes at once: small enough not to hold up writers, large enough to be quick. */
const BATCH = 100;

export function createPurge(deps: TrackingDeps): Purge {
  const { database, deleteArtifacts, grants } = deps;

  const purgeRuns = (ids: readonly number[]): Promise<number> =>
    database.transaction(async (transaction) => {
      const runs = await lockDeletedRuns(transaction, ids);
      for (const run of runs) await deleteArtifacts(parentOf(run.artifact_uri), transaction);
      await deleteRuns(
        transaction,
        runs.map((run) => run.run_id),
      );
      return runs.length;
    });

  const purgeModels = (keys: readonly number[]): Promise<number> =>
    database.transaction(async (transaction) => {
      const models = await deleteLoggedModels(transaction, keys);
      for (const model of models) await deleteArtifacts(parentOf(model.artifact_location), transaction);
      return models.length;
    });

  const purgeExperiments = async (ids: readonly number[]): Promise<number> => {
    await deps.ids.load(ids);
    const [count, isGranted] = await database.transaction(async (transaction) => {
      const gone = await deleteExperiments(transaction, ids);
      for (const { experiment_id: id, artifact_location: location } of gone) {
        // A place of its own; one that a client chose may hold what belongs to others.
        if (isOwnPlace(location, id)) await deleteArtifacts(location, transaction);
      }
      const names = gone.map(({ experiment_id: id }) => deps.ids.idOf(id));
      const on = { types: ["experiment"], ids: names } as const;
      return [gone.length, await grants.deleteGrantsOn(transaction, undefined, on)];
    });
    if (isGranted) await grants.readChanges();
    return count;
  };

  return {
    async purge({ olderThanMs }) {
      const before = deps.now() - olderThanMs;
      const result: PurgeResult = { runs: 0, logged_models: 0, experiments: 0 };
      for (;;) {
        const runs = await selectPurgeableRuns(database, { before, limit: BATCH });
        if (runs.length === 0) break;
        result.runs += await purgeRuns(runs.map((run) => run.run_id));
      }
      for (;;) {
        const models = await selectPurgeableModels(database, { before, limit: BATCH });
        if (models.length === 0) break;
        result.logged_models += await purgeModels(models.map((model) => model.model_key));
      }
      const experiments = await selectPurgeableExperiments(database, before);
      for (let at = 0; at < experiments.length; at += BATCH) {
        const ids = experiments.slice(at, at + BATCH).map((experiment) => experiment.experiment_id);
        result.experiments += await purgeExperiments(ids);
      }
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
