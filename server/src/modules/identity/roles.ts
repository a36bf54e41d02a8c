import { violates } from "../../kernel/database-errors.ts";
import type { Queryable } from "../../kernel/database.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  type PlinthError,
} from "../../kernel/errors.ts";
import { decodePageToken, encodePageToken } from "../../kernel/page-token.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import { createGrants, type Grants } from "./grants.ts";
import { changeOf } from "./grants.sql.ts";
import { normalizeName, readText } from "./principal-names.ts";
import type { PrincipalRef } from "./principals.ts";
import { selectHolders, type RoleHolder } from "./role-holders.sql.ts";
import {
  deleteAssignment,
  deleteRole,
  insertAssignment,
  insertRole,
  lockRole,
  replaceGroupAssignments,
  selectAssignments,
  selectAssignmentsOf,
  selectPrincipalId,
  selectRole,
  selectRoleByName,
  selectRoles,
  selectRolesOf,
  updateRole,
  type AssignmentRow,
  type RoleRow,
} from "./roles.sql.ts";
import { workspaceNotFound } from "./workspaces.ts";
import { selectWorkspace } from "./workspaces.sql.ts";

export type { GrantRow } from "./grants.sql.ts";
export type { AssignmentRow, RoleRow } from "./roles.sql.ts";

/** Roles, their grants, and who has them. What somebody is granted directly is in a personal role `__user_<id>__`. */
export type Roles = Grants & {
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
    /** Those of the whole platform alone. */
    platform?: boolean;
  }): Promise<RoleRow[]>;
  /** Builtin and personal roles cannot be changed (`invalid_state`). */
  updateRole(roleId: number, change: { name?: string; description?: string }): Promise<RoleRow>;
  deleteRole(roleId: number): Promise<void>;

  /** Throws `already_exists`, `invalid_state` for a personal role; one that came from a group stays from now on. */
  assignRole(principal: PrincipalRef, roleId: number): Promise<AssignmentRow>;
  unassignRole(principal: PrincipalRef, roleId: number): Promise<void>;
  /** Personal roles, too. */
  listRolesOf(principal: PrincipalRef, which?: { workspace?: string }): Promise<RoleRow[]>;
  listAssignments(roleId: number): Promise<AssignmentRow[]>;
  /** The same by name, in pages. */
  listHolders(
    roleId: number,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<{ holders: RoleHolder[]; nextPageToken: string | undefined }>;
  /** Of several principals at once, those to personal roles too: in the order of principals, then of roles. */
  listAssignmentsOf(principalIds: readonly number[]): Promise<AssignmentRow[]>;
  /** Sets the roles that come from groups of the identity provider, and leaves those assigned by hand. */
  setGroupRoles(principalId: number, roleIds: readonly number[]): Promise<void>;
};

export type RolesDeps = Pick<IdentityDeps, "database" | "now"> & { feed: Pick<ChangeFeed, "readNow"> };

