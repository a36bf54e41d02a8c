import { violates } from "../../kernel/database-errors.ts";
import type { UploadedPart } from "../../kernel/blobs/blob-store.ts";
import type { Queryable } from "../../kernel/database.ts";
import {
  internal,
  invalidParameter,
  notFound,
  notImplemented,
  type PlinthError,
} from "../../kernel/errors.ts";
import { randomHex32 } from "../../kernel/ids.ts";
import { claimBlobs } from "./blobs.sql.ts";
import type { Buckets } from "./buckets.ts";
import { combineCrc32, multipartEtag } from "./checksums.ts";
import type { StorageDeps } from "./deps.ts";
import { checkKey } from "./keys.ts";
import type { ObjectAddress, ObjectInfo, Objects } from "./objects.ts";
import { upsertObjects, type NewObject } from "./objects.sql.ts";
import type { Source } from "./receive.ts";
import {
  deleteUpload,
  insertDeletedBlob,
  insertObjectParts,
  insertUpload,
  lockUpload,
  selectUpload,
  selectUploadParts,
  upsertUploadPart,
  type UploadPartRow,
  type UploadRow,
} from "./uploads.sql.ts";

export const MAX_PARTS = 10_000;

export type CreateUploadOptions = ObjectAddress & {
  contentType?: string | undefined;
  metadata?: Record<string, string> | undefined;
  /** Let clients send the parts straight to the blob store; only when `canTransferDirectly`. */
  direct?: boolean;
};

export type StoredPart = { partNumber: number; size: number; etag: string; lastModified: Date };

export type Uploads = {
  readonly canTransferDirectly: boolean;
  /** Returns the upload's id: 32 hex digits, unguessable. */
  create(options: CreateUploadOptions): Promise<string>;
  /** The store's own address for a part of a direct upload. */
  signPart(uploadId: string, partNumber: number): Promise<string>;
  putPart(
    uploadId: string,
    partNumber: number,
    body: { source: Source; expectedSize?: number | undefined },
  ): Promise<StoredPart>;
  listParts(uploadId: string, page: { after: number; limit: number }): Promise<StoredPart[]>;
  /** Makes the named parts, in ascending order, the object. `address` must be the one it was created for. */
  complete(uploadId: string, address: ObjectAddress, parts: readonly UploadedPart[]): Promise<ObjectInfo>;
  abort(uploadId: string, address?: ObjectAddress): Promise<void>;
};

export function createUploads(deps: StorageDeps, buckets: Buckets, objects: Objects): Uploads {
  const { database, blobs } = deps;
  const { direct } = blobs;

  const find = async (uploadId: string): Promise<UploadRow> => {
    const upload = UPLOAD_ID.test(uploadId) ? await selectUpload(database, uploadId) : undefined;
    if (upload === undefined) throw noSuchUpload();
    return upload;
  };

  const checkAddress = async (upload: UploadRow, address: ObjectAddress): Promise<void> => {
    const bucketId = await buckets.idOf(address.bucket);
    if (upload.bucket_id !== bucketId || upload.key !== address.key) throw noSuchUpload();
  };

  const completeDirect = async (
    uploadId: string,
    upload: UploadRow,
    parts: readonly UploadedPart[],
  ): Promise<ObjectInfo> => {
    if (direct === undefined) throw cannotTransfer();
    const blobId = hex(upload.blob_id as string);
    const blob = await direct.completeUpload(blobId, upload.store_upload_id as string, parts);
    const object = objectOf(upload, { size: blob.size, etag: blob.etag, crc32: null, blobId });
    return database.transaction(async (transaction) => {
      if ((await lockUpload(transaction, uploadId)) === undefined) throw noSuchUpload();
      const info = await writeObject(transaction, object);
      await deleteUpload(transaction, uploadId, []);
      return info;
    });
  };

  const completeStored = (uploadId: string, wanted: readonly UploadedPart[]): Promise<ObjectInfo> =>
    database.transaction(async (transaction) => {
      const upload = await lockUpload(transaction, uploadId);
      if (upload === undefined) throw noSuchUpload();
      const stored = await selectUploadParts(transaction, uploadId, { after: 0, limit: MAX_PARTS });
      const parts = chooseParts(wanted, stored);
      const blobIds = parts.map((part) => hex(part.blob_id));
      const layout = layOut(parts);
      // One part needs no list: its blob is the object's.
      const single = blobIds.length === 1 ? (blobIds[0] as string) : null;
      const info = await writeObject(transaction, objectOf(upload, { ...summarize(parts), blobId: single }));
      if (single === null) await insertObjectParts(transaction, info.version, layout);
      await deleteUpload(transaction, uploadId, blobIds);
      return info;
    });

  return {
    canTransferDirectly: direct !== undefined,
    async create(options) {
      checkKey(options.key);
      const bucketId = await buckets.idOf(options.bucket);
      const uploadId = randomHex32();
      const upload: UploadRow = {
        bucket_id: bucketId,
        key: options.key,
        content_type: options.contentType ?? null,
        metadata: options.metadata ?? null,
        blob_id: null,
        store_upload_id: null,
      };
      if (options.direct === true) {
        if (direct === undefined) throw cannotTransfer();
        upload.blob_id = randomHex32();
        upload.store_upload_id = await direct.createUpload(upload.blob_id);
      }
      await insertUpload(database, uploadId, upload);
      return uploadId;
    },
    async signPart(uploadId, partNumber) {
      checkPartNumber(partNumber);
      const { blob_id: blobId, store_upload_id: storeUploadId } = await find(uploadId);
      if (direct === undefined || blobId === null || storeUploadId === null) throw cannotTransfer();
      return direct.signPart(hex(blobId), storeUploadId, partNumber);
    },
    async putPart(uploadId, partNumber, { source, expectedSize }) {
      checkPartNumber(partNumber);
      const { store_upload_id: storeUploadId } = await find(uploadId);
      if (storeUploadId !== null)
        throw invalidParameter("The parts of this upload go straight to the bucket.");
      // Parts are never inline: their blobs become the object's without being read again.
      const { size, digest, blobId } = await objects.receive(source, { expectedSize, inlineBytes: -1 });
      if (blobId === undefined) throw invalidParameter("A part must not be empty.");
      const part = {
        part_number: partNumber,
        size,
        crc32: digest.crc32,
        etag: digest.hash.toString("hex"),
        blob_id: blobId,
      };
      try {
        await database.transaction(async (transaction) => {
          const claimed = await claimBlobs(transaction, [blobId]);
          if (!claimed.has(blobId))
            throw internal("The part took longer than its bytes are kept before they are committed.");
          await upsertUploadPart(transaction, uploadId, part);
        });
      } catch (error) {
        if (violates(error, "upload_parts_upload_id_fkey")) throw noSuchUpload();
        throw error;
      }
      return { partNumber, size, etag: part.etag, lastModified: new Date() };
    },
    async listParts(uploadId, page) {
      await find(uploadId);
      const rows = await selectUploadParts(database, uploadId, page);
      return rows.map((row) => ({
        partNumber: row.part_number,
        size: row.size,
        etag: row.etag,
        lastModified: row.last_modified,
      }));
    },
    async complete(uploadId, address, parts) {
      const upload = await find(uploadId);
      await checkAddress(upload, address);
      checkOrder(parts);
      return upload.store_upload_id === null
        ? completeStored(uploadId, parts)
        : completeDirect(uploadId, upload, parts);
    },
    async abort(uploadId, address) {
      const found = await find(uploadId);
      if (address !== undefined) await checkAddress(found, address);
      if (direct !== undefined && found.store_upload_id !== null && found.blob_id !== null) {
        await direct.abortUpload(hex(found.blob_id), found.store_upload_id);
      }
      await database.transaction(async (transaction) => {
        const upload = await lockUpload(transaction, uploadId);
        if (upload === undefined) throw noSuchUpload();
        // Completed in the bucket, but never here.
        if (upload.blob_id !== null) await insertDeletedBlob(transaction, hex(upload.blob_id));
        await deleteUpload(transaction, uploadId, []);
      });
    },
  };
}

