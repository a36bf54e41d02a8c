import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { invalidParameter } from "../../kernel/errors.ts";
import { openDatabaseSource } from "./database-source.ts";
import type { OnProblem } from "./problem.ts";
import type { ImportSource } from "./source.ts";

export type OpenOptions = {
  onProblem: OnProblem;
  /** Folders whose artifacts may be copied, besides those of the source itself. */
  allowPaths: readonly string[];
  /** What `mlflow-artifacts:/` means to the server of the source: its --artifacts-destination. */
  artifactsDestination: string | undefined;
  signal: AbortSignal;
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
      return openSqliteFile(given.slice(written.length + "://".length));
    case "postgresql":
    case "postgres": {
      const place = placeOf(url);
      const { openPostgresql } = await import("./postgresql-reader.ts");
      return openDatabaseSource(await openPostgresql(url, place), place);
    }
    case "mysql":
    case "mariadb": {
      const place = placeOf(url);
      const { openMysql } = await import("./mysql-reader.ts");
      return openDatabaseSource(await openMysql(url, place), place);
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
  if (!statSync(path).isDirectory()) return openSqliteFile(`/${path}`);
  const { openFileStore } = await import("./file-store.ts");
  return openFileStore(path, options);
}

/** As SQLAlchemy reads it: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`. */
async function openSqliteFile(written: string): Promise<ImportSource> {
  const file = written.replace(/\?.*$/, "").replace(/^\//, "");
  if (file === "" || file === ":memory:") throw invalidParameter("A SQLite source must name its file.");
  const path = resolve(file);
  const { openSqlite } = await import("./sqlite-reader.ts");
  return openDatabaseSource(openSqlite(path), path);
}

async function openServer(url: string, _options: OpenOptions): Promise<ImportSource> {
  throw invalidParameter(`Importing from a tracking server is not there yet (${placeOf(url)}).`);
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
  const parsed = URL.parse(url);
  if (parsed === null) throw invalidParameter("The address of the source is not a valid URL.");
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
