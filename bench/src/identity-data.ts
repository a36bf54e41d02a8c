// 100,000 users and 1,000,000 grants, as they stand in the database after years of use.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { query, type Database } from "./postgres.ts";

export const PRINCIPALS = 100_000;
const GRANTS_EACH = 10;

/** Kinds of users that the load comes from. */
export const kinds = ["editor", "single grants"] as const;
export type Kind = (typeof kinds)[number];

/** As many as are at work at a time: twice the connections. */
const CALLERS = 64;

/**
 * Fills the tables, and gives API keys to some of the users of each kind: `Bearer ...` lines. Editors have a role on
 * the whole workspace; those with single grants have ten experiments each, one of them `experiment`.
 */
export async function fillIdentity(
  database: Database,
  experiment: string,
): Promise<Readonly<Record<Kind, readonly string[]>>> {
  await query(database, fillPrincipals, [PRINCIPALS]);
  await query(database, fillPersonalRoles);
  await query(database, fillGrants, [GRANTS_EACH]);
  const callers = { editor: await giveKeys(database, 1), "single grants": await giveKeys(database, 50_001) };
  const ofKind = (first: number): string => `bench-${String(first).padStart(6, "0")}`;
  await query(database, assignEditors, [ofKind(1), ofKind(CALLERS)]);
  await query(database, grantExperiment, [ofKind(50_001), ofKind(50_000 + CALLERS), experiment]);
  await query(database, "analyze");
  return callers;
}

async function giveKeys(database: Database, first: number): Promise<string[]> {
  const keys = Array.from({ length: CALLERS }, (_, at) => ({
    name: `bench-${String(first + at).padStart(6, "0")}`,
    id: randomUUID(),
    secret: randomBytes(32).toString("hex"),
  }));
  await query(database, insertKeys, [
    keys.map(({ name }) => name),
    keys.map(({ id }) => id),
    keys.map(({ secret }) => createHash("sha256").update(secret).digest()),
  ]);
  return keys.map(({ id, secret }) => `Bearer plinth_${id.replaceAll("-", "")}_${secret}`);
}

const fillPrincipals = `
  insert into identity.principals (kind, name, creation_timestamp, last_updated_timestamp)
  select 'user', 'bench-' || lpad(n::text, 6, '0'), 0, 0 from generate_series(1, $1::integer) as n`;

const fillPersonalRoles = `
  with added as (
    insert into identity.roles (workspace_id, name, kind, principal_id, creation_timestamp, last_updated_timestamp)
    select 1, '__user_' || principal_id || '__', 'personal', principal_id, 0, 0 from identity.principals
    where name like 'bench-%'
    returning role_id, principal_id
  )
  insert into identity.assignments (principal_id, role_id) select principal_id, role_id from added`;

const fillGrants = `
  insert into identity.grants (role_id, resource_type, pattern, permission)
  select role_id, 'experiment', (1000000 + (role_id * 7919 + n * 104729) % 200000 * 16 + n)::text,
    case n % 3 when 0 then 'READ' when 1 then 'EDIT' else 'MANAGE' end
  from identity.roles, generate_series(1, $1::integer) as n where kind = 'personal'`;

const assignEditors = `
  insert into identity.assignments (principal_id, role_id)
  select p.principal_id, r.role_id from identity.principals as p, identity.roles as r
  where p.name between $1 and $2 and r.workspace_id = 1 and r.name = 'editor'`;

const grantExperiment = `
  insert into identity.grants (role_id, resource_type, pattern, permission)
  select r.role_id, 'experiment', $3, 'EDIT' from identity.principals as p join identity.roles as r using (principal_id)
  where p.name between $1 and $2`;

const insertKeys = `
  insert into identity.api_keys (key_id, principal_id, name, secret_hash, creation_timestamp, last_updated_timestamp)
  select k.id, p.principal_id, 'bench', k.hash, 0, 0
  from unnest($1::text[], $2::uuid[], $3::bytea[]) as k (name, id, hash) join identity.principals as p using (name)`;
