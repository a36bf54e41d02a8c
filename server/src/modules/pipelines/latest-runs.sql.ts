import type { Prepared, Queryable, Row } from "../../kernel/database.ts";

export type LatestRun = { owner_id: string; id: string; status: string; user_id: string | null };

const lateral = (name: string, runs: string): Prepared => ({
  name: `pipelines_select_latest_runs_of_${name}`,
  text: `
    select o.id as owner_id, r.id, r.status, r.user_id
    from unnest($1::uuid[]) as o (id) cross join lateral (
      select r.id, r.status, r.user_id from ${runs} order by r.created desc, r.id desc limit 1
    ) as r`,
});

const texts = {
  pipelines: lateral("pipelines", "pipelines.runs as r where r.pipeline_id = o.id"),
  // A run counts as one of the snapshot that its own was made from.
  snapshots: lateral(
    "snapshots",
    "pipelines.snapshots as s join pipelines.runs as r on r.snapshot_id = s.id where s.source_snapshot_id = o.id",
  ),
  templates: lateral(
    "templates",
    "pipelines.snapshots as s join pipelines.runs as r on r.snapshot_id = s.id where s.template_id = o.id",
  ),
} as const;

/** The newest run of each, by the id of what it is of; those without runs are left out. */
export async function selectLatestRuns(
  database: Queryable,
  of: keyof typeof texts,
  ids: readonly string[],
): Promise<Map<string, LatestRun>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<LatestRun & Row>(texts[of], [ids]);
  return new Map(rows.map((row) => [row.owner_id, row]));
}
