import type { RawBuilder } from "kysely";
import type { Database, Queryable } from "../../kernel/database.ts";
import { isForeignKeyViolation, violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter, invalidState, notFound } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { forgetFlavorsDigest, syncBuiltinFlavors } from "./builtin-flavors.ts";
import { noSuch } from "./collection.ts";
import { isFlavorUsed, selectFlavorsByKey } from "./flavors.sql.ts";
import { idFields, userFields, type Fields, type ListQuery, type Page } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import { deleteRow, findRow, insertRow, lockRow, selectRow, updateRow } from "./records.ts";
import { flavors, type FlavorRow } from "./stack-tables.ts";
import type { NewRow } from "./table.ts";

const LABEL = "flavor";
/** Characters of a configuration's schema, as ZenML limits them. */
const MAX_SCHEMA = 65_535;

/** What kinds of components there are: the Python class, and the schema of its configuration. Unique by type and name. */
export type Flavors = {
  readonly label: string;
  readonly fields: Fields;
  /** Throws `already_exists`, and `invalid_parameter` for a schema that is too long. */
  create(row: NewFlavor): Promise<FlavorRow>;
  /** Throws `not_found`. */
  get(id: string): Promise<FlavorRow>;
  /** Throws `not_found` in words of their own, as ZenML's clients know them. */
  byName(type: string, name: string): Promise<FlavorRow>;
  /** Of these components, by `flavorKey`. */
  of(rows: readonly { type: string; flavor_name: string }[]): Promise<ReadonlyMap<string, FlavorRow>>;
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<FlavorRow>>;
  /** Components of a flavor that is renamed follow it. Throws `invalid_state` for the type of one that is in use. */
  update(id: string, changes: FlavorChanges): Promise<FlavorRow>;
  /** A built-in one returns at the next start. Throws `invalid_state` where a component is of it. */
  remove(id: string): Promise<void>;
  /** Writes the built-in ones again. */
  sync(): Promise<void>;
  /** Sees that the built-in flavors of this release and the stack `default` are there. */
  prepare(): Promise<void>;
};

export type NewFlavor = Omit<NewRow<typeof flavors>, "created" | "updated" | "display_name"> & {
  name: string;
  type: string;
  config_schema_json: string;
  display_name: string | null;
};

/** Without a display name it gets one that is made of its name. */
export type FlavorChanges = Partial<Omit<FlavorRow, "id" | "user_id" | "created" | "display_name">> & {
  display_name?: string | null;
};

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  display_name: { kind: "text", sql: "t.display_name" },
  type: { kind: "text", sql: "t.type" },
  integration: { kind: "text", sql: "t.integration" },
};

export function createFlavors(deps: { database: Database; clock(): Micros }): Flavors {
  const { database, clock } = deps;

  const get = async (id: string): Promise<FlavorRow> => {
    const row = await selectRow(database, flavors, id);
    if (row === undefined) throw noSuch(LABEL, id);
    return row;
  };

  const taken = (error: unknown, operation: string, row: { name?: string; type?: string }): never => {
    if (!violates(error, "flavors_name_key")) throw error;
    throw alreadyExists(
      `Unable to ${operation} '${row.type ?? ""}' flavor with name '${row.name ?? ""}': Found an existing flavor with the same name and type.`,
    );
  };

  return {
    label: LABEL,
    fields,
    get,
    async create(given) {
      checkSchema(given.config_schema_json);
      const now = clock();
      const display_name = given.display_name ?? displayNameOf(given.name);
      const row = { ...given, display_name, created: now, updated: now };
      try {
        await insertRow(database, flavors, row);
      } catch (error) {
        taken(error, "register", given);
      }
      return get(given.id);
    },
    byName: (type, name) => selectFlavor(database, { type, name }),
    of: (rows) => selectFlavorsByKey(database, rows),
    search: (query, where) => selectPage(database, { table: flavors, fields, query, where }),
    async update(id, changes) {
      checkSchema(changes.config_schema_json ?? "");
      return database.transaction(async (transaction) => {
        const row = await lockRow(transaction, flavors, id);
        if (row === undefined) throw noSuch(LABEL, id);
        const isOfOtherType = changes.type !== undefined && changes.type !== row.type;
        if (isOfOtherType && (await isFlavorUsed(transaction, row))) {
          throw inUse(row, "made one of another type");
        }
        const { display_name, ...others } = changes;
        const shown =
          display_name === undefined
            ? {}
            : { display_name: display_name ?? displayNameOf(changes.name ?? row.name) };
        if (!row.is_custom) await forgetFlavorsDigest(transaction);
        try {
          const changed = await updateRow(transaction, flavors, id, {
            ...others,
            ...shown,
            updated: clock(),
          });
          return changed ?? row;
        } catch (error) {
          return taken(error, "update", { name: row.name, type: row.type });
        }
      });
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        const row = await lockRow(transaction, flavors, id);
        if (row === undefined) throw noSuch(LABEL, id);
        if (!row.is_custom) await forgetFlavorsDigest(transaction);
        try {
          await deleteRow(transaction, flavors, id);
        } catch (error) {
          if (isForeignKeyViolation(error)) throw inUse(row, "deleted");
          throw error;
        }
      });
    },
    sync: () => syncBuiltinFlavors(deps, { isForced: true }),
    prepare: () => syncBuiltinFlavors(deps, { isForced: false }),
  };
}

/** Throws `not_found`. */
export async function selectFlavor(
  database: Queryable,
  { type, name }: { type: string; name: string },
): Promise<FlavorRow> {
  const row = await findRow(database, flavors, { type, name });
  if (row === undefined) throw notFound(`No flavor with name '${name}' and type '${type}' exists.`);
  return row;
}

/** As the name of a flavor would be written in a heading: `local_docker` is `Local Docker`. */
export const displayNameOf = (name: string): string =>
  name
    .replaceAll("_", " ")
    .replaceAll(/\p{L}+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());

function checkSchema(schema: string): void {
  if (schema.length <= MAX_SCHEMA) return;
  throw invalidParameter(
    `The schema of a flavor's configuration has ${schema.length} characters; ${MAX_SCHEMA} are the most.`,
  );
}

const inUse = ({ name, type }: FlavorRow, what: string): Error =>
  invalidState(
    `The flavor '${name}' of type '${type}' cannot be ${what} as components are of it: delete them first.`,
  );
