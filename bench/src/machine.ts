import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { run } from "./process.ts";

/** Lines that say where the numbers come from. */
export function describeMachine(postgres: string): string[] {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return [
    `${cpus().length} x ${cpus()[0]?.model ?? "unknown processor"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`,
    `${system}, Linux ${release()}`,
    `Node ${process.versions.node}, PostgreSQL ${postgres} for all, load from ${wrkVersion()} in its own process on the same machine`,
  ];
}

function wrkVersion(): string {
  // It prints its version with its usage, and fails.
  return /^(wrk \S+)/m.exec(run("sh", ["-c", "wrk --version 2>&1 || true"]))?.[1] ?? "wrk";
}
