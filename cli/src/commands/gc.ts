import { purgeResult, type PurgeResult } from "@plinth/contract";
import { findServer, namedServer } from "../api-choice.ts";
import { httpApi } from "../api-http.ts";
import { readDuration } from "../duration.ts";
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { readConfig, type Config } from "../server-door.ts";
import { readRunningFile } from "./running.ts";

/**
 * Removes for good what was deleted: rows, names and bytes. Asks the Plinth that runs on the data
 * folder (or that --url names); when none runs, starts one for as long as it takes.
 */
export async function gc({ flags, output, options }: Call): Promise<ExitCode> {
  const { config } = readConfig(flags, process.env);
  const olderThanSeconds = readDuration(String(options["olderThan"] ?? "0s"), "--older-than");
  const running = namedServer(options) !== undefined || readRunningFile(config.dataDir) !== undefined;
  const purged = running
    ? await purge(config, options, olderThanSeconds)
    : await purgeWithOwnServer(config, olderThanSeconds);
  output.answer(purged, [
    `Removed ${purged.experiments} experiments, ${purged.runs} runs and ${purged.logged_models} logged models.`,
  ]);
  return exitCodes.ok;
}

/** Nothing listens meanwhile for others: who runs the command has the database. */
async function purgeWithOwnServer(config: Config, olderThanSeconds: number): Promise<PurgeResult> {
  const { startServer } = await import("@plinth/server");
  const quiet: Config = {
    ...config,
    host: "127.0.0.1",
    port: 0,
    s3Port: 0,
    grpcPort: 0,
    metricsPort: undefined,
    insecure: false,
    login: "required",
    logLevel: "warn",
  };
  const server = await startServer(quiet, { withoutAdministrator: true });
  try {
    return await server.purge(olderThanSeconds * 1000);
  } finally {
    await server.close();
  }
}

async function purge(
  config: Config,
  options: Call["options"],
  olderThanSeconds: number,
): Promise<PurgeResult> {
  const { address, secret } = findServer(config, options);
  const body = { older_than_seconds: olderThanSeconds };
  return purgeResult.parse(
    await httpApi(address, secret).request("POST", "/console/api/purge", { body, patient: true }),
  );
}
