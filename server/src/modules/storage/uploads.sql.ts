import type { Queryable } from "../../kernel/database.ts";

export type UploadRow = {
  bucket_id: number;
  key: string;
  content_type: string | null;
  metadata: Record<string, string> | null;
  blob_id: string | null;
  store_upload_id: string | null;
};

export type UploadPartRow = {
  part_number: number;
  size: number;
  crc32: number;
  etag: string;
  last_modified: Date;
  blob_id: string;
};

export async function insertUpload(on: Queryable, uploadId: string, upload: UploadRow): Promise<void> {
  await on.prepared(
    {
      name: "storage.insert_upload",
      text: `
        insert into storage.uploads (upload_id, bucket_id, key, content_type, metadata, blob_id, store_upload_id)
        values ($1, $2, $3, $4, $5, $6, $7)`,
    },
    [
      uploadId,
      upload.bucket_id,
      upload.key,
      upload.content_type,
      upload.metadata === null ? null : JSON.stringify(upload.metadata),
      upload.blob_id,
      upload.store_upload_id,
    ],
  );
}

const columns = "bucket_id, key, content_type, metadata, blob_id, store_upload_id";

export async function selectUpload(on: Queryable, uploadId: string): Promise<UploadRow | undefined> {
  const rows = await on.prepared<UploadRow>(
    { name: "storage.select_upload", text: `select ${columns} from storage.uploads where upload_id = $1` },
    [uploadId],
  );
  return rows[0];
}

/** Keeps parts from coming and others from completing or aborting until the transaction ends. */
export async function lockUpload(on: Queryable, uploadId: string): Promise<UploadRow | undefined> {
  const rows = await on.prepared<UploadRow>(
    {
      name: "storage.lock_upload",
      text: `select ${columns} from storage.uploads where upload_id = $1 for update`,
    },
    [uploadId],
  );
  return rows[0];
}

export async function upsertUploadPart(
  on: Queryable,
  uploadId: string,
  part: Omit<UploadPartRow, "last_modified">,
): Promise<void> {
  await on.prepared(
    {
      name: "storage.upsert_upload_part",
      text: `
        insert into storage.upload_parts (upload_id, part_number, size, crc32, etag, blob_id)
        values ($1, $2, $3, $4, $5, $6)
        on conflict on constraint upload_parts_pkey do update set
          size = excluded.size, crc32 = excluded.crc32, etag = excluded.etag, blob_id = excluded.blob_id,
          last_modified = excluded.last_modified`,
    },
    [uploadId, part.part_number, part.size, part.crc32, part.etag, part.blob_id],
  );
}

export function selectUploadParts(
  on: Queryable,
  uploadId: string,
  page: { after: number; limit: number },
): Promise<UploadPartRow[]> {
  return on.prepared<UploadPartRow>(
    {
      name: "storage.select_upload_parts",
      text: `
        select part_number, size, crc32, etag, last_modified, blob_id from storage.upload_parts
        where upload_id = $1 and part_number > $2
        order by part_number limit $3`,
    },
    [uploadId, page.after, page.limit],
  );
}

export async function insertObjectParts(
  on: Queryable,
  version: number,
  parts: readonly { blobId: string; start: number; size: number }[],
): Promise<void> {
  await on.prepared(
    {
      name: "storage.insert_object_parts",
      text: `
        insert into storage.object_parts (version, part_number, start_at, size, blob_id)
        select $1, part_number, start_at, size, blob_id
        from unnest($2::bigint[], $3::bigint[], $4::uuid[]) with ordinality
          as given (start_at, size, blob_id, part_number)`,
    },
    [
      version,
      parts.map((part) => part.start),
      parts.map((part) => part.size),
      parts.map((part) => part.blobId),
    ],
  );
}

/** Removes a locked upload; blobs of parts that are not in `kept` go the way of deleted ones. */
export async function deleteUpload(on: Queryable, uploadId: string, kept: readonly string[]): Promise<void> {
  await on.prepared(
    {
      name: "storage.delete_upload_parts",
      text: `
        with gone as (delete from storage.upload_parts where upload_id = $1 returning blob_id)
        insert into storage.deleted_blobs (blob_id)
        select blob_id from gone where not (blob_id = any($2::uuid[])) on conflict do nothing`,
    },
    [uploadId, kept],
  );
  await on.prepared(
    { name: "storage.delete_upload", text: "delete from storage.uploads where upload_id = $1" },
    [uploadId],
  );
}

export async function selectStaleUploads(on: Queryable, seconds: number): Promise<string[]> {
  const rows = await on.prepared<{ upload_id: string }>(
    {
      name: "storage.select_stale_uploads",
      text: `
        select upload_id from storage.uploads where created_at < now() - make_interval(secs => $1)
        order by created_at limit 100`,
    },
    [seconds],
  );
  return rows.map((row) => row.upload_id.replaceAll("-", ""));
}

export async function insertDeletedBlob(on: Queryable, blobId: string): Promise<void> {
  await on.prepared(
    {
      name: "storage.insert_deleted_blob",
      text: "insert into storage.deleted_blobs (blob_id) values ($1) on conflict do nothing",
    },
    [blobId],
  );
}
