import { createBatch, type Batch } from "../../kernel/batch.ts";
import type { HashName } from "../../kernel/blobs/digest.ts";
import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { internal, notFound, PlinthError } from "../../kernel/errors.ts";
import { combineParts } from "./parts.ts";
import type { Buckets } from "./buckets.ts";
import { afterKey, afterPrefix, checkKey } from "./keys.ts";
import {
  deleteObjectRange,
  deleteObjectRow,
  listRows,
  selectObject,
  selectObjectHead,
  upsertObjects,
  type NewObject,
  type ObjectRow,
  type WrittenRow,
} from "./objects.sql.ts";
import { claimBlobs, selectTakenOver } from "./blobs.sql.ts";
import { receive, type Received, type Source } from "./receive.ts";
import type { StorageDeps } from "./deps.ts";

export type ObjectAddress = { bucket: string; key: string };

export type PutOptions = ObjectAddress & {
  source: Source;
  /** Bytes the sender announced. */
  expectedSize?: number | undefined;
  /** What its ETag is made of, in hex; MD5 unless told. */
  hash?: HashName;
  contentType?: string | undefined;
  metadata?: Record<string, string> | undefined;
};

export type TakeOptions = Pick<PutOptions, "expectedSize" | "hash"> & {
  /** Up to this many bytes are kept in the row; the configured number unless told. */
  inlineBytes?: number;
};

export type ObjectInfo = ObjectRow;

export type FoundObject = {
  info: ObjectInfo;
  /** Its bytes from `start` up to `end`; a chunk is valid until the next one is asked for. */
  read(range: { start: number; end: number }): AsyncIterable<Uint8Array>;
  /** All bytes, when they are kept in the row. */
  inline: Buffer | undefined;
  /** The one blob that holds all bytes, when that is so. */
  blobId: string | undefined;
};

export type ListedEntry =
  | { kind: "object"; key: string; size: number; etag: string; lastModified: Date }
  | { kind: "prefix"; prefix: string };

export type ListOptions = {
  bucket: string;
  prefix: string;
  delimiter?: string;
  /** `next` of the page before. */
  from?: string | undefined;
  /** List only what comes after this key. */
  after?: string | undefined;
  limit: number;
};

export type Objects = {
  put(options: PutOptions): Promise<ObjectInfo>;
  /** Makes received bytes an object, after the batch that holds it is committed. */
  commit(object: NewObject): Promise<ObjectInfo>;
  receive(source: Source, options: TakeOptions): Promise<Received>;
  get(address: ObjectAddress): Promise<FoundObject>;
  head(address: ObjectAddress): Promise<ObjectInfo>;
  delete(address: ObjectAddress): Promise<boolean>;
  /** All that begins with the prefix; `within` a transaction when what they belong to goes with them. */
  deletePrefix(bucket: string, prefix: string, within?: Queryable): Promise<number>;
  list(options: ListOptions): Promise<{ entries: ListedEntry[]; next: string | undefined }>;
  drain(): Promise<void>;
};

/** Rows that one statement of `deletePrefix` removes: some 50 ms of work, so that writers are not held up. */
const DELETE_AT_ONCE = 2000;