const UPLOAD_ID = /^[0-9a-f]{32}$/;

const hex = (uuid: string): string => uuid.replaceAll("-", "");

const noSuchUpload = (): PlinthError =>
  notFound("The multipart upload does not exist: it was completed or aborted, or its id is wrong.");

const cannotTransfer = (): PlinthError =>
  notImplemented("This server's blob store gives out no addresses of its own.");

function checkPartNumber(partNumber: number): void {
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= MAX_PARTS) return;
  throw invalidParameter(`A part number is a whole number from 1 to ${MAX_PARTS}, not ${partNumber}.`);
}

function checkOrder(parts: readonly UploadedPart[]): void {
  if (parts.length === 0) throw invalidParameter("At least one part must be named.");
  let last = 0;
  for (const { partNumber } of parts) {
    checkPartNumber(partNumber);
    if (partNumber <= last)
      throw invalidParameter("Parts must be named in ascending order of their numbers.");
    last = partNumber;
  }
}

function chooseParts(wanted: readonly UploadedPart[], stored: readonly UploadPartRow[]): UploadPartRow[] {
  const byNumber = new Map(stored.map((part) => [part.part_number, part]));
  return wanted.map(({ partNumber, etag }) => {
    const part = byNumber.get(partNumber);
    if (part === undefined) throw invalidParameter(`Part ${partNumber} was not uploaded.`);
    if (part.etag !== etag.replaceAll('"', "")) {
      throw invalidParameter(`Part ${partNumber} was uploaded with ETag "${part.etag}", not ${etag}.`);
    }
    return part;
  });
}

function layOut(parts: readonly UploadPartRow[]): { blobId: string; start: number; size: number }[] {
  let start = 0;
  return parts.map((part) => {
    const placed = { blobId: hex(part.blob_id), start, size: part.size };
    start += part.size;
    return placed;
  });
}

function summarize(parts: readonly UploadPartRow[]): { size: number; etag: string; crc32: number } {
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: multipartEtag(parts.map((part) => part.etag)),
    crc32: parts.reduce((crc, part) => combineCrc32(crc, part.crc32, part.size), 0),
  };
}

function objectOf(
  upload: UploadRow,
  bytes: { size: number; etag: string; crc32: number | null; blobId: string | null },
): NewObject {
  return {
    bucketId: upload.bucket_id,
    key: upload.key,
    contentType: upload.content_type,
    metadata: upload.metadata,
    body: null,
    ...bytes,
  };
}

async function writeObject(transaction: Queryable, object: NewObject): Promise<ObjectInfo> {
  const [row] = await upsertObjects(transaction, [object]);
  if (row === undefined) throw new Error("An upsert returns its row.");
  const { key, size, etag, crc32, contentType, metadata } = object;
  return {
    key,
    size,
    etag,
    crc32,
    content_type: contentType,
    metadata,
    last_modified: row.last_modified,
    version: row.version,
  };
}
