import type { Batch, Cell } from "../../kernel/copy-out.ts";
import type { Snapshot } from "../../kernel/snapshot.ts";
import {
  historyOf,
  runTables,
  selectExportRuns,
  selectExportSeries,
  type ExportSelection,
  type Series,
} from "../../modules/tracking/index.ts";
import type { TableFile } from "./table-file.ts";
import type { WideRuns } from "./wide-runs.ts";

export type RunFiles = Readonly<Record<keyof typeof runTables | "metrics", TableFile>>;

export type RunProgress = { runs: number; points: number };

/** Series read by one statement. */
const SERIES_AT_ONCE = 2000;

// Runs are taken some at a time: few where they hold much, so that what is in memory does not depend on it.
const FIRST_RUNS = 50;
const MAX_RUNS = 500;
const MANY_VALUES = 200_000;

/** Writes all runs and what they are made of, in one go over the runs. */
export async function exportRuns(
  snapshot: Snapshot,
  selection: ExportSelection,
  to: {
    files: RunFiles;
    wide: WideRuns | undefined;
    onProgress: (progress: RunProgress) => void;
    signal: AbortSignal;
  },
): Promise<void> {
  const done: RunProgress = { runs: 0, points: 0 };
  const cursor = await snapshot.openCursor<{ run_id: number }>("export_runs", selectExportRuns(selection));
  let size = FIRST_RUNS;
  for (;;) {
    const page = (await cursor.fetch(size)).map((row) => row.run_id);
    if (page.length === 0) break;
    const values = await exportPage(snapshot, page, to);
    const series = await snapshot.openCursor<Series>("export_series", selectExportSeries(page));
    for (;;) {
      to.signal.throwIfAborted();
      const some = await series.fetch(SERIES_AT_ONCE);
      if (some.length === 0) break;
      await exportHistory(snapshot, some, (batch) => {
        done.points += batch[0]?.length ?? 0;
        to.onProgress(done);
        return to.files.metrics.append(batch);
      });
    }
    await series.close();
    done.runs += page.length;
    to.onProgress(done);
    size = values > MANY_VALUES ? Math.max(1, size >> 1) : Math.min(MAX_RUNS, size * 2);
  }
  await cursor.close();
}

/** Returns how many characters and numbers passed through. */
async function exportPage(
  snapshot: Snapshot,
  page: readonly number[],
  { files, wide, signal }: { files: RunFiles; wide: WideRuns | undefined; signal: AbortSignal },
): Promise<number> {
  let size = 0;
  for (const name of ["runs", "latest_metrics", "params", "tags", "inputs", "run_models"] as const) {
    const { columns, select } = runTables[name];
    for await (const batch of snapshot.copy(select(page), columns)) {
      signal.throwIfAborted();
      if (name === "runs") wide?.addRuns(batch);
      else if (name === "latest_metrics") wide?.addValues("metrics", batch);
      else if (name === "params" || name === "tags") wide?.addValues(name, batch);
      size += weightOf(batch);
      await files[name].append(batch);
    }
  }
  await wide?.flush();
  return size;
}

/** A value weighs 1, a long one more: 1 for every 64 characters. */
function weightOf(batch: Batch): number {
  let weight = 0;
  for (const cell of batch[2] ?? []) weight += typeof cell === "string" ? 1 + (cell.length >> 6) : 1;
  return weight;
}

async function exportHistory(
  snapshot: Snapshot,
  series: readonly Series[],
  append: (batch: Batch) => Promise<void>,
): Promise<void> {
  const { select, columns } = historyOf(series.map((one) => one.series_id));
  let last: readonly Cell[] = [];
  for await (const batch of snapshot.copy(select, columns)) {
    const points = withoutCopies(batch, last);
    last = batch.map((column) => column.at(-1) as Cell);
    const [numbers = [], ...rest] = points;
    const owners = numbers.map((number) => series[Number(number) - 1] as Series);
    await append([owners.map((one) => one.run_id), owners.map((one) => one.key), ...rest]);
  }
}

/**
 * A point that was stored twice, as after a client's second try, is one: its copies are neighbours. `last` is the
 * point before the batch.
 */
function withoutCopies(batch: Batch, last: readonly Cell[]): Batch {
  const isCopy = (row: number): boolean =>
    batch.every((column) =>
      Object.is(column[row], row === 0 ? last[batch.indexOf(column)] : column[row - 1]),
    );
  const copies = new Set<number>();
  for (const row of (batch[0] ?? []).keys()) if (isCopy(row)) copies.add(row);
  if (copies.size === 0) return batch;
  return batch.map((column) => column.filter((_, row) => !copies.has(row)));
}
