// ZenML's own server of either version on SQLite, and Plinth where everybody logs in: both with the same administrator.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureZenmlServer, type ZenmlVersion } from "../src/environment.ts";
import { freePort, startChild, waitFor } from "../src/process.ts";
import { admin, startGuardedPlinth, type Target } from "../src/target.ts";

/** One server: where it is, what it calls itself to it, and the token of its administrator. */
export interface Server extends Target {
  readonly version: ZenmlVersion;
  readonly token: string;
}

/** A real ZenML server; the one at ZENML_REFERENCE_URL (ZENML_REFERENCE_URL_084 for 0.84.0) when that is given. */
export async function startZenmlReference(version: ZenmlVersion): Promise<Server> {
  const given = process.env[version === "0.98.0" ? "ZENML_REFERENCE_URL" : "ZENML_REFERENCE_URL_084"];
  if (given) {
    const target: Target = { url: given, pid: undefined, dataDir: undefined, stop: async () => 0 };
    return { ...target, version, token: await tokenOf(given) };
  }
  const environment = await ensureZenmlServer(version);
  const dataDir = mkdtempSync(join(tmpdir(), "zenml-reference-"));
  const port = await freePort();
  const app = "zenml.zen_server.zen_server_api:app";
  const child = startChild(
    join(environment, "bin", "python"),
    ["-m", "uvicorn", app, "--host", "127.0.0.1", "--port", String(port), "--log-level", "warning"],
    {
      cwd: dataDir,
      env: {
        HOME: dataDir,
        ZENML_CONFIG_PATH: dataDir,
        ZENML_ANALYTICS_OPT_IN: "false",
        ZENML_LOGGING_VERBOSITY: "WARN",
        ZENML_SERVER_DEPLOYMENT_TYPE: "other",
        ZENML_SERVER_AUTO_ACTIVATE: "1",
        ZENML_DEFAULT_USER_NAME: admin.username,
        ZENML_DEFAULT_USER_PASSWORD: admin.password,
        PYTHONWARNINGS: "ignore",
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<number | string> => {
    const code = await child.stop();
    rmSync(dataDir, { recursive: true, force: true });
    return code;
  };
  try {
    await waitFor(child, `ZenML's server ${version}`, async () => ((await isUp(url)) ? true : undefined));
    return { url, pid: child.pid, dataDir, stop, version, token: await tokenOf(url) };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** Plinth, asked as clients of this version ask. */
export async function startComparedPlinth(version: ZenmlVersion): Promise<Server> {
  const target = await startGuardedPlinth();
  return { ...target, version, token: await tokenOf(target.url) };
}

async function tokenOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/login`, {
    method: "POST",
    body: new URLSearchParams({ username: admin.username, password: admin.password }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} refused the administrator: ${answer.status} ${text}`);
  return (JSON.parse(text) as { access_token: string }).access_token;
}

async function isUp(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
