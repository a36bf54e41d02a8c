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
  let last: Point | undefined;
  for await (const [numbers = [], values = [], timestamps = [], steps = []] of snapshot.copy(
    select,
    columns,
  )) {
    const rows: Cell[][] = [[], [], [], [], []];
    for (let index = 0; index < numbers.length; index += 1) {
      const point: Point = [numbers[index], values[index], timestamps[index], steps[index]];
      // A point that was stored twice, as after a client's second try, is one: its copies are neighbours.
      if (last !== undefined && isSame(point, last)) continue;
      last = point;
      const one = series[Number(point[0]) - 1] as Series;
      (rows[0] as Cell[]).push(one.run_id);
      (rows[1] as Cell[]).push(one.key);
      (rows[2] as Cell[]).push(point[1] as Cell);
      (rows[3] as Cell[]).push(point[2] as Cell);
      (rows[4] as Cell[]).push(point[3] as Cell);
    }
    await append(rows);
  }
}

type Point = readonly [Cell | undefined, Cell | undefined, Cell | undefined, Cell | undefined];

/** NaN is the same as NaN, as in MLflow's store. */
const isSame = (a: Point, b: Point): boolean =>
  a[0] === b[0] && a[2] === b[2] && a[3] === b[3] && (a[1] === b[1] || Object.is(a[1], b[1]));
