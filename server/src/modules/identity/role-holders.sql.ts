import type { Prepared, Queryable } from "../../kernel/database.ts";

export type RoleHolder = {
  principal: string;
  kind: "user" | "service_account";
  source: "manual" | "group";
};

const selectHoldersText: Prepared = {
  name: "identity_select_role_holders",
  text: `
    select p.name as principal, p.kind, a.source
    from identity.assignments as a join identity.principals as p using (principal_id)
    where a.role_id = $1 and p.name > $2 order by p.name limit $3`,
};

/** Who has a role, by name, after that of the last page. */
export async function selectHolders(
  database: Queryable,
  roleId: number,
  page: { after: string; limit: number },
): Promise<RoleHolder[]> {
  return database.prepared<RoleHolder>(selectHoldersText, [roleId, page.after, page.limit]);
}
