import { PlinthError } from "../../kernel/errors.ts";
import { deleteDeletedBlobs, retireStalePending, selectDeletable } from "./blobs.sql.ts";
import type { StorageDeps } from "./deps.ts";
import { selectStaleUploads } from "./uploads.sql.ts";
import type { Uploads } from "./uploads.ts";

const HOUR = 60 * 60;

export type SweepOptions = {
  /** Seconds a blob stays after the last row that named it is gone: downloads under way may still read it. */
  graceSeconds?: number;
  /** Seconds an upload may take before its bytes count as left behind. */
  pendingSeconds?: number;
  /** Seconds a multipart upload may stay neither completed nor aborted. */
  uploadSeconds?: number;
};

export type Swept = { blobs: number; uploads: number; pending: number };

const BLOBS_AT_ONCE = 500;

/** Removes bytes that nothing names. Any number of processes may do it at once. */
export async function sweep(
  { database, blobs }: StorageDeps,
  uploads: Uploads,
  options: SweepOptions = {},
): Promise<Swept> {
  const { graceSeconds = HOUR, pendingSeconds = 24 * HOUR, uploadSeconds = 7 * 24 * HOUR } = options;
  const swept: Swept = { blobs: 0, uploads: 0, pending: 0 };
  for (const uploadId of await selectStaleUploads(database, uploadSeconds)) {
    await uploads.abort(uploadId).catch((error: unknown) => {
      // Another process, or its owner after all, was quicker.
      if (!(error instanceof PlinthError && error.code === "not_found")) throw error;
    });
    swept.uploads += 1;
  }
  swept.pending = await retireStalePending(database, pendingSeconds);
  for (;;) {
    // The rows go after the bytes: should this process die in between, deleting again is harmless.
    const count = await database.transaction(async (transaction) => {
      const blobIds = await selectDeletable(transaction, graceSeconds, BLOBS_AT_ONCE);
      if (blobIds.length === 0) return 0;
      await blobs.delete(blobIds);
      await deleteDeletedBlobs(transaction, blobIds);
      return blobIds.length;
    });
    swept.blobs += count;
    if (count < BLOBS_AT_ONCE) return swept;
  }
}
