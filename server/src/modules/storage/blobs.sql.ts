import type { Database, Queryable } from "../../kernel/database.ts";
import type { NewObject, WrittenRow } from "./objects.sql.ts";

const plain = (uuid: string): string => uuid.replaceAll("-", "");

/** Takes blobs out of the pending ones; a blob that is not among them was swept and must not be used. */
export async function claimBlobs(on: Queryable, blobIds: readonly string[]): Promise<Set<string>> {
  const rows = await on.prepared<{ blob_id: string }>(
    {
      name: "storage.claim_blobs",
      text: "delete from storage.pending_blobs where blob_id = any($1::uuid[]) returning blob_id",
    },
    [blobIds],
  );
  return new Set(rows.map((row) => plain(row.blob_id)));
}

/** Those objects that hold the blob they were to get. */
export function selectTakenOver(on: Queryable, objects: readonly NewObject[]): Promise<WrittenRow[]> {
  return on.prepared<WrittenRow>(
    {
      name: "storage.select_taken_over",
      text: `
        select o.bucket_id, o.key, o.version, o.last_modified
        from storage.objects o
        join unnest($1::integer[], $2::text[], $3::uuid[]) as given (bucket_id, key, blob_id)
          on o.bucket_id = given.bucket_id and o.key = given.key and o.blob_id = given.blob_id`,
    },
    [
      objects.map((object) => object.bucketId),
      objects.map((object) => object.key),
      objects.map((object) => object.blobId),
    ],
  );
}

/** Gives up blobs that were not taken over within `seconds`; at most 1,000 at a time. */
export async function retireStalePending(database: Database, seconds: number): Promise<number> {
  const rows = await database.prepared<{ count: number }>(
    {
      name: "storage.retire_stale_pending",
      text: `
        with stale as (
          select blob_id from storage.pending_blobs
          where created_at < now() - make_interval(secs => $1)
          order by created_at limit 1000 for update skip locked
        ), gone as (
          delete from storage.pending_blobs p using stale s where p.blob_id = s.blob_id returning p.blob_id
        ), retired as (
          insert into storage.deleted_blobs (blob_id) select blob_id from gone on conflict do nothing
        )
        select count(*) as count from gone`,
    },
    [seconds],
  );
  return rows[0]?.count ?? 0;
}

/** Locks blobs whose time is up; those that another process works on are left to it. */
export async function selectDeletable(on: Queryable, seconds: number, limit: number): Promise<string[]> {
  const rows = await on.prepared<{ blob_id: string }>(
    {
      name: "storage.select_deletable_blobs",
      text: `
        select blob_id from storage.deleted_blobs
        where deleted_at <= now() - make_interval(secs => $1)
        order by deleted_at limit $2 for update skip locked`,
    },
    [seconds, limit],
  );
  return rows.map((row) => plain(row.blob_id));
}

export async function deleteDeletedBlobs(on: Queryable, blobIds: readonly string[]): Promise<void> {
  await on.prepared(
    {
      name: "storage.delete_deleted_blobs",
      text: "delete from storage.deleted_blobs where blob_id = any($1::uuid[])",
    },
    [blobIds],
  );
}
