// A model that the real client logs, and loads again from where it was imported to.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ClientVersion } from "../src/environment.ts";
import { environmentOf } from "./stores.ts";

export type LoggedModel = { run: string; uris: string[]; predictions: number[] };

export const logModel = (version: ClientVersion, uri: string, folder: string): Promise<LoggedModel> =>
  python(version, { script: "log_model", word: "LOGGED", args: [uri], folder });

/** What each of the addresses predicts. */
export const loadModels = (
  version: ClientVersion,
  { url, uris, folder }: { url: string; uris: readonly string[]; folder: string },
): Promise<number[][]> =>
  python(version, { script: "load_model", word: "LOADED", args: [url, ...uris], folder });

async function python<T>(
  version: ClientVersion,
  call: { script: string; word: string; args: readonly string[]; folder: string },
): Promise<T> {
  const { folder: environment, env } = await environmentOf(version);
  const script = join(import.meta.dirname, "python", `${call.script}.py`);
  const done = spawnSync(join(environment, "bin", "python"), [script, ...call.args], {
    cwd: call.folder,
    env: { ...env, HOME: call.folder, OMP_NUM_THREADS: "1", MLFLOW_HTTP_REQUEST_MAX_RETRIES: "1" },
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const line = done.stdout.split("\n").find((one) => one.startsWith(`${call.word} `));
  if (done.status !== 0 || line === undefined) {
    throw new Error(`${call.script}.py ${version} ended with ${done.status}:\n${done.stdout}${done.stderr}`);
  }
  return JSON.parse(line.slice(call.word.length + 1)) as T;
}
