import type { Prepared, Queryable } from "../../kernel/database.ts";

/** What every process must forget, in the order of the commits; a column that is null does not restrict. */
export type Change = {
  change_id: number;
  principal_id: number | null;
  role_id: number | null;
  workspace_id: number | null;
};

export type Changed = { principalId: number } | { roleId: number } | { workspaceId: number };

// The counter's row stays locked until the commit: whoever reads a number has seen all before it.
const insertChangeText: Prepared = {
  name: "identity_insert_change",
  text: `
    with counted as (
      update identity.change_counter set last_change = last_change + 1 returning last_change
    )
    insert into identity.changes (change_id, principal_id, role_id, workspace_id)
    select last_change, $1, $2, $3 from counted`,
};

/**
 * Says within a transaction that credentials or rights of a principal changed, or of all with a role, or of all in a
 * workspace. To be called last: other changes wait until the commit.
 */
export async function recordChange(transaction: Queryable, changed: Changed): Promise<void> {
  await transaction.prepared(insertChangeText, [
    "principalId" in changed ? changed.principalId : null,
    "roleId" in changed ? changed.roleId : null,
    "workspaceId" in changed ? changed.workspaceId : null,
  ]);
}

/** As many as one read takes; a process that missed more forgets everything. */
const MAX_CHANGES = 10_000;

// The counter and the changes are of one snapshot: where there are fewer than it says, some were deleted.
const selectChangesText: Prepared = {
  name: "identity_select_changes",
  text: `
    select last_change, change_id, principal_id, role_id, workspace_id
    from identity.change_counter left join identity.changes on change_id > $1
    order by change_id limit ${MAX_CHANGES}`,
};

/** What was committed after the change of that number, and the number of the last one. */
export async function selectChanges(
  database: Queryable,
  after: number,
): Promise<{ lastChange: number; changes: Change[] }> {
  type Read = Omit<Change, "change_id"> & { last_change: number; change_id: number | null };
  const rows = await database.prepared<Read>(selectChangesText, [after]);
  const changes = rows.filter((row): row is Read & Change => row.change_id !== null);
  return { lastChange: rows[0]?.last_change ?? 0, changes };
}

const deleteChangesText: Prepared = {
  name: "identity_delete_changes",
  text: "delete from identity.changes where at < now() - interval '1 hour'",
};

/** A process that was away for longer forgets everything it knew. */
export async function deleteOldChanges(database: Queryable): Promise<void> {
  await database.prepared(deleteChangesText, []);
}
