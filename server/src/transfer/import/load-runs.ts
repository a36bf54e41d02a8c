import type { Queryable } from "../../kernel/database.ts";
import { createHashSum, hashText } from "../../kernel/pg-hash.ts";
import {
  insertDatasets,
  insertRunDatasets,
  insertRunModels,
  insertRuns,
  insertTexts,
  selectTakenRuns,
  type BulkRunModel,
  type Texts,
} from "../../modules/tracking/bulk/index.ts";
import { count, runPhase, type ImportContext, type Tally } from "./context.ts";
import { clean, runStatus, uniquePairs } from "./rows.ts";
import { applyLatest, createPointWriter, createSeriesNumbers, newPageRun, type PageRun } from "./series.ts";
import type { RunPage, SourceRun } from "./source.ts";
import { insertReadSums } from "./state.sql.ts";

const RUN_NAME_TAG = "mlflow.runName";

/** Times of deletion of the experiments that are deleted in the source, by its id. */
export type DeletedExperiments = ReadonlyMap<string, number>;

export async function loadRuns(context: ImportContext, deleted: DeletedExperiments): Promise<void> {
  const numbers = createSeriesNumbers();
  await runPhase(
    context,
    {
      name: "runs",
      shown: context.expected.points === undefined ? "runs" : "points",
      total: context.expected.points ?? context.expected.runs,
    },
    {
      read: (after) => context.source.runs(after),
      async write(transaction, page, tally) {
        const taken = await chooseRuns(context, transaction, { page, tally });
        const runs = await writeRuns(context, transaction, { taken, deleted, tally });
        const texts = await writeTexts(context, transaction, { taken, runs, tally });
        await writeLinks(context, transaction, { taken, runs, tally });
        const points = createPointWriter({ transaction, numbers, keys: context.keys, tally }, runs);
        for await (const columns of page.points()) await points.write(columns);
        for (const row of taken) {
          const run = runs.get(row.run_uuid);
          if (run !== undefined && row.latest_metrics !== undefined) {
            await applyLatest({ keys: context.keys, tally }, run, row.latest_metrics);
          }
        }
        await points.finish();
        await insertReadSums(
          transaction,
          context.importId,
          [...runs].map(([uuid, run]) => ({
            run_id: run.run_id,
            points: run.points,
            metrics: run.series.size,
            points_hash: run.hash.total(),
            ...(texts.get(uuid) ?? { params: 0, tags: 0, texts_hash: 0n }),
          })),
        );
      },
    },
  );
}

/** Those that are to be taken; the others are counted. */
async function chooseRuns(
  context: ImportContext,
  transaction: Queryable,
  { page, tally }: { page: RunPage; tally: Tally },
): Promise<SourceRun[]> {
  const existing = new Set(
    context.skipExisting
      ? await selectTakenRuns(
          transaction,
          page.rows.map((row) => row.run_uuid),
        )
      : [],
  );
  return page.rows.filter((row) => {
    if (existing.has(row.run_uuid)) count(tally, "skipped_runs");
    else if (!context.experiments.has(row.experiment_id)) count(tally, "late_runs");
    else return true;
    return false;
  });
}

async function writeRuns(
  context: ImportContext,
  transaction: Queryable,
  { taken, deleted, tally }: { taken: readonly SourceRun[]; deleted: DeletedExperiments; tally: Tally },
): Promise<Map<string, PageRun>> {
  if (taken.length === 0) return new Map();
  const rows = taken.map((row) => {
    const status = runStatus(row.status);
    if (status === undefined) count(tally, "unknown_run_status");
    const deletedAt = runDeletedAt(row, deleted.get(row.experiment_id));
    if (deletedAt !== null) count(tally, "deleted_runs");
    const tagged = row.tags.find((tag) => tag.key === RUN_NAME_TAG)?.value;
    return {
      experiment_id: context.experiments.get(row.experiment_id)?.experiment_id as number,
      run_uuid: row.run_uuid,
      name: clean(row.name || tagged || "", tally),
      user_id: clean(row.user_id ?? "", tally),
      // One that nothing is known of has ended at any rate.
      status: status ?? 4,
      start_time: row.start_time ?? 0,
      end_time: row.end_time,
      deleted_at: deletedAt,
      artifact_uri: clean(row.artifact_uri, tally),
    };
  });
  const ids = await insertRuns(transaction, rows);
  count(tally, "runs", rows.length);
  return new Map(
    rows.map((row, index) => [row.run_uuid, newPageRun(ids[index] as number, row.experiment_id)]),
  );
}

