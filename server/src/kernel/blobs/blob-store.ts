/**
 * Where bytes live. A blob is written once, under an id its writer chose at random
 * (`kernel/ids.ts`), and never changed; names that users choose never reach a store. Which blob
 * belongs to which object is known to the database alone (`modules/storage/`).
 */
export type BlobStore = {
  readonly kind: "disk" | "s3" | "memory";
  /**
   * Begins a blob. Nothing can be read before `finish` has returned, and then it is durable.
   * Throws `no_space` when `expectedSize` (bytes, where known) cannot fit.
   */
  create(blobId: string, expectedSize?: number): Promise<BlobWriter>;
  /**
   * The bytes from `start` up to but without `end`. A chunk's memory is used again as soon as the
   * next one is asked for. Throws `BlobMissing` when there is no such blob.
   */
  read(blobId: string, range: ByteRange): AsyncIterable<Uint8Array>;
  /** Blobs that do not exist are no error. */
  delete(blobIds: readonly string[]): Promise<void>;
  /** Given by stores whose own addresses clients can send to and read from. */
  readonly direct: DirectTransfer | undefined;
  close(): Promise<void>;
};

export type ByteRange = { start: number; end: number };

export type BlobWriter = {
  /** Resolves when the store is ready for more and no longer needs `chunk`. One call at a time. */
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind; may be called at any time, also after an error. */
  abort(): Promise<void>;
};

export type UploadedPart = { partNumber: number; etag: string };

/** Transfers between a client and the store itself, by addresses that are signed and expire. */
export type DirectTransfer = {
  createUpload(blobId: string): Promise<string>;
  signPart(blobId: string, uploadId: string, partNumber: number): Promise<string>;
  /** Makes the parts one blob, in the order given. Throws `invalid_parameter` when a part is not there. */
  completeUpload(blobId: string, uploadId: string, parts: readonly UploadedPart[]): Promise<DirectBlob>;
  abortUpload(blobId: string, uploadId: string): Promise<void>;
  /** What a blob is, undefined when there is none. */
  head(blobId: string): Promise<DirectBlob | undefined>;
  signRead(blobId: string, answer: { contentType: string; disposition: string }): Promise<string>;
};

export type DirectBlob = { size: number; etag: string };

/** The database names a blob that the store does not have. */
export class BlobMissing extends Error {
  override readonly name = "BlobMissing";
  constructor(blobId: string) {
    super(`Blob ${blobId} is not in the store.`);
  }
}

const BLOB_ID = /^[0-9a-f]{32}$/;

/** Ids are ours, so a wrong one is a bug; it must not become a path or key all the same. */
export function checkBlobId(blobId: string): void {
  if (!BLOB_ID.test(blobId)) throw new Error("A blob id is 32 lower-case hex digits.");
}
