import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { ListQuery } from "./list.ts";

/** What so much of is in a workspace that a list of all of it must not count it: see `0018_pipeline_counts.sql`. */
type CountedKind = "steps" | "artifact_versions";

const countText: Prepared = {
  name: "pipelines_select_row_count",
  text: `
    select coalesce(sum(total), 0)::bigint as total from pipelines.row_counts
    where workspace_id = $1 and kind = $2`,
};

/** All rows of a kind in a workspace, exactly, without counting them. */
async function selectRowCount(database: Queryable, kind: CountedKind, workspaceId: number): Promise<number> {
  return (await database.prepared<{ total: number }>(countText, [workspaceId, kind]))[0]?.total ?? 0;
}

/** How `selectPage` learns its total where a query asks for all of a workspace; else it counts. */
export function wholeCount(
  database: Queryable,
  { conditions }: ListQuery,
  { kind, workspaceId }: { kind: CountedKind; workspaceId: number | undefined },
): { total?: () => Promise<number> } {
  if (workspaceId === undefined || conditions.length > 0) return {};
  return { total: () => selectRowCount(database, kind, workspaceId) };
}