export function createObjects(deps: StorageDeps, buckets: Buckets): Objects {
  const { database, blobs } = deps;
  const writes = createWriteBatch(deps);
  const pending = createPendingBatch(deps);

  const take: Objects["receive"] = (source, { expectedSize, hash = "md5", inlineBytes = deps.inlineBytes }) =>
    receive(source, {
      blobs,
      hash,
      inlineBytes,
      expectedSize,
      recordPending: (blobId) => pending.add(blobId),
    });

  const commit: Objects["commit"] = async (object) => {
    try {
      const { version, last_modified: lastModified } = await writes.add(object);
      const { key, size, etag, crc32, contentType, metadata } = object;
      return {
        key,
        size,
        etag,
        crc32,
        content_type: contentType,
        metadata,
        last_modified: lastModified,
        version,
      };
    } catch (error) {
      if (error instanceof PlinthError && violates(error.cause, "objects_bucket_id_fkey")) {
        buckets.forget(object.bucketId);
        throw notFound("The bucket does not exist any more.");
      }
      throw error;
    }
  };

  return {
    commit,
    receive: take,
    async put(options) {
      checkKey(options.key);
      const bucketId = await buckets.idOf(options.bucket);
      const received = await take(options.source, options);
      return commit({
        bucketId,
        key: options.key,
        size: received.size,
        etag: received.digest.hash.toString("hex"),
        crc32: received.digest.crc32,
        contentType: options.contentType ?? null,
        metadata: options.metadata ?? null,
        body: received.body ?? null,
        blobId: received.blobId ?? null,
      });
    },
    async get({ bucket, key }) {
      checkKey(key);
      const row = await selectObject(database, await buckets.idOf(bucket), key);
      if (row === undefined) throw noSuchKey(key);
      const { body, blob_id: blobUuid, ...info } = row;
      const blobId = blobUuid?.replaceAll("-", "");
      return {
        info,
        inline: body ?? undefined,
        blobId,
        read: (range) => {
          if (body !== null) return once(body.subarray(range.start, range.end));
          if (blobId !== undefined) return blobs.read(blobId, range);
          return combineParts(deps, info.version, range);
        },
      };
    },
    async head({ bucket, key }) {
      checkKey(key);
      const row = await selectObjectHead(database, await buckets.idOf(bucket), key);
      if (row === undefined) throw noSuchKey(key);
      return row;
    },
    async delete({ bucket, key }) {
      checkKey(key);
      return deleteObjectRow(database, await buckets.idOf(bucket), key);
    },
    async deletePrefix(bucket, prefix, within = database) {
      const bucketId = await buckets.idOf(bucket);
      const to = afterPrefix(prefix);
      let from = prefix;
      for (let total = 0; ;) {
        const { count, last } = await deleteObjectRange(within, bucketId, {
          from,
          to,
          limit: DELETE_AT_ONCE,
        });
        total += count;
        if (count < DELETE_AT_ONCE || last === null) return total;
        // Going on after the last key spares reading again what is already dead in the index.
        from = afterKey(last);
      }
    },
    async list(options) {
      const { bucket, prefix, delimiter = "/", limit } = options;
      const rows = await listRows(database, await buckets.idOf(bucket), {
        from: startOf(options),
        to: afterPrefix(prefix),
        prefix,
        delimiter,
        afterDelimiter: afterPrefix(delimiter),
        limit: limit + 1,
      });
      const entries = rows.slice(0, limit).map((row): ListedEntry =>
        row.is_prefix
          ? { kind: "prefix", prefix: row.name }
          : {
              kind: "object",
              key: row.name,
              size: row.size,
              etag: row.etag,
              lastModified: row.last_modified,
            },
      );
      return { entries, next: rows.length > limit ? rows[limit - 1]?.next_at : undefined };
    },
    async drain() {
      await Promise.all([writes.drain(), pending.drain()]);
    },
  };
}

/** Where a listing begins: at the prefix, at the token of a page, or behind a key or folder. */
function startOf({ prefix, delimiter = "/", from, after }: ListOptions): string {
  const starts = [prefix];
  if (from !== undefined) starts.push(from);
  if (after !== undefined) {
    const isFolder = after.endsWith(delimiter) && after.length > prefix.length;
    starts.push(isFolder ? afterPrefix(after) : afterKey(after));
  }
  return starts.reduce((last, start) => (inBytes(start, last) > 0 ? start : last));
}

const inBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

const noSuchKey = (key: string): PlinthError => notFound(`No such object: '${key}'`);

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

function createWriteBatch({ database, onBatch }: StorageDeps): Batch<NewObject, WrittenRow> {
  return createBatch<NewObject, WrittenRow>({
    name: "storage.objects",
    onBatch,
    concurrency: 2,
    // Some 1 MiB of inline bytes, or 256 rows without any.
    weight: (object) => 1 + (object.body?.byteLength ?? 0) / 4096,
    maxWeight: 256,
    clashes: (object, batch) =>
      batch.some((other) => other.key === object.key && other.bucketId === object.bucketId),
    async run(objects) {
      const withBlob = objects.filter((object) => object.blobId !== null);
      if (withBlob.length === 0) return byObject(objects, await upsertObjects(database, objects));
      return database.transaction(async (transaction) => {
        const claimed = await claimBlobs(
          transaction,
          withBlob.map((object) => object.blobId as string),
        );
        const lost = withBlob.filter((object) => !claimed.has(object.blobId as string));
        // Done before, when the answer to the commit was lost.
        const done = lost.length === 0 ? [] : await selectTakenOver(transaction, lost);
        const ready = objects.filter((object) => !lost.includes(object));
        const written = ready.length === 0 ? [] : await upsertObjects(transaction, ready);
        return byObject(objects, [...written, ...done]);
      });
    },
  });
}

function byObject(objects: readonly NewObject[], rows: readonly WrittenRow[]): (WrittenRow | PlinthError)[] {
  const found = new Map(rows.map((row) => [`${row.bucket_id}/${row.key}`, row]));
  return objects.map(
    (object) =>
      found.get(`${object.bucketId}/${object.key}`) ??
      internal("The upload took longer than its bytes are kept before they are committed."),
  );
}

function createPendingBatch({ database, onBatch }: StorageDeps): Batch<string, void> {
  return createBatch<string, void>({
    name: "storage.pending_blobs",
    onBatch,
    concurrency: 1,
    maxWeight: 256,
    async run(blobIds) {
      await database.prepared(
        {
          name: "storage.insert_pending_blobs",
          text: "insert into storage.pending_blobs (blob_id) select unnest($1::uuid[]) on conflict do nothing",
        },
        [blobIds],
      );
      return blobIds.map(() => undefined);
    },
  });
}
