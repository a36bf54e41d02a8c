import cluster from "node:cluster";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApp, type App } from "./app.ts";
import type { Config } from "./config.ts";
import { ensureAdministrator } from "./first-start.ts";
import { openDatabase, type Database } from "./kernel/database.ts";
import { listen, type Listener } from "./kernel/listener.ts";
import { createLog, type Log } from "./kernel/log.ts";
import { createMetrics } from "./kernel/metrics.ts";
import { migrate, readMigrations } from "./kernel/migrate.ts";
import { parseDatabaseUrl, type PostgresConnection } from "./kernel/postgres/connection.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./kernel/postgres/embedded.ts";
import { checkServer } from "./kernel/postgres/server-check.ts";
import type { Identity } from "./modules/identity/index.ts";
import { PLINTH_VERSION } from "./version.ts";

export type RunningServer = {
  /** What listens, by protocol: `{ http: "http://127.0.0.1:5000" }`. */
  addresses: Readonly<Record<string, string>>;
  /** Removes for good what was deleted so long ago. */
  purge: App["purge"];
  /** Drains requests, then stops everything in order. */
  close(): Promise<void>;
};

export type StartOptions = {
  /** Gives up the start; what was started is stopped. */
  signal?: AbortSignal;
  log?: Log;
  /** For a process that nobody talks to: it may start although nobody could log in. */
  withoutAdministrator?: boolean;
};

export const MIGRATIONS = join(import.meta.dirname, "..", "migrations");

type Ground = {
  connection: PostgresConnection;
  kind: "embedded" | "external";
  version: string;
  embedded: EmbeddedPostgres | undefined;
};

/** Starts Plinth with a read configuration; resolves when it can serve. */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const log = options.log ?? createLog({ level: config.logLevel, format: config.logFormat });
  // Taken apart in reverse order of being put up, also when the start fails half-way.
  const disposers: (() => Promise<void>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const step of disposers.toReversed()) await step();
  };
  try {
    const listener = await listen(config.host, config.port);
    let drained = false;
    disposers.push(async () => {
      if (!drained) await listener.drain(0);
    });
    const ground = await openGround(config, log, options.signal);
    disposers.push(async () => ground.embedded?.stop());
    options.signal?.throwIfAborted();
    const applied = await migrate(ground.connection, await readMigrations(MIGRATIONS));
    if (applied.length > 0) log.info({ applied }, "migrated");
    const database = open(config, ground, log);
    disposers.push(() => database.close());
    const prepare =
      options.withoutAdministrator === true
        ? undefined
        : (identity: Identity) => ensureAdministrator(config, identity, log);
    const app = await start(config, { listener, database, ground, log, prepare });
    disposers.push(() => app.close());
    const addresses = { http: httpAddress(listener) };
    const removeAddresses = await writeAddresses(config, addresses);
    options.signal?.throwIfAborted();
    return {
      addresses,
      purge: app.purge,
      async close() {
        await removeAddresses();
        drained = true;
        await listener.drain(config.drainTimeoutSeconds * 1000);
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Parts = {
  listener: Listener;
  database: Database;
  ground: Ground;
  log: Log;
  prepare: ((identity: Identity) => Promise<void>) | undefined;
};

const start = (config: Config, { listener, database, ground, log, prepare }: Parts): Promise<App> =>
  createApp({
    config,
    listener,
    database,
    databaseKind: ground.kind,
    databaseVersion: ground.version,
    log,
    metrics: createMetrics(),
    ...(prepare === undefined ? {} : { beforeServing: prepare }),
  });

async function openGround(config: Config, log: Log, signal: AbortSignal | undefined): Promise<Ground> {
  if (config.databaseUrl !== undefined) {
    const checked = await checkServer(parseDatabaseUrl(config.databaseUrl));
    for (const warning of checked.warnings) log.warn(warning);
    return {
      connection: checked.connection,
      kind: "external",
      version: checked.version,
      embedded: undefined,
    };
  }
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (level, message, fields) => log[level](fields ?? {}, message),
    ...(signal === undefined ? {} : { signal }),
  });
  return { connection: embedded.connection, kind: "embedded", version: embedded.version, embedded };
}

function open(config: Config, ground: Ground, log: Log): Database {
  return openDatabase({
    connection: ground.connection,
    poolSize: config.poolSize,
    statementTimeoutMs: config.statementTimeoutSeconds * 1000,
    onIdleError: (error) => log.warn({ reason: error.message }, "lost an idle database connection"),
  });
}

function httpAddress(listener: Listener): string {
  const { host, port } = listener.address;
  const name = host.includes(":") ? `[${host}]` : host;
  return `http://${name === "0.0.0.0" || name === "[::]" ? "127.0.0.1" : name}:${port}`;
}

/** DATA_DIR/plinth.json: where this process answers, from when it can serve until it stops. */
async function writeAddresses(
  config: Config,
  addresses: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  await mkdir(config.dataDir, { recursive: true });
  const file = join(config.dataDir, "plinth.json");
  const content = {
    // Of several workers the one that leads them is the process to be signalled.
    pid: cluster.isWorker ? process.ppid : process.pid,
    version: PLINTH_VERSION,
    started_at: new Date().toISOString(),
    addresses,
  };
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o644 });
  await rename(temporary, file);
  return () => rm(file, { force: true });
}
