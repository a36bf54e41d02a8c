import { BlobMissing, checkBlobId, type BlobStore } from "./blob-store.ts";

/** Blobs of a process that need not outlive it, for tests. */
export function createMemoryBlobStore(): BlobStore {
  const blobs = new Map<string, Buffer>();
  return {
    kind: "memory",
    direct: undefined,
    async create(blobId) {
      checkBlobId(blobId);
      const chunks: Buffer[] = [];
      return {
        async write(chunk) {
          chunks.push(Buffer.from(chunk));
        },
        async finish() {
          blobs.set(blobId, Buffer.concat(chunks));
        },
        async abort() {
          chunks.length = 0;
        },
      };
    },
    async *read(blobId, { start, end }) {
      const blob = blobs.get(blobId);
      if (blob === undefined) throw new BlobMissing(blobId);
      if (end > start) yield blob.subarray(start, end);
    },
    async delete(blobIds) {
      for (const blobId of blobIds) blobs.delete(blobId);
    },
    async close() {
      blobs.clear();
    },
  };
}
