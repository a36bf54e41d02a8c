import { sql, type RawBuilder } from "kysely";

/**
 * Narrows a search of given experiments to those of a workspace. Of one experiment it is asked once, before
 * anything is read (`One-Time Filter`). `is not null`, since the planner takes that to hold nearly always, and
 * plans as without it: `= <workspace>` it takes to hold for one row in 200, and then sorts 100,000 runs in 160 ms
 * where 1,000 of them in order of an index take 3 ms. Of several experiments each row is looked up in memory.
 */
export function inWorkspace(
  experimentId: RawBuilder<unknown>,
  { workspaceId, experimentIds }: { workspaceId: number; experimentIds: readonly number[] },
): RawBuilder<unknown> {
  const [only] = experimentIds;
  const workspace = sql.lit(workspaceId);
  return experimentIds.length === 1 && only !== undefined
    ? sql`(select e.experiment_id from tracking.experiments as e
        where e.experiment_id = ${sql.lit(only)} and e.workspace_id = ${workspace}) is not null`
    : sql`${experimentId} in (select experiment_id from tracking.experiments where workspace_id = ${workspace})`;
}

/** One experiment is an equality, by which an index gives the order; several cannot. */
export function ofExperiments(
  experimentId: RawBuilder<unknown>,
  ids: readonly number[],
): RawBuilder<unknown> {
  const [only] = ids;
  return ids.length === 1 && only !== undefined
    ? sql`${experimentId} = ${sql.lit(only)}`
    : sql`${experimentId} = any(${sql.lit(`{${ids.join(",")}}`)}::integer[])`;
}
