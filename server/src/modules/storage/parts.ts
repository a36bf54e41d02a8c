import type { StorageDeps } from "./deps.ts";
import { selectObjectParts } from "./objects.sql.ts";

/** The bytes of an object that is kept in several blobs, one after the other. */
export async function* combineParts(
  { database, blobs }: StorageDeps,
  version: number,
  range: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  if (range.start >= range.end) return;
  for (const part of await selectObjectParts(database, version, range)) {
    const blobId = part.blob_id.replaceAll("-", "");
    yield* blobs.read(blobId, {
      start: Math.max(0, range.start - part.start_at),
      end: Math.min(part.size, range.end - part.start_at),
    });
  }
}
