import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../src/plinth.mjs", import.meta.url));

export type Ended = { code: number | null; stdout: string; stderr: string };

export type RunOptions = {
  env?: NodeJS.ProcessEnv;
  nodeFlags?: string[];
  /** What stands on standard input, else nothing. */
  input?: string;
};

/** Starts the real command in a process of its own, without any PLINTH_* variable but the given ones. */
export function spawnPlinth(
  args: readonly string[],
  options: RunOptions = {},
): ChildProcess & { ended: Promise<Ended> } {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTH_"));
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), MAIN, ...args], {
    env: { ...Object.fromEntries(kept), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(options.input ?? "");
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  const ended = new Promise<Ended>((done) => child.once("close", (code) => done({ code, ...said })));
  return Object.assign(child, { ended });
}

export const plinth = (args: readonly string[], options?: RunOptions): Promise<Ended> =>
  spawnPlinth(args, options).ended;

export async function newFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "plinth-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Waits for DATA_DIR/plinth.json, or for the end of the process that should write it. */
export async function whenReady(
  child: { exitCode: number | null },
  dataDir: string,
): Promise<Record<string, string>> {
  while (child.exitCode === null) {
    try {
      const content = JSON.parse(readFileSync(join(dataDir, "plinth.json"), "utf8")) as {
        addresses: Record<string, string>;
      };
      return content.addresses;
    } catch {
      await sleep(10);
    }
  }
  throw new Error(`ended with ${child.exitCode} before it was ready`);
}
