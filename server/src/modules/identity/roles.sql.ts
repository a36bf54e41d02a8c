import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";

export type RoleRow = {
  role_id: number;
  /** Null: a role of the whole platform. */
  workspace: string | null;
  workspace_id: number | null;
  name: string;
  description: string | null;
  kind: "builtin" | "custom" | "personal";
  /** Of a personal role. */
  principal_id: number | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

export type AssignmentRow = {
  assignment_id: number;
  principal_id: number;
  role_id: number;
  source: "manual" | "group";
};

const COLUMNS = `r.role_id, w.name as workspace, r.workspace_id, r.name, r.description, r.kind, r.principal_id,
  r.creation_timestamp, r.last_updated_timestamp`;
// Hidden workspaces are being imported or were deleted: nobody is to see their roles.
const FROM = `identity.roles as r left join identity.workspaces as w using (workspace_id)`;
const SHOWN = `w.hidden is not true`;

const selectPrincipalIdText: Prepared = {
  name: "identity_select_principal_id",
  text: `
    select principal_id from identity.principals
    where principal_id = $1 or uuid = $2 or name = $3`,
};

export async function selectPrincipalId(
  database: Queryable,
  ref: { principalId?: number; uuid?: string; name?: string },
): Promise<number | undefined> {
  const values = [ref.principalId ?? null, ref.uuid ?? null, ref.name ?? null];
  return (await database.prepared<{ principal_id: number }>(selectPrincipalIdText, values))[0]?.principal_id;
}

const insertRoleText: Prepared = {
  name: "identity_insert_role",
  text: `
    insert into identity.roles (workspace_id, name, description, kind, creation_timestamp, last_updated_timestamp)
    values ($1, $2, $3, 'custom', $4, $4)
    on conflict on constraint roles_name_key do nothing returning role_id`,
};

/** Undefined when the name is taken; a workspace that is gone violates `roles_workspace_id_fkey`. */
export async function insertRole(
  database: Queryable,
  role: { workspaceId: number | null; name: string; description: string | null; now: number },
): Promise<number | undefined> {
  const values = [role.workspaceId, role.name, role.description, role.now];
  return (await database.prepared<{ role_id: number }>(insertRoleText, values))[0]?.role_id;
}

const selectRoleText: Prepared = {
  name: "identity_select_role",
  text: `select ${COLUMNS} from ${FROM} where r.role_id = $1 and ${SHOWN}`,
};

export async function selectRole(database: Queryable, roleId: number): Promise<RoleRow | undefined> {
  return (await database.prepared<RoleRow>(selectRoleText, [roleId]))[0];
}

const lockRoleText: Prepared = {
  name: "identity_lock_role",
  text: `select ${COLUMNS} from ${FROM} where r.role_id = $1 and ${SHOWN} for no key update of r`,
};

/** Nobody else changes the role until the transaction ends; it may be assigned meanwhile. */
export async function lockRole(transaction: Queryable, roleId: number): Promise<RoleRow | undefined> {
  return (await transaction.prepared<RoleRow>(lockRoleText, [roleId]))[0];
}

const selectRoleByNameText: Prepared = {
  name: "identity_select_role_by_name",
  text: `
    select ${COLUMNS} from ${FROM}
    where r.name = $2 and w.name is not distinct from $1 and ${SHOWN}`,
};

export async function selectRoleByName(
  database: Queryable,
  workspace: string | null,
  name: string,
): Promise<RoleRow | undefined> {
  return (await database.prepared<RoleRow>(selectRoleByNameText, [workspace, name]))[0];
}

const selectRolesText: Prepared = {
  name: "identity_select_roles",
  text: `
    select ${COLUMNS} from ${FROM}
    where ($1::text[] is null or w.name = any($1)) and ($2::integer[] is null or r.role_id = any($2))
      and ($3 or r.kind <> 'personal') and (not $4 or r.workspace_id is null) and ${SHOWN}
    order by r.role_id`,
};

export async function selectRoles(
  database: Queryable,
  which: {
    workspaces: readonly string[] | undefined;
    roleIds: readonly number[] | undefined;
    personal: boolean;
    platform: boolean;
  },
): Promise<RoleRow[]> {
  const roleIds = which.roleIds === undefined ? null : int4Array(which.roleIds);
  return database.prepared<RoleRow>(selectRolesText, [
    which.workspaces ?? null,
    roleIds,
    which.personal,
    which.platform,
  ]);
}

const updateRoleText: Prepared = {
  name: "identity_update_role",
  text: `
    update identity.roles set name = $2, description = $3, last_updated_timestamp = $4 where role_id = $1`,
};

/** A taken name violates `roles_name_key`. */
export async function updateRole(
  transaction: Queryable,
  role: Pick<RoleRow, "role_id" | "name" | "description" | "last_updated_timestamp">,
): Promise<void> {
  const values = [role.role_id, role.name, role.description, role.last_updated_timestamp];
  await transaction.prepared(updateRoleText, values);
}

const deleteRoleText: Prepared = {
  name: "identity_delete_role",
  text: "delete from identity.roles where role_id = $1",
};

/** With its grants and assignments. */
export async function deleteRole(transaction: Queryable, roleId: number): Promise<void> {
  await transaction.prepared(deleteRoleText, [roleId]);
}

const insertAssignmentText: Prepared = {
  name: "identity_insert_assignment",
  text: `
    insert into identity.assignments (principal_id, role_id, source) values ($1, $2, 'manual')
    on conflict on constraint assignments_principal_id_key
      do update set source = 'manual' where assignments.source = 'group'
    returning assignment_id, principal_id, role_id, source`,
};

/**
 * One that came from a group stays from now on. Undefined when it was made by hand before; what is gone violates
 * `assignments_role_id_fkey` or `assignments_principal_id_fkey`.
 */
export async function insertAssignment(
  transaction: Queryable,
  principalId: number,
  roleId: number,
): Promise<AssignmentRow | undefined> {
  return (await transaction.prepared<AssignmentRow>(insertAssignmentText, [principalId, roleId]))[0];
}

const deleteAssignmentText: Prepared = {
  name: "identity_delete_assignment",
  text: "delete from identity.assignments where principal_id = $1 and role_id = $2 returning assignment_id",
};

export async function deleteAssignment(
  transaction: Queryable,
  principalId: number,
  roleId: number,
): Promise<boolean> {
  return (await transaction.prepared(deleteAssignmentText, [principalId, roleId])).length > 0;
}

const selectRolesOfText: Prepared = {
  name: "identity_select_roles_of",
  text: `
    select ${COLUMNS} from identity.assignments as a join identity.roles as r using (role_id)
      left join identity.workspaces as w using (workspace_id)
    where a.principal_id = $1 and ($2::text is null or w.name = $2) and ${SHOWN}
    order by r.role_id`,
};

export async function selectRolesOf(
  database: Queryable,
  principalId: number,
  workspace: string | undefined,
): Promise<RoleRow[]> {
  return database.prepared<RoleRow>(selectRolesOfText, [principalId, workspace ?? null]);
}

const selectAssignmentsText: Prepared = {
  name: "identity_select_assignments",
  text: `
    select assignment_id, principal_id, role_id, source from identity.assignments
    where role_id = $1 order by assignment_id`,
};

export async function selectAssignments(database: Queryable, roleId: number): Promise<AssignmentRow[]> {
  return database.prepared<AssignmentRow>(selectAssignmentsText, [roleId]);
}

const selectAssignmentsOfText: Prepared = {
  name: "identity_select_assignments_of",
  text: `
    select assignment_id, principal_id, role_id, source from identity.assignments
    where principal_id = any($1::integer[]) order by principal_id, role_id`,
};

export async function selectAssignmentsOf(
  database: Queryable,
  principalIds: readonly number[],
): Promise<AssignmentRow[]> {
  return database.prepared<AssignmentRow>(selectAssignmentsOfText, [int4Array(principalIds)]);
}

const deleteGroupAssignmentsText: Prepared = {
  name: "identity_delete_group_assignments",
  text: `
    delete from identity.assignments
    where principal_id = $1 and source = 'group' and role_id <> all($2::integer[]) returning role_id`,
};

const insertGroupAssignmentsText: Prepared = {
  name: "identity_insert_group_assignments",
  text: `
    insert into identity.assignments (principal_id, role_id, source)
    select $1, role_id, 'group' from identity.roles
    where role_id = any($2::integer[]) and kind <> 'personal' order by role_id for key share
    on conflict on constraint assignments_principal_id_key do nothing returning role_id`,
};

/** Whether anything is another than before. Roles that are gone are passed over. */
export async function replaceGroupAssignments(
  transaction: Queryable,
  principalId: number,
  roleIds: readonly number[],
): Promise<boolean> {
  const values = [principalId, int4Array(roleIds)];
  const gone = await transaction.prepared(deleteGroupAssignmentsText, values);
  const added = await transaction.prepared(insertGroupAssignmentsText, values);
  return gone.length + added.length > 0;
}
