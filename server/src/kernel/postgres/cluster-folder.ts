import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PlinthError } from "../errors.ts";
import type { Binaries } from "./binaries.ts";
import type { RunAs, SystemUser } from "./system-user.ts";

/** Superuser of the embedded server; Plinth itself connects as a plain owner of its database. */
export const SUPERUSER = "postgres";

export const PASSWORD_FILE = "postgres-password";

const UNFINISHED = "postgres.unfinished-";

export type ClusterFolder = {
  folder: string;
  /** None when the file that held it is gone: then `resetPassword` makes another. */
  password: string | undefined;
  created: boolean;
};

/**
 * Makes sure that DATA_DIR/postgres holds a finished database cluster that `binaries` can run.
 *
 * A new one is made under another name and renamed when it is complete and on disk. So the name
 * itself says that it is complete: what was cut short has another name and is thrown away, and what
 * has the name is never made anew.
 */
export async function prepareClusterFolder(
  dataDir: string,
  binaries: Binaries,
  runAs: RunAs,
): Promise<ClusterFolder> {
  const folder = join(dataDir, "postgres");
  await removeUnfinished(dataDir);
  if (await isEmpty(folder)) {
    const password = newPassword();
    await create(folder, { dataDir, binaries, runAs, password });
    return { folder, password, created: true };
  }
  checkVersion(folder, binaries);
  checkOwner(folder, runAs.user);
  const password = readIfThere(join(dataDir, PASSWORD_FILE))?.trim();
  return { folder, password: password === "" ? undefined : password, created: false };
}

/**
 * Gives the roles a new password without knowing the old one, as whoever owns the files may: through
 * the server program alone. No server may be running on the folder.
 */
export function resetPassword(
  { dataDir, binaries, runAs }: { dataDir: string; binaries: Binaries; runAs: RunAs },
  roles: readonly string[],
): string {
  const password = newPassword();
  const folder = join(dataDir, "postgres");
  const { status, stderr } = spawnSync(
    binaries.postgres,
    ["--single", "-D", runAs.nameOf(folder), "-c", "log_min_messages=fatal", "postgres"],
    {
      ...runAs.user,
      cwd: folder,
      encoding: "utf8",
      input: roles.map((role) => `alter role ${role} password '${password}'\n`).join(""),
      env: { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C" },
    },
  );
  if (status !== 0) {
    throw new PlinthError(
      "unavailable",
      `The password of the embedded PostgreSQL cannot be set: ${stderr.trim()}`,
    );
  }
  writeDurably(join(dataDir, PASSWORD_FILE), `${password}\n`);
  syncFolder(dataDir);
  return password;
}

async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    // An initdb that outlived its Plinth may still write for a moment: hence the retries.
    if (name.startsWith(UNFINISHED))
      await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 10 });
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw new PlinthError(
      "unavailable",
      `The folder of the embedded PostgreSQL, ${folder}, cannot be read.`,
      {
        cause: error,
      },
    );
  }
}

const newPassword = (): string => randomBytes(24).toString("base64url");

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function writeDurably(path: string, text: string, user?: SystemUser): void {
  const fd = openSync(path, "w", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

type Creation = { dataDir: string; binaries: Binaries; runAs: RunAs; password: string };

async function create(folder: string, { dataDir, binaries, runAs, password }: Creation): Promise<void> {
  const work = join(dataDir, `${UNFINISHED}${process.pid}-${randomBytes(4).toString("hex")}`);
  const cluster = join(work, "cluster");
  const passwordFile = join(work, "password");
  const { user } = runAs;
  try {
    for (const made of [work, cluster]) {
      await mkdir(made, { mode: 0o700 });
      if (user !== undefined) chownSync(made, user.uid, user.gid);
    }
    writeDurably(passwordFile, password, user);
    await runInitdb(
      [
        `--pgdata=${runAs.nameOf(cluster)}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${runAs.nameOf(cluster)}/../password`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        // The same order and case rules on every system and after every upgrade of its C library.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
      ],
      { program: binaries.initdb, cwd: cluster, user },
    );
    // Before the rename, so that a finished cluster always has its password.
    writeDurably(join(dataDir, PASSWORD_FILE), `${password}\n`);
    syncFolder(work);
    await rename(cluster, folder);
    syncFolder(dataDir);
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A rename or a new file is on disk only when its folder is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function runInitdb(
  args: string[],
  { program, cwd, user }: { program: string; cwd: string; user: SystemUser | undefined },
): Promise<void> {
  const child = spawn(program, args, {
    ...user,
    cwd,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], TZ: "UTC" },
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const code = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  if (code !== 0) {
    throw new PlinthError("unavailable", `The embedded PostgreSQL could not be created: ${errors.trim()}`);
  }
}

function checkVersion(folder: string, binaries: Binaries): void {
  const text = readIfThere(join(folder, "PG_VERSION"))?.trim();
  if (text === undefined) {
    throw new PlinthError(
      "invalid_state",
      `${folder} is not empty, yet holds no PostgreSQL data. Move it away, or give another --data-dir.`,
    );
  }
  const major = Number.parseInt(text, 10);
  if (major > binaries.major) {
    throw new PlinthError(
      "invalid_state",
      `The data in ${folder} belongs to PostgreSQL ${text}, newer than the ${binaries.version} of this Plinth. ` +
        "Start the newer Plinth that made it.",
    );
  }
  if (major !== binaries.major) {
    throw new PlinthError(
      "invalid_state",
      `The data in ${folder} belongs to PostgreSQL ${text}; this Plinth brings ${binaries.version}, which cannot read it. ` +
        `Start the older Plinth, dump its database with pg_dump ${text}, move ${folder} away, start this Plinth and restore the dump.`,
    );
  }
}

function checkOwner(folder: string, user: SystemUser | undefined): void {
  const { uid } = statSync(folder);
  const own = user?.uid ?? process.getuid?.() ?? uid;
  if (uid === own) return;
  if (user !== undefined && uid === 0) {
    throw new PlinthError(
      "invalid_state",
      `${folder} belongs to root: run chown -R ${user.uid}:${user.gid} ${folder}`,
    );
  }
  throw new PlinthError(
    "invalid_state",
    `${folder} belongs to user id ${uid}, but Plinth runs as ${own}. Start it as the user it was made by (or as root), ` +
      "or give another --data-dir.",
  );
}
