import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { Changed } from "./changes.sql.ts";
import type { Grant, GrantType, Permission } from "./policy.ts";
import type { RoleRow } from "./roles.sql.ts";

export type GrantRow = {
  grant_id: number;
  role_id: number;
  resource_type: GrantType;
  pattern: string;
  permission: Permission;
};

const COLUMNS = "g.grant_id, g.role_id, g.resource_type, g.pattern, g.permission";

const insertGrantText: Prepared = {
  name: "identity_insert_grant",
  text: `
    insert into identity.grants as g (role_id, resource_type, pattern, permission) values ($1, $2, $3, $4)
    on conflict on constraint grants_resource_key do nothing returning ${COLUMNS}`,
};

const upsertGrantText: Prepared = {
  name: "identity_upsert_grant",
  text: `
    insert into identity.grants as g (role_id, resource_type, pattern, permission) values ($1, $2, $3, $4)
    on conflict on constraint grants_resource_key do update set permission = excluded.permission
    returning ${COLUMNS}`,
};

/** Undefined when there is one on the same pattern, which `replace` replaces. */
export async function insertGrant(
  transaction: Queryable,
  roleId: number,
  { resource_type, pattern, permission, replace }: Grant & { replace: boolean },
): Promise<GrantRow | undefined> {
  const statement = replace ? upsertGrantText : insertGrantText;
  return (await transaction.prepared<GrantRow>(statement, [roleId, resource_type, pattern, permission]))[0];
}

const selectGrantText: Prepared = {
  name: "identity_select_grant",
  text: `select ${COLUMNS} from identity.grants as g where g.grant_id = $1`,
};

export async function selectGrant(database: Queryable, grantId: number): Promise<GrantRow | undefined> {
  return (await database.prepared<GrantRow>(selectGrantText, [grantId]))[0];
}

const selectGrantOnText: Prepared = {
  name: "identity_select_grant_on",
  text: `
    select ${COLUMNS} from identity.grants as g
    where g.role_id = $1 and g.resource_type = $2 and g.pattern = $3`,
};

export async function selectGrantOn(
  database: Queryable,
  roleId: number,
  on: { resource_type: string; pattern: string },
): Promise<GrantRow | undefined> {
  return (await database.prepared<GrantRow>(selectGrantOnText, [roleId, on.resource_type, on.pattern]))[0];
}

const selectGrantsText: Prepared = {
  name: "identity_select_grants",
  text: `select ${COLUMNS} from identity.grants as g where g.role_id = any($1::integer[]) order by g.grant_id`,
};

export async function selectGrants(database: Queryable, roleIds: readonly number[]): Promise<GrantRow[]> {
  return database.prepared<GrantRow>(selectGrantsText, [int4Array(roleIds)]);
}

const updateGrantText: Prepared = {
  name: "identity_update_grant",
  text: `update identity.grants as g set permission = $2 where g.grant_id = $1 returning ${COLUMNS}`,
};

export async function updateGrant(
  transaction: Queryable,
  grantId: number,
  permission: Permission,
): Promise<GrantRow | undefined> {
  return (await transaction.prepared<GrantRow>(updateGrantText, [grantId, permission]))[0];
}

const deleteGrantText: Prepared = {
  name: "identity_delete_grant",
  text: "delete from identity.grants where grant_id = $1 returning grant_id",
};

export async function deleteGrant(transaction: Queryable, grantId: number): Promise<boolean> {
  return (await transaction.prepared(deleteGrantText, [grantId])).length > 0;
}

const selectPersonalRoleText: Prepared = {
  name: "identity_select_personal_role",
  text: `
    select role_id from identity.roles
    where workspace_id = $2 and name = '__user_' || $1::integer || '__' and kind = 'personal'`,
};

const insertPersonalRoleText: Prepared = {
  name: "identity_insert_personal_role",
  text: `
    with added as (
      insert into identity.roles
        (workspace_id, name, kind, principal_id, creation_timestamp, last_updated_timestamp)
      values ($2, '__user_' || $1::integer || '__', 'personal', $1, $3, $3)
      on conflict on constraint roles_name_key do nothing returning role_id
    )
    insert into identity.assignments (principal_id, role_id) select $1, role_id from added returning role_id`,
};

/**
 * The role of what this principal was granted directly. Two that make it at once: the second waits for the commit
 * of the first, and finds it. Violates `roles_workspace_id_fkey` or `roles_principal_id_fkey` where one is gone.
 */
export async function ensurePersonalRole(
  transaction: Queryable,
  of: { principalId: number; workspaceId: number; now: number },
): Promise<number> {
  const place = [of.principalId, of.workspaceId];
  const found =
    (await transaction.prepared<{ role_id: number }>(selectPersonalRoleText, place))[0] ??
    (await transaction.prepared<{ role_id: number }>(insertPersonalRoleText, [...place, of.now]))[0] ??
    (await transaction.prepared<{ role_id: number }>(selectPersonalRoleText, place))[0];
  return (found as { role_id: number }).role_id;
}

