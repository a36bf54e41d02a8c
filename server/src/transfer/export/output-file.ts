import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { PlinthError } from "../../kernel/errors.ts";

/** A file that is written from start to end, once, and known by the hash of what was written. */
export type OutputFile = {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the bytes are on the disk. */
  finish(): Promise<{ bytes: number; sha256: string }>;
  abort(): Promise<void>;
};

export async function openOutputFile(path: string): Promise<OutputFile> {
  const handle = await onDisk(path, open(path, "wx"));
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    async write(chunk) {
      hash.update(chunk);
      await onDisk(path, writeAll(handle, chunk));
      bytes += chunk.byteLength;
    },
    async finish() {
      await onDisk(path, handle.sync());
      await handle.close();
      return { bytes, sha256: hash.digest("hex") };
    },
    abort: () => handle.close().catch(() => undefined),
  };
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let at = 0;
  while (at < chunk.byteLength) at += (await handle.write(chunk, at)).bytesWritten;
}

const words: Readonly<Record<string, string>> = {
  ENOSPC: "there is no space left on the disk",
  EDQUOT: "the quota of the disk is used up",
  EROFS: "the file system is read-only",
  EACCES: "that is not allowed",
  EPERM: "that is not allowed",
  ENOENT: "its folder does not exist",
  ENOTDIR: "a part of its path is not a folder",
  EEXIST: "a part of its path is not a folder",
  ENAMETOOLONG: "its name is too long",
};

/** Says what went wrong at which place, in words. */
export async function onDisk<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = words[code];
    if (why === undefined) throw error;
    const full = code === "ENOSPC" || code === "EDQUOT";
    throw new PlinthError(full ? "no_space" : "invalid_parameter", `Cannot write ${path}: ${why}.`, {
      cause: error,
    });
  }
}
