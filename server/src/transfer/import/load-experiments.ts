import type { Queryable } from "../../kernel/database.ts";
import {
  FIRST_LONG,
  insertDatasets,
  insertExperimentIds,
  insertExperiments,
  insertExperimentTags,
} from "../../modules/tracking/bulk/index.ts";
import { count, runPhase, type ImportContext, type Tally } from "./context.ts";
import { clean, cleanOrNull, uniquePairs } from "./rows.ts";
import type { SourceDataset, SourceExperiment } from "./source.ts";
import type { ExperimentPlace } from "./state.sql.ts";

/** Where a renumbered experiment says which id it had. */
export const OLD_ID_TAG = "plinth.importedExperimentId";

export async function loadExperiments(context: ImportContext): Promise<void> {
  await runPhase(
    context,
    { name: "experiments", shown: "experiments", total: context.expected.experiments },
    {
      read: (after) => context.source.experiments(after),
      write: (transaction, page, tally) => writeExperiments(context, transaction, { rows: page.rows, tally }),
    },
  );
  await runPhase(
    context,
    { name: "datasets", shown: "datasets", total: context.expected.datasets },
    {
      read: (after) => context.source.datasets(after),
      write: (transaction, page, tally) => writeDatasets(context, transaction, { rows: page.rows, tally }),
    },
  );
}

type Part<Row> = { rows: readonly Row[]; tally: Tally };

async function writeExperiments(
  context: ImportContext,
  transaction: Queryable,
  { rows, tally }: Part<SourceExperiment>,
): Promise<void> {
  const byWorkspace = Map.groupBy(rows, (row) => row.workspace);
  for (const [workspace, group] of byWorkspace) {
    const place = context.workspaces.get(workspace);
    if (place === undefined) {
      // It came to the source after the import began.
      count(tally, "late_experiments", group.length);
      continue;
    }
    const taken = group.flatMap((row) => {
      const found = context.experiments.get(row.experiment_id);
      if (found === undefined) count(tally, "late_experiments");
      return found === undefined ? [] : [{ row, id: found.experiment_id, target: found.target_id }];
    });
    await insertExperiments(
      transaction,
      place.workspace_id,
      taken.map(({ row, id, target }) => {
        const created = row.creation_time ?? 0;
        const updated = row.last_update_time ?? created;
        return {
          experiment_id: id,
          name: clean(row.name, tally),
          artifact_location:
            row.artifact_location ||
            `mlflow-artifacts:/${finalId({ source_id: row.experiment_id, experiment_id: id, target_id: target })}`,
          creation_time: created,
          last_update_time: updated,
          deleted_at: deletedAt(row),
        };
      }),
    );
    const long = taken.flatMap(({ row, id }) =>
      id >= FIRST_LONG ? [{ experiment_id: id, id: row.experiment_id }] : [],
    );
    if (long.length > 0) await insertExperimentIds(transaction, long);
    const tags = taken.flatMap(({ row, id, target }) => {
      const pairs = uniquePairs(row.tags, tally);
      count(tally, "experiment_tags", pairs.size);
      const place = { source_id: row.experiment_id, experiment_id: id, target_id: target };
      if (target === null && finalId(place) !== row.experiment_id) {
        pairs.set(OLD_ID_TAG, row.experiment_id);
        count(tally, "renumbered_experiments");
      }
      return [...pairs].map(([key, value]) => ({ experiment_id: id, key, value }));
    });
    if (tags.length > 0) await insertExperimentTags(transaction, tags);
    count(tally, "experiments", taken.length);
    count(tally, "merged_experiments", taken.filter(({ target }) => target !== null).length);
  }
}

/** The id by which clients will know an experiment. */
export const finalId = ({ source_id, experiment_id, target_id }: ExperimentPlace): string =>
  experiment_id >= FIRST_LONG && target_id === null ? source_id : String(target_id ?? experiment_id);

/** MLflow does not store when an experiment was deleted; deleting it was its last change. */
export const deletedAt = (row: SourceExperiment): number | null =>
  row.lifecycle_stage === "deleted" ? (row.last_update_time ?? row.creation_time ?? 0) : null;

async function writeDatasets(
  context: ImportContext,
  transaction: Queryable,
  { rows, tally }: Part<SourceDataset>,
): Promise<void> {
  const unique = new Map<string, Parameters<typeof insertDatasets>[1][number]>();
  for (const row of rows) {
    const place = context.experiments.get(row.experiment_id);
    if (place === undefined) {
      count(tally, "late_datasets");
      continue;
    }
    unique.set(JSON.stringify([row.experiment_id, row.name, row.digest]), {
      experiment_id: place.experiment_id,
      name: clean(row.name, tally),
      digest: clean(row.digest, tally),
      source_type: clean(row.source_type, tally),
      source: clean(row.source, tally),
      schema: cleanOrNull(row.schema, tally),
      profile: cleanOrNull(row.profile, tally),
    });
  }
  if (unique.size > 0) count(tally, "datasets", await insertDatasets(transaction, [...unique.values()]));
}
