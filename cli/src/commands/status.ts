import { serverStatus } from "@plinth/contract";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { findAddress } from "./running.ts";

const PATIENCE_MS = 5_000;

/** Asks a running server for its health, readiness and version. */
export async function status({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const address = findAddress(config.dataDir, options["url"]);
  const [health, ready, about] = await Promise.all([
    ask(`${address}/health`),
    ask(`${address}/ready`),
    ask(`${address}/console/api/status`),
  ]);
  // A server that is still starting answers nothing but its health.
  const known = about.ok ? serverStatus.parse(JSON.parse(about.body)) : undefined;
  const state = ready.ok ? "ready" : "not ready";
  output.answer({ address, state, healthy: health.ok, ready: ready.ok, ...known }, [
    `address  ${address}`,
    `state    ${state}${ready.ok ? "" : ` (${ready.status} ${ready.body.slice(0, 200)})`}`,
    ...(known === undefined
      ? []
      : [
          `version  ${known.version} (MLflow API ${known.mlflow_api_version})`,
          `database PostgreSQL ${known.database.version} (${known.database.kind})`,
          `since    ${known.started_at}`,
        ]),
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
