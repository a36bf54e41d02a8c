import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { CuratedVisualizationRow } from "./artifact-tables.ts";
import { grouped } from "./related.sql.ts";

export type ShownCuratedRow = CuratedVisualizationRow & { artifact_version_id: string };

const text: Prepared = {
  name: "pipelines_select_curated_of",
  text: `
    select c.id, c.workspace_id, c.user_id, c.artifact_visualization_id, c.display_name, c.display_order,
      c.layout_size, c.resource_id, c.resource_type, c.created, c.updated, v.artifact_version_id
    from pipelines.curated_visualizations as c
      join pipelines.artifact_visualizations as v on v.id = c.artifact_visualization_id
    where c.resource_id = any ($1::uuid[])
    order by c.display_order nulls first, c.created, c.id`,
};

/** Visualizations that were put on what has these ids, in the order in which they are shown. */
export async function selectCuratedOf(
  database: Queryable,
  resourceIds: readonly string[],
): Promise<Map<string, ShownCuratedRow[]>> {
  if (resourceIds.length === 0) return new Map();
  return grouped(await database.prepared<ShownCuratedRow & Row>(text, [resourceIds]));
}
