// Runs wrk, a load generator in C with Lua scripts, in its own process.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { flags } from "./process.ts";

const scripts = join(dirname(fileURLToPath(import.meta.url)), "..", "lua");

/** wrk counts an answer that took longer as an error; MLflow's client waits 120 s. */
const TIMEOUT_SECONDS = 30;

export type Load = {
  /** Name of a script in lua/, without `.lua`. */
  script: string;
  connections: number;
  /** Two, unless each connection shall have one of its own. */
  threads?: number;
  seconds: number;
  /** Seen by the script as `options`. */
  options: Readonly<Record<string, string | number>>;
};

export type LoadResult = {
  seconds: number;
  /** Requests that got an answer, whatever its status. */
  answered: number;
  /** Requests that were sent or begun, answered or not. */
  issued: number;
  /** Answers with a status of 400 or more. */
  refused: number;
  socketErrors: number;
  timeouts: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  bytes: number;
};

export const errorsOf = (result: LoadResult): number =>
  result.refused + result.socketErrors + result.timeouts;

export const acknowledgedOf = (result: LoadResult): number => result.answered - result.refused;

export async function runWrk(url: string, load: Load): Promise<LoadResult> {
  const threads = load.threads ?? Math.min(2, load.connections);
  const given = { ...load.options, threads, work: join(scripts, `${load.script}.lua`) };
  const how = { "-t": threads, "-c": load.connections, "-d": `${load.seconds}s` };
  const args = [
    ...flags({ ...how, "--timeout": `${TIMEOUT_SECONDS}s`, "-s": join(scripts, "load.lua") }),
    url,
    "--",
    ...Object.entries(given).map(([name, value]) => `${name}=${value}`),
  ];
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  await new Promise<void>((done, failed) => {
    child.once("error", failed);
    child.once("close", () => done());
  });
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk with ${load.script} gave no result:\n${output}`);
  return JSON.parse(line) as LoadResult;
}
