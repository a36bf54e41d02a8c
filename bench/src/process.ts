// Starting, watching and stopping the programs that are measured.
import { spawn, spawnSync, type SpawnOptions } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type Program = {
  pid: number;
  output: () => string;
  hasEnded: () => boolean;
  /** Asks it to end and waits until it did; after 60 s it kills. */
  stop: () => Promise<void>;
};

type Start = Pick<SpawnOptions, "cwd" | "env" | "uid" | "gid"> & {
  /** Signals go to its whole process group: for servers that do not take their workers with them. */
  group?: boolean;
  /** What asks it to end; SIGTERM when not said. */
  stopSignal?: NodeJS.Signals;
};

/** In the order they were started. */
const alive = new Set<Program>();

/** Stops the youngest first: servers before their databases. */
export async function stopEverything(): Promise<void> {
  for (const program of [...alive].toReversed()) await program.stop();
}

export function startProgram(command: string, args: readonly string[], options: Start = {}): Program {
  const { group = false, stopSignal = "SIGTERM", ...rest } = options;
  // Every program gets its own group, so that an interrupt at the terminal reaches the bench alone, which
  // then stops them in order.
  const child = spawn(command, args, { ...rest, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-50_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let ended = false;
  const end = new Promise<void>((done) => {
    child.once("error", (error) => {
      output += error.message;
      ended = true;
      alive.delete(program);
      done();
    });
    child.once("close", () => {
      ended = true;
      alive.delete(program);
      done();
    });
  });
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals): void => {
    if (ended || pid === 0) return;
    try {
      process.kill(group ? -pid : pid, name);
    } catch {
      // It ended between the check and the signal.
    }
  };
  const program: Program = {
    pid,
    output: () => output,
    hasEnded: () => ended,
    async stop() {
      signal(stopSignal);
      const timer = setTimeout(() => signal("SIGKILL"), 60_000);
      await end;
      clearTimeout(timer);
    },
  };
  alive.add(program);
  return program;
}

/** Milliseconds from `since` until `url` answers 200; polls every 5 ms so that the answer is that exact. */
export async function waitForAnswer(program: Program, url: string, since: number): Promise<number> {
  while (performance.now() - since < 180_000) {
    if (program.hasEnded())
      throw new Error(`The server ended before ${url} answered; its output:\n${program.output()}`);
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      await answer.arrayBuffer();
      if (answer.status === 200) return performance.now() - since;
    } catch {
      // Not listening yet.
    }
    await sleep(5);
  }
  throw new Error(`${url} did not answer 200 within 3 minutes; output:\n${program.output()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no free port on loopback");
  return address.port;
}

/** Runs a command to its end and returns what it printed; throws with its output when it fails. */
export function run(command: string, args: readonly string[], options: Start = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    maxBuffer: 256 << 20,
  });
  if (error !== undefined) throw new Error(`${command} does not start: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

export function isInstalled(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

/** Options of a command line, each with its value. */
export const flags = (given: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(given).flatMap(([name, value]) => [name, String(value)]);
