import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { findBinaries } from "../../../server/src/kernel/postgres/binaries.ts";
import { readMachine } from "../../../server/src/kernel/postgres/settings.ts";
import type { Config } from "../server-door.ts";
import type { Finding } from "./doctor.ts";
import { readRunningFile } from "./running.ts";

const GIB = 1024 ** 3;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

export function checkNode(): Finding {
  const check = "Node.js";
  const saw = process.version;
  if (process.version.startsWith("v24.")) return { check, level: "ok", saw };
  return {
    check,
    level: "problem",
    saw,
    remedy: "Plinth runs on Node 24: start it with `npm run up`, which brings it.",
  };
}

/** Runs the programs as Plinth's own user: a missing install script shows here. */
export function checkBinaries(): Finding {
  const check = "embedded PostgreSQL";
  try {
    return { check, level: "ok", saw: `PostgreSQL ${findBinaries(undefined).version} runs here` };
  } catch (error) {
    return { check, level: "problem", saw: error instanceof Error ? error.message : String(error) };
  }
}

export function checkDataFolder(dataDir: string): Finding[] {
  const check = "data folder";
  let folder = dataDir;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    const remedy = `Give ${folder} to this user, or name another folder with --data-dir.`;
    return [{ check, level: "problem", saw: `${folder} may not be written to`, remedy }];
  }
  const { bsize, bavail, files, ffree } = statfsSync(folder);
  const free = bsize * bavail;
  const saw = `${dataDir}, ${gib(free)} free`;
  const remedy = "Make room, or name a folder on a larger disk with --data-dir.";
  const space: Finding =
    free < GIB
      ? { check, level: "problem", saw, remedy }
      : free < 5 * GIB
        ? { check, level: "warning", saw, remedy }
        : { check, level: "ok", saw };
  if (files === 0 || ffree / files > 0.02) return [space];
  return [
    space,
    {
      check,
      level: "warning",
      saw: `only ${ffree} of ${files} inodes are free`,
      remedy: "Remove small files there.",
    },
  ];
}

export async function checkPorts(config: Config): Promise<Finding[]> {
  const running = readRunningFile(config.dataDir);
  const own = Object.values(running?.addresses ?? {}).map((address) => Number(new URL(address).port));
  const wanted = [
    ["--port", config.port],
    ["--s3-port", config.s3Port],
    ["--grpc-port", config.grpcPort],
  ] as const;
  return Promise.all(wanted.map(([flag, port]) => checkPort(flag, { port, host: config.host, own })));
}

async function checkPort(
  flag: string,
  { port, host, own }: { port: number; host: string; own: readonly number[] },
): Promise<Finding> {
  const check = `port of ${flag}`;
  if (port === 0) return { check, level: "ok", saw: "any free one" };
  if (own.includes(port))
    return { check, level: "ok", saw: `${port}, used by the Plinth of this data folder` };
  const code = await tryToListen(port, host);
  if (code === undefined) return { check, level: "ok", saw: `${port} is free` };
  const saw =
    code === "EADDRINUSE"
      ? `${port} is taken by another program`
      : `${host}:${port} cannot be used (${code})`;
  const remedy =
    code === "EACCES"
      ? `Use a port above 1023 with ${flag}.`
      : `Stop that program, or use another port with ${flag}.`;
  return { check, level: "problem", saw, remedy };
}

async function tryToListen(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  const code = await new Promise<string | undefined>((done) => {
    server.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => done(undefined));
  });
  if (code === undefined) await new Promise((closed) => server.close(closed));
  return code;
}

export function checkLimits(): Finding[] {
  const { memoryBytes, cpus } = readMachine();
  const memory: Finding = {
    check: "memory",
    level: "ok",
    saw: `${gib(memoryBytes)} and ${cpus} processors for Plinth`,
  };
  const findings =
    memoryBytes >= GIB
      ? [memory]
      : [
          {
            ...memory,
            level: "warning" as const,
            remedy: "Give it 1 GiB or more: PostgreSQL's caches are scaled down.",
          },
        ];
  const files = openFileLimit();
  if (files === undefined) return findings;
  const check = "open files";
  const saw = `${files} at most`;
  if (files >= 4096) return [...findings, { check, level: "ok", saw }];
  return [
    ...findings,
    { check, level: "warning", saw, remedy: "Raise the limit: ulimit -n 65536, or LimitNOFILE= in systemd." },
  ];
}

/** The hard limit: Node raises its own soft limit to it. */
function openFileLimit(): number | undefined {
  try {
    const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line?.[2] === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(line?.[2]);
  } catch {
    return undefined;
  }
}