const selectDirectGrantText: Prepared = {
  name: "identity_select_direct_grant",
  text: `
    select ${COLUMNS} from identity.grants as g join identity.roles as r using (role_id)
    where r.workspace_id = $2 and r.name = '__user_' || $1::integer || '__' and r.kind = 'personal'
      and g.resource_type = $3 and g.pattern = $4`,
};

export type Granted = { resource_type: GrantType; pattern: string };

export async function selectDirectGrant(
  database: Queryable,
  of: { principalId: number; workspaceId: number },
  on: Granted,
): Promise<GrantRow | undefined> {
  const values = [of.principalId, of.workspaceId, on.resource_type, on.pattern];
  return (await database.prepared<GrantRow>(selectDirectGrantText, values))[0];
}

export type GrantOfRow = GrantRow & { role_name: string; workspace: string | null };

const selectGrantsOfText: Prepared = {
  name: "identity_select_grants_of",
  text: `
    select ${COLUMNS}, r.name as role_name, w.name as workspace
    from identity.assignments as a join identity.roles as r using (role_id)
      join identity.grants as g using (role_id) left join identity.workspaces as w using (workspace_id)
    where a.principal_id = $1 and w.hidden is not true
    order by g.grant_id`,
};

export async function selectGrantsOf(database: Queryable, principalId: number): Promise<GrantOfRow[]> {
  return database.prepared<GrantOfRow>(selectGrantsOfText, [principalId]);
}

const ROLES_ON = `
    from identity.grants as g join identity.roles as r using (role_id)
    where ($1::integer is null or r.workspace_id = $1)
      and g.resource_type = any($2::text[]) and g.pattern = any($3::text[])`;

type RoleOn = Pick<RoleRow, "role_id" | "workspace_id" | "principal_id">;

const deleteGrantsOnText: Prepared = {
  name: "identity_delete_grants_on",
  text: `
    with gone as (
      delete from identity.grants where grant_id in (select g.grant_id ${ROLES_ON}) returning role_id
    )
    select distinct role_id, workspace_id, principal_id from gone join identity.roles using (role_id)`,
};

/** What is granted on resources that are no more. */
export type On = { workspaceId: number | undefined; types: readonly GrantType[]; ids: readonly string[] };

/** Says whose rights are others now. */
export async function deleteGrantsOn(transaction: Queryable, on: On): Promise<Changed[]> {
  const values = [on.workspaceId ?? null, on.types, on.ids];
  return changesOf(await transaction.prepared<RoleOn>(deleteGrantsOnText, values));
}

const lockRolesOnText: Prepared = {
  name: "identity_lock_roles_on",
  text: `
    select role_id, workspace_id, principal_id from identity.roles
    where role_id in (select g.role_id ${ROLES_ON}) order by role_id for no key update`,
};

// Of two grants of one role the one that was on the thing itself counts, but for a DENY.
const renameGrantsTexts: readonly Prepared[] = [
  {
    name: "identity_delete_renamed_over",
    text: `
      delete from identity.grants as old using identity.grants as moved
      where moved.role_id = any($1::integer[]) and moved.resource_type = any($2::text[]) and moved.pattern = $3
        and old.role_id = moved.role_id and old.resource_type = moved.resource_type and old.pattern = $4
        and old.permission <> 'DENY'`,
  },
  {
    name: "identity_delete_denied_renamed",
    text: `
      delete from identity.grants as moved using identity.grants as old
      where moved.role_id = any($1::integer[]) and moved.resource_type = any($2::text[]) and moved.pattern = $3
        and old.role_id = moved.role_id and old.resource_type = moved.resource_type and old.pattern = $4`,
  },
  {
    name: "identity_rename_grants",
    text: `
      update identity.grants set pattern = $4
      where role_id = any($1::integer[]) and resource_type = any($2::text[]) and pattern = $3`,
  },
];

/** Says whose rights are others now. */
export async function updateGrantsOn(
  transaction: Queryable,
  on: { workspaceId: number; types: readonly GrantType[]; from: string; to: string },
): Promise<Changed[]> {
  const values = [on.workspaceId, on.types, [on.from]];
  const roles = await transaction.prepared<RoleOn>(lockRolesOnText, values);
  if (roles.length === 0) return [];
  const ids = int4Array(roles.map((role) => role.role_id));
  for (const statement of renameGrantsTexts) {
    await transaction.prepared(statement, [ids, on.types, on.from, on.to]);
  }
  return changesOf(roles);
}

/** Beyond this many it is quicker to forget all that is known of the workspace. */
const MAX_CHANGES = 20;

function changesOf(roles: readonly RoleOn[]): Changed[] {
  if (roles.length > MAX_CHANGES) {
    const workspaces = new Set(roles.map((role) => role.workspace_id).filter((id) => id !== null));
    return [...workspaces].map((workspaceId) => ({ workspaceId }));
  }
  return roles.map((role) => changeOf(role));
}

/** What those must forget whom the grants of a role concern. */
export const changeOf = (role: Pick<RoleRow, "role_id" | "principal_id">): Changed =>
  role.principal_id === null ? { roleId: role.role_id } : { principalId: role.principal_id };
