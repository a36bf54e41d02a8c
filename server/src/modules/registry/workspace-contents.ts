import type { Database, Prepared } from "../../kernel/database.ts";
import type { WorkspaceContents } from "../identity/index.ts";

const countText: Prepared = {
  name: "registry_count_contents_of_workspace",
  text: `
    select 'registered_models' as table, count(*)::integer from registry.registered_models where workspace_id = $1
    union all
    select 'webhooks', count(*)::integer from registry.webhooks where workspace_id = $1`,
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

const moveWebhooksText: Prepared = {
  name: "registry_move_webhooks",
  text: "update registry.webhooks set workspace_id = $2 where workspace_id = $1",
};

const deleteWebhooksText: Prepared = {
  name: "registry_delete_webhooks_of_workspace",
  text: "delete from registry.webhooks where workspace_id = $1",
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
  bindsName: true,
  nameKeys: ["registered_models_name_key"],
  async countContents(transaction, workspaceId) {
    const rows = await transaction.prepared<{ table: string; count: number }>(countText, [workspaceId]);
    return rows.filter(({ count }) => count > 0);
  },
  async findConflicts(transaction, { from, to }) {
    const rows = await transaction.prepared<{ name: string }>(conflictsText, [from, to]);
    return rows.map(({ name }) => ({ table: "registered_models", name }));
  },
  async moveContents(transaction, { from, to, deletedAt }) {
    await transaction.prepared(moveText, [from, to]);
    // What is deleted with its workspace tells nobody anything more.
    if (deletedAt === undefined) await transaction.prepared(moveWebhooksText, [from, to]);
    else await transaction.prepared(deleteWebhooksText, [from]);
  },
  async purgeContents(workspaceId) {
    for (;;) {
      const gone = await database.prepared(purgeText, [workspaceId]);
      if (gone.length === 0) return;
    }
  },
});
