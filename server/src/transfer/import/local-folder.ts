import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type Dirent,
  type Stats,
} from "node:fs";
import { join, sep } from "node:path";

/** A file or folder that is not read, with the reason in words for a report. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

export type FolderEntry =
  | { name: string; kind: "file" | "folder" }
  | { name: string; kind: "refused"; reason: string };

export type OpenFile = Disposable & { fd: number; path: string; stats: Stats };

/**
 * A folder that somebody else filled. Nothing outside of it is ever read, whatever links are in it, also when
 * they change meanwhile: what was opened is asked where it really is.
 *
 * Calls are synchronous on purpose. A file store holds some 30 files of a few bytes for each run; read one
 * after the other they take 15 µs each, through promises 80 µs.
 */
export type LocalFolder = {
  /** Its real path. */
  readonly root: string;
  pathOf(path: string): string;
  /** What is directly inside of `path`, by name; undefined when there is no such folder. */
  list(path: string): FolderEntry[] | undefined;
  /** Undefined when there is no such file; throws `Unreadable` for what is no plain file of this folder. */
  open(path: string): OpenFile | undefined;
  /** The whole text of a small file. */
  readText(path: string, maxBytes: number): string | undefined;
};

export function openLocalFolder(given: string): LocalFolder | undefined {
  const root = realPathOf(given);
  if (root === undefined || !statSync(root).isDirectory()) return undefined;
  const inside = (path: string): boolean => path === root || path.startsWith(root === sep ? sep : root + sep);
  const pathOf = (path: string): string => (path === "" ? root : join(root, path));

  const folder: LocalFolder = {
    root,
    pathOf,
    list(path) {
      const full = pathOf(path);
      const real = realPathOf(full);
      if (real === undefined) return undefined;
      if (!inside(real)) throw new Unreadable(full, "leads out of the folder");
      const entries = readEntries(real);
      return entries?.map((entry) => describe(entry, join(real, entry.name), inside)).sort(byName);
    },
    open(path) {
      const full = pathOf(path);
      const fd = openOrNothing(full);
      if (fd === undefined) return undefined;
      try {
        const stats = fstatSync(fd);
        if (!stats.isFile()) throw new Unreadable(full, "is not a plain file");
        if (!inside(realPathOfOpen(fd, full))) throw new Unreadable(full, "leads out of the folder");
        return { fd, path: full, stats, [Symbol.dispose]: () => closeSync(fd) };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },
    readText(path, maxBytes) {
      using file = folder.open(path);
      if (file === undefined) return undefined;
      if (file.stats.size > maxBytes) {
        throw new Unreadable(
          file.path,
          `has ${file.stats.size} bytes where at most ${maxBytes} are expected`,
        );
      }
      return decodeText(readAll(file), file.path);
    },
  };
  return folder;
}

function describe(entry: Dirent, real: string, inside: (path: string) => boolean): FolderEntry {
  const { name } = entry;
  if (name.includes("\ufffd")) return { name, kind: "refused", reason: "its name is not valid UTF-8" };
  if (entry.isFile()) return { name, kind: "file" };
  if (entry.isDirectory()) return { name, kind: "folder" };
  if (!entry.isSymbolicLink()) return { name, kind: "refused", reason: "is neither a file nor a folder" };
  const target = realPathOf(real);
  if (target === undefined) return { name, kind: "refused", reason: "is a link that leads nowhere" };
  if (!inside(target)) return { name, kind: "refused", reason: "is a link that leads out of the folder" };
  // Links between folders may go round in circles.
  if (!statSync(target).isFile())
    return { name, kind: "refused", reason: "is a link to something other than a file" };
  return { name, kind: "file" };
}

const byName = (one: FolderEntry, other: FolderEntry): number =>
  one.name < other.name ? -1 : one.name > other.name ? 1 : 0;

function readEntries(path: string): Dirent[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw new Unreadable(path, because(error));
  }
}

function openOrNothing(path: string): number | undefined {
  try {
    // Without waiting: a pipe would never answer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw new Unreadable(path, because(error));
  }
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw new Unreadable(path, because(error));
  }
}

/** Where an open file is. Linux knows; elsewhere the path is asked once more. */
function realPathOfOpen(fd: number, path: string): string {
  return process.platform === "linux" ? readlinkSync(`/proc/self/fd/${fd}`) : realpathSync.native(path);
}

function readAll({ fd, stats }: OpenFile): Buffer {
  const bytes = Buffer.allocUnsafe(stats.size);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text as the database can hold it; anything else is `Unreadable`. */
export function decodeText(bytes: Uint8Array, path: string): string {
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    throw new Unreadable(path, "is not UTF-8 text");
  }
  if (text.includes("\0")) throw new Unreadable(path, "holds a null character");
  return text;
}

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

function because(error: unknown): string {
  if (hasCode(error, "EACCES", "EPERM")) return "this user may not read it";
  if (hasCode(error, "ELOOP")) return "is a link that goes round in circles";
  if (hasCode(error, "ENAMETOOLONG")) return "its name is too long for this system";
  return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
}
