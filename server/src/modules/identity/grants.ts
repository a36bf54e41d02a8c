import { violates } from "../../kernel/database-errors.ts";
import type { Queryable } from "../../kernel/database.ts";
import { alreadyExists, invalidState, notFound, type PlinthError } from "../../kernel/errors.ts";
import { recordChange, type Changed } from "./changes.sql.ts";
import { readGrant, readPermission, type GivenGrant } from "./grant-rules.ts";
import {
  changeOf,
  deleteGrant,
  deleteGrantsOn,
  ensurePersonalRole,
  insertGrant,
  selectDirectGrant,
  selectGrant,
  selectGrantOn,
  selectGrants,
  selectGrantsOf,
  updateGrant,
  updateGrantsOn,
  type GrantOfRow,
  type GrantRow,
} from "./grants.sql.ts";
import type { GrantType } from "./policy.ts";
import type { PrincipalRef } from "./principals.ts";
import type { RoleRow } from "./roles.sql.ts";
import type { RolesDeps } from "./roles.ts";
import { workspaceNotFound } from "./workspaces.ts";

export type Grants = {
  /** Throws `already_exists` for a second grant on the same pattern, `invalid_parameter` for one of no sense. */
  addGrant(roleId: number, grant: GivenGrant): Promise<GrantRow>;
  getGrant(grantId: number): Promise<GrantRow>;
  findGrant(roleId: number, on: { resource_type: string; pattern: string }): Promise<GrantRow | undefined>;
  listGrants(roleIds: readonly number[]): Promise<GrantRow[]>;
  updateGrant(grantId: number, permission: string): Promise<GrantRow>;
  removeGrant(grantId: number): Promise<void>;

  /** Into the personal role; an earlier one on the same pattern is replaced when `replace`, else `already_exists`. */
  grantDirectly(
    principal: PrincipalRef,
    workspaceId: number,
    grant: GivenGrant & { replace: boolean },
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
  listGrantsOf(principal: PrincipalRef): Promise<GrantOfRow[]>;

  /**
   * Last in the transaction that deletes what was granted: whoever makes one of the same name shall not inherit.
   * Without a workspace, in all of them. True when `readChanges` is to be called after the commit.
   */
  deleteGrantsOn(
    transaction: Queryable,
    workspaceId: number | undefined,
    on: { types: readonly GrantType[]; ids: readonly string[] },
  ): Promise<boolean>;
  /** Last in the transaction that renames. True when `readChanges` is to be called after the commit. */
  renameGrantsOn(
    transaction: Queryable,
    workspaceId: number,
    on: { types: readonly GrantType[]; from: string; to: string },
  ): Promise<boolean>;
  /** Resolves when this process knows of every change that is committed. */
  readChanges(): Promise<void>;
};

export type GrantsDeps = RolesDeps & {
  principalIdOf(ref: PrincipalRef): Promise<number>;
  /** Runs `work` with a role that nobody else changes meanwhile. Throws `not_found`. */
  change<T>(roleId: number, work: (transaction: Queryable, role: RoleRow) => Promise<T>): Promise<T>;
};

export function createGrants({ database, now, feed, principalIdOf, change }: GrantsDeps): Grants {
  const getGrant = async (grantId: number): Promise<GrantRow> => {
    const row = await selectGrant(database, grantId);
    if (row === undefined) throw grantNotFound(grantId);
    return row;
  };

  const recordAll = async (transaction: Queryable, changes: readonly Changed[]): Promise<boolean> => {
    for (const changed of changes) await recordChange(transaction, changed);
    return changes.length > 0;
  };

  return {
    addGrant: (roleId, given) =>
      change(roleId, async (transaction, role) => {
        refuseBuiltin(role);
        const grant = readGrant(given, { isPlatform: role.workspace_id === null });
        const row = await insertGrant(transaction, roleId, { ...grant, replace: false });
        if (row === undefined) throw grantTaken(given);
        await recordChange(transaction, changeOf(role));
        return row;
      }),
    getGrant,
    findGrant: (roleId, on) => selectGrantOn(database, roleId, on),
    listGrants: (roleIds) => selectGrants(database, roleIds),
    async updateGrant(grantId, permission) {
      const { role_id: roleId, ...grant } = await getGrant(grantId);
      return change(roleId, async (transaction, role) => {
        refuseBuiltin(role);
        readGrant({ ...grant, permission }, { isPlatform: role.workspace_id === null });
        const row = await updateGrant(transaction, grantId, readPermission(permission));
        if (row === undefined) throw grantNotFound(grantId);
        await recordChange(transaction, changeOf(role));
        return row;
      });
    },
    async removeGrant(grantId) {
      const { role_id: roleId } = await getGrant(grantId);
      await change(roleId, async (transaction, role) => {
        refuseBuiltin(role);
        if (!(await deleteGrant(transaction, grantId))) throw grantNotFound(grantId);
        await recordChange(transaction, changeOf(role));
      });
    },

    async grantDirectly(principal, workspaceId, { replace, ...given }) {
      const grant = readGrant(given, { isPlatform: false });
      const principalId = await principalIdOf(principal);
      try {
        return await database.transaction(async (transaction) => {
          const roleId = await ensurePersonalRole(transaction, { principalId, workspaceId, now: now() });
          const row = await insertGrant(transaction, roleId, { ...grant, replace });
          if (row === undefined) throw grantTaken(given);
          await recordChange(transaction, { principalId });
          return row;
        });
      } catch (error) {
        if (violates(error, "roles_workspace_id_fkey")) throw workspaceNotFound(String(workspaceId));
        throw violates(error, "roles_principal_id_fkey") || violates(error, "grants_role_id_fkey")
          ? notFound("There is no such user or service account.")
          : error;
      } finally {
        await feed.readNow();
      }
    },
    async findDirectGrant(principal, workspaceId, on) {
      return selectDirectGrant(database, { principalId: await principalIdOf(principal), workspaceId }, on);
    },
    async revokeDirectly(principal, workspaceId, on) {
      const principalId = await principalIdOf(principal);
      try {
        await database.transaction(async (transaction) => {
          const found = await selectDirectGrant(transaction, { principalId, workspaceId }, on);
          if (found === undefined || !(await deleteGrant(transaction, found.grant_id))) {
            throw notFound(`Nothing is granted directly on ${on.resource_type} '${on.pattern}'.`);
          }
          await recordChange(transaction, { principalId });
        });
      } finally {
        await feed.readNow();
      }
    },
    async listGrantsOf(principal) {
      return selectGrantsOf(database, await principalIdOf(principal));
    },

    async deleteGrantsOn(transaction, workspaceId, { types, ids }) {
      // A thing called `*` has no grants of its own: that pattern speaks of all.
      const own = ids.filter((id) => id !== "*");
      if (own.length === 0) return false;
      return recordAll(transaction, await deleteGrantsOn(transaction, { workspaceId, types, ids: own }));
    },
    async renameGrantsOn(transaction, workspaceId, { types, from, to }) {
      if (from === "*" || from === to) return false;
      const changes =
        to === "*"
          ? await deleteGrantsOn(transaction, { workspaceId, types, ids: [from] })
          : await updateGrantsOn(transaction, { workspaceId, types, from, to });
      return recordAll(transaction, changes);
    },
    readChanges: () => feed.readNow(),
  };
}

function refuseBuiltin(role: RoleRow): void {
  if (role.kind === "builtin") throw invalidState(`Role '${role.name}' is builtin and cannot be changed.`);
}

const grantNotFound = (grantId: number): PlinthError => notFound(`Grant with id=${grantId} not found.`);

const grantTaken = ({ resource_type: type, pattern }: GivenGrant): PlinthError =>
  alreadyExists(`There is a grant on ${type} '${pattern}' already.`);
