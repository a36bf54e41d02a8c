import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  realpathSync,
  writeSync,
  rmSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { PlinthError } from "../errors.ts";

export type DataLock = { release(): Promise<void> };

/** open(2)'s flag to lock what it opens, on macOS and the BSDs; Node has no name for it. */
const O_EXLOCK = 0x20;

/**
 * Makes this process the only one on a data folder. The kernel holds the lock and drops it when the
 * process ends in whatever way, so there is nothing stale to judge, and it also holds between containers
 * that share the folder. Throws an error that names the process that has it.
 */
export async function lockDataFolder(dataDir: string): Promise<DataLock> {
  const path = join(dataDir, "plinth.lock");
  const fd = openLockFile(path);
  try {
    const locked =
      process.platform === "linux" ? await lockOnLinux(fd, dataDir) : { release: () => undefined };
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`, 0);
    // Whoever left its addresses there is gone; readers must not take them for ours.
    rmSync(join(dataDir, "plinth.json"), { force: true });
    return {
      async release() {
        await locked.release();
        closeSync(fd);
      },
    };
  } catch (error) {
    closeSync(fd);
    if (error instanceof Taken) throw refusal(dataDir, path);
    throw error;
  }
}

class Taken extends Error {}

function openLockFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const elsewhere = process.platform === "linux" ? 0 : O_EXLOCK | constants.O_NONBLOCK;
  try {
    return openSync(path, flags | elsewhere, 0o644);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    if (code === "EAGAIN") throw refusal(join(path, ".."), path);
    throw new PlinthError(
      "unavailable",
      `Cannot write to the data folder: ${path} cannot be opened (${code}).`,
      {
        cause: error,
      },
    );
  }
}

type Hold = { release(): void | Promise<void> };

/**
 * flock(2) belongs to the open file, not to the process that asked for it: the flock program locks
 * the file it is handed, and the lock stays when it exits because this process has the file open too.
 */
async function lockOnLinux(fd: number, dataDir: string): Promise<Hold> {
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (status === 0) return { release: () => undefined };
  // Other codes: there is no such program, or the file system has no locks.
  if (status === 1) throw new Taken();
  return listenOnAbstractName(dataDir);
}

/** Where there is no flock program: a socket name in the kernel alone, which only one process can have. */
async function listenOnAbstractName(dataDir: string): Promise<Hold> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      failed(error.code === "EADDRINUSE" ? new Taken() : error);
    });
    server.listen(`\0plinth:${realpathSync(dataDir)}`, done);
  });
  server.unref();
  return { release: () => new Promise<void>((done) => server.close(() => done())) };
}

function refusal(dataDir: string, path: string): PlinthError {
  const pid = readText(path).trim();
  const address = /https?:\/\/[^"\s]+/.exec(readText(join(dataDir, "plinth.json")))?.[0];
  const who =
    pid === "" ? "another Plinth" : `another Plinth (process ${pid}${address ? `, at ${address}` : ""})`;
  return new PlinthError(
    "unavailable",
    `The data folder ${dataDir} is in use by ${who}. Stop that one, or give this one its own --data-dir.`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
