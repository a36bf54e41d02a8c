import { purgeResult, type PurgeResult } from "@plinth/contract";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig, type Config } from "../server-door.ts";
import { findAddress, readRunningFile } from "./running.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/**
 * Removes for good what was deleted: rows, names and bytes. Asks the Plinth that runs on the data
 * folder (or that --url names); when none runs, starts one for as long as it takes.
 */
export async function gc({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const olderThanSeconds = readDuration(String(options["olderThan"] ?? "0s"));
  const running = options["url"] !== undefined || readRunningFile(config.dataDir) !== undefined;
  const purged = running
    ? await purge(findAddress(config.dataDir, options["url"]), olderThanSeconds)
    : await purgeWithOwnServer(config, olderThanSeconds);
  output.answer(purged, [
    `Removed ${purged.experiments} experiments, ${purged.runs} runs and ${purged.logged_models} logged models.`,
  ]);
  return exitCodes.ok;
}

/** Seconds of a duration such as `30d`, `12h` or `1d12h`. */
export function readDuration(text: string): number {
  if (!/^(\d{1,9}[dhms])+$/.test(text)) {
    throw new CommandFailure(
      `--older-than: '${text}' is not a duration such as 30d, 12h or 1d12h30m.`,
      exitCodes.wrongCall,
    );
  }
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g))
    seconds += Number(count) * (UNIT_SECONDS[unit ?? ""] ?? 0);
  return seconds;
}

async function purgeWithOwnServer(config: Config, olderThanSeconds: number): Promise<PurgeResult> {
  const { startServer } = await import("@plinth/server");
  const quiet: Config = { ...config, host: "127.0.0.1", port: 0, s3Port: 0, grpcPort: 0, logLevel: "warn" };
  const server = await startServer(quiet);
  try {
    return await purge(server.addresses["http"] ?? "", olderThanSeconds);
  } finally {
    await server.close();
  }
}

async function purge(address: string, olderThanSeconds: number): Promise<PurgeResult> {
  let response: Response;
  try {
    response = await fetch(`${address}/console/api/purge`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ older_than_seconds: olderThanSeconds }),
    });
  } catch (error) {
    throw new CommandFailure(`Plinth does not answer at ${address} (${String(error)}).`, exitCodes.no);
  }
  const body = await response.text();
  if (!response.ok)
    throw new CommandFailure(`The purge was refused: ${response.status} ${body.slice(0, 500)}`);
  return purgeResult.parse(JSON.parse(body));
}
