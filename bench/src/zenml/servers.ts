// Plinth and the real ZenML 0.98.0 server (uvicorn, SQLite, as `zenml login --local` starts it), each on new data.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readMemory, together } from "../memory.ts";
import { freePort, startProgram, waitForAnswer, type Program } from "../process.ts";
import { settle } from "../settle.ts";
import { ensurePeer } from "../setup.ts";
import { startTarget } from "../target.ts";

export type ZenmlServer = {
  readonly name: "plinth" | "zenml";
  readonly url: string;
  readonly pids: readonly number[];
  /** Seconds from the start of the process until it answers, of the last start. */
  readonly startSeconds: number;
  /** What its clients log in with. */
  readonly login: { username: string; password: string } | undefined;
  /** SQLite's file, of the peer. */
  readonly file: string | undefined;
  readonly database: Awaited<ReturnType<typeof startTarget>>["database"] | undefined;
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const PASSWORD = "of this bench alone";

export async function startPlinth(folder: string): Promise<ZenmlServer> {
  const target = await startTarget("plinth", folder, {});
  return {
    name: "plinth",
    get url() {
      return target.url;
    },
    get pids() {
      return target.pids;
    },
    get startSeconds() {
      return target.startSeconds;
    },
    login: undefined,
    file: undefined,
    get database() {
      return target.database;
    },
    restart: () => target.restart(),
    stop: () => target.stop(),
  };
}

export async function startZenml(folder: string): Promise<ZenmlServer> {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const python = join(ensurePeer("zenml"), "bin", "python");
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    ZENML_CONFIG_PATH: folder,
    ZENML_ANALYTICS_OPT_IN: "false",
    ZENML_LOGGING_VERBOSITY: "WARN",
    ZENML_SERVER_DEPLOYMENT_TYPE: "other",
    ZENML_SERVER_AUTO_ACTIVATE: "1",
    ZENML_DEFAULT_USER_NAME: "default",
    ZENML_DEFAULT_USER_PASSWORD: PASSWORD,
  };
  const start = async (): Promise<{ program: Program; url: string; startSeconds: number }> => {
    const port = await freePort();
    const since = performance.now();
    const words = ["-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--host", "127.0.0.1"];
    const program = startProgram(python, [...words, "--port", String(port), "--log-level", "warning"], {
      cwd: folder,
      env,
      group: true,
    });
    const url = `http://127.0.0.1:${port}`;
    return { program, url, startSeconds: (await waitForAnswer(program, `${url}/health`, since)) / 1000 };
  };
  let server = await start();
  return {
    name: "zenml",
    get url() {
      return server.url;
    },
    get pids() {
      return [server.program.pid];
    },
    get startSeconds() {
      return server.startSeconds;
    },
    login: { username: "default", password: PASSWORD },
    file: join(folder, "local_stores", "default_zen_store", "zenml.db"),
    database: undefined,
    async restart() {
      await server.program.stop();
      server = await start();
    },
    stop: () => server.program.stop(),
  };
}

/** Caches, connections and collected garbage go some time after the last request. */
const REST_SECONDS = 75;

/** MiB of all its processes, PostgreSQL's too, at rest. */
export async function memoryOf(server: ZenmlServer): Promise<number> {
  await sleep(REST_SECONDS * 1000);
  await settle(server.pids, 30);
  return together(readMemory(server.pids)).pss;
}
