import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import {
  createCollection,
  noSuch,
  taken,
  type Collection,
  type CollectionDeps,
  type CollectionOptions,
} from "./collection.ts";
import { deleteRow, insertRow, lockRow, updateRow } from "./records.ts";
import type { NewRow, RowOf, Table } from "./table.ts";
import { attachTags, detachAll, detachTags, type GivenTag, type TaggableType } from "./tag-links.ts";

/** Who tags, and ids for what is made besides: `call.newId`. */
export type Tagger = { userId: string | null; ids(): string };

export type TagChanges = {
  addTags?: readonly GivenTag[] | null | undefined;
  removeTags?: readonly string[] | null | undefined;
};

/** Entities that carry tags: made and changed with them in one transaction. */
export type TaggedCollection<T extends Table> = Omit<Collection<T>, "create" | "update"> & {
  /**
   * Once for a request that is repeated; `also` is done in the same transaction, for a new row alone. Throws
   * `already_exists`.
   */
  create(
    row: Omit<NewRow<T>, "created" | "updated">,
    tags: readonly GivenTag[] | null | undefined,
    options: Tagger & { also?: (transaction: Queryable) => Promise<void> },
  ): Promise<RowOf<T>>;
  /** What is undefined stays as it is. Throws `not_found` and `already_exists`. */
  change(id: string, changes: Partial<RowOf<T>>, options: Tagger & TagChanges): Promise<RowOf<T>>;
};

export function createTaggedCollection<T extends Table>(
  deps: CollectionDeps,
  options: CollectionOptions<T> & { resourceType: TaggableType },
): TaggedCollection<T> {
  const { database, clock } = deps;
  const { table, label, nameKeys = [], resourceType } = options;
  const collection = createCollection(deps, options);

  const refuseTaken = (error: unknown, operation: string, row: object): unknown => {
    const isTaken = nameKeys.some((key) => violates(error, key));
    const name = "name" in row && typeof row.name === "string" ? row.name : "";
    return isTaken ? taken(operation, label, name) : error;
  };

  return {
    ...collection,
    async create(row, tags, { userId, ids, also }) {
      try {
        await database.transaction(async (transaction) => {
          const now = clock();
          const stamped = { ...row, created: now, updated: now } as unknown as NewRow<T>;
          if (!(await insertRow(transaction, table, stamped))) return;
          await attachTags(transaction, { resourceType, resourceId: row.id, tags, userId, ids, now });
          await also?.(transaction);
        });
      } catch (error) {
        throw refuseTaken(error, "create", row);
      }
      return collection.get(row.id);
    },
    async change(id, changes, { userId, ids, addTags, removeTags }) {
      try {
        return await database.transaction(async (transaction) => {
          if ((await lockRow(transaction, table, id)) === undefined) throw noSuch(label, id);
          const now = clock();
          const row = await updateRow(transaction, table, id, { ...changes, updated: now });
          if (row === undefined) throw noSuch(label, id);
          await attachTags(transaction, { resourceType, resourceId: id, tags: addTags, userId, ids, now });
          await detachTags(transaction, { resourceId: id, tags: removeTags });
          return row;
        });
      } catch (error) {
        throw refuseTaken(error, "update", changes);
      }
    },
    async remove(id) {
      await database.transaction(async (transaction) => {
        await detachAll(transaction, [id]);
        if (!(await deleteRow(transaction, table, id))) throw noSuch(label, id);
      });
    },
  };
}
