import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { PlinthError } from "../errors.ts";
import { describeConnection, type DatabaseAddress, type PostgresConnection } from "./connection.ts";
import { connectionFailure } from "./connection-failure.ts";

/** The oldest major version whose SQL Plinth writes. */
export const OLDEST_MAJOR = 15;

export type CheckedServer = {
  /** The way in that worked, with TLS settled. */
  connection: PostgresConnection;
  /** As in "17.2". */
  version: string;
  /** What works, but should be looked at: one sentence each, with what to do. */
  warnings: string[];
};

/** Refused because it is starting up, stopping or out of connections: a moment later it may not be. */
const PASSING = new Set(["57P03", "57P01", "53300"]);

type Facts = {
  version_num: number;
  version: string;
  standby: boolean;
  read_only: string;
  encoding: string;
  may_create: boolean;
  fsync: string;
  full_page_writes: string;
  preloaded: boolean;
  max_connections: number;
};

/**
 * Connects to the server of a `--database-url` and makes sure that Plinth can work there. Throws a
 * PlinthError with one clear sentence for each thing that can be wrong; waits, up to the address's
 * deadline, for a server that is still starting.
 */
export async function checkServer(address: DatabaseAddress): Promise<CheckedServer> {
  const deadline = Date.now() + address.connectTimeoutSeconds * 1000;
  for (;;) {
    const failures: PlinthError[] = [];
    for (const connection of address.candidates) {
      const client = await connect(connection, deadline);
      if (client instanceof pg.Client) return await withClient(client, connection);
      failures.push(connectionFailure(client, connection));
      // Only TLS itself, or the server's rules about it, may differ for the next candidate.
      if (!dependsOnTls(client)) break;
    }
    const last = failures.at(-1);
    const code = last?.cause instanceof Error && "code" in last.cause ? String(last.cause.code) : "";
    if (last === undefined || !PASSING.has(code) || Date.now() + 500 > deadline)
      throw last ?? new Error("no address");
    await sleep(250);
  }
}

async function connect(connection: PostgresConnection, deadline: number): Promise<pg.Client | Error> {
  const socket = new Socket();
  const client = new pg.Client({
    ...connection,
    stream: () => socket,
    application_name: "plinth check",
    connectionTimeoutMillis: Math.max(1, deadline - Date.now()),
    query_timeout: Math.max(1_000, deadline - Date.now()),
  });
  // Errors after the end of the connection have nobody to go to.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    // Not ended in order: what does not speak the protocol does not answer to a farewell either.
    socket.destroy();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** True when the same server may answer another way with, or without, TLS. */
function dependsOnTls(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    code === "28000" || /does not support SSL/.test(error.message) || /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)
  );
}

async function withClient(client: pg.Client, connection: PostgresConnection): Promise<CheckedServer> {
  try {
    const { rows } = await client.query<Facts>(`
      select current_setting('server_version_num')::int as version_num,
             current_setting('server_version') as version,
             pg_is_in_recovery() as standby,
             current_setting('default_transaction_read_only') as read_only,
             current_setting('server_encoding') as encoding,
             has_database_privilege(current_database(), 'create') as may_create,
             current_setting('fsync') as fsync,
             current_setting('full_page_writes') as full_page_writes,
             exists (select from pg_extension where extname = 'pg_stat_statements') as preloaded,
             current_setting('max_connections')::int as max_connections`);
    const facts = rows[0];
    if (facts === undefined)
      throw new PlinthError("unavailable", "The PostgreSQL server gave no answer to a simple question.");
    refuse(facts, connection);
    const statements = facts.preloaded || (await createStatementStatistics(client));
    return {
      connection,
      version: facts.version.split(" ")[0] ?? facts.version,
      warnings: warn(facts, statements),
    };
  } catch (error) {
    throw error instanceof PlinthError ? error : connectionFailure(error as Error, connection);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function refuse(facts: Facts, connection: PostgresConnection): void {
  const where = describeConnection(connection);
  const wrong = (reason: string): PlinthError =>
    new PlinthError("unavailable", `Cannot use the ${where}: ${reason}`);
  if (Math.floor(facts.version_num / 10_000) < OLDEST_MAJOR) {
    throw wrong(
      `it is PostgreSQL ${facts.version}, and Plinth needs ${OLDEST_MAJOR} or newer. Upgrade the server.`,
    );
  }
  if (facts.standby) throw wrong("it is a read-only standby. Name the primary server.");
  if (facts.read_only === "on") {
    throw wrong(
      "its transactions are read-only (default_transaction_read_only = on). Turn that off for this user.",
    );
  }
  if (facts.encoding !== "UTF8") {
    throw wrong(
      `its encoding is ${facts.encoding}. Create the database with encoding 'UTF8' template template0.`,
    );
  }
  if (!facts.may_create) {
    throw wrong(
      `the user may not create schemas in it. Run: grant create on database "${connection.database}" to "${connection.user}";`,
    );
  }
}

function warn(facts: Facts, statements: boolean): string[] {
  const warnings: string[] = [];
  if (facts.fsync === "off")
    warnings.push("fsync is off: a crash of the database's machine can lose all data. Set fsync = on.");
  if (facts.full_page_writes === "off") {
    warnings.push(
      "full_page_writes is off: a crash of the database's machine can corrupt pages. Set full_page_writes = on.",
    );
  }
  if (facts.max_connections < 30) {
    warnings.push(
      `max_connections is ${facts.max_connections}: raise it, or lower --pool-size and --workers to fit.`,
    );
  }
  if (!statements) {
    warnings.push(
      "pg_stat_statements is not available, so slow statements cannot be found: add it to " +
        "shared_preload_libraries and run create extension pg_stat_statements as an administrator.",
    );
  }
  return warnings;
}

/** Best effort: it takes a privilege that Plinth's user may well not have. */
async function createStatementStatistics(client: pg.Client): Promise<boolean> {
  try {
    await client.query("create extension if not exists pg_stat_statements");
    return true;
  } catch {
    return false;
  }
}

/** How far this machine's clock and the server's are apart, in seconds, give or take half a round trip. */
export async function clockSkewSeconds(connection: PostgresConnection): Promise<number> {
  const client = new pg.Client({
    ...connection,
    application_name: "plinth check",
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    const before = Date.now();
    const { rows } = await client.query<{ now: number }>(
      "select (extract(epoch from clock_timestamp()) * 1000)::float8 as now",
    );
    return Math.abs((rows[0]?.now ?? 0) - (before + Date.now()) / 2) / 1000;
  } finally {
    await client.end();
  }
}
