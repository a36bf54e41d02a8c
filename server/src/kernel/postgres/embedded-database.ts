import pg from "pg";
import type { PostgresConnection } from "./connection.ts";

export const ROLE = "plinth";
export const DATABASE = "plinth";

/**
 * Makes the role and the database that Plinth works with, and the extension that counts statements.
 * Repeats without harm, since a start may be cut short between any two of these steps.
 */
export async function prepareDatabase(superuser: PostgresConnection, password: string): Promise<void> {
  await using admin = await connect(superuser);
  const known = await admin.client.query<{ role: boolean; database: boolean }>(
    `select exists (select from pg_roles where rolname = $1) as role,
            exists (select from pg_database where datname = $2) as database`,
    [ROLE, DATABASE],
  );
  const { role, database } = known.rows[0] ?? { role: false, database: false };
  if (!role) {
    // Not a superuser: a mistake in a statement must not reach the server's files and programs.
    await admin.client.query(`
      create role ${ROLE} login createdb password ${admin.client.escapeLiteral(password)}
        in role pg_monitor, pg_checkpoint, pg_signal_backend`);
  }
  if (!database) await admin.client.query(`create database ${DATABASE} owner ${ROLE}`);
  await using inside = await connect({ ...superuser, database: DATABASE });
  await inside.client.query("create extension if not exists pg_stat_statements");
}

async function connect(connection: PostgresConnection): Promise<AsyncDisposable & { client: pg.Client }> {
  const client = new pg.Client({
    ...connection,
    application_name: "plinth start",
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
