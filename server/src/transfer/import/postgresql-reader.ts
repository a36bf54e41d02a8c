import pg from "pg";
import { parseDatabaseUrl, type DatabaseAddress } from "../../kernel/postgres/connection.ts";
import { invalidParameter, PlinthError } from "../../kernel/errors.ts";
import { explainReading, type Meaning } from "./reader-errors.ts";
import type { SqlReader, SqlRow } from "./sql-reader.ts";

const asText = (text: string): string => text;
const asNumber = Number;
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => {
    // int2, int4, float4, float8
    if ([21, 23, 700, 701].includes(oid)) return asNumber;
    if (oid === 16) return (text: string) => text === "t";
    return asText;
  }) as pg.CustomTypesConfig["getTypeParser"],
};

/** Opens a PostgreSQL database for reading only, and keeps what it reads as of now until it is closed. */
export async function openPostgresql(url: string, place: string): Promise<SqlReader> {
  const client = await connect(url, place);
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw explain(error, place);
    }
  };
  await guarded(
    client.query(`
      set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0;
      set client_encoding = 'utf8'; set extra_float_digits = 1;
      begin isolation level repeatable read read only`),
  );
  const query = async (text: string, values: readonly unknown[]): Promise<SqlRow[]> =>
    (await guarded(client.query<SqlRow>({ text, values: [...values], rowMode: "array" }))).rows;
  return {
    kind: "postgresql",
    quote: (name) => `"${name}"`,
    parameter: (n) => `$${n}`,
    integer: (column) => column,
    among: (column, values, n) => ({ sql: `${column} = any($${n})`, parameters: [values] }),
    rows: (sql, parameters = []) => query(sql, parameters),
    async *stream(sql, parameters, size) {
      await query(`declare points no scroll cursor for ${sql}`, parameters);
      let ended = false;
      try {
        // The next rows are on their way while these are worked on.
        let next = query(`fetch ${size} from points`, []);
        for (;;) {
          const rows = await next;
          if (rows.length < size) {
            ended = true;
            if (rows.length > 0) yield rows;
            return;
          }
          next = query(`fetch ${size} from points`, []);
          next.catch(() => undefined);
          yield rows;
        }
      } finally {
        if (ended) await query("close points", []);
      }
    },
    async tables() {
      const found = new Map<string, Set<string>>();
      const rows = await query(
        `select table_name, column_name from information_schema.columns
          where table_schema = any(current_schemas(false))`,
        [],
      );
      for (const [table, column] of rows) {
        const name = String(table);
        found.set(name, (found.get(name) ?? new Set()).add(String(column)));
      }
      return found;
    },
    close: () => client.end(),
  };
}

function readAddress(url: string): DatabaseAddress {
  try {
    return parseDatabaseUrl(url);
  } catch (error) {
    if (!(error instanceof PlinthError)) throw error;
    throw invalidParameter(error.message.replace("--database-url", "The address of the source"));
  }
}

/** Tries the ways to connect in their order, as `sslmode=prefer` asks for. */
async function connect(url: string, place: string): Promise<pg.Client> {
  let failure: unknown;
  for (const candidate of readAddress(url).candidates) {
    const client = new pg.Client({
      ...candidate,
      application_name: "plinth import",
      connectionTimeoutMillis: 15_000,
      types,
    });
    // A lost connection fails the statement under way, and is an event besides.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      failure = error;
    }
  }
  throw explain(failure, place);
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  "28P01": "credentials",
  "28000": "credentials",
  "3D000": "database",
  "42501": "permission",
};

const explain = (error: unknown, place: string): Error => explainReading(error, place, MEANINGS);
