import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { findAddress } from "./running.ts";

const PATIENCE_MS = 5_000;

/** Asks a running server for its health, readiness and version. */
export async function status({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const address = findAddress(config.dataDir, options["url"]);
  const [health, ready, version] = await Promise.all([
    ask(`${address}/health`),
    ask(`${address}/ready`),
    ask(`${address}/version`),
  ]);
  const state = ready.ok ? "ready" : "not ready";
  output.answer({ address, state, healthy: health.ok, ready: ready.ok, version: parse(version.body) }, [
    `address  ${address}`,
    `state    ${state}${ready.ok ? "" : ` (${ready.status} ${ready.body.slice(0, 200)})`}`,
    `version  ${versionText(version.body)}`,
  ]);
  return ready.ok ? exitCodes.ok : exitCodes.no;
}

type Answer = { ok: boolean; status: number; body: string };

async function ask(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return { ok: response.ok, status: response.status, body: (await response.text()).trim() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CommandFailure(`Plinth does not answer at ${url} (${code}).`, exitCodes.no);
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function versionText(body: string): string {
  const parsed = parse(body);
  if (typeof parsed === "object" && parsed !== null && "version" in parsed) return String(parsed.version);
  return body;
}
