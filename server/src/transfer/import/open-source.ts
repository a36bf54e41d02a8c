import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { invalidParameter } from "../../kernel/errors.ts";
import { composeArtifacts } from "./artifacts-compose.ts";
import { localArtifacts, openNamedFolders } from "./artifacts-local.ts";
import { openDatabaseSource } from "./database-source.ts";
import { openLocalFolder } from "./local-folder.ts";
import type { OnProblem } from "./problem.ts";
import type { RestOptions } from "./rest-client.ts";
import type { ImportSource, SourceArtifacts } from "./source.ts";

export type OpenOptions = {
  onProblem: OnProblem;
  /** Folders whose artifacts may be copied, besides those of the source itself. */
  allowPaths: readonly string[];
  /** What `mlflow-artifacts:/` means to the server of the source: its --artifacts-destination. */
  artifactsDestination: string | undefined;
  /** Copies files in S3 buckets too, which otherwise stay there. */
  copyRemote: boolean;
  s3Endpoint: string | undefined;
  /** How MLflow's own clients show a server who they are. */
  server: Omit<RestOptions, "url">;
};

/** Opens what `plinth import mlflow` was pointed at. Whatever it is named by, a password in it is never repeated. */
export async function openSource(given: string, options: OpenOptions): Promise<ImportSource> {
  const [, written = ""] = /^([a-z][a-z0-9+.]*):\/\//i.exec(given) ?? [];
  // `postgresql+psycopg2` and its like: the part behind + is SQLAlchemy's own.
  const scheme = written.toLowerCase().replace(/\+.*$/, "");
  const url = `${scheme}${given.slice(written.length)}`;
  switch (scheme) {
    case "":
      return openPath(given, options);
    case "file":
      return openPath(localPath(given), options);
    case "sqlite":
      return openSqliteFile(given.slice(written.length + "://".length), options);
    case "postgresql":
    case "postgres": {
      const place = placeOf(url);
      const { openPostgresql } = await import("./postgresql-reader.ts");
      return withArtifacts(await openDatabaseSource(await openPostgresql(url, place), place), options);
    }
    case "mysql":
    case "mariadb": {
      const place = placeOf(url);
      const { openMysql } = await import("./mysql-reader.ts");
      return withArtifacts(await openDatabaseSource(await openMysql(url, place), place), options);
    }
    case "http":
    case "https":
      return openServer(given, options);
    default:
      throw invalidParameter(
        `'${written}://' is not a source that can be imported. Give a SQLite file, a folder, or an address that begins ` +
          "with sqlite://, postgresql://, mysql://, http:// or https://.",
      );
  }
}

async function openPath(path: string, options: OpenOptions): Promise<ImportSource> {
  if (!existsSync(path)) throw invalidParameter(`There is no file or folder ${path}.`);
  if (!statSync(path).isDirectory()) return openSqliteFile(`/${path}`, options);
  const { openFileStore } = await import("./file-store.ts");
  return withBuckets(openFileStore(path, options), options);
}

/** As SQLAlchemy reads it: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`. */
async function openSqliteFile(written: string, options: OpenOptions): Promise<ImportSource> {
  const file = written.replace(/\?.*$/, "").replace(/^\//, "");
  if (file === "" || file === ":memory:") throw invalidParameter("A SQLite source must name its file.");
  const path = resolve(file);
  const { openSqlite } = await import("./sqlite-reader.ts");
  return withArtifacts(await openDatabaseSource(openSqlite(path), path), options, dirname(path));
}

async function openServer(url: string, options: OpenOptions): Promise<ImportSource> {
  const place = placeOf(url);
  const { openRestSource } = await import("./rest.ts");
  const { onProblem, copyRemote, server } = options;
  const named = options.allowPaths.length > 0 || options.artifactsDestination !== undefined;
  const artifacts = named ? folderArtifacts(options, process.cwd(), []) : undefined;
  const source = await openRestSource({ ...server, url, onProblem, copyRemote, artifacts });
  return { ...source, description: { ...source.description, place } };
}

/**
 * The files of a database's runs are wherever its server put them: folders that `mlflow server` makes beside a
 * SQLite file are its own, others must be named.
 */
function withArtifacts(source: ImportSource, options: OpenOptions, beside?: string): Promise<ImportSource> {
  const own = beside === undefined ? [] : [join(beside, "mlruns"), join(beside, "mlartifacts")];
  const artifacts = folderArtifacts(options, beside ?? process.cwd(), own);
  return withBuckets({ ...source, artifacts }, options);
}

function folderArtifacts(options: OpenOptions, base: string, own: readonly string[]): SourceArtifacts {
  const { artifactsDestination, onProblem } = options;
  const [destination] =
    artifactsDestination === undefined
      ? [openLocalFolder(join(base, "mlartifacts"))]
      : openNamedFolders([artifactsDestination], "--artifacts-destination");
  const folders = [
    ...own.flatMap((path) => openLocalFolder(path) ?? []),
    ...openNamedFolders(options.allowPaths, "--allow-path"),
  ];
  return localArtifacts({ folders, destination, base, onProblem });
}

async function withBuckets(source: ImportSource, options: OpenOptions): Promise<ImportSource> {
  if (!options.copyRemote || source.artifacts === undefined) return source;
  const { s3Artifacts } = await import("./artifacts-s3.ts");
  const buckets = await s3Artifacts({ endpoint: options.s3Endpoint });
  return {
    ...source,
    artifacts: composeArtifacts([buckets, source.artifacts]),
    async close() {
      buckets.close();
      await source.close();
    },
  };
}

function localPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidParameter("The file:// address does not name a path on this machine.");
  }
}

/** How an address is shown: without user, password and parameters. */
function placeOf(url: string): string {
  // Behind the last @, so that no part of a password is shown that somebody forgot to encode.
  const [scheme = "", ...rest] = url.split("://");
  const shown = rest
    .join("://")
    .replace(/^.*@/s, "")
    .replace(/[?#].*$/s, "");
  return `${scheme}://${shown}`;
}
