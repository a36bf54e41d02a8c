import type { Queryable } from "../../kernel/database.ts";
import type { GrantType, Permission } from "./policy.ts";
import type { PrincipalRef } from "./principals.ts";

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

export type GrantRow = {
  grant_id: number;
  role_id: number;
  resource_type: GrantType;
  pattern: string;
  permission: Permission;
};

export type AssignmentRow = {
  assignment_id: number;
  principal_id: number;
  role_id: number;
  source: "manual" | "group";
};

/** Roles, their grants, and who has them. What somebody is granted directly is in a personal role `__user_<id>__`. */
export type Roles = {
  /** Throws `already_exists`; names that begin with `__` are reserved. */
  createRole(given: { workspace: string | null; name: string; description?: string }): Promise<RoleRow>;
  getRole(roleId: number): Promise<RoleRow>;
  findRole(workspace: string | null, name: string): Promise<RoleRow | undefined>;
  /** Personal roles are left out unless asked for. */
  listRoles(which: {
    workspaces?: readonly string[];
    /** Of these ids alone, personal ones too. */
    roleIds?: readonly number[];
    personal?: boolean;
  }): Promise<RoleRow[]>;
  /** Builtin and personal roles cannot be changed (`invalid_state`). */
  updateRole(roleId: number, change: { name?: string; description?: string }): Promise<RoleRow>;
  deleteRole(roleId: number): Promise<void>;

  /** Throws `already_exists` for a second grant on the same pattern, `invalid_parameter` for one of no sense. */
  addGrant(roleId: number, grant: Omit<GrantRow, "grant_id" | "role_id">): Promise<GrantRow>;
  getGrant(grantId: number): Promise<GrantRow>;
  listGrants(roleIds: readonly number[]): Promise<GrantRow[]>;
  updateGrant(grantId: number, permission: Permission): Promise<GrantRow>;
  removeGrant(grantId: number): Promise<void>;

  assignRole(principal: PrincipalRef, roleId: number): Promise<AssignmentRow>;
  unassignRole(principal: PrincipalRef, roleId: number): Promise<void>;
  listRolesOf(principal: PrincipalRef, which?: { workspace?: string }): Promise<RoleRow[]>;
  listAssignments(roleId: number): Promise<AssignmentRow[]>;
  /** Of several principals at once, those to personal roles too: in the order of principals, then of roles. */
  listAssignmentsOf(principalIds: readonly number[]): Promise<AssignmentRow[]>;
  /** Sets the roles that come from groups of the identity provider, and leaves those assigned by hand. */
  setGroupRoles(principalId: number, roleIds: readonly number[]): Promise<void>;

  /** Into the personal role; an earlier one on the same pattern is replaced when `replace`, else `already_exists`. */
  grantDirectly(
    principal: PrincipalRef,
    workspaceId: number,
    grant: Omit<GrantRow, "grant_id" | "role_id">,
    options: { replace: boolean },
  ): Promise<GrantRow>;
  findDirectGrant(
    principal: PrincipalRef,
    workspaceId: number,
    on: { resource_type: GrantType; pattern: string },
  ): Promise<GrantRow | undefined>;
  /** Throws `not_found`. */
  revokeDirectly(
    principal: PrincipalRef,
    workspaceId: number,
    on: { resource_type: GrantType; pattern: string },
  ): Promise<void>;
  /** All grants of a principal, of roles and its own, with the workspace of each. */
  listGrantsOf(
    principal: PrincipalRef,
  ): Promise<(GrantRow & { role_name: string; workspace: string | null })[]>;

  /** Within the transaction that deletes what was granted: whoever makes one of the same name shall not inherit. */
  deleteGrantsOn(
    transaction: Queryable,
    workspaceId: number,
    on: { types: readonly GrantType[]; id: string },
  ): Promise<void>;
  renameGrantsOn(
    transaction: Queryable,
    workspaceId: number,
    on: { types: readonly GrantType[]; from: string; to: string },
  ): Promise<void>;
};
