import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PlinthError } from "../errors.ts";

export type PidFile = { pid: number; socketFolder: string; port: number; ready: boolean };

/** Reads postmaster.pid (https://www.postgresql.org/docs/current/storage-file-layout.html). */
export function readPidFile(folder: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), socketFolder: lines[4] ?? "", ready: lines[7]?.trim() === "ready" };
}

/** Where a server's socket is: one that was started inside its folder wrote that folder's name as it saw it. */
export const socketFolderOf = (file: PidFile, folder: string): string =>
  file.socketFolder.startsWith("/proc/self/") ? folder : file.socketFolder;

/** How long a server may take to write out what is left, and then to die of a SIGQUIT or SIGKILL. */
const PATIENCE: readonly [NodeJS.Signals, number][] = [
  ["SIGINT", 60_000],
  ["SIGQUIT", 15_000],
  ["SIGKILL", 5_000],
];

/**
 * Ends the server that an earlier Plinth left behind on `folder` when it was killed, and whatever a
 * killed server left of itself. Returns the process id of the server it stopped. The caller holds the
 * lock of the data folder, so no living Plinth uses that server.
 */
export async function recoverLeftover(folder: string): Promise<number | undefined> {
  const path = join(folder, "postmaster.pid");
  if (!existsSync(path)) return undefined;
  const left = readPidFile(folder);
  const running = left !== undefined && isServerOf(left.pid, folder);
  if (running) await stopProcess(left.pid, () => isServerOf(left.pid, folder));
  await endOrphans(folder);
  // PostgreSQL itself replaces a dead server's files; but it takes them for live ones when the process
  // id has gone to another program since, and it stops at a file that was cut short.
  if (left === undefined || isAlive(left.pid)) {
    await rm(path, { force: true });
    if (left !== undefined && left.socketFolder !== "") {
      const socketFolder = socketFolderOf(left, folder);
      await rm(join(socketFolder, `.s.PGSQL.${left.port}.lock`), { force: true });
    }
  }
  return running ? left.pid : undefined;
}

/**
 * Sessions of a server that was itself killed end on their own as soon as they look up; one in the
 * middle of a long computation does not, and could still write.
 */
async function endOrphans(folder: string): Promise<void> {
  if (process.platform !== "linux") return;
  const kindly = Date.now() + 3_000;
  const atLast = kindly + 5_000;
  for (;;) {
    const orphans = readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && isServerOf(pid, folder));
    if (orphans.length === 0) return;
    if (Date.now() > atLast) {
      throw new PlinthError(
        "unavailable",
        `Sessions of a killed PostgreSQL do not end: processes ${orphans.join(", ")}.`,
      );
    }
    if (Date.now() > kindly) for (const pid of orphans) process.kill(pid, "SIGKILL");
    await sleep(20);
  }
}

/** True when the process runs and is a PostgreSQL server on exactly this folder. */
export function isServerOf(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === "linux") {
    // The server's working folder is its data folder.
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return /postgres/.test(command) && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
    } catch {
      return false;
    }
  }
  const { stdout } = spawnSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  return /postgres/.test(stdout) && stdout.includes(folder);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function stopProcess(pid: number, runs: () => boolean): Promise<void> {
  for (const [signal, patience] of PATIENCE) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!runs()) return;
      throw new PlinthError(
        "unavailable",
        `A PostgreSQL server left behind (process ${pid}) cannot be stopped.`,
        {
          cause: error,
        },
      );
    }
    const until = Date.now() + patience;
    while (Date.now() < until) {
      if (!runs()) return;
      await sleep(10);
    }
  }
  throw new PlinthError("unavailable", `A PostgreSQL server left behind (process ${pid}) does not end.`);
}
