// The three servers that are measured, each started as its users start it, on its own PostgreSQL data.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { flags, freePort, startProgram, waitForAnswer, type Program } from "./process.ts";
import { startPostgres, type Database, type PeerPostgres, type Settings } from "./postgres.ts";
import { ensurePeer, peers, root } from "./setup.ts";

export const targetNames = ["plinth", "mlflow", "fasttrackml"] as const;
export type TargetName = (typeof targetNames)[number];

export const titles: Readonly<Record<TargetName, string>> = {
  plinth: "Plinth",
  mlflow: peers.mlflow.title,
  fasttrackml: peers.fasttrackml.title,
};

export type Target = {
  name: TargetName;
  /** Changes when the server is started again. */
  readonly url: string;
  readonly database: Database;
  /** Of the server and, when it is not its child, of its PostgreSQL. */
  readonly pids: readonly number[];
  /** Seconds from the start of the process to its first answer that it is ready, of the last start. */
  readonly startSeconds: number;
  /** Stops the server (and the database, when the server brings its own) and starts it on the same data. */
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

type Server = { program: Program; url: string; startSeconds: number };

/** Starts a target on new data below `folder`. */
export async function startTarget(name: TargetName, folder: string, settings: Settings): Promise<Target> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (name === "plinth") return startPlinth(join(folder, "data"));
  const postgres = await startPostgres(join(folder, "postgres"), settings);
  return startPeer({ name, folder, postgres });
}

async function startPlinth(dataDir: string): Promise<Target> {
  const start = async (): Promise<Server> => {
    const port = await freePort();
    const args = ["up", "--data-dir", dataDir, "--host", "127.0.0.1", "--port", String(port)];
    return measureStart(
      join(root, "node_modules", ".bin", "node"),
      [join(root, "cli", "src", "plinth.mjs"), ...args, "--s3-port", "0", "--grpc-port", "0"],
      { port, readyPath: "/ready", folder: root, env: plinthEnvironment() },
    );
  };
  let server = await start();
  return {
    name: "plinth",
    get url() {
      return server.url;
    },
    get database() {
      return embeddedDatabase(dataDir);
    },
    get pids() {
      return [server.program.pid];
    },
    get startSeconds() {
      return server.startSeconds;
    },
    async restart() {
      await server.program.stop();
      server = await start();
    },
    stop: () => server.program.stop(),
  };
}

/** Settings of the shell must not change what is measured, and Plinth refuses variables it does not know. */
function plinthEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTH_")));
}

/** The way into Plinth's embedded PostgreSQL, from the files in its data folder. */
function embeddedDatabase(dataDir: string): Database {
  const folder = join(dataDir, "postgres");
  const lines = readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n");
  const socketFolder = lines[4] ?? "";
  const inside = socketFolder.startsWith("/proc/self/") ? folder : socketFolder;
  return {
    host: inside === "" ? "127.0.0.1" : inside,
    port: Number(lines[3]),
    user: "postgres",
    password: readFileSync(join(dataDir, "postgres-password"), "utf8").trim(),
    database: "plinth",
  };
}

type Peer = { name: "mlflow" | "fasttrackml"; folder: string; postgres: PeerPostgres };

async function startPeer({ name, folder, postgres }: Peer): Promise<Target> {
  const environment = ensurePeer(name);
  const bin = join(environment, "bin");
  const start = async (): Promise<Server> => {
    const port = await freePort();
    const [program, args] = name === "mlflow" ? mlflow(port) : fasttrackml(port);
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
      MLFLOW_DISABLE_TELEMETRY: "true",
    };
    const how = { port, readyPath: "/health", folder, env, group: true };
    return measureStart(join(bin, program), args, how);
  };
  const { host, user, database } = postgres.database;
  const mlflow = (port: number): [string, string[]] => [
    "mlflow",
    [
      "server",
      "--serve-artifacts",
      ...flags({
        "--host": "127.0.0.1",
        "--port": port,
        "--workers": 4,
        "--backend-store-uri": `postgresql+psycopg://${user}@/${database}?host=${host}`,
        "--artifacts-destination": join(folder, "artifacts"),
      }),
    ],
  ];
  const fasttrackml = (port: number): [string, string[]] => [
    "fml",
    [
      "server",
      ...flags({
        "--listen-address": `127.0.0.1:${port}`,
        "--log-level": "error",
        "--database-uri": `postgres://${user}@/${database}?host=${host}`,
        "--default-artifact-root": join(folder, "artifacts"),
      }),
    ],
  ];
  let server = await start();
  return {
    name,
    get url() {
      return server.url;
    },
    database: postgres.database,
    get pids() {
      return [server.program.pid, postgres.pid];
    },
    get startSeconds() {
      return server.startSeconds;
    },
    async restart() {
      await server.program.stop();
      server = await start();
    },
    async stop() {
      await server.program.stop();
      await postgres.stop();
    },
  };
}

type How = { port: number; readyPath: string; folder: string; env: NodeJS.ProcessEnv; group?: boolean };

async function measureStart(command: string, args: readonly string[], how: How): Promise<Server> {
  if (!existsSync(command)) throw new Error(`${command} is not there`);
  const url = `http://127.0.0.1:${how.port}`;
  const since = performance.now();
  const program = startProgram(command, args, {
    cwd: how.folder,
    env: how.env,
    ...(how.group === undefined ? {} : { group: how.group }),
  });
  try {
    return {
      program,
      url,
      startSeconds: (await waitForAnswer(program, `${url}${how.readyPath}`, since)) / 1000,
    };
  } catch (error) {
    await program.stop();
    throw error;
  }
}
