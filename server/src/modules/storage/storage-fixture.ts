import { createHash } from "node:crypto";
import { sql } from "kysely";
import { testDatabase } from "../../../test/harness.ts";
import type { BlobStore } from "../../kernel/blobs/blob-store.ts";
import { createMemoryBlobStore } from "../../kernel/blobs/memory.ts";
import type { Database } from "../../kernel/database.ts";
import { createStorage, type FoundObject, type ObjectInfo, type Storage } from "./index.ts";

export const BUCKET = "a-bucket";
export const INLINE = 16 * 1024;

export type StorageFixture = AsyncDisposable & {
  database: Database;
  blobs: BlobStore;
  storage: Storage;
  run<R>(query: ReturnType<typeof sql<R>>): Promise<R[]>;
  put(key: string, ...chunks: (Buffer | string)[]): Promise<ObjectInfo>;
  get(key: string): Promise<Buffer>;
  /** Rows in a table of the schema `storage`. */
  count(table: string): Promise<number>;
  /** Empties all but the bucket. */
  reset(): Promise<void>;
};

/** For tests: storage over a database of its own, bytes in memory. */
export async function openStorage(): Promise<StorageFixture> {
  const ground = await testDatabase();
  const { database } = ground;
  const blobs = createMemoryBlobStore();
  const storage = createStorage({ database, blobs, inlineBytes: INLINE, onBatch: () => undefined });
  await storage.ensureBucket(BUCKET);
  const run: StorageFixture["run"] = (query) => database.run(query.compile(database.kysely));
  return {
    database,
    blobs,
    storage,
    run,
    put: (key, ...chunks) => storage.putObject({ bucket: BUCKET, key, source: from(...chunks) }),
    get: async (key) => bytesOf(await storage.getObject({ bucket: BUCKET, key })),
    async count(table) {
      const name = sql.table(`storage.${table}`);
      const rows = await run(sql<{ count: number }>`select count(*) as count from ${name}`);
      return rows[0]?.count ?? -1;
    },
    async reset() {
      await run(sql`truncate storage.objects, storage.object_parts, storage.uploads, storage.upload_parts,
        storage.pending_blobs, storage.deleted_blobs`);
    },
    async [Symbol.asyncDispose]() {
      await storage.drain();
      await ground[Symbol.asyncDispose]();
    },
  };
}

export async function* from(...chunks: (Buffer | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

export async function bytesOf(
  found: FoundObject,
  range = { start: 0, end: found.info.size },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of found.read(range)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const md5 = (bytes: Buffer | string): string => createHash("md5").update(bytes).digest("hex");
