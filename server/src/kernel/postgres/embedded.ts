import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PlinthError } from "../errors.ts";
import { findBinaries, type Binaries } from "./binaries.ts";
import {
  PASSWORD_FILE,
  prepareClusterFolder,
  resetPassword,
  SUPERUSER,
  type ClusterFolder,
} from "./cluster-folder.ts";
import type { PostgresConnection } from "./connection.ts";
import { lockDataFolder } from "./data-lock.ts";
import { DATABASE, prepareDatabase, ROLE } from "./embedded-database.ts";
import { isServerOf, readPidFile, recoverLeftover, socketFolderOf } from "./leftover.ts";
import { startServerProcess, type ServerProcess } from "./server-process.ts";
import { postgresSettings, readMachine } from "./settings.ts";
import { chooseListening, SOCKET_PORT, type Listening } from "./socket-folder.ts";
import { findSystemUser, openTheWay, type RunAs } from "./system-user.ts";

export type EmbeddedLog = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export type EmbeddedOptions = {
  dataDir: string;
  log: EmbeddedLog;
  /** Gives up the start, stopping what was started. */
  signal?: AbortSignal;
  /** Called after a server that ended by itself runs again. */
  onRestart?: () => void;
};

export type EmbeddedPostgres = {
  /** Stays the same over restarts. */
  connection: PostgresConnection;
  /** As in "18.4". */
  version: string;
  /** Of the server that runs now. */
  readonly pid: number;
  /** True when this start made a new, empty database. */
  created: boolean;
  stop(): Promise<void>;
};

/**
 * Starts a real PostgreSQL server on DATA_DIR/postgres as a child of this process, after making it
 * when it is not there and recovering from whatever an earlier process left behind. At most one
 * process at a time can do so on a data folder; others get an error that names it.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = openDataFolder(options.dataDir);
  const lock = await lockDataFolder(dataDir);
  try {
    const user = findSystemUser(join(dataDir, "postgres"));
    const runAs = openTheWay(dataDir, user);
    const binaries = findBinaries(user);
    if (!existsSync(join(dataDir, "postgres"))) {
      options.log("info", "Creating the embedded PostgreSQL", { version: binaries.version, folder: dataDir });
    }
    const cluster = await prepareClusterFolder(dataDir, binaries, runAs);
    options.signal?.throwIfAborted();
    const stopped = await recoverLeftover(cluster.folder);
    if (stopped !== undefined) {
      options.log("warn", "Stopped a PostgreSQL server that a killed Plinth left behind", { pid: stopped });
    }
    const password = cluster.password ?? resetPassword({ dataDir, binaries, runAs }, [SUPERUSER, ROLE]);
    const listening = await chooseListening(dataDir, runAs);
    const supervisor = new Supervisor({ ...options, dataDir, binaries, cluster, listening, runAs });
    await supervisor.start();
    try {
      const connection = connectionOf(listening, password);
      await prepareDatabase({ ...connection, user: SUPERUSER, database: "postgres" }, password);
      return {
        connection,
        version: binaries.version,
        get pid() {
          return supervisor.pid;
        },
        created: cluster.created,
        async stop() {
          await supervisor.stop();
          await lock.release();
        },
      };
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The way to the embedded server that another process runs on this data folder just now, if one does. */
export function findRunningPostgres(dataDir: string): PostgresConnection | undefined {
  const folder = join(dataDir, "postgres");
  const file = readPidFile(folder);
  if (!file?.ready || !isServerOf(file.pid, folder)) return undefined;
  const password = readFileSync(join(dataDir, PASSWORD_FILE), "utf8").trim();
  if (file.socketFolder === "") return connectionOf({ kind: "loopback", port: file.port }, password);
  const socketFolder = socketFolderOf(file, folder);
  return connectionOf({ kind: "socket", folder: socketFolder, serverFolder: socketFolder }, password);
}

function openDataFolder(given: string): string {
  try {
    mkdirSync(given, { recursive: true, mode: 0o700 });
    return realpathSync(given);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    throw new PlinthError(
      "unavailable",
      `The data folder ${given} cannot be made (${code}). Give another --data-dir.`,
      {
        cause: error,
      },
    );
  }
}

function connectionOf(listening: Listening, password: string): PostgresConnection {
  return {
    host: listening.kind === "socket" ? listening.folder : "127.0.0.1",
    port: listening.kind === "socket" ? SOCKET_PORT : listening.port,
    user: ROLE,
    password,
    database: DATABASE,
    ssl: false,
  };
}

type Supervised = EmbeddedOptions & {
  binaries: Binaries;
  cluster: ClusterFolder;
  listening: Listening;
  runAs: RunAs;
};

/** A start can lose against an orphan of a killed Plinth that is itself still starting. */
const START_ATTEMPTS = 4;

const LONGEST_BACK_OFF_MS = 10_000;

/** Keeps one server running until it is told to stop. */
class Supervisor {
  readonly #options: Supervised;
  #server: ServerProcess | undefined;
  #stopping = false;
  #restarting: Promise<void> | undefined;

  constructor(options: Supervised) {
    this.#options = options;
  }

  get pid(): number {
    return this.#server?.pid ?? -1;
  }

  async start(): Promise<void> {
    const { signal, cluster } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const server = startServerProcess(this.#serverOptions());
      try {
        await server.ready(signal);
        this.#server = server;
        void server.exited.then((end) => this.#ended(server, end));
        return;
      } catch (error) {
        await server.stop();
        if (attempt === START_ATTEMPTS || signal?.aborted || this.#stopping) throw error;
        await sleep(250 * attempt);
        await recoverLeftover(cluster.folder);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#server?.stop();
    await this.#restarting;
    await this.#server?.stop();
  }

  #serverOptions() {
    const { binaries, cluster, listening, runAs, dataDir } = this.#options;
    const where =
      listening.kind === "socket"
        ? {
            listen_addresses: "",
            unix_socket_directories: listening.serverFolder,
            unix_socket_permissions: "0700",
          }
        : { listen_addresses: "127.0.0.1", unix_socket_directories: "" };
    return {
      program: binaries.postgres,
      folder: cluster.folder,
      runAs,
      logFile: join(dataDir, "postgres.log"),
      settings: {
        ...postgresSettings(readMachine()),
        ...where,
        port: String(listening.kind === "socket" ? SOCKET_PORT : listening.port),
      },
    };
  }

  #ended(server: ServerProcess, end: { code: number | null; signal: NodeJS.Signals | null }): void {
    if (this.#stopping || server !== this.#server) return;
    this.#options.log("error", "The embedded PostgreSQL ended unexpectedly; starting it again", {
      pid: server.pid,
      ...end,
    });
    this.#restarting = this.#restart();
  }

  async #restart(): Promise<void> {
    const { log, cluster, onRestart } = this.#options;
    for (let wait = 100; !this.#stopping; wait = Math.min(wait * 2, LONGEST_BACK_OFF_MS)) {
      try {
        await recoverLeftover(cluster.folder);
        await this.start();
        log("info", "The embedded PostgreSQL runs again", { pid: this.pid });
        onRestart?.();
        return;
      } catch (error) {
        log("error", "The embedded PostgreSQL did not start", { error: String(error), retryInMs: wait });
        await sleep(wait);
      }
    }
  }
}
