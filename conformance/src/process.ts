import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Child {
  readonly pid: number;
  /** Everything it printed so far, both streams. */
  output(): string;
  /** Its exit code, or the signal that ended it, once it ended. */
  readonly ended: Promise<number | string>;
  hasEnded(): boolean;
  /** Sends SIGTERM to it (to its whole group when `group`), waits, and returns its exit code or signal. */
  stop(): Promise<number | string>;
}

export interface SpawnOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Signal the whole process group: for servers that do not take their workers with them. */
  readonly group?: boolean;
  /** Who it runs as, for servers that refuse to be root. */
  readonly uid?: number;
  readonly gid?: number;
}

const patience = 30_000;

/** The suites' own variables, such as PLINTH_URL, would be settings that Plinth does not know. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTH_")));

export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child: ChildProcess = spawn(command, args, {
    env: { ...inherited(), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.group === true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  let output = "";
  let isOver = false;
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString("utf8")).slice(-200_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => {
      isOver = true;
      output += `\n${error.message}`;
      resolve(error.message);
    });
    child.once("close", (code, signal) => {
      isOver = true;
      resolve(code ?? signal ?? "unknown");
    });
  });
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals) => {
    if (isOver || pid === 0) return;
    try {
      process.kill(options.group === true ? -pid : pid, name);
    } catch {
      // It ended between the check and the signal.
    }
  };
  return {
    pid,
    output: () => output,
    ended,
    hasEnded: () => isOver,
    async stop() {
      signal("SIGTERM");
      const limit = AbortSignal.timeout(patience);
      const late = new Promise<"late">((resolve) => limit.addEventListener("abort", () => resolve("late")));
      const first = await Promise.race([ended, late]);
      if (first !== "late") return first;
      signal("SIGKILL");
      await ended;
      throw new Error(`process ${pid} ignored SIGTERM for ${patience} ms; its output: ${output}`);
    },
  };
}

/** Polls until `probe` answers something, or the child ends, or time is up. */
export async function waitFor<T>(
  child: Child,
  what: string,
  probe: () => Promise<T | undefined>,
  limit = 120_000,
): Promise<T> {
  const until = Date.now() + limit;
  while (Date.now() < until) {
    if (child.hasEnded()) throw new Error(`${what}: the process ended early; its output:\n${child.output()}`);
    const answer = await probe();
    if (answer !== undefined) return answer;
    await sleep(100);
  }
  throw new Error(`${what}: not ready after ${limit} ms; its output:\n${child.output()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return address.port;
}
