import {
  MAX_READ,
  missingFile,
  StoreError,
  type ArtifactStore,
  type StoredFile,
} from "./artifact-stores/store.ts";
import type { LogBytes } from "./log-page.ts";

/** A log of so many files is one that somebody made up: a client makes one every few seconds, and one of all at the end. */
const MAX_FILES = 100_000;
/** For so long nothing new is looked for, so that who turns pages does not ask for each where the files are. */
const LISTED_MS = 2000;
const MAX_LISTED = 200;
/** Small files are read together. */
const AT_ONCE = 8;

type Listed = { files: readonly StoredFile[]; until: number };

export type LogFiles = {
  /**
   * Reads the bytes of a log: of one file, or of all in a folder in the order of their names. Once more where files
   * went meanwhile, since they were merged. Throws a `StoreError`.
   */
  read<T>(store: ArtifactStore, uri: string, work: (bytes: LogBytes) => Promise<T>): Promise<T>;
};

const keyOf = (store: ArtifactStore, uri: string): string => `${store.name}\n${uri}`;

export function createLogFiles({ now }: { now(): number }): LogFiles {
  const known = new Map<string, Listed>();

  const list = async (store: ArtifactStore, uri: string): Promise<readonly StoredFile[]> => {
    const key = keyOf(store, uri);
    const found = known.get(key);
    if (found !== undefined && now() < found.until) return found.files;
    const files: StoredFile[] = [];
    for await (const page of store.list(uri)) {
      files.push(...page);
      if (files.length > MAX_FILES) break;
    }
    const shown = logFilesOf(uri, files);
    if (known.size >= MAX_LISTED) known.clear();
    known.set(key, { files: shown, until: now() + LISTED_MS });
    return shown;
  };

  const open = async (store: ArtifactStore, uri: string): Promise<LogBytes> => {
    const files = await list(store, uri);
    if (files.length === 0) throw missingFile(uri, store.name);
    return joined(store, files);
  };

  return {
    async read(store, uri, work) {
      try {
        return await work(await open(store, uri));
      } catch (error) {
        if (!(error instanceof StoreError && error.kind === "missing")) throw error;
        known.delete(keyOf(store, uri));
        return work(await open(store, uri));
      }
    },
  };
}

/**
 * The files that a log consists of. A file that was merged from others holds all that were there before it: while they
 * are still being removed, they are not shown a second time. Pure.
 */
export function logFilesOf(uri: string, found: readonly StoredFile[]): StoredFile[] {
  const own = found.find((file) => file.uri === uri);
  if (own !== undefined) return [own];
  const below = `${uri.replace(/\/+$/, "")}/`;
  const files = found
    .filter((file) => file.uri.startsWith(below) && !file.uri.slice(below.length).includes("/"))
    .toSorted((one, other) => (one.uri < other.uri ? -1 : 1));
  const merged = files.findLast((file) => file.uri.endsWith("_merged.log"));
  return merged === undefined
    ? files
    : files.filter((file) => file.uri.endsWith("_merged.log") || file.uri > merged.uri);
}

/** Files one behind the other as one. */
function joined(store: ArtifactStore, files: readonly StoredFile[]): LogBytes {
  const starts: number[] = [];
  let size = 0;
  for (const file of files) {
    starts.push(size);
    size += file.size;
  }
  /** The last file that begins at a place or before it. */
  const fileAt = (place: number): number => {
    let low = 0;
    let high = files.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  const readOne = async (at: number, start: number, end: number): Promise<Buffer> => {
    const file = files[at];
    const offset = starts[at] ?? 0;
    if (file === undefined) return Buffer.alloc(0);
    const parts: Buffer[] = [];
    const last = Math.min(end - offset, file.size);
    for (let from = Math.max(0, start - offset); from < last;) {
      const part = await store.read(file.uri, from, Math.min(last, from + MAX_READ));
      // Shorter than it was: there is another one now.
      if (part.length === 0) throw missingFile(file.uri, store.name);
      parts.push(part);
      from += part.length;
    }
    return Buffer.concat(parts);
  };

  return {
    size,
    async read(start, end) {
      if (end <= start) return Buffer.alloc(0);
      const parts: Buffer[] = [];
      const last = fileAt(Math.max(0, Math.min(end, size) - 1));
      for (let at = fileAt(start); at <= last; at += AT_ONCE) {
        const some = files.slice(at, Math.min(at + AT_ONCE, last + 1));
        parts.push(...(await Promise.all(some.map((_file, next) => readOne(at + next, start, end)))));
      }
      return Buffer.concat(parts);
    },
  };
}
