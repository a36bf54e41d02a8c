// What the suites talk to. They know a base URL and nothing else of the server behind it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureAuth, ensureClient, ensureDrivers, type ClientVersion } from "./environment.ts";
import { packagesOf } from "./python.ts";
import { freePort, startChild, waitFor, type Child } from "./process.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface Target {
  readonly url: string;
  /** Process ids to measure; empty when the server was started by somebody else. */
  readonly pid: number | undefined;
  /** Where it keeps its data; undefined when the server was started by somebody else. */
  readonly dataDir: string | undefined;
  /** Ends what was started here and answers its exit code; 0 for a server that somebody else runs. */
  stop(): Promise<number | string>;
}

/**
 * Plinth as its users start it, on free ports and in a new data directory, or the server at PLINTH_URL, where the
 * suite needs no other settings than it may have.
 */
export async function startPlinth(
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Target> {
  const given = process.env["PLINTH_URL"];
  if (given && Object.keys(env).length === 0)
    return { url: given.replace(/\/$/, ""), pid: undefined, dataDir: undefined, stop: async () => 0 };

  const dataDir = mkdtempSync(join(dataRoot(), "plinth-conformance-"));
  const ports = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];
  // The receivers of webhooks are the suite's own, on this machine.
  const reach = ["--host", "127.0.0.1", "--outbound-allowed-hosts", "127.0.0.1"];
  const child = startChild(
    join(root, "node_modules", ".bin", "node"),
    [join(root, "cli", "src", "main.ts"), "up", "--data-dir", dataDir, ...reach, ...ports, ...flags],
    { cwd: root, env },
  );
  const url = await waitFor(child, "plinth up", async () => {
    const address = readAddress(join(dataDir, "plinth.json"));
    if (address === undefined) return undefined;
    return (await isReady(`${address}/ready`)) ? address : undefined;
  }).catch((error: unknown) => abandon(child, dataDir, error));
  return {
    url,
    pid: child.pid,
    dataDir,
    async stop() {
      const code = await child.stop();
      if (code !== 0) process.stderr.write(`plinth ended with ${code}:\n${child.output()}\n`);
      rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}

/** Who administers the servers that ask everybody to log in. */
export const admin = { username: "admin", password: "the password of admin" } as const;

/** Plinth, where everybody logs in; its administrator comes from the environment. */
export const startGuardedPlinth = (flags: readonly string[] = []): Promise<Target> =>
  startPlinth(["--login", "required", ...flags], { PLINTH_ADMIN_PASSWORD: admin.password });

/** MLflow's own server with its users and permissions: who has no permission of their own reads. */
export async function startGuardedReference(
  options: readonly string[] = [],
  version: ClientVersion = "3.17.2",
): Promise<Target> {
  const environment = await (version === "2.9.2" ? ensureDrivers() : ensureAuth());
  const folder = mkdtempSync(join(tmpdir(), "mlflow-auth-"));
  const settings = join(folder, "auth.ini");
  writeFileSync(
    settings,
    [
      "[mlflow]",
      "default_permission = READ",
      `database_uri = sqlite:///${join(folder, "auth.db")}`,
      `admin_username = ${admin.username}`,
      `admin_password = ${admin.password}`,
      // Else it computes a hash or two for each request.
      "auth_cache_ttl_seconds = 600",
    ].join("\n"),
  );
  const env = {
    PYTHONPATH: packagesOf(environment),
    MLFLOW_AUTH_CONFIG_PATH: settings,
    MLFLOW_FLASK_SERVER_SECRET_KEY: "of the suite",
  };
  const target = await startReference(["--app-name", "basic-auth", ...options], env, version);
  return {
    ...target,
    async stop() {
      const code = await target.stop();
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** A real `mlflow server` on SQLite, with its artifact proxy and one worker. */
export async function startReference(
  options: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  version: ClientVersion = "3.17.2",
): Promise<Target> {
  // One that runs already was started without them.
  const given = options.length === 0 ? process.env["MLFLOW_REFERENCE_URL"] : undefined;
  if (given)
    return { url: given.replace(/\/$/, ""), pid: undefined, dataDir: undefined, stop: async () => 0 };

  const environment = await ensureClient(version);
  const dataDir = mkdtempSync(join(tmpdir(), "mlflow-reference-"));
  const port = await freePort();
  const args = [
    "server",
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--workers",
    "1",
    "--serve-artifacts",
  ];
  const store = ["--backend-store-uri", `sqlite:///${join(dataDir, "mlflow.db")}`];
  const artifacts = ["--artifacts-destination", join(dataDir, "artifacts")];
  const child = startChild(
    join(environment, "bin", "mlflow"),
    [...args, ...store, ...artifacts, ...options],
    {
      cwd: dataDir,
      group: true,
      env: {
        PATH: `${join(environment, "bin")}:${process.env["PATH"] ?? ""}`,
        MLFLOW_DISABLE_TELEMETRY: "true",
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
        MLFLOW_WEBHOOK_ALLOWED_SCHEMES: "http,https",
        MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: "true",
        ...env,
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await waitFor(child, "mlflow server", async () =>
    (await isReady(`${url}/health`)) ? true : undefined,
  ).catch((error: unknown) => abandon(child, dataDir, error));
  return {
    url,
    pid: child.pid,
    dataDir,
    async stop() {
      const code = await child.stop();
      rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}

/** The embedded database runs as another user when we are root, so its folder must be reachable by all. */
function dataRoot(): string {
  return process.env["PLINTH_TEST_DATA_ROOT"] ?? tmpdir();
}

/** plinth.json appears once Plinth can serve. */
function readAddress(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const written = JSON.parse(readFileSync(file, "utf8")) as { addresses?: { http?: unknown } };
  const url = written.addresses?.http;
  if (typeof url !== "string") throw new Error(`${file} has no addresses.http: ${JSON.stringify(written)}`);
  return url.replace(/\/$/, "");
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function abandon(child: Child, dataDir: string, error: unknown): Promise<never> {
  await child.stop().catch(() => undefined);
  rmSync(dataDir, { recursive: true, force: true });
  throw error;
}
