import type { GrantRow, PrincipalRow, RoleRow, Roles } from "../../modules/identity/index.ts";
import { isAdminRow } from "./auth-rights.ts";
import type { Values } from "./wire.ts";

export const userJson = (row: PrincipalRow): Values => ({
  id: row.principal_id,
  username: row.name,
  is_admin: isAdminRow(row),
});

/** With what MLflow 2.9's client insists on: what the user was granted directly. */
export async function userWithPermissions(roles: Roles, row: PrincipalRow): Promise<Values> {
  const user_id = row.principal_id;
  const direct = (await roles.listGrantsOf({ principalId: user_id })).filter(
    (grant) => grant.role_name === `__user_${user_id}__` && grant.pattern !== "*",
  );
  const of = (type: string, name: string): Values[] =>
    direct
      .filter((grant) => grant.resource_type === type)
      .map(({ pattern, permission }) => ({ [name]: pattern, user_id, permission }));
  return {
    ...userJson(row),
    experiment_permissions: of("experiment", "experiment_id"),
    registered_model_permissions: of("registered_model", "name"),
  };
}

export const roleJson = (role: RoleRow, grants: readonly GrantRow[]): Values => ({
  id: role.role_id,
  name: role.name,
  workspace: role.workspace,
  description: role.description,
  permissions: grants.map(grantJson),
});

export const grantJson = (grant: GrantRow): Values => ({
  id: grant.grant_id,
  role_id: grant.role_id,
  resource_type: grant.resource_type,
  resource_pattern: grant.pattern,
  permission: grant.permission,
});

/** Roles of workspaces with their grants; those of the whole platform are left out. */
export async function rolesJson(roles: Roles, rows: readonly RoleRow[]): Promise<Map<number, Values>> {
  const shown = rows.filter(({ workspace }) => workspace !== null);
  const grants = Map.groupBy(
    shown.length === 0 ? [] : await roles.listGrants(shown.map((role) => role.role_id)),
    (grant) => grant.role_id,
  );
  return new Map(shown.map((role) => [role.role_id, roleJson(role, grants.get(role.role_id) ?? [])]));
}
