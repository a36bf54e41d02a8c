import type { Prepared, Queryable } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";
import { isUuid } from "./list.sql.ts";
import type { SecretReader } from "./secrets.ts";

/** Secrets that stacks and components name: they are kept by their ids, and asked for by name or id. */

type Reference = { id: string; name: string; private: boolean };

const visibleText: Prepared = {
  name: "pipelines_select_visible_secrets",
  text: `
    select id, name, private from pipelines.secrets
    where (id = any ($1::uuid[]) or name = any ($2::text[]))
      and (not private or user_id = $3::uuid or (user_id is null and $4::boolean))`,
};

const namesText: Prepared = {
  name: "pipelines_select_secret_references",
  text: "select id, name, private from pipelines.secrets where id = any ($1::uuid[]) order by name, id",
};

/**
 * The ids of secrets named, or given by id, in this order and each once. A user's own private secret comes before a
 * public one of the same name. Throws `not_found` for what is not there and for the private ones of others.
 */
export async function resolveSecrets(
  database: Queryable,
  wanted: readonly string[],
  { userId, isLocal }: SecretReader,
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const values = [wanted.filter(isUuid), wanted, userId, isLocal];
  const found = await database.prepared<Reference>(visibleText, values);
  const ids = wanted.map((one) => {
    const id = isUuid(one) ? plainId(one) : undefined;
    const named = found.filter(({ name }) => name === one);
    const secret =
      found.find((row) => plainId(row.id) === id) ?? named.find((row) => row.private) ?? named[0];
    if (secret === undefined) throw noSuchSecret(one);
    return secret.id;
  });
  return [...new Set(ids)];
}

/** Those of these ids that are still there, by name, as ZenML lists them. */
export async function selectSecretOrder(database: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await database.prepared<Reference>(namesText, [[...new Set(ids)]]);
  return rows.map(({ id }) => id);
}

/** With secrets added and taken away. */
export function changedSecrets(
  present: readonly string[],
  { add, remove }: { add: readonly string[]; remove: readonly string[] },
): string[] {
  const gone = new Set(remove);
  return [...new Set([...present, ...add])].filter((id) => !gone.has(id));
}

const plainId = (id: string): string => id.replaceAll("-", "").toLowerCase();

const noSuchSecret = (nameOrId: string): Error =>
  notFound(
    `Unable to get secret with name or ID '${nameOrId}': '${nameOrId}' is not a valid UUID and no secret with this name exists.`,
  );
