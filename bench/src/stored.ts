// Counts what really is in each server's database, to hold it against what was acknowledged.
import { query } from "./postgres.ts";
import type { Check } from "./measurement.ts";
import type { Target } from "./target.ts";
import { acknowledgedOf, type LoadResult } from "./wrk.ts";

export type Countable = "points" | "params" | "runs" | "versions";

const plinth: Readonly<Record<Countable, string>> = {
  points: `select count(*) from tracking.metric_points join tracking.run_metrics using (series_id)
    join tracking.runs using (run_id) where run_uuid = any($1)`,
  params: `select count(*) from tracking.params join tracking.runs using (run_id) where run_uuid = any($1)`,
  runs: `select count(*) from tracking.runs where experiment_id::text = any($1)`,
  versions: `select count(*) from registry.model_versions join registry.registered_models using (model_key)
    where name = any($1)`,
};

/** MLflow's tables, which FastTrackML shares. */
const peer: Readonly<Record<Countable, string>> = {
  points: `select count(*) from metrics where run_uuid = any($1)`,
  params: `select count(*) from params where run_uuid = any($1)`,
  runs: `select count(*) from runs where experiment_id::text = any($1)`,
  versions: `select count(*) from model_versions where name = any($1)`,
};

/** How many there are of these runs, or of runs in these experiments, or of versions of these models. */
export async function countStored(target: Target, what: Countable, ids: readonly string[]): Promise<number> {
  const statement = (target.name === "plinth" ? plinth : peer)[what];
  const { rows } = await query<{ count: string }>(target.database, statement, [ids]);
  return Number(rows[0]?.count);
}

/**
 * Everything acknowledged must be there; nothing may be there that was not sent. Between the two lie the
 * requests that were under way when the load ended.
 */
export function compareStored(stored: number, load: LoadResult, perRequest: number): Check {
  const acknowledged = acknowledgedOf(load) * perRequest;
  const issued = load.issued * perRequest;
  const text = `${stored} stored of ${acknowledged} acknowledged, ${issued} sent`;
  return { ok: stored >= acknowledged && stored <= issued && stored % perRequest === 0, text };
}
