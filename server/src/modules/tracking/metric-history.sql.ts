import { sql } from "kysely";
import type { Database, Prepared, Row } from "../../kernel/database.ts";
import { int4Array, readInts, readNumberTexts } from "../../kernel/pg-arrays.ts";

type Int = number | bigint;

/**
 * Points as columns; the same index is the same point. Numbers are decimal texts as PostgreSQL writes them
 * (`0.5`, `1`, `1e-05`, `NaN`): a page only passes them on. `series` is set where several are asked for.
 */
export type PointColumns = { series: number[]; values: string[]; timestamps: string[]; steps: string[] };

export type SeriesRow = { run_uuid: string; run_id: number; series_id: number | null };

const selectSeriesText: Prepared = {
  name: "tracking_select_series",
  text: `
    select runs.run_uuid, runs.run_id, run_metrics.series_id
    from unnest($1::text[]) as wanted (run_uuid)
    join tracking.runs using (run_uuid)
    join tracking.experiments as e on e.experiment_id = runs.experiment_id and e.workspace_id = $3
    left join (tracking.run_metrics join tracking.keys on keys.key_id = run_metrics.key_id and keys.key = $2)
      on run_metrics.run_id = runs.run_id`,
};

/** The series of one metric in each of the runs that are in the workspace; null where a run never logged it. */
export async function selectSeries(
  database: Database,
  wanted: { workspaceId: number; runIds: readonly string[]; key: string },
): Promise<SeriesRow[]> {
  const { workspaceId, runIds, key } = wanted;
  return database.prepared<SeriesRow>(selectSeriesText, [runIds, key, workspaceId]);
}

export type Position = { timestamp: Int; step: Int; value: number };

/**
 * The points of a series after a position, in order of (timestamp, step, value). The index gives them
 * by slot of time, so a page sorts one slot at a time and stops when it is full, however long the
 * series is: page 1 and page 400 of 10,000,000 points cost the same. A point that was stored twice, as
 * after a client's second try, comes twice: its copies are neighbours in this order.
 */
export async function selectHistory(
  database: Database,
  seriesId: number,
  page: { after: Position | undefined; limit: number | undefined },
): Promise<PointColumns> {
  const { after, limit } = page;
  const step = sql`coalesce(wide_step, step)`;
  // NaN counts as zero in MLflow's order.
  const plain = sql`coalesce(nullif(value, 'NaN'), 0)`;
  const from =
    after === undefined
      ? sql``
      : sql`and tracking.slot(timestamp) >= tracking.slot(${after.timestamp}::bigint)
          and timestamp >= ${after.timestamp}::bigint
          and (timestamp, ${step}, ${plain}, value) >
            (${after.timestamp}::bigint, ${after.step}::bigint, ${after.value || 0}::float8, ${after.value}::float8)`;
  const query = sql<Row>`
    select array_agg(value)::text as values, array_agg(timestamp)::text as timestamps, array_agg(step)::text as steps from (
      select value, timestamp, ${step} as step from tracking.metric_points
      where series_id = ${sql.lit(seriesId)} ${from}
      order by series_id, tracking.slot(timestamp), timestamp, ${step}, ${plain}, value
      ${limit === undefined ? sql`` : sql`limit ${sql.lit(limit)}`}
    ) as page`;
  // Before the first statistics of a table the planner takes all points of the series and sorts them
  // for every page: twice the time at 100,000 points, a hundred times at 10,000,000.
  const inOrder = sql`set local enable_bitmapscan = off`.compile(database.kysely);
  return database.transaction(async (transaction) => {
    const [, rows] = await Promise.all([
      transaction.run(inOrder),
      transaction.run(query.compile(database.kysely)),
    ]);
    return readColumns(rows);
  });
}

function readColumns(rows: readonly Row[]): PointColumns {
  const row = rows[0] as Record<string, string | null>;
  return {
    series: readInts(row["series"] ?? null),
    values: readNumberTexts(row["values"] ?? null),
    timestamps: readNumberTexts(row["timestamps"] ?? null),
    steps: readNumberTexts(row["steps"] ?? null),
  };
}

const selectSampleText: Prepared = {
  name: "tracking_select_sample",
  // Of n points in order of (step, timestamp, value) the first of each of `$4` equal shares, and
  // always the last: what the UI draws, whatever n is.
  text: `
    select array_agg(series_id)::text as series, array_agg(value)::text as values, array_agg(timestamp)::text as timestamps,
        array_agg(step)::text as steps
    from (
      select series_id, value, timestamp, step from (
        select series_id, value, timestamp, step, number, count,
          lag(share) over (partition by series_id order by number) as before, share
        from (
          select series_id, value, timestamp, step, number, count, ntile($4::integer) over (
            partition by series_id order by number) as share
          from (
            select series_id, value, timestamp, step,
              row_number() over (
                partition by series_id order by step, timestamp, coalesce(nullif(value, 'NaN'), 0), value) as number,
              count(*) over (partition by series_id) as count
            from (
              select distinct series_id, value, timestamp, coalesce(wide_step, step) as step
              from tracking.metric_points
              where series_id = any($1::integer[])
                and ($2::bigint is null or coalesce(wide_step, step) >= $2)
                and ($3::bigint is null or coalesce(wide_step, step) <= $3)
            ) as points
          ) as numbered
        ) as shared
      ) as compared
      where before is distinct from share or number = count
      order by series_id, number
    ) as sampled`,
};

/** At most `size` points of each series, plus its last one where that is not among them. */
export async function selectSample(
  database: Database,
  seriesIds: readonly number[],
  range: { size: number; start: Int | null; end: Int | null },
): Promise<PointColumns> {
  const { size, start, end } = range;
  return readColumns(await database.prepared(selectSampleText, [int4Array(seriesIds), start, end, size]));
}

const selectBulkText: Prepared = {
  name: "tracking_select_bulk_history",
  text: `
    select array_agg(series_id)::text as series, array_agg(value)::text as values, array_agg(timestamp)::text as timestamps,
        array_agg(step)::text as steps
    from (
      select points.series_id, points.value, points.timestamp, points.step from unnest($1::integer[]) with ordinality as wanted (series_id, ordinal)
      cross join lateral (
        select distinct p.series_id, tracking.slot(timestamp), timestamp, coalesce(wide_step, step) as step,
          coalesce(nullif(value, 'NaN'), 0), value
        from tracking.metric_points as p
        where p.series_id = wanted.series_id
        order by p.series_id, tracking.slot(timestamp), timestamp, coalesce(wide_step, step),
          coalesce(nullif(value, 'NaN'), 0), value
        limit $2
      ) as points
      order by wanted.ordinal, timestamp, step, coalesce(nullif(value, 'NaN'), 0), value
      limit $2
    ) as page`,
};

/** Whole histories of several series, one after the other, `limit` points altogether. */
export async function selectBulk(
  database: Database,
  seriesIds: readonly number[],
  limit: number,
): Promise<PointColumns> {
  return readColumns(await database.prepared(selectBulkText, [int4Array(seriesIds), limit]));
}
