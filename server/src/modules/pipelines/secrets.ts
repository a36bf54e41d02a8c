import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidState, type PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { createCollection, noSuch } from "./collection.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { insertRow, lockRow, updateRow } from "./records.ts";
import { secretPlace } from "./sealed-columns.ts";
import { secrets as secretsTable, type SecretRow } from "./stack-tables.ts";

/** Whoever asks: their user, or the local administrator of an open server. Null is neither. */
export type SecretReader = { readonly userId: string | null; readonly isLocal: boolean };

export type SecretValues = Readonly<Record<string, string>>;

export type SecretChanges = {
  readonly name?: string | undefined;
  readonly private?: boolean | undefined;
  /** Null removes a value. */
  readonly values?: Readonly<Record<string, string | null>> | undefined;
  /** Whether values that are not named stay. */
  readonly patch: boolean;
};

/**
 * Values under names, sealed as a whole. Names are unique among public secrets, and among the private ones of a user.
 * Private secrets are there for their owner alone. References to them (`{{secret.key}}`) are resolved by clients.
 */
export type SecretStore = {
  readonly label: string;
  readonly fields: Fields;
  create(
    row: Omit<SecretRow, "sealed_values" | "created" | "updated">,
    values: SecretValues,
  ): Promise<SecretRow>;
  /** Throws `not_found`, also for what is another's own. */
  get(id: string, reader: SecretReader): Promise<SecretRow>;
  valuesOf(row: SecretRow): SecretValues;
  search(query: ListQuery, reader: SecretReader): Promise<Page<SecretRow>>;
  update(id: string, changes: SecretChanges, reader: SecretReader): Promise<SecretRow>;
  remove(id: string): Promise<void>;
};

type SecretsDeps = { database: Database; clock(): Micros; secrets: Secrets };

const LABEL = "secret";

export function createSecretStore({ database, clock, secrets }: SecretsDeps): SecretStore {
  const fields: Fields = {
    ...idFields,
    ...userFields,
    // Whoever is named: it is the caller who looks.
    scope_user: { ...userFields.scope_user, condition: () => sql`true` },
    name: { kind: "text", sql: "t.name" },
    private: { kind: "boolean", sql: "t.private" },
  };
  const rows = createCollection({ database, clock }, { table: secretsTable, label: LABEL, fields });

  const seal = (id: string, values: SecretValues): string =>
    secrets.seal(JSON.stringify(values), secretPlace(id));
  const open = ({ id, sealed_values: sealed }: SecretRow): SecretValues =>
    JSON.parse(secrets.open(sealed, secretPlace(id))) as SecretValues;

  return {
    label: LABEL,
    fields,
    async create(row, values) {
      const now = clock();
      try {
        await insertRow(database, secretsTable, {
          ...row,
          sealed_values: seal(row.id, values),
          created: now,
          updated: now,
        });
      } catch (error) {
        throw takenOr(error, row.name);
      }
      return rows.get(row.id);
    },
    async get(id, reader) {
      const row = await rows.get(id);
      if (row.private && !isOwned(row, reader)) throw noSuch(LABEL, id);
      return row;
    },
    valuesOf: open,
    search: (query, reader) => rows.search(query, [visibleTo(reader)]),
    async update(id, { name, private: isPrivate, values, patch }, reader) {
      return database.transaction(async (transaction) => {
        const row = await lockRow(transaction, secretsTable, id);
        if (row === undefined || (row.private && !isOwned(row, reader))) throw noSuch(LABEL, id);
        if (isPrivate !== undefined && !isOwned(row, reader)) {
          throw invalidState("Only the user who created the secret is allowed to update its private status.");
        }
        const merged = values === undefined ? undefined : merge(patch ? open(row) : {}, values);
        try {
          const changed = await updateRow(transaction, secretsTable, id, {
            ...(name === undefined ? {} : { name }),
            ...(isPrivate === undefined ? {} : { private: isPrivate }),
            ...(merged === undefined ? {} : { sealed_values: seal(id, merged) }),
            updated: clock(),
          });
          return changed ?? row;
        } catch (error) {
          throw takenOr(error, name ?? row.name);
        }
      });
    },
    remove: (id) => rows.remove(id),
  };
}

/** Null stands for the local administrator of an open server, and for nobody else. */
export const isOwned = ({ user_id: owner }: SecretRow, { userId, isLocal }: SecretReader): boolean =>
  owner === null ? isLocal : owner === userId;

const visibleTo = ({ userId, isLocal }: SecretReader): RawBuilder<unknown> =>
  isLocal
    ? sql`(not t.private or t.user_id is null)`
    : userId === null
      ? sql`not t.private`
      : sql`(not t.private or t.user_id = ${userId}::uuid)`;

function merge(
  before: SecretValues,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

function takenOr(error: unknown, name: string): unknown {
  if (violates(error, "secrets_public_name_key")) return taken("public", name);
  if (violates(error, "secrets_private_name_key")) return taken("private", name);
  return error;
}

const taken = (kind: "public" | "private", name: string): PlinthError =>
  alreadyExists(`Found an existing ${kind} secret with the same '${name}' name`);
