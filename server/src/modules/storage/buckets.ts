import { sql } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { notFound } from "../../kernel/errors.ts";

/** Names of buckets to ids. Ids are never used twice, so what is remembered can only be gone, not wrong. */
export type Buckets = {
  ensure(name: string): Promise<void>;
  idOf(name: string): Promise<number>;
  forget(bucketId: number): void;
};

export function createBuckets(database: Database): Buckets {
  const ids = new Map<string, number>();

  const select = async (name: string): Promise<number | undefined> => {
    const query = sql<{ bucket_id: number }>`select bucket_id from storage.buckets where name = ${name}`;
    const rows = await database.run(query.compile(database.kysely));
    const id = rows[0]?.bucket_id;
    if (id !== undefined) ids.set(name, id);
    return id;
  };

  return {
    async ensure(name) {
      if (ids.has(name) || (await select(name)) !== undefined) return;
      const insert = sql`insert into storage.buckets (name) values (${name}) on conflict (name) do nothing`;
      await database.run(insert.compile(database.kysely));
    },
    async idOf(name) {
      const id = ids.get(name) ?? (await select(name));
      if (id === undefined) throw notFound(`Bucket '${name}' does not exist.`);
      return id;
    },
    forget(bucketId) {
      for (const [name, id] of ids) if (id === bucketId) ids.delete(name);
    },
  };
}