/** A run that went with its experiment gets its time: that is how it comes back with it. */
function runDeletedAt(row: SourceRun, withExperiment: number | undefined): number | null {
  if (row.lifecycle_stage !== "deleted") return null;
  if (withExperiment === undefined) return row.deleted_time ?? row.end_time ?? row.start_time ?? 0;
  return row.deleted_time === null || row.deleted_time >= withExperiment ? withExperiment : row.deleted_time;
}

type Written = { taken: readonly SourceRun[]; runs: ReadonlyMap<string, PageRun>; tally: Tally };
type TextSums = { params: number; tags: number; texts_hash: bigint };

async function writeTexts(
  context: ImportContext,
  transaction: Queryable,
  { taken, runs, tally }: Written,
): Promise<Map<string, TextSums>> {
  const { keys } = context;
  const cleaned = taken.map((row) => ({
    uuid: row.run_uuid,
    params: uniquePairs(row.params, tally),
    tags: uniquePairs(row.tags, tally),
  }));
  await keys.ensure(new Set(cleaned.flatMap(({ params, tags }) => [...params.keys(), ...tags.keys()])));
  const columns = { params: emptyTexts(), tags: emptyTexts() };
  const sums = new Map<string, TextSums>();
  for (const row of cleaned) {
    const run = runs.get(row.uuid) as PageRun;
    const hash = createHashSum();
    (["params", "tags"] as const).forEach((table, index) => {
      const texts = columns[table];
      for (const [key, value] of row[table]) {
        texts.runIds.push(run.run_id);
        texts.keyIds.push(keys.idOf(key));
        texts.experimentIds.push(run.experiment_id);
        texts.values.push(value);
        hash.add(hashText(value, hashText(key, { high: 0, low: index + 1 })));
      }
    });
    sums.set(row.uuid, { params: row.params.size, tags: row.tags.size, texts_hash: hash.total() });
    count(tally, "params", row.params.size);
    count(tally, "tags", row.tags.size);
  }
  for (const table of ["params", "tags"] as const) {
    if (columns[table].runIds.length > 0) await insertTexts(transaction, table, columns[table]);
  }
  return sums;
}

const emptyTexts = (): Texts => ({ runIds: [], keyIds: [], experimentIds: [], values: [] });

async function writeLinks(
  context: ImportContext,
  transaction: Queryable,
  { taken, runs, tally }: Written,
): Promise<void> {
  const idOf = (row: SourceRun): number => (runs.get(row.run_uuid) as PageRun).run_id;
  const inline = new Map<string, Parameters<typeof insertDatasets>[1][number]>();
  const links = taken.flatMap((row) => {
    const experiment = context.experiments.get(row.experiment_id)?.experiment_id as number;
    return row.datasets.map((used) => {
      const named = { name: clean(used.name, tally), digest: clean(used.digest, tally) };
      if (used.dataset !== undefined) {
        const { source_type, source, schema, profile } = used.dataset;
        inline.set(JSON.stringify([experiment, named.name, named.digest]), {
          experiment_id: experiment,
          ...named,
          source_type: clean(source_type, tally),
          source: clean(source, tally),
          schema: schema === null ? null : clean(schema, tally),
          profile: profile === null ? null : clean(profile, tally),
        });
      }
      return {
        run_id: idOf(row),
        experiment_id: experiment,
        ...named,
        tags: Object.fromEntries(uniquePairs(used.tags, tally)),
      };
    });
  });
  if (inline.size > 0) count(tally, "datasets", await insertDatasets(transaction, [...inline.values()]));
  if (links.length > 0) {
    const stored = await insertRunDatasets(transaction, links);
    count(tally, "run_datasets", stored);
    count(tally, "dataset_links_without_dataset", links.length - stored);
  }
  const models = new Map<string, BulkRunModel>();
  for (const row of taken) {
    const run_id = idOf(row);
    for (const { model_id } of row.model_inputs) {
      models.set(`${run_id}i${model_id}`, { run_id, model_id, direction: "i", step: 0 });
    }
    for (const { model_id, step } of row.model_outputs) {
      models.set(`${run_id}o${model_id}`, { run_id, model_id, direction: "o", step });
    }
  }
  if (models.size > 0) await insertRunModels(transaction, [...models.values()]);
  count(tally, "run_models", models.size);
}
