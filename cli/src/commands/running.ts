import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailure, exitCodes } from "../failure.ts";

/** What DATA_DIR/plinth.json tells about the Plinth that runs on that folder. */
export type RunningFile = { pid?: number; addresses: Record<string, string> };

/** Reads DATA_DIR/plinth.json; none when no Plinth is ready on the folder. */
export function readRunningFile(dataDir: string): RunningFile | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(join(dataDir, "plinth.json"), "utf8"));
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null) return undefined;
  const addresses: Record<string, string> = {};
  const nested: unknown = "addresses" in content ? content.addresses : {};
  for (const [name, value] of [...Object.entries(content), ...Object.entries(nested ?? {})]) {
    if (typeof value === "string" && /^(https?|grpc):\/\//.test(value)) addresses[name] = value;
  }
  const pid = "pid" in content && typeof content.pid === "number" ? { pid: content.pid } : {};
  return { ...pid, addresses };
}

/** The address of the HTTP server that runs on a data folder. */
export function findAddress(dataDir: string): string {
  const found = readRunningFile(dataDir);
  const address = found?.addresses["http"] ?? Object.values(found?.addresses ?? {})[0];
  if (address !== undefined) return address.replace(/\/+$/, "");
  throw new CommandFailure(
    `No Plinth runs on ${dataDir} (there is no ${join(dataDir, "plinth.json")}). ` +
      "Start one with `plinth up`, or name one with --data-dir or --server.",
    exitCodes.no,
  );
}
