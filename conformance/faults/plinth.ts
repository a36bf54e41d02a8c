// Plinth as a process that can be killed and started again on the same data.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A loaded machine recovers slowly; a hang is still found. */
const PATIENCE_MS = 120_000;

export type Plinth = {
  pid: number;
  url: string;
  output: () => string;
  hasEnded: () => boolean;
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  signal: (signal: NodeJS.Signals) => void;
  /** Sends SIGTERM and answers the exit code. */
  stop: () => Promise<number | NodeJS.Signals>;
};

/** The database runs as another user when we are root, so its way to the folder must be open. */
export function makeDataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "plinth-faults-"));
  chmodSync(folder, 0o755);
  return folder;
}

export const removeDataDir = (dataDir: string): void =>
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });

/** Starts the process and does not wait. `url` is empty until `waitUntilReady`. */
export function spawnPlinth(dataDir: string, flags: readonly string[] = []): Plinth {
  const ports = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];
  const child = spawn(
    join(root, "node_modules", ".bin", "node"),
    [
      join(root, "cli", "src", "main.ts"),
      "up",
      "--data-dir",
      dataDir,
      "--host",
      "127.0.0.1",
      ...ports,
      ...flags,
    ],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // The suite's own variables are none that Plinth knows.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTH_"))),
    },
  );
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-100_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let isOver = false;
  const ended = new Promise<number | NodeJS.Signals>((done, failed) => {
    child.once("error", failed);
    // Not `close`: a database left behind holds the same pipes open.
    child.once("exit", (code, signal) => {
      isOver = true;
      done(code ?? signal ?? 1);
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (!isOver) child.kill(name);
  };
  return {
    pid: child.pid ?? 0,
    url: "",
    output: () => output,
    hasEnded: () => isOver,
    ended,
    signal,
    async stop() {
      signal("SIGTERM");
      const late = setTimeout(() => signal("SIGKILL"), PATIENCE_MS);
      const code = await ended;
      clearTimeout(late);
      return code;
    },
  };
}

/** Waits for /ready and answers the same process with its address. */
export async function waitUntilReady(plinth: Plinth, dataDir: string): Promise<Plinth> {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    if (plinth.hasEnded()) throw new Error(`Plinth ended before it was ready:\n${plinth.output()}`);
    const url = addressOf(plinth.pid, dataDir);
    if (url !== undefined && (await answers(`${url}/ready`))) return { ...plinth, url };
    await sleep(50);
  }
  plinth.signal("SIGKILL");
  throw new Error(`Plinth was not ready after ${PATIENCE_MS} ms:\n${plinth.output()}`);
}

export const startPlinth = (dataDir: string, flags: readonly string[] = []): Promise<Plinth> =>
  waitUntilReady(spawnPlinth(dataDir, flags), dataDir);

/** The file of an earlier process on the same data says nothing about this one. */
function addressOf(pid: number, dataDir: string): string | undefined {
  try {
    const text = readFileSync(join(dataDir, "plinth.json"), "utf8");
    const file = JSON.parse(text) as { pid: number; addresses: { http: string } };
    return file.pid === pid ? file.addresses.http : undefined;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** The process id of the database's first process, from the file it keeps in its data. */
export function databasePid(dataDir: string): number {
  const pid = Number(readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`no process id in postmaster.pid of ${dataDir}`);
  return pid;
}
