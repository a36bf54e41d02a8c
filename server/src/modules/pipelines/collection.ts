import type { RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { isForeignKeyViolation, violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidState, notFound, type PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { Fields, ListQuery, Page } from "./list.ts";
import { selectPage } from "./list.sql.ts";
import { deleteRow, insertRow, selectRow, updateRow } from "./records.ts";
import type { NewRow, RowOf, Table } from "./table.ts";

/**
 * What every kind of entity can do: be made, read, listed, changed and deleted. Entities with rules of their own build
 * upon it. Errors are in ZenML's words, which people know.
 */
export type Collection<T extends Table> = {
  /** How the kind is called, such as `code repository`. */
  readonly label: string;
  readonly fields: Fields;
  /** The row that is there afterwards: the same for a request that is repeated. Throws `already_exists`. */
  create(row: Omit<NewRow<T>, "created" | "updated">): Promise<RowOf<T>>;
  find(id: string): Promise<RowOf<T> | undefined>;
  /** Throws `not_found`. */
  get(id: string): Promise<RowOf<T>>;
  /** A page of what fits the query and `where`, which is about the alias `t`. */
  search(query: ListQuery, where: readonly RawBuilder<unknown>[]): Promise<Page<RowOf<T>>>;
  /** What is undefined stays as it is. Throws `not_found` and `already_exists`. */
  update(id: string, changes: Partial<RowOf<T>>): Promise<RowOf<T>>;
  /** Throws `not_found`, and `invalid_state` where something else needs it. */
  remove(id: string): Promise<void>;
};

export type CollectionDeps = { database: Database; clock(): Micros };

export type CollectionOptions<T extends Table> = {
  table: T;
  label: string;
  fields: Fields;
  /** The constraints or indexes by which names are unique. */
  nameKeys?: readonly string[];
  /** What is said where something else still needs it. */
  inUse?: string;
};

export function createCollection<T extends Table>(
  { database, clock }: CollectionDeps,
  { table, label, fields, nameKeys = [], inUse }: CollectionOptions<T>,
): Collection<T> {
  const get = async (id: string): Promise<RowOf<T>> => {
    const row = await selectRow(database, table, id);
    if (row === undefined) throw noSuch(label, id);
    return row;
  };

  const named = (row: object): string => ("name" in row && typeof row.name === "string" ? row.name : "");

  const refuseTaken = (error: unknown, operation: string, row: object): never => {
    if (nameKeys.some((key) => violates(error, key))) throw taken(operation, label, named(row));
    throw error;
  };

  return {
    label,
    fields,
    get,
    find: (id) => selectRow(database, table, id),
    async create(row) {
      const now = clock();
      const stamped = { ...row, created: now, updated: now } as unknown as NewRow<T>;
      try {
        await insertRow(database, table, stamped);
      } catch (error) {
        refuseTaken(error, "create", row);
      }
      return get(row.id);
    },
    search: (query, where) => selectPage(database, { table, fields, query, where }),
    async update(id, changes) {
      const stamped = "updated" in table.columns ? { ...changes, updated: clock() } : changes;
      try {
        const row = await updateRow(database, table, id, stamped);
        if (row === undefined) throw noSuch(label, id);
        return row;
      } catch (error) {
        return refuseTaken(error, "update", changes);
      }
    },
    async remove(id) {
      try {
        if (!(await deleteRow(database, table, id))) throw noSuch(label, id);
      } catch (error) {
        if (inUse !== undefined && isForeignKeyViolation(error)) throw invalidState(inUse);
        throw error;
      }
    },
  };
}

export const noSuch = (label: string, id: string): PlinthError =>
  notFound(`Unable to get ${label} with ID '${id}': No ${label} with this ID found`);

export const taken = (operation: string, label: string, name: string): PlinthError =>
  alreadyExists(
    `Unable to ${operation} the requested ${label} with name '${name}': Found another existing ${label} with the same name.`,
  );
