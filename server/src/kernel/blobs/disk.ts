import { constants } from "node:fs";
import { mkdir, open, readdir, rename, stat, statfs, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { PlinthError } from "../errors.ts";
import { BlobMissing, checkBlobId, type BlobStore, type BlobWriter, type ByteRange } from "./blob-store.ts";
import { returnBuffer, takeBuffer } from "./buffers.ts";

/**
 * How many bytes may wait for the disk before a sync is started beside the writing: the last sync,
 * which the client waits for, then has little left to do.
 */
const SYNC_EVERY = 64 * 1024 * 1024;

/** Files that an upload which ended badly may have left: no upload sends nothing for this long. */
const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Blobs as files `root/ab/abcd…`, by the first two digits of their random id. A file is written in
 * `root/tmp`, synced, renamed and its folder synced: a blob is there whole or not at all.
 */
export async function openDiskBlobStore(root: string): Promise<BlobStore> {
  const temporary = join(root, "tmp");
  await makeFolders(root);
  await removeStale(temporary);

  const pathOf = (blobId: string): string => {
    checkBlobId(blobId);
    return join(root, blobId.slice(0, 2), blobId);
  };

  return {
    kind: "disk",
    direct: undefined,
    async create(blobId, expectedSize = 0) {
      const path = pathOf(blobId);
      await refuseWhatCannotFit(root, expectedSize);
      return createWriter(join(temporary, blobId), path, join(root, blobId.slice(0, 2)));
    },
    read: (blobId, range) => readFile(blobId, pathOf(blobId), range),
    async delete(blobIds) {
      await Promise.all(blobIds.map((blobId) => unlink(pathOf(blobId)).catch(ignoreMissing)));
    },
    async close() {
      // Every operation closes what it opens.
    },
  };
}

async function makeFolders(root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const found = new Set(await readdir(root));
  const names = Array.from({ length: 256 }, (_none, index) => index.toString(16).padStart(2, "0"));
  const missing = [...names, "tmp"].filter((name) => !found.has(name));
  if (missing.length === 0) return;
  await Promise.all(missing.map((name) => mkdir(join(root, name), { recursive: true, mode: 0o700 })));
  await syncFolder(root);
}

async function removeStale(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const found = await stat(path).catch(ignoreMissing);
    if (found !== undefined && found.mtimeMs < Date.now() - STALE_MS) await unlink(path).catch(ignoreMissing);
  }
}

async function refuseWhatCannotFit(root: string, expectedSize: number): Promise<void> {
  if (expectedSize === 0) return;
  const { bavail, bsize } = await statfs(root);
  if (expectedSize > bavail * bsize) throw noSpace();
}

async function createWriter(temporary: string, path: string, folder: string): Promise<BlobWriter> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await open(temporary, flags, 0o600).catch((error: unknown) => {
    throw clearer(error);
  });
  let isOpen = true;
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  let failure: unknown;

  const syncBeside = (): void => {
    if (syncing !== undefined || unsynced < SYNC_EVERY) return;
    unsynced = 0;
    syncing = file
      .datasync()
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        syncing = undefined;
      });
  };

  const closeFile = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await syncing;
    await file.close();
  };

  return {
    async write(chunk) {
      try {
        await writeAll(file, chunk);
        if (failure !== undefined) throw failure;
      } catch (error) {
        throw clearer(error);
      }
      unsynced += chunk.byteLength;
      syncBeside();
    },
    async finish() {
      try {
        await syncing;
        if (failure !== undefined) throw failure;
        await file.sync();
        await closeFile();
        await rename(temporary, path);
        await syncFolder(folder);
      } catch (error) {
        throw clearer(error);
      }
    },
    async abort() {
      await closeFile();
      await unlink(temporary).catch(ignoreMissing);
    },
  };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done);
    done += bytesWritten;
  }
}

/** Reads ahead into a second buffer while the reader works on the first. */
async function* readFile(blobId: string, path: string, range: ByteRange): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw isMissing(error) ? new BlobMissing(blobId) : clearer(error);
  });
  let { start } = range;
  let ahead: Buffer | undefined;
  let current: Buffer | undefined;
  let reading: Promise<number> | undefined;
  const readAhead = (): void => {
    ahead ??= takeBuffer(range.end - start);
    const length = Math.min(ahead.length, range.end - start);
    reading = file.read(ahead, 0, length, start).then(({ bytesRead }) => bytesRead);
    // It is awaited below; a reader that stops in between must not make it an unhandled rejection.
    reading.catch(() => undefined);
  };
  try {
    if (start < range.end) readAhead();
    while (reading !== undefined) {
      const bytesRead = await reading;
      if (bytesRead === 0) throw new Error(`Blob ${blobId} is shorter than its object.`);
      [current, ahead] = [ahead, current];
      start += bytesRead;
      reading = undefined;
      if (start < range.end) readAhead();
      yield (current as Buffer).subarray(0, bytesRead);
    }
  } finally {
    await reading?.catch(() => undefined);
    if (current !== undefined) returnBuffer(current);
    if (ahead !== undefined) returnBuffer(ahead);
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT";

const ignoreMissing = (error: unknown): undefined => {
  if (!isMissing(error)) throw error;
};

const noSpace = (cause?: unknown): PlinthError =>
  new PlinthError("no_space", "There is no space left on the disk that holds the artifacts.", { cause });

function clearer(error: unknown): unknown {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return noSpace(error);
  if (code === "EMFILE" || code === "ENFILE") {
    return new PlinthError("unavailable", "The server has too many files open. Try again.", {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  return error;
}
