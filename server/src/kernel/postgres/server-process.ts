import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, copyFileSync, openSync, readSync, renameSync, statSync, truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PlinthError } from "../errors.ts";
import { readPidFile } from "./leftover.ts";
import type { RunAs } from "./system-user.ts";

export type ServerOptions = {
  program: string;
  folder: string;
  settings: Readonly<Record<string, string>>;
  runAs: RunAs;
  logFile: string;
};

export type ServerProcess = {
  pid: number;
  /** Settles when the process has ended, with what it said last. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves when it accepts connections, however long crash recovery takes; rejects when it ends before. */
  ready(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
};

/** The log starts anew at this size; the one before is kept. */
const LARGEST_LOG = 8 * 1024 * 1024;

export function startServerProcess(options: ServerOptions): ServerProcess {
  boundLog(options.logFile);
  const log = openSync(options.logFile, "a", 0o600);
  const logStart = sizeOf(options.logFile);
  const args = ["-D", options.runAs.nameOf(options.folder)];
  for (const [name, value] of Object.entries(options.settings)) args.push("-c", `${name}=${value}`);
  const [command, prefix] = dyingWithUs(options.program);
  const child = spawn(command, [...prefix, ...args], {
    ...options.runAs.user,
    cwd: options.folder,
    // A group of its own: Ctrl-C in a terminal is for Plinth, which stops the server when it has drained.
    detached: true,
    stdio: ["ignore", "ignore", log],
    env: { PATH: process.env["PATH"], TZ: "UTC", LC_ALL: "C" },
  });
  closeSync(log);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => {
    child.once("error", () => done({ code: null, signal: null }));
    child.once("exit", (code, signal) => done({ code, signal }));
  });
  const watch = setInterval(() => boundLog(options.logFile), 60_000).unref();
  void exited.then(() => clearInterval(watch));
  return {
    pid: child.pid ?? -1,
    exited,
    ready: (signal) => waitUntilReady(child, options, { logStart, signal }),
    stop: () => stopInOrder(child, exited),
  };
}

/**
 * On Linux the kernel is asked to stop the server (SIGINT: in order) when Plinth dies, even of
 * SIGKILL. Elsewhere a server left behind is found at the next start.
 */
function dyingWithUs(program: string): [string, string[]] {
  if (process.platform !== "linux") return [program, []];
  const { stdout } = spawnSync("setpriv", ["--help"], { encoding: "utf8" });
  // BusyBox has a setpriv without the option.
  return stdout?.includes("--pdeathsig") ? ["setpriv", ["--pdeathsig", "INT", program]] : [program, []];
}

async function waitUntilReady(
  child: ChildProcess,
  options: ServerOptions,
  { logStart, signal }: { logStart: number; signal: AbortSignal | undefined },
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new PlinthError(
        "unavailable",
        `The embedded PostgreSQL ended at its start: ${lastWords(options.logFile, logStart)} (its log is ${options.logFile})`,
      );
    }
    const file = readPidFile(options.folder);
    if (file?.pid === child.pid && file.ready) return;
    await sleep(5);
  }
}

async function stopInOrder(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  // SIGINT ends sessions and writes a checkpoint; SIGQUIT leaves that to recovery at the next start.
  for (const [signal, patience] of [
    ["SIGINT", 60_000],
    ["SIGQUIT", 10_000],
    ["SIGKILL", 5_000],
  ] as const) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(signal);
    const timeout = new AbortController();
    await Promise.race([
      exited,
      sleep(patience, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** The server appends to the open file, so it is copied and cut while a server runs. */
function boundLog(path: string): void {
  if (sizeOf(path) <= LARGEST_LOG) return;
  copyFileSync(path, `${path}.unfinished`);
  renameSync(`${path}.unfinished`, `${path}.1`);
  truncateSync(path);
}

/** The reason a server gave for ending: its last FATAL or PANIC line, else its last line. */
function lastWords(path: string, start: number): string {
  const buffer = Buffer.alloc(16 * 1024);
  const fd = openSync(path, "r");
  try {
    const from = Math.max(start, sizeOf(path) - buffer.length);
    const lines = buffer
      .toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, from))
      .split("\n")
      .filter((line) => line !== "");
    const found = lines.findLast((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1);
    return found?.replace(/^.*?\] (?=[A-Z]+:)/, "") ?? "it said nothing";
  } finally {
    closeSync(fd);
  }
}
