import type { Prepared, Queryable } from "../../../kernel/database.ts";
import { int4Array } from "../../../kernel/pg-arrays.ts";

/** What an import compares with what it read: see `RunSums`. */

/**
 * Of one run. The sums are of 64-bit hashes, modulo 2^64, so the order of points does not matter: of a point
 * `hashint8extended(step, hashint8extended(timestamp, hashfloat8extended(value, hashtextextended(key, 0))))`, of a
 * parameter `hashtextextended(value, hashtextextended(key, 1))`, of a tag the same with 2.
 */
export type RunSums = {
  run_id: number;
  points: number;
  metrics: number;
  params: number;
  tags: number;
  points_hash: string;
  texts_hash: string;
};

const TWO_TO_64 = "18446744073709551616";

const selectRunSumsText: Prepared = {
  name: "tracking_bulk_run_sums",
  text: `
    with wanted as (
      select * from unnest($1::integer[]) as wanted (run_id)
    ), series as materialized (
      select m.run_id, m.series_id, hashtextextended(k.key, 0) as seed
      from wanted join tracking.run_metrics as m using (run_id) join tracking.keys as k using (key_id)
    ), points as (
      select s.run_id, count(*) as points, sum(hashint8extended(coalesce(p.wide_step, p.step::bigint),
        hashint8extended(p.timestamp, hashfloat8extended(p.value, s.seed)))) as hash
      from series as s join tracking.metric_points as p using (series_id)
      group by s.run_id
    ), texts as (
      select run_id, count(*) filter (where kind = 1) as params, count(*) filter (where kind = 2) as tags,
        sum(hashtextextended(value collate "C", hashtextextended(key, kind))) as hash
      from (
        select p.run_id, k.key, p.value, 1 as kind
        from wanted join tracking.params as p using (run_id) join tracking.keys as k using (key_id)
        union all
        select t.run_id, k.key, t.value, 2 as kind
        from wanted join tracking.tags as t using (run_id) join tracking.keys as k using (key_id)
      ) as both_kinds
      group by run_id
    )
    select wanted.run_id, coalesce(points.points, 0) as points,
      (select count(*) from series where series.run_id = wanted.run_id) as metrics,
      coalesce(texts.params, 0) as params, coalesce(texts.tags, 0) as tags,
      coalesce(points.hash % ${TWO_TO_64}, 0)::text as points_hash,
      coalesce(texts.hash % ${TWO_TO_64}, 0)::text as texts_hash
    from wanted left join points using (run_id) left join texts using (run_id)`,
};

export async function selectRunSums(database: Queryable, runIds: readonly number[]): Promise<RunSums[]> {
  return database.prepared<RunSums>(selectRunSumsText, [int4Array(runIds)]);
}

const analyzeTexts: Prepared[] = ["runs", "run_metrics", "metric_points", "params", "tags"].map((table) => ({
  name: `tracking_bulk_analyze_${table}`,
  text: `analyze tracking.${table}`,
}));

/** Tells PostgreSQL how large the tables have become: it would not know for minutes, and read them whole. */
export async function analyzeTables(database: Queryable): Promise<void> {
  for (const statement of analyzeTexts) await database.prepared(statement, []);
}

export type TrackingCounts = {
  experiments: number;
  experiment_tags: number;
  runs: number;
  deleted_runs: number;
  datasets: number;
  run_datasets: number;
  run_models: number;
  logged_models: number;
  logged_model_params: number;
  logged_model_tags: number;
  logged_model_metrics: number;
};

const inExperiments = "experiment_id in (select experiment_id from experiments)";

const selectCountsText: Prepared = {
  name: "tracking_bulk_counts",
  text: `
    with experiments as materialized (
      select experiment_id from tracking.experiments where workspace_id = any($1::integer[])
    ), runs as materialized (
      select run_id, deleted_at is not null as deleted from tracking.runs where ${inExperiments}
    ), models as materialized (
      select model_key from tracking.logged_models where ${inExperiments}
    )
    select (select count(*) from experiments) as experiments,
      (select count(*) from tracking.experiment_tags where ${inExperiments}) as experiment_tags,
      (select count(*) from runs) as runs,
      (select count(*) from runs where deleted) as deleted_runs,
      (select count(*) from tracking.datasets where ${inExperiments}) as datasets,
      (select count(*) from tracking.run_datasets where run_id in (select run_id from runs)) as run_datasets,
      (select count(*) from tracking.run_models where run_id in (select run_id from runs)) as run_models,
      (select count(*) from models) as logged_models,
      (select count(*) from tracking.logged_model_params where model_key in (select model_key from models))
        as logged_model_params,
      (select count(*) from tracking.logged_model_tags where model_key in (select model_key from models))
        as logged_model_tags,
      (select count(*) from tracking.logged_model_metrics where model_key in (select model_key from models))
        as logged_model_metrics`,
};

/** What stands in these workspaces. */
export async function selectTrackingCounts(
  database: Queryable,
  workspaceIds: readonly number[],
): Promise<TrackingCounts> {
  const [row] = await database.prepared<TrackingCounts>(selectCountsText, [int4Array(workspaceIds)]);
  if (row === undefined) throw new Error("A count returned no row.");
  return row;
}
