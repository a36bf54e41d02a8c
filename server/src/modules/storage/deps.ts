import type { BlobStore } from "../../kernel/blobs/blob-store.ts";
import type { Database } from "../../kernel/database.ts";

/** What the parts of storage are made of. */
export type StorageDeps = {
  database: Database;
  blobs: BlobStore;
  /** Objects up to this many bytes are kept in their row. */
  inlineBytes: number;
  /** Told how many requests shared a commit. */
  onBatch(name: string, size: number): void;
};
