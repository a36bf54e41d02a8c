import type { Database } from "../../kernel/database.ts";
import { permissionDenied, PlinthError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import type { Person } from "./oidc-claims.ts";
import { insertExternal, selectExternal, updateExternal } from "./oidc-users.sql.ts";
import { readPrincipalName } from "./principal-names.ts";
import type { PrincipalRow, Principals } from "./principals.ts";
import type { Roles } from "./roles.ts";

/** What a group of the provider is here. */
export type GroupRole = { group: string } & ({ admin: true } | { workspace: string; role: string });

export type OidcUsersDeps = {
  database: Database;
  now(): number;
  log: Log;
  feed: Pick<ChangeFeed, "readNow">;
  principals: Pick<Principals, "getPrincipal">;
  roles: Pick<Roles, "findRole" | "setGroupRoles">;
};

/**
 * The user that a person of the provider is here, with the rights of the person's groups as of now. Bound by issuer
 * and subject alone: names and e-mail addresses are given away again, and some providers let people choose them.
 */
export async function loginExternal(
  deps: OidcUsersDeps,
  person: Person,
  groupRoles: readonly GroupRole[],
): Promise<{ principal: PrincipalRow; isNew: boolean }> {
  const { database, now } = deps;
  const before = await selectExternal(database, person);
  const known = before ?? (await create(deps, person));
  if (!known.active) throw permissionDenied("This user is deactivated. Ask an administrator of this server.");
  const mine = groupRoles.filter(({ group }) => person.groups.includes(group));
  const next = {
    principal_id: known.principal_id,
    full_name: person.fullName,
    email: person.email,
    is_admin_by_group: mine.some((one) => "admin" in one),
  };
  const fields = ["full_name", "email", "is_admin_by_group"] as const;
  if (fields.some((field) => known[field] !== next[field])) {
    await database.transaction(async (transaction) => {
      await updateExternal(transaction, { ...next, now: now() });
      await recordChange(transaction, { principalId: known.principal_id });
    });
    await deps.feed.readNow();
  }
  await deps.roles.setGroupRoles(known.principal_id, await rolesOf(deps, mine));
  const principal = await deps.principals.getPrincipal({ principalId: known.principal_id });
  return { principal, isNew: before === undefined };
}

async function create(
  { database, now }: OidcUsersDeps,
  person: Person,
): Promise<NonNullable<Awaited<ReturnType<typeof selectExternal>>>> {
  const name = readName(person.name);
  const { fullName, email, issuer, subject } = person;
  await insertExternal(database, { name, full_name: fullName, email, issuer, subject, now: now() });
  const created = await selectExternal(database, person);
  if (created !== undefined) return created;
  // Whoever can choose a name at the provider must not become the user who had it here before.
  throw permissionDenied(
    `There is a user or service account '${name}' on this server already, which is not yours by the provider's word. ` +
      "Ask an administrator to rename or delete that one, or to give you another name at the provider.",
  );
}

function readName(given: string): string {
  try {
    return readPrincipalName(given);
  } catch (error) {
    const reason = error instanceof PlinthError ? ` ${error.message}` : "";
    throw permissionDenied(`The provider gives you a name that cannot be used here.${reason}`);
  }
}

async function rolesOf({ roles, log }: OidcUsersDeps, mine: readonly GroupRole[]): Promise<number[]> {
  const ids = new Set<number>();
  for (const one of mine) {
    if ("admin" in one) continue;
    const role = await roles.findRole(one.workspace, one.role);
    if (role === undefined) {
      const { group, workspace, role: name } = one;
      log.warn({ group, workspace, role: name }, "no such role: --oidc-group-roles names it");
    } else ids.add(role.role_id);
  }
  return [...ids];
}
