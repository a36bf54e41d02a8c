import { serverStatus } from "@plinth/contract";
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig } from "../server-door.ts";
import { findServer } from "../api-choice.ts";
import { noAnswer } from "../api-http.ts";

const PATIENCE_MS = 5_000;

/** Asks a running server for its health, readiness and version. */
export async function status({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const { address, secret } = findServer(config, options);
  const [health, ready, about] = await Promise.all([
    ask(`${address}/health`),
    ask(`${address}/ready`),
    ask(`${address}/console/api/status`, secret),
  ]);
  // A server that is still starting answers nothing but its health; others tell the rest to whom they may.
  const known = about.ok ? serverStatus.parse(JSON.parse(about.body)) : undefined;
  const state = ready.ok ? "ready" : "not ready";
  output.answer({ address, state, healthy: health.ok, ready: ready.ok, ...known }, [
    `address  ${address}`,
    `state    ${state}${ready.ok ? "" : ` (${ready.status} ${ready.body.slice(0, 200)})`}`,
    ...(known === undefined
      ? about.status === 401 || about.status === 403
        ? [`version  is told to those who may see it (plinth login ${address})`]
        : []
      : [
          `version  ${known.version} (MLflow API ${known.mlflow_api_version})`,
          `database PostgreSQL ${known.database.version} (${known.database.kind})`,
          `since    ${known.started_at}`,
        ]),
  ]);
  return ready.ok ? exitCodes.ok : exitCodes.no;
}

type Answer = { ok: boolean; status: number; body: string };

async function ask(url: string, secret?: string): Promise<Answer> {
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { ok: response.ok, status: response.status, body: (await response.text()).trim() };
  } catch (error) {
    throw noAnswer(url, error);
  }
}
