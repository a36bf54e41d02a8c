import { invalidState, notFound } from "../../kernel/errors.ts";
import { MAX_READ, missingFile, type ArtifactStore, type StoredFile } from "./artifact-stores/store.ts";
import { tarOf } from "./artifact-stores/tar.ts";

/** As in ZenML's own server. */
export const MAX_DOWNLOAD_BYTES = 2 * 1024 ** 3;
const MAX_FILES = 10_000;
/** What is shown stands in one answer. */
const MAX_SHOWN_BYTES = 32 * 1024 * 1024;

/** Bytes of a file, some at a time. */
export async function* readFile(store: ArtifactStore, { uri, size }: StoredFile): AsyncGenerator<Buffer> {
  for (let from = 0; from < size;) {
    const part = await store.read(uri, from, Math.min(size, from + MAX_READ));
    if (part.length === 0) throw missingFile(uri, store.name);
    yield part;
    from += part.length;
  }
}

/** A file that is shown as a whole. Throws a `StoreError`, and `invalid_state` for one that is too long. */
export async function readWhole(store: ArtifactStore, uri: string): Promise<Buffer> {
  const file = await findFile(store, uri);
  if (file === undefined) throw missingFile(uri, store.name);
  if (file.size > MAX_SHOWN_BYTES) {
    throw invalidState(`The file '${uri}' is too large to be shown: ${MAX_SHOWN_BYTES} bytes at most.`);
  }
  const parts: Buffer[] = [];
  for await (const part of readFile(store, file)) parts.push(part);
  return Buffer.concat(parts);
}

/** Undefined where there is none, or a folder. */
export async function findFile(store: ArtifactStore, uri: string): Promise<StoredFile | undefined> {
  for await (const page of store.list(uri)) {
    const found = page.find((file) => file.uri === uri);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The files of an artifact. Throws `not_found` where there is none, `invalid_state` where they are too much. */
export async function listArtifact(
  store: ArtifactStore,
  { id, uri }: { id: string; uri: string },
): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const page of store.list(uri)) {
    files.push(...page);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (bytes > MAX_DOWNLOAD_BYTES || files.length > MAX_FILES) {
      throw invalidState(
        `The artifact '${id}' is too large to be downloaded. The maximum download size allowed by this server is ` +
          `${MAX_DOWNLOAD_BYTES} bytes in ${MAX_FILES} files.`,
      );
    }
  }
  if (files.length === 0) throw notFound(`The artifact URI '${uri}' does not exist.`);
  return files;
}

/** The files of an artifact as an archive, with names below its address. */
export const archiveOf = (
  store: ArtifactStore,
  uri: string,
  files: readonly StoredFile[],
): AsyncGenerator<Uint8Array> =>
  tarOf(files.map((file) => ({ path: pathIn(uri, file), size: file.size, bytes: readFile(store, file) })));

/** Never one that leads out of the folder it is unpacked in. */
function pathIn(uri: string, file: StoredFile): string {
  const below = `${uri.replace(/\/+$/, "")}/`;
  const path = file.uri.startsWith(below) ? file.uri.slice(below.length) : (file.uri.split("/").at(-1) ?? "");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.map((part) => (part === ".." ? "_" : part)).join("/");
}
