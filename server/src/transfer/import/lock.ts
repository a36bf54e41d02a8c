import pg from "pg";
import { PlinthError } from "../../kernel/errors.ts";
import type { PostgresConnection } from "../../kernel/postgres/connection.ts";

/** Any constant will do as long as every process of Plinth uses the same one. */
const LOCK = 7_146_801_356;

/** One import at a time works on a database; a killed one lets go by itself, since PostgreSQL notices. */
export async function lockImports(connection: PostgresConnection): Promise<AsyncDisposable> {
  const client = new pg.Client({ ...connection, application_name: "plinth import lock", keepAlive: true });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [
    LOCK,
  ]);
  if (rows[0]?.locked !== true) {
    await client.end();
    throw new PlinthError(
      "unavailable",
      "Another import works on this database just now: wait for its end, or stop it.",
    );
  }
  return { [Symbol.asyncDispose]: () => client.end() };
}