export function createRoles(deps: RolesDeps): Roles {
  const { database, feed } = deps;

  const getRole = async (roleId: number): Promise<RoleRow> => {
    const row = await selectRole(database, roleId);
    if (row === undefined) throw roleNotFound(roleId);
    return row;
  };

  const principalIdOf = async (ref: PrincipalRef): Promise<number> => {
    const known =
      "uuid" in ref && !UUID.test(ref.uuid) ? undefined : await selectPrincipalId(database, spelled(ref));
    if (known === undefined) throw principalNotFound();
    return known;
  };

  /** Runs `work` on a role that exists, and does not resolve before this process has forgotten what was before. */
  const change = async <T>(
    roleId: number,
    work: (transaction: Queryable, role: RoleRow) => Promise<T>,
  ): Promise<T> => {
    try {
      return await database.transaction(async (transaction) => {
        const role = await lockRole(transaction, roleId);
        if (role === undefined) throw roleNotFound(roleId);
        return work(transaction, role);
      });
    } finally {
      await feed.readNow();
    }
  };

  return {
    ...createGrants({ ...deps, principalIdOf, change }),
    getRole,
    async createRole({ workspace, name: given, description }) {
      const name = readRoleName(given);
      const place = workspace === null ? null : await selectWorkspace(database, workspace);
      if (place === undefined) throw workspaceNotFound(workspace ?? "");
      // Nobody has it yet: there is nothing to forget.
      const roleId = await insertRole(database, {
        workspaceId: place?.workspace_id ?? null,
        name,
        description: readText(description, "description"),
        now: deps.now(),
      }).catch((error: unknown) => {
        throw violates(error, "roles_workspace_id_fkey") ? workspaceNotFound(workspace ?? "") : error;
      });
      if (roleId === undefined) throw nameTaken(name, workspace);
      return getRole(roleId);
    },
    findRole: (workspace, name) => selectRoleByName(database, workspace, normalizeName(name)),
    listRoles: ({ workspaces, roleIds, personal = roleIds !== undefined, platform = false }) =>
      selectRoles(database, { workspaces, roleIds, personal, platform }),
    updateRole: (roleId, given) =>
      change(roleId, async (transaction, role) => {
        refuseFixed(role);
        const name = given.name === undefined ? role.name : readRoleName(given.name);
        const description =
          given.description === undefined ? role.description : readText(given.description, "description");
        const updated = { ...role, name, description, last_updated_timestamp: deps.now() };
        await updateRole(transaction, updated).catch((error: unknown) => {
          throw violates(error, "roles_name_key") ? nameTaken(name, role.workspace) : error;
        });
        return updated;
      }),
    deleteRole: (roleId) =>
      change(roleId, async (transaction, role) => {
        refuseFixed(role);
        await deleteRole(transaction, roleId);
        await recordChange(transaction, changeOf(role));
      }),
    async assignRole(principal, roleId) {
      const principalId = await principalIdOf(principal);
      return change(roleId, async (transaction, role) => {
        refusePersonal(role);
        const row = await insertAssignment(transaction, principalId, roleId).catch((error: unknown) => {
          throw violates(error, "assignments_principal_id_fkey") ? principalNotFound() : error;
        });
        if (row === undefined) throw alreadyExists(`Role '${role.name}' is assigned already.`);
        await recordChange(transaction, { principalId });
        return row;
      });
    },
    async unassignRole(principal, roleId) {
      const principalId = await principalIdOf(principal);
      await change(roleId, async (transaction, role) => {
        refusePersonal(role);
        if (!(await deleteAssignment(transaction, principalId, roleId))) {
          throw notFound(`Role '${role.name}' is not assigned to this principal.`);
        }
        await recordChange(transaction, { principalId });
      });
    },
    async listRolesOf(principal, { workspace } = {}) {
      return selectRolesOf(database, await principalIdOf(principal), workspace);
    },
    async listAssignments(roleId) {
      return selectAssignments(database, (await getRole(roleId)).role_id);
    },
    async listHolders(roleId, { maxResults, pageToken }) {
      const after = pageToken === undefined ? "" : String(decodePageToken(pageToken, 1)[0]);
      const rows = await selectHolders(database, roleId, { after, limit: maxResults + 1 });
      const holders = rows.slice(0, maxResults);
      const last = rows.length > maxResults ? holders.at(-1) : undefined;
      return { holders, nextPageToken: last && encodePageToken([last.principal]) };
    },
    listAssignmentsOf: (principalIds) => selectAssignmentsOf(database, principalIds),
    async setGroupRoles(principalId, roleIds) {
      try {
        await database.transaction(async (transaction) => {
          if (await replaceGroupAssignments(transaction, principalId, roleIds)) {
            await recordChange(transaction, { principalId });
          }
        });
      } catch (error) {
        throw violates(error, "assignments_principal_id_fkey") ? principalNotFound() : error;
      } finally {
        await feed.readNow();
      }
    },
  };
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const spelled = (ref: PrincipalRef): PrincipalRef =>
  "name" in ref ? { name: normalizeName(ref.name) } : ref;

const MAX_NAME = 255;

/** The name as it is stored. Throws `invalid_parameter`. */
function readRoleName(given: string): string {
  const name = normalizeName(given);
  if (name.trim() === "" || name.length > MAX_NAME) {
    throw invalidParameter(`A role's name must have 1 to ${MAX_NAME} characters.`);
  }
  if (name.trim() !== name || /\p{C}/u.test(name)) {
    throw invalidParameter(
      "A role's name must not begin or end with a blank, nor hold characters that cannot be seen.",
    );
  }
  if (name.startsWith("__")) {
    throw invalidParameter(
      `The role name '${name}' is reserved: names that begin with '__' are Plinth's own.`,
    );
  }
  return name;
}

function refuseFixed(role: RoleRow): void {
  if (role.kind !== "custom")
    throw invalidState(`Role '${role.name}' is ${role.kind} and cannot be changed.`);
}

function refusePersonal(role: RoleRow): void {
  if (role.kind === "personal") {
    throw invalidState(
      `Role '${role.name}' belongs to one principal: it is neither assigned nor taken away.`,
    );
  }
}

const nameTaken = (name: string, workspace: string | null): PlinthError =>
  alreadyExists(
    `Role '${name}' already exists ${workspace === null ? "on the platform" : `in workspace '${workspace}'`}.`,
  );

export const roleNotFound = (roleId: number): PlinthError => notFound(`Role with id=${roleId} not found.`);

export const principalNotFound = (): PlinthError => notFound("There is no such user or service account.");
