import type { Queryable } from "../../kernel/database.ts";
import { createHashSum, hashText, type Hash, type HashSum } from "../../kernel/pg-hash.ts";
import {
  insertBulkPoints,
  insertBulkSeries,
  isNewer,
  reserveSeries,
  type BulkSeries,
  type Keys,
  type Points,
} from "../../modules/tracking/bulk/index.ts";
import { count, type Tally } from "./context.ts";
import { clean, finite } from "./rows.ts";
import type { SourceMetric, SourcePoints } from "./source.ts";

type Series = BulkSeries & { seed: Hash };

/** A run of the page, as far as its points matter. */
export type PageRun = {
  run_id: number;
  experiment_id: number;
  series: Map<string, Series>;
  points: number;
  hash: HashSum;
};

/** Numbers of series for all pages, fetched by the thousand. */
export type SeriesNumbers = { take(database: Queryable, atLeast: number): Promise<number[]> };

export function createSeriesNumbers(): SeriesNumbers {
  let ready: number[] = [];
  return {
    async take(database, atLeast) {
      if (ready.length < atLeast) {
        ready = ready.concat(await reserveSeries(database, Math.max(5_000, atLeast)));
      }
      return ready.splice(0, atLeast);
    },
  };
}

export type PointWriter = {
  /** Numbers new series, and sends the points without waiting for them to be stored. */
  write(points: SourcePoints): Promise<void>;
  /** When all points are stored: the newest one of each series. */
  finish(): Promise<void>;
};

/** Statements on their way to the database at once: one is worked on while the next is read and encoded. */
const IN_FLIGHT = 2;

export function createPointWriter(
  deps: { transaction: Queryable; numbers: SeriesNumbers; keys: Keys; tally: Tally },
  runs: ReadonlyMap<string, PageRun>,
): PointWriter {
  const { transaction, numbers, keys, tally } = deps;
  const seeds = new Map<string, Hash>();
  let sent: Promise<void>[] = [];

  const startSeries = (run: PageRun, key: string, newest: Omit<SourceMetric, "key">): Series => {
    let seed = seeds.get(key);
    if (seed === undefined) {
      seed = hashText(key, { high: 0, low: 0 });
      seeds.set(key, seed);
    }
    const series: Series = {
      run_id: run.run_id,
      key_id: keys.idOf(key),
      experiment_id: run.experiment_id,
      series_id: 0,
      value: newest.value,
      timestamp: newest.timestamp,
      step: newest.step,
      seed,
    };
    run.series.set(key, series);
    return series;
  };

  return {
    async write(columns) {
      const points: Points = { values: [], timestamps: [], seriesIds: [], steps: [] };
      const owners: Series[] = [];
      const added: Series[] = [];
      await keys.ensure(new Set(columns.keys.map((key) => clean(key, tally))));
      let run: PageRun | undefined;
      let series: Series | undefined;
      let lastRun = "";
      let lastKey = "";
      for (let index = 0; index < columns.values.length; index += 1) {
        const uuid = columns.run_uuids[index] as string;
        const written = columns.keys[index] as string;
        const value = finite(columns.values[index] as number);
        const timestamp = columns.timestamps[index] as number | bigint;
        const step = columns.steps[index] as number | bigint;
        if (uuid !== lastRun || written !== lastKey || series === undefined) {
          if (uuid !== lastRun) run = runs.get(uuid);
          lastRun = uuid;
          lastKey = written;
          // A run that is left out is still among the points.
          if (run === undefined) {
            series = undefined;
            continue;
          }
          const key = clean(written, tally);
          series = run.series.get(key);
          if (series === undefined) {
            series = startSeries(run, key, { value, timestamp, step });
            added.push(series);
          }
        }
        if (isNewer({ value, timestamp, step }, series)) {
          series.value = value;
          series.timestamp = timestamp;
          series.step = step;
        }
        const owner = run as PageRun;
        owner.points += 1;
        owner.hash.addPoint(series.seed, value, [timestamp, step]);
        points.values.push(value);
        points.timestamps.push(timestamp);
        points.steps.push(step);
        owners.push(series);
      }
      if (added.length > 0) {
        const ids = await numbers.take(transaction, added.length);
        added.forEach((one, index) => {
          one.series_id = ids[index] as number;
        });
      }
      if (owners.length === 0) return;
      points.seriesIds = owners.map((one) => one.series_id);
      count(tally, "points", owners.length);
      const statement = insertBulkPoints(transaction, points);
      statement.catch(() => undefined);
      sent.push(statement);
      if (sent.length >= IN_FLIGHT) await sent.shift();
    },
    async finish() {
      await Promise.all(sent);
      sent = [];
      const rows = [...runs.values()].flatMap((run) => [...run.series.values()]);
      const unnumbered = rows.filter((one) => one.series_id === 0);
      const ids = unnumbered.length > 0 ? await numbers.take(transaction, unnumbered.length) : [];
      unnumbered.forEach((one, index) => {
        one.series_id = ids[index] as number;
      });
      count(tally, "metrics", rows.length);
      if (rows.length > 0) {
        rows.sort((one, other) => one.run_id - other.run_id || one.key_id - other.key_id);
        await insertBulkSeries(transaction, rows);
      }
    },
  };
}

/**
 * What the source itself calls the newest values: where it has no history of a metric, that is all there is; and
 * where it names another point than the history does, clients have been seeing that one.
 */
export async function applyLatest(
  deps: { keys: Keys; tally: Tally },
  run: PageRun,
  latest: readonly SourceMetric[],
): Promise<void> {
  const { keys, tally } = deps;
  await keys.ensure(new Set(latest.map(({ key }) => clean(key, tally))));
  for (const metric of latest) {
    const key = clean(metric.key, tally);
    const value = finite(metric.value);
    const { timestamp, step } = metric;
    const known = run.series.get(key);
    if (known === undefined) {
      count(tally, "metrics_without_history");
      run.series.set(key, {
        run_id: run.run_id,
        key_id: keys.idOf(key),
        experiment_id: run.experiment_id,
        series_id: 0,
        value,
        timestamp,
        step,
        seed: { high: 0, low: 0 },
      });
    } else if (!Object.is(known.value, value) || known.timestamp !== timestamp || known.step !== step) {
      count(tally, "newest_differs");
      Object.assign(known, { value, timestamp, step });
    }
  }
}

export const newPageRun = (run_id: number, experiment_id: number): PageRun => ({
  run_id,
  experiment_id,
  series: new Map(),
  points: 0,
  hash: createHashSum(),
});
