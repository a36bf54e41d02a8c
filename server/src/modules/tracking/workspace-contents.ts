import type { Database, Prepared } from "../../kernel/database.ts";
import type { WorkspaceContents } from "../identity/index.ts";

const countText: Prepared = {
  name: "tracking_count_experiments_of_workspace",
  text: "select count(*)::integer as count from tracking.experiments where workspace_id = $1",
};

const conflictsText: Prepared = {
  name: "tracking_select_experiment_conflicts",
  text: `
    select name from tracking.experiments where workspace_id = $1
      and name in (select name from tracking.experiments where workspace_id = $2)
    order by experiment_id`,
};

// Runs and logged models of an experiment that is deleted already have their own times of deletion.
const moves: { always: Prepared; whenDeleted: readonly Prepared[] } = {
  always: {
    name: "tracking_move_experiments",
    text: "update tracking.experiments set workspace_id = $2 where workspace_id = $1",
  },
  whenDeleted: [
    {
      name: "tracking_delete_runs_of_workspace",
      text: `
        update tracking.runs set deleted_at = $2 where deleted_at is null
          and experiment_id in (select experiment_id from tracking.experiments where workspace_id = $1)`,
    },
    {
      name: "tracking_delete_logged_models_of_workspace",
      text: `
        update tracking.logged_models set deleted_at = $2 where deleted_at is null
          and experiment_id in (select experiment_id from tracking.experiments where workspace_id = $1)`,
    },
    {
      name: "tracking_delete_experiments_of_workspace",
      text: "update tracking.experiments set deleted_at = $2 where workspace_id = $1 and deleted_at is null",
    },
  ],
};

export const createTrackingContents = (database: Database): WorkspaceContents => ({
  bindsName: true,
  nameKeys: ["experiments_name_key"],
  async countContents(transaction, workspaceId) {
    const [row] = await transaction.prepared<{ count: number }>(countText, [workspaceId]);
    return row === undefined || row.count === 0 ? [] : [{ table: "experiments", count: row.count }];
  },
  async findConflicts(transaction, { from, to }) {
    const rows = await transaction.prepared<{ name: string }>(conflictsText, [from, to]);
    return rows.map(({ name }) => ({ table: "experiments", name }));
  },
  async moveContents(transaction, { from, to, deletedAt }) {
    if (deletedAt !== undefined) {
      for (const statement of moves.whenDeleted) await transaction.prepared(statement, [from, deletedAt]);
    }
    await transaction.prepared(moves.always, [from, to]);
  },
  // The purge of runs and experiments takes what is marked. A run that was being made while its workspace was
  // deleted is not: it is marked now, for the next purge.
  async purgeContents(workspaceId) {
    for (const statement of moves.whenDeleted) await database.prepared(statement, [workspaceId, 0]);
  },
});
