import { sql, type RawBuilder } from "kysely";

/**
 * Narrows a search of given experiments to those of a workspace. Of one experiment it is asked once, before
 * anything is read (`One-Time Filter`), so the plan is the one without it; of several they are looked up by a
 * join, row by row from memory.
 */
export function inWorkspace(
  experimentId: RawBuilder<unknown>,
  { workspaceId, experimentIds }: { workspaceId: number; experimentIds: readonly number[] },
): RawBuilder<unknown> {
  const [only] = experimentIds;
  const workspace = sql.lit(workspaceId);
  return experimentIds.length === 1 && only !== undefined
    ? sql`(select workspace_id from tracking.experiments where experiment_id = ${sql.lit(only)}) = ${workspace}`
    : sql`${experimentId} in (select experiment_id from tracking.experiments where workspace_id = ${workspace})`;
}
