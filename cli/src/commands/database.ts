import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Output } from "../output.ts";
import type { Config } from "../server-door.ts";
import { checkServer } from "../../../server/src/kernel/postgres/server-check.ts";
import { parseDatabaseUrl, type PostgresConnection } from "../../../server/src/kernel/postgres/connection.ts";
import { findRunningPostgres, startEmbeddedPostgres } from "../../../server/src/kernel/postgres/embedded.ts";

export type OpenedDatabase = AsyncDisposable & { connection: PostgresConnection; place: string };

/**
 * The database that a server with these settings would use: the one of --database-url, the embedded
 * one of the Plinth that runs just now, or the embedded one started for as long as this is open.
 */
export async function openConfiguredDatabase(config: Config, output: Output): Promise<OpenedDatabase> {
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (config.databaseUrl !== undefined) {
    const { connection } = await checkServer(parseDatabaseUrl(config.databaseUrl));
    return { connection, place: "--database-url", ...nothing };
  }
  const running = existsSync(join(config.dataDir, "postgres"))
    ? findRunningPostgres(config.dataDir)
    : undefined;
  if (running !== undefined) return { connection: running, place: "embedded, running", ...nothing };
  const embedded = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (_level, message) => output.progress(message),
  });
  return {
    connection: embedded.connection,
    place: "embedded",
    [Symbol.asyncDispose]: () => embedded.stop(),
  };
}
