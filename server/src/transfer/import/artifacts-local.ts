import { read } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openLocalFolder, Unreadable, type LocalFolder, type OpenFile } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import type { ArtifactFile, SourceArtifacts } from "./source.ts";

/** A place in a folder of this machine that an import may read. */
export type LocalPlace = { folder: LocalFolder; path: string };

export type LocalArtifactsOptions = {
  /** The folders that may be read: those of the store itself, and what `--allow-path` names. */
  folders: readonly LocalFolder[];
  /** What `mlflow-artifacts:/` means to the source's server: its `--artifacts-destination`. */
  destination?: LocalFolder | undefined;
  /** Relative locations start here: the working directory of whoever wrote the store. */
  base: string;
  /** Finds what a location meant before the store was moved or deleted. */
  find?: (path: string) => LocalPlace | undefined;
  onProblem: OnProblem;
};

/** No folder is where the location says: told in the report, since its run may well have had no artifacts. */
export class ArtifactsMissing extends Error {
  override readonly name = "ArtifactsMissing";
}

/**
 * Artifacts in folders of this machine. A store names paths as it likes, `/etc` among them: only what is
 * below the given folders is read.
 */
export function localArtifacts(options: LocalArtifactsOptions): SourceArtifacts {
  const placeOf = (location: string): LocalPlace | string => {
    const proxied = /^mlflow-artifacts:\/*([^?#]*)$/i.exec(location);
    if (proxied !== null) {
      const { destination } = options;
      if (destination === undefined) {
        return "the files are at the tracking server: name their folder with --artifacts-destination, or import from its address";
      }
      return { folder: destination, path: proxied[1] ?? "" };
    }
    const path = pathOfLocation(location, options.base);
    if (path === undefined) return `'${schemeOf(location)}:' locations are left where they are`;
    const places = options.folders.flatMap((folder): LocalPlace[] => {
      const inside = relative(folder.root, path);
      return inside.startsWith("..") || isAbsolute(inside) ? [] : [{ folder, path: inside }];
    });
    const exists = places.find((place) => place.folder.list(place.path) !== undefined);
    // A place in the store whose folder is gone is one all the same: its run may have had no artifacts.
    const found = exists ?? options.find?.(path) ?? places[0];
    if (found !== undefined) return found;
    return `'${path}' is not in a folder that may be read: name one with --allow-path, if the files are to be copied`;
  };
  const known = (location: string): LocalPlace => {
    const place = placeOf(location);
    if (typeof place === "string") throw new Unreadable(location, place);
    return place;
  };

  return {
    unreadable(location) {
      const place = placeOf(location);
      return typeof place === "string" ? place : undefined;
    },
    async *list(location, after) {
      const { folder, path } = known(location);
      if (folder.list(path) === undefined) throw new ArtifactsMissing(`no folder ${folder.pathOf(path)}`);
      yield* walk({ folder, path }, { inner: "", after: after?.split("/"), onProblem: options.onProblem });
    },
    async open(location, path) {
      const { folder, path: start } = known(location);
      const file = folder.open(join(start, path));
      if (file === undefined) throw new Unreadable(folder.pathOf(join(start, path)), "is gone");
      return readFile(file, folder, join(start, path));
    },
  };
}

/** Depth first, names in order: what comes after a path is then known without remembering. */
async function* walk(
  { folder, path }: LocalPlace,
  { inner, after, onProblem }: { inner: string; after: string[] | undefined; onProblem: OnProblem },
): AsyncGenerator<ArtifactFile> {
  for (const entry of folder.list(path) ?? []) {
    const own = inner === "" ? entry.name : `${inner}/${entry.name}`;
    const [first, ...rest] = after ?? [];
    if (first !== undefined && entry.name < first) continue;
    const isOnTheWay = first === entry.name;
    if (entry.kind === "refused") {
      onProblem({
        where: join(folder.pathOf(path), entry.name),
        what: entry.reason,
        effect: "it is not copied",
      });
    } else if (entry.kind === "folder") {
      yield* walk(
        { folder, path: join(path, entry.name) },
        { inner: own, after: isOnTheWay ? rest : undefined, onProblem },
      );
    } else if (!isOnTheWay) {
      using file = folder.open(join(path, entry.name));
      if (file !== undefined)
        yield { path: own, size: file.stats.size, modifiedAt: Math.ceil(file.stats.mtimeMs) };
    }
  }
}

const CHUNK = 1024 * 1024;
const readFd = promisify(read);

async function* readFile(opened: OpenFile, folder: LocalFolder, path: string): AsyncGenerator<Uint8Array> {
  using file = opened;
  const { size, mtimeMs } = file.stats;
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size, 1)));
  for (let at = 0; at < size;) {
    const { bytesRead } = await readFd(file.fd, buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  using again = folder.open(path);
  if (again?.stats.size !== size || again.stats.mtimeMs !== mtimeMs) {
    throw new Unreadable(file.path, "was changed while it was read");
  }
}

/** The path of a `file:` address or a bare path; undefined for everything else. */
export function pathOfLocation(location: string, base: string): string | undefined {
  const scheme = schemeOf(location);
  if (scheme === "") return location === "" ? undefined : resolve(base, location);
  if (scheme !== "file") return undefined;
  try {
    // MLflow also writes `file:relative` and `file:./relative`.
    const bare = /^file:(?!\/)(.*)$/i.exec(location)?.[1];
    return bare === undefined
      ? fileURLToPath(location.replaceAll("#", "%23").replaceAll("?", "%3F"))
      : resolve(base, decodeURIComponent(bare));
  } catch {
    return undefined;
  }
}

/** One letter is a drive of Windows: no scheme. */
export const schemeOf = (location: string): string =>
  /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase() ?? "";

/** The folders given by the caller, each of which must be there. */
export function openNamedFolders(paths: readonly string[], option: string): LocalFolder[] {
  return paths.map((path) => {
    const folder = openLocalFolder(path);
    if (folder === undefined) throw new Unreadable(path, `is no folder (${option})`);
    return folder;
  });
}
