import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import type { Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import {
  selectBulk,
  selectHistory,
  selectSample,
  selectSeries,
  type PointColumns,
} from "./metric-history.sql.ts";
import type { Int } from "./run-data-plan.ts";

export type HistoryPage = { points: PointColumns; nextPageToken: string | undefined };

export type RunPoints = { runId: string; points: PointColumns };

export type MetricHistory = {
  /** One page in order of (timestamp, step, value); without `maxResults` all of it. */
  getHistory(
    scope: Scope,
    query: { runId: string; key: string; maxResults?: number; pageToken?: string },
  ): Promise<HistoryPage>;
  /** Whole histories of several runs, `maxResults` points altogether; unknown runs are left out. */
  getHistoryBulk(
    scope: Scope,
    query: { runIds: readonly string[]; key: string; maxResults: number },
  ): Promise<RunPoints[]>;
  /** An even sample of each run's points in order of (step, timestamp, value), first and last kept. */
  getHistorySample(
    scope: Scope,
    query: {
      runIds: readonly string[];
      key: string;
      maxResults: number;
      startStep?: Int;
      endStep?: Int;
    },
  ): Promise<RunPoints[]>;
};

export function createMetricHistory(deps: TrackingDeps): MetricHistory {
  const { database } = deps;
  return {
    async getHistory({ workspaceId }, { runId, key, maxResults, pageToken }) {
      const [row] = await selectSeries(database, { workspaceId, runIds: [runId], key });
      if (row === undefined || row.series_id === null)
        return { points: withoutPoints, nextPageToken: undefined };
      const after = pageToken === undefined ? undefined : readPosition(pageToken);
      const limit = maxResults === undefined ? undefined : maxResults + 1;
      const found = await selectHistory(database, row.series_id, { after, limit });
      const more = maxResults !== undefined && found.values.length > maxResults;
      const count = more ? maxResults : found.values.length;
      const page = slice(found, 0, count);
      const nextPageToken = more ? lastPosition(page) : undefined;
      return { points: withoutCopies(page), nextPageToken };
    },
    async getHistoryBulk({ workspaceId }, { runIds, key, maxResults }) {
      const rows = (await selectSeries(database, { workspaceId, runIds: [...new Set(runIds)], key }))
        .filter((row) => row.series_id !== null)
        .toSorted((a, b) => (a.run_uuid < b.run_uuid ? -1 : 1));
      if (rows.length === 0) return [];
      const ids = rows.map((row) => row.series_id as number);
      return byRun(rows, await selectBulk(database, ids, maxResults));
    },
    async getHistorySample({ workspaceId }, { runIds, key, maxResults, startStep, endStep }) {
      const rows = await selectSeries(database, { workspaceId, runIds: [...new Set(runIds)], key });
      const known = new Map(rows.map((row) => [row.run_uuid, row]));
      const wanted = runIds.map((id) => known.get(id)).filter((row) => row !== undefined);
      const ids = wanted.flatMap((row) => (row.series_id === null ? [] : [row.series_id]));
      if (ids.length === 0) return [];
      const range = { size: maxResults, start: startStep ?? null, end: endStep ?? null };
      const sampled = byRun(wanted, await selectSample(database, ids, range));
      return sampled.map(({ runId, points }) => ({ runId, points: withinSize(points, maxResults) }));
    },
  };
}

const withoutPoints: PointColumns = { series: [], values: [], timestamps: [], steps: [] };

const slice = (points: PointColumns, from: number, to: number): PointColumns => ({
  series: points.series.slice(from, to),
  values: points.values.slice(from, to),
  timestamps: points.timestamps.slice(from, to),
  steps: points.steps.slice(from, to),
});

/** The sample's last point may be one too many: it then takes the place of the one before it. */
function withinSize(points: PointColumns, size: number): PointColumns {
  const count = points.values.length;
  if (count <= size) return points;
  const last = slice(points, count - 1, count);
  const kept = slice(points, 0, size - 1);
  return {
    series: [...kept.series, ...last.series],
    values: [...kept.values, ...last.values],
    timestamps: [...kept.timestamps, ...last.timestamps],
    steps: [...kept.steps, ...last.steps],
  };
}

/** A second try of a client stores its points again; a point is a fact, and is told once. */
function withoutCopies(points: PointColumns): PointColumns {
  const { timestamps, steps, values } = points;
  const isCopy = (index: number): boolean =>
    timestamps[index] === timestamps[index - 1] &&
    steps[index] === steps[index - 1] &&
    values[index] === values[index - 1];
  let copies = 0;
  for (let index = 1; index < values.length; index += 1) if (isCopy(index)) copies += 1;
  if (copies === 0) return points;
  const kept = (column: readonly string[]): string[] =>
    column.filter((_value, index) => index === 0 || !isCopy(index));
  return { series: [], values: kept(values), timestamps: kept(timestamps), steps: kept(steps) };
}

function byRun(
  rows: readonly { run_uuid: string; series_id: number | null }[],
  points: PointColumns,
): RunPoints[] {
  const starts = new Map<number, [from: number, to: number]>();
  points.series.forEach((series, index) => {
    const range = starts.get(series);
    if (range === undefined) starts.set(series, [index, index + 1]);
    else range[1] = index + 1;
  });
  return rows.flatMap((row) => {
    const range = row.series_id === null ? undefined : starts.get(row.series_id);
    return range === undefined ? [] : [{ runId: row.run_uuid, points: slice(points, range[0], range[1]) }];
  });
}

function lastPosition({ timestamps, steps, values }: PointColumns): string {
  const last = values.length - 1;
  return encodePageToken([timestamps[last] as string, steps[last] as string, values[last] as string]);
}

const INTEGER = /^-?\d{1,19}$/;

function readPosition(token: string): { timestamp: Int; step: Int; value: number } {
  const [timestamp, step, value] = decodePageToken(token, 3);
  if (!INTEGER.test(String(timestamp)) || !INTEGER.test(String(step)) || typeof value !== "string") {
    throw foreignToken();
  }
  return { timestamp: BigInt(String(timestamp)), step: BigInt(String(step)), value: Number(value) };
}
