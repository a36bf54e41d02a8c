import type { Database, Prepared } from "../../kernel/database.ts";
import type { WorkspaceContents } from "../identity/index.ts";

const countText: Prepared = {
  name: "registry_count_models_of_workspace",
  text: "select count(*)::integer as count from registry.registered_models where workspace_id = $1",
};

const conflictsText: Prepared = {
  name: "registry_select_model_conflicts",
  text: `
    select name from registry.registered_models where workspace_id = $1
      and name in (select name from registry.registered_models where workspace_id = $2)
    order by name`,
};

const moveText: Prepared = {
  name: "registry_move_models",
  text: "update registry.registered_models set workspace_id = $2 where workspace_id = $1",
};

// One model in a statement: one may have a million versions.
const purgeText: Prepared = {
  name: "registry_purge_model_of_workspace",
  text: `
    delete from registry.registered_models where model_key = (
      select model_key from registry.registered_models where workspace_id = $1 limit 1
    ) returning model_key`,
};

export const createRegistryContents = (database: Database): WorkspaceContents => ({
  async countContents(transaction, workspaceId) {
    const [row] = await transaction.prepared<{ count: number }>(countText, [workspaceId]);
    return row === undefined || row.count === 0 ? [] : [{ table: "registered_models", count: row.count }];
  },
  async findConflicts(transaction, { from, to }) {
    const rows = await transaction.prepared<{ name: string }>(conflictsText, [from, to]);
    return rows.map(({ name }) => ({ table: "registered_models", name }));
  },
  async moveContents(transaction, { from, to }) {
    await transaction.prepared(moveText, [from, to]);
  },
  async purgeContents(workspaceId) {
    for (;;) {
      const gone = await database.prepared(purgeText, [workspaceId]);
      if (gone.length === 0) return;
    }
  },
});
