import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import type { PostgresConnection } from "../../src/kernel/postgres/connection.ts";
import {
  findRunningPostgres,
  startEmbeddedPostgres,
  type EmbeddedOptions,
  type EmbeddedPostgres,
} from "../../src/kernel/postgres/embedded.ts";
import { isAlive, isServerOf } from "../../src/kernel/postgres/leftover.ts";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "plinth-test-"));
  cleanUps.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function start(dataDir: string, more: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: () => undefined, ...more });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= postgres.stop());
  cleanUps.push(stop);
  return Object.create(postgres, { stop: { value: stop } }) as EmbeddedPostgres;
}

async function query<R extends pg.QueryResultRow>(
  connection: PostgresConnection,
  text: string,
): Promise<R[]> {
  const client = new pg.Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

type Held = { child: ChildProcess; pid: number; connection: PostgresConnection };

function spawnHolder(dataDir: string, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const script = fileURLToPath(new URL("hold.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], { stdio: ["ignore", "pipe", "inherit"], env });
  cleanUps.push(() => kill(child, "SIGTERM"));
  return child;
}

async function hold(dataDir: string, env?: NodeJS.ProcessEnv): Promise<Held> {
  const child = spawnHolder(dataDir, env);
  let said = "";
  for await (const text of child.stdout ?? []) {
    said += String(text);
    if (said.endsWith("\n")) break;
  }
  return { child, ...(JSON.parse(said.replace(/^ready /, "")) as Omit<Held, "child">) };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  await ended;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

describe("a start", () => {
  test("makes a database that is durable, private and not run by a superuser", async () => {
    const dataDir = await newFolder();
    const postgres = await start(dataDir);
    expect(postgres.created).toBe(true);
    expect(postgres.version).toMatch(/^18\.\d+$/);
    const settings = await query<{ name: string; setting: string }>(
      postgres.connection,
      `select name, setting from pg_settings where name in
         ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'server_encoding', 'password_encryption')`,
    );
    expect(Object.fromEntries(settings.map((row) => [row.name, row.setting]))).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      listen_addresses: "",
      server_encoding: "UTF8",
      password_encryption: "scram-sha-256",
    });
    const [role] = await query(
      postgres.connection,
      "select current_user::text as name, rolsuper from pg_roles where rolname = current_user",
    );
    expect(role).toEqual({ name: "plinth", rolsuper: false });
    const [statements] = await query<{ calls: number }>(
      postgres.connection,
      "select count(*)::int as calls from pg_stat_statements",
    );
    expect(statements?.calls).toBeGreaterThan(0);
    expect((await stat(join(dataDir, "postgres-password"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, "postgres"))).mode & 0o777).toBe(0o700);
    await expect(query({ ...postgres.connection, password: "wrong" }, "select 1")).rejects.toMatchObject({
      code: "28P01",
    });
  });

  test("after a stop finds everything again, and nothing runs in between", async () => {
    const dataDir = await newFolder();
    const first = await start(dataDir);
    await query(first.connection, "create table kept as select 42 as answer");
    const { pid } = first;
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(findRunningPostgres(dataDir)).toBeUndefined();
    const second = await start(dataDir);
    expect(second.created).toBe(false);
    expect(second.connection).toEqual(first.connection);
    expect(findRunningPostgres(dataDir)).toEqual(second.connection);
    expect(await query(second.connection, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("can be given up", async () => {
    const dataDir = await newFolder();
    await expect(start(dataDir, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    await start(dataDir);
  });

  test("works below a folder that others may not enter, as root too", async () => {
    const closed = await newFolder();
    const postgres = await start(join(closed, "data"));
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(findRunningPostgres(join(closed, "data"))).toEqual(postgres.connection);
  });

  test("uses a short socket path when the data folder's is too long", async () => {
    const dataDir = join(await newFolder(), "x".repeat(60), "y".repeat(60));
    mkdirSync(join(dataDir, ".."), { mode: 0o755 });
    const postgres = await start(dataDir);
    expect(postgres.connection.host.startsWith(dataDir)).toBe(false);
    expect(await query(postgres.connection, "select 1 as one")).toEqual([{ one: 1 }]);
    await rm(postgres.connection.host, { recursive: true });
  });

  test("makes a new password when the file that held it is gone", async () => {
    const dataDir = await newFolder();
    const first = await start(dataDir);
    await first.stop();
    rmSync(join(dataDir, "postgres-password"));
    const second = await start(dataDir);
    expect(second.connection.password).not.toBe(first.connection.password);
    expect(await query(second.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("a second start on the same folder", () => {
  test("is refused, naming the one that runs and its address", async () => {
    const dataDir = await newFolder();
    const held = await hold(dataDir);
    writeFileSync(join(dataDir, "plinth.json"), '{"addresses":{"http":"http://127.0.0.1:4711"}}');
    await expect(start(dataDir)).rejects.toThrow(
      `The data folder ${dataDir} is in use by another Plinth (process ${held.child.pid}, at http://127.0.0.1:4711).`,
    );
    expect(await query(held.connection, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("is refused when both start at once", async () => {
    const dataDir = await newFolder();
    const results = await Promise.allSettled([start(dataDir), start(dataDir), start(dataDir)]);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    const reasons = results.flatMap((result) =>
      result.status === "rejected" ? [String(result.reason)] : [],
    );
    expect(reasons).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining("is in use by another Plinth")),
    );
  });

  test("is refused without the programs flock and setpriv, too", async () => {
    const dataDir = await newFolder();
    const held = await hold(dataDir, { PATH: "/nowhere" });
    const second = spawn(process.execPath, [fileURLToPath(new URL("hold.ts", import.meta.url)), dataDir], {
      env: { PATH: "/nowhere" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    for await (const text of second.stderr) said += String(text);
    expect(said).toContain(`in use by another Plinth (process ${held.child.pid})`);
  });
});

describe("after SIGKILL of Plinth", () => {
  test("the next start takes over, whether the server has gone too or not", async () => {
    const dataDir = await newFolder();
    const held = await hold(dataDir);
    await query(held.connection, "create table kept as select 1 as round");
    await kill(held.child, "SIGKILL");
    const second = await start(dataDir);
    expect(isServerOf(held.pid, join(dataDir, "postgres"))).toBe(false);
    expect(await query(second.connection, "select round from kept")).toEqual([{ round: 1 }]);
  });

  test("a server that was left running is stopped in order, never joined by a second", async () => {
    const dataDir = await newFolder();
    // Without setpriv in the PATH the server does not die with its Plinth.
    const held = await hold(dataDir, { PATH: "/nowhere" });
    await query(held.connection, "create table kept as select 1 as round");
    await kill(held.child, "SIGKILL");
    await query(held.connection, "insert into kept values (2)");
    expect(isServerOf(held.pid, join(dataDir, "postgres"))).toBe(true);
    const messages: string[] = [];
    const second = await start(dataDir, { log: (_level, message) => messages.push(message) });
    expect(messages).toContain("Stopped a PostgreSQL server that a killed Plinth left behind");
    expect(isServerOf(held.pid, join(dataDir, "postgres"))).toBe(false);
    expect(second.pid).not.toBe(held.pid);
    expect(await query(second.connection, "select round from kept order by round")).toEqual([
      { round: 1 },
      { round: 2 },
    ]);
    expect(readFileSync(join(dataDir, "postgres.log"), "utf8")).not.toContain("not properly shut down");
  });

  test("during the making of the cluster, it is made anew from the start", async () => {
    const dataDir = await newFolder();
    for (let round = 0; round < 3; round += 1) {
      const child = spawnHolder(dataDir, { PATH: "/nowhere" });
      await until(() => readdirSync(dataDir).some((name) => name.startsWith("postgres.unfinished-")));
      await sleep(150 * round);
      await kill(child, "SIGKILL");
      expect(readdirSync(dataDir)).not.toContain("postgres");
    }
    const postgres = await start(dataDir);
    expect(postgres.created).toBe(true);
    expect(readdirSync(dataDir).filter((name) => name.includes("unfinished"))).toEqual([]);
  });

  test("whose process id another program has got since, it starts", async () => {
    const dataDir = await newFolder();
    const first = await start(dataDir);
    const pidFile = readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8");
    await first.stop();
    for (const content of [pidFile.replace(/^\d+/, String(process.pid)), "", "12"]) {
      writeFileSync(join(dataDir, "postgres", "postmaster.pid"), content);
      const again = await start(dataDir);
      expect(await query(again.connection, "select 1 as one")).toEqual([{ one: 1 }]);
      await again.stop();
    }
  });
});

describe("a server that ends by itself", () => {
  test("is started again on the same address", async () => {
    const dataDir = await newFolder();
    let restarts = 0;
    const postgres = await start(dataDir, { onRestart: () => (restarts += 1) });
    await query(postgres.connection, "create table kept as select 1 as round");
    const { pid } = postgres;
    process.kill(pid, "SIGKILL");
    await until(() => restarts === 1);
    expect(postgres.pid).not.toBe(pid);
    expect(await query(postgres.connection, "select round from kept")).toEqual([{ round: 1 }]);
    await postgres.stop();
    expect(restarts).toBe(1);
  });
});

describe("data of another kind", () => {
  test.each([
    ["99", "belongs to PostgreSQL 99, newer than the 18"],
    ["17", "which cannot read it. Start the older Plinth, dump its database with pg_dump 17"],
  ])("PostgreSQL %s is refused and left alone", async (version, message) => {
    const dataDir = await newFolder();
    mkdirSync(join(dataDir, "postgres"), { mode: 0o700 });
    writeFileSync(join(dataDir, "postgres", "PG_VERSION"), `${version}\n`);
    await expect(start(dataDir)).rejects.toThrow(message);
    expect(readdirSync(join(dataDir, "postgres"))).toEqual(["PG_VERSION"]);
  });

  test("a folder that holds something else is refused and left alone", async () => {
    const dataDir = await newFolder();
    mkdirSync(join(dataDir, "postgres"));
    writeFileSync(join(dataDir, "postgres", "thesis.tex"), "");
    await expect(start(dataDir)).rejects.toThrow("holds no PostgreSQL data");
    expect(readdirSync(join(dataDir, "postgres"))).toEqual(["thesis.tex"]);
  });

  test("a file in the place of the data folder is an error that names it", async () => {
    const file = join(await newFolder(), "file");
    writeFileSync(file, "");
    await expect(start(file)).rejects.toThrow(`The data folder ${file} cannot be made`);
  });
});
