// Real stores of MLflow, made by its own client, and MLflow's own server to look into them.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytecode, ensureClient, ensureDrivers, type ClientVersion } from "../src/environment.ts";
import { freePort, startChild, waitFor } from "../src/process.ts";

const script = join(dirname(fileURLToPath(import.meta.url)), "python", "fill_store.py");

/** MLflow's variables: the drivers beside its own libraries, and no waiting for what is wrong. */
export async function environmentOf(
  version: ClientVersion,
): Promise<{ folder: string; env: NodeJS.ProcessEnv }> {
  const folder = await ensureClient(version);
  const drivers = join(await ensureDrivers(), "lib");
  const python = readdirSync(drivers).find((name) => name.startsWith("python")) ?? "";
  return {
    folder,
    env: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      PYTHONPATH: join(drivers, python, "site-packages"),
      PYTHONWARNINGS: "ignore",
      ...bytecode,
      MLFLOW_DISABLE_TELEMETRY: "true",
      // 3.x asks for this before it works on a folder.
      MLFLOW_ALLOW_FILE_STORE: "true",
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
      GIT_PYTHON_REFRESH: "quiet",
    },
  };
}

export type Filled = { experiments: string[]; runs: string[]; logged_models: string[] };

/** Fills a store with one of everything; `folder` is where a client keeps artifacts. */
export async function fillStore(
  version: ClientVersion,
  uri: string,
  options: { folder: string; runs?: number },
): Promise<Filled> {
  const { folder: environment, env } = await environmentOf(version);
  const done = spawnSync(
    join(environment, "bin", "python"),
    [script, uri, ...(options.runs === undefined ? [] : [String(options.runs)])],
    { cwd: options.folder, env: { ...env, HOME: options.folder }, encoding: "utf8", maxBuffer: 64 << 20 },
  );
  const line = done.stdout.split("\n").find((one) => one.startsWith("FILLED "));
  if (done.status !== 0 || line === undefined) {
    throw new Error(`fill_store.py ${version} ended with ${done.status}:\n${done.stdout}${done.stderr}`);
  }
  return JSON.parse(line.slice("FILLED ".length)) as Filled;
}

export type Served = { url: string; stop(): Promise<unknown> };

/** `mlflow server` of this version on a store. */
export async function serveStore(version: ClientVersion, uri: string, folder: string): Promise<Served> {
  const { folder: environment, env } = await environmentOf(version);
  const port = await freePort();
  const child = startChild(
    join(environment, "bin", "mlflow"),
    ["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1", "--backend-store-uri", uri],
    { cwd: folder, group: true, env: { ...env, HOME: folder } },
  );
  const url = `http://127.0.0.1:${port}`;
  await waitFor(child, "mlflow server", async () => {
    try {
      return (await fetch(`${url}/health`)).status === 200 ? true : undefined;
    } catch {
      return undefined;
    }
  });
  return { url, stop: () => child.stop() };
}
