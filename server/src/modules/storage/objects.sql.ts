import type { Database, Prepared, Queryable } from "../../kernel/database.ts";

/** An object as its row tells it. Times are the database's. */
export type ObjectRow = {
  key: string;
  size: number;
  etag: string;
  crc32: number | null;
  content_type: string | null;
  metadata: Record<string, string> | null;
  last_modified: Date;
  version: number;
};

export type ObjectRowWithBytes = ObjectRow & { body: Buffer | null; blob_id: string | null };

export type NewObject = {
  bucketId: number;
  key: string;
  size: number;
  etag: string;
  crc32: number | null;
  contentType: string | null;
  metadata: Record<string, string> | null;
  body: Buffer | null;
  blobId: string | null;
};

export type WrittenRow = { bucket_id: number; key: string; version: number; last_modified: Date };

// Sorted by key, so that two batches that share keys wait for one another instead of deadlocking.
const upsert: Prepared = {
  name: "storage.upsert_objects",
  text: `
    insert into storage.objects (bucket_id, key, size, etag, crc32, content_type, metadata, body, blob_id)
    select bucket_id, key, size, etag, crc32, content_type, metadata, body, blob_id
    from unnest($1::integer[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[],
      $8::bytea[], $9::uuid[])
      as given (bucket_id, key, size, etag, crc32, content_type, metadata, body, blob_id)
    order by bucket_id, key collate "C"
    on conflict on constraint objects_pkey do update set
      version = excluded.version, size = excluded.size, etag = excluded.etag, crc32 = excluded.crc32,
      last_modified = excluded.last_modified, content_type = excluded.content_type,
      metadata = excluded.metadata, body = excluded.body, blob_id = excluded.blob_id
    returning bucket_id, key, version, last_modified`,
};

export function upsertObjects(on: Queryable, objects: readonly NewObject[]): Promise<WrittenRow[]> {
  return on.prepared<WrittenRow>(upsert, [
    objects.map((object) => object.bucketId),
    objects.map((object) => object.key),
    objects.map((object) => object.size),
    objects.map((object) => object.etag),
    objects.map((object) => object.crc32),
    objects.map((object) => object.contentType),
    objects.map((object) => (object.metadata === null ? null : JSON.stringify(object.metadata))),
    objects.map((object) => object.body),
    objects.map((object) => object.blobId),
  ]);
}

const columns = "key, size, etag, crc32, content_type, metadata, last_modified, version";

const select: Prepared = {
  name: "storage.select_object",
  text: `select ${columns}, body, blob_id from storage.objects where bucket_id = $1 and key = $2`,
};

const selectHead: Prepared = {
  name: "storage.select_object_head",
  text: `select ${columns} from storage.objects where bucket_id = $1 and key = $2`,
};

export async function selectObject(
  database: Database,
  bucketId: number,
  key: string,
): Promise<ObjectRowWithBytes | undefined> {
  const rows = await database.prepared<ObjectRowWithBytes>(select, [bucketId, key]);
  return rows[0];
}

export async function selectObjectHead(
  database: Database,
  bucketId: number,
  key: string,
): Promise<ObjectRow | undefined> {
  const rows = await database.prepared<ObjectRow>(selectHead, [bucketId, key]);
  return rows[0];
}

export type PartRow = { start_at: number; size: number; blob_id: string };

const selectParts: Prepared = {
  name: "storage.select_object_parts",
  text: `
    select start_at, size, blob_id from storage.object_parts
    where version = $1 and start_at + size > $2 and start_at < $3
    order by part_number`,
};

/** The parts of an object that hold any of the bytes from `start` up to `end`. */
export function selectObjectParts(
  database: Database,
  version: number,
  range: { start: number; end: number },
): Promise<PartRow[]> {
  return database.prepared<PartRow>(selectParts, [version, range.start, range.end]);
}

const remove: Prepared = {
  name: "storage.delete_object",
  text: "delete from storage.objects where bucket_id = $1 and key = $2 returning key",
};

export async function deleteObjectRow(database: Database, bucketId: number, key: string): Promise<boolean> {
  const rows = await database.prepared(remove, [bucketId, key]);
  return rows.length > 0;
}

const removeRange: Prepared = {
  name: "storage.delete_objects_range",
  text: `
    with doomed as (
      select bucket_id, key from storage.objects
      where bucket_id = $1 and key >= $2 and key < $3
      order by key limit $4 for update
    ), gone as (
      delete from storage.objects o using doomed d
      where o.bucket_id = d.bucket_id and o.key = d.key
      returning o.key
    )
    select count(*) as count, max(key) as last from gone`,
};

export async function deleteObjectRange(
  database: Queryable,
  bucketId: number,
  range: { from: string; to: string; limit: number },
): Promise<{ count: number; last: string | null }> {
  const rows = await database.prepared<{ count: number; last: string | null }>(removeRange, [
    bucketId,
    range.from,
    range.to,
    range.limit,
  ]);
  return rows[0] ?? { count: 0, last: null };
}

export type ListedRow = {
  /** An object's key, or what all keys below a folder start with. */
  name: string;
  is_prefix: boolean;
  size: number;
  etag: string;
  last_modified: Date;
  /** Where the entry after this one may begin. */
  next_at: string;
};

/**
 * Walks from entry to entry: one descent of the index finds the next key, and below a folder the
 * walk jumps past all that is in it. A page of 1,000 folders out of 1,000,000 objects takes 1,000
 * descents instead of reading 1,000,000 rows.
 */
const list: Prepared = {
  name: "storage.list_objects",
  text: `
    with recursive walk as (
      select null::text collate "C" as name, false as is_prefix, null::bigint as size, null::text collate "C" as etag,
        null::timestamptz as last_modified, $2::text collate "C" as next_at, 0 as n
      union all
      select found.name, found.is_prefix, found.size, found.etag, found.last_modified, found.next_at, walk.n + 1
      from walk cross join lateral (
        select
          case when cut.at > 0 then left(o.key, cut.at + $7) else o.key end as name,
          cut.at > 0 as is_prefix, o.size, o.etag, o.last_modified,
          case when cut.at > 0 then left(o.key, cut.at - 1 + $4) || $6 else o.key || chr(1) end as next_at
        from storage.objects o
        cross join lateral (select position($5 in substr(o.key, $4 + 1)) as at) as cut
        where o.bucket_id = $1 and o.key >= walk.next_at and o.key < $3
        order by o.key limit 1
      ) as found
      where walk.n < $8
    )
    select name, is_prefix, size, etag, last_modified, next_at from walk where n > 0 order by n`,
};

export function listRows(
  database: Database,
  bucketId: number,
  page: {
    from: string;
    to: string;
    prefix: string;
    delimiter: string;
    afterDelimiter: string;
    limit: number;
  },
): Promise<ListedRow[]> {
  const prefixLength = Array.from(page.prefix).length;
  return database.prepared<ListedRow>(list, [
    bucketId,
    page.from,
    page.to,
    prefixLength,
    page.delimiter,
    page.afterDelimiter,
    prefixLength + Array.from(page.delimiter).length - 1,
    page.limit,
  ]);
}
