import type { Database, Prepared, Queryable } from "../../kernel/database.ts";
import { detachAll } from "./tag-links.sql.ts";

/** Whose runs are deleted with it. */
export type RunOwner = { column: "pipeline_id" | "snapshot_id"; id: string };

/** With up to thousands of steps each. */
const RUNS_AT_ONCE = 50;

const runsText = (column: RunOwner["column"]): Prepared => ({
  name: `pipelines_select_runs_to_delete_of_${column}`,
  text: `select id from pipelines.runs where ${column} = $1::uuid limit $2::integer`,
});
const runsTexts = { pipeline_id: runsText("pipeline_id"), snapshot_id: runsText("snapshot_id") } as const;

const stepsText: Prepared = {
  name: "pipelines_select_steps_of_runs_to_delete",
  text: "select id from pipelines.steps where run_id = any ($1::uuid[])",
};

const deleteText: Prepared = {
  name: "pipelines_delete_runs",
  text: "delete from pipelines.runs where id = any ($1::uuid[])",
};

const selectRunIds = async (database: Queryable, { column, id }: RunOwner): Promise<string[]> => {
  const rows = await database.prepared<{ id: string }>(runsTexts[column], [id, RUNS_AT_ONCE]);
  return rows.map((row) => row.id);
};

/** Runs with their steps, and everything that is about them. */
async function deleteRuns(transaction: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const steps = await transaction.prepared<{ id: string }>(stepsText, [ids]);
  await detachAll(transaction, [...ids, ...steps.map(({ id }) => id)]);
  await transaction.prepared(deleteText, [ids]);
}

/**
 * Deletes what runs belong to, with them, by `remove` within a transaction. Many runs are deleted in several
 * transactions, so that what is done stays done when a client no longer waits; the last few, and what they belong to,
 * in one.
 */
export async function removeWithRuns(
  database: Database,
  owner: RunOwner,
  remove: (transaction: Queryable) => Promise<void>,
): Promise<void> {
  for (;;) {
    const isLast = await database.transaction(async (transaction) => {
      const ids = await selectRunIds(transaction, owner);
      await deleteRuns(transaction, ids);
      if (ids.length === RUNS_AT_ONCE) return false;
      await remove(transaction);
      return true;
    });
    if (isLast) return;
  }
}
