import { createConnection, type Connection, type ConnectionOptions } from "mysql2";
import { invalidParameter } from "../../kernel/errors.ts";
import { explainReading, type Meaning } from "./reader-errors.ts";
import type { SqlReader, SqlRow, SqlValue } from "./sql-reader.ts";

/** Opens a MySQL or MariaDB database for reading only, and keeps what it reads as of now until it is closed. */
export async function openMysql(url: string, place: string): Promise<SqlReader> {
  const connection = createConnection(optionsOf(url));
  // A lost connection fails the statement under way, and is an event besides.
  connection.on("error", () => undefined);
  const query = (sql: string, values: readonly unknown[] = []): Promise<SqlRow[]> =>
    new Promise((resolve, reject) => {
      connection.query({ sql, values: [...values], rowsAsArray: true }, (error, rows) => {
        if (error === null) resolve(rows as unknown as SqlRow[]);
        else reject(explain(error, place));
      });
    });
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => {
      if (error === null) resolve();
      else reject(explain(error, place));
    });
  });
  await query("set session net_write_timeout = 3600, session wait_timeout = 28800");
  await query("set session transaction isolation level repeatable read");
  await query("start transaction with consistent snapshot, read only");
  return {
    kind: "mysql",
    quote: (name) => `\`${name}\``,
    parameter: () => "?",
    integer: (column) => column,
    among: (column, values) => ({
      sql: `${column} in (${values.map(() => "?").join(", ")})`,
      parameters: [...values],
    }),
    rows: query,
    stream: (sql, parameters, size) => stream(connection, { sql, parameters, size, place }),
    async tables() {
      const found = new Map<string, Set<string>>();
      const rows = await query(
        "select table_name, column_name from information_schema.columns where table_schema = database()",
      );
      for (const [table, column] of rows) {
        const name = String(table);
        found.set(name, (found.get(name) ?? new Set()).add(String(column)));
      }
      return found;
    },
    close: () => new Promise((resolve) => connection.end(() => resolve())),
  };
}

/** MySQL gives back infinities and NaN of no column: MLflow stores neither. */
async function* stream(
  connection: Connection,
  wanted: { sql: string; parameters: readonly unknown[]; size: number; place: string },
): AsyncGenerator<SqlRow[]> {
  const { sql, parameters, size, place } = wanted;
  const rows = connection
    .query({ sql, values: [...parameters], rowsAsArray: true })
    .stream({ highWaterMark: size });
  let chunk: SqlRow[] = [];
  try {
    for await (const row of rows as AsyncIterable<SqlValue[]>) {
      chunk.push(row);
      if (chunk.length === size) {
        yield chunk;
        chunk = [];
      }
    }
  } catch (error) {
    throw explain(error, place);
  }
  if (chunk.length > 0) yield chunk;
}

function optionsOf(url: string): ConnectionOptions {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.hostname === "") {
    throw invalidParameter(
      "The address of the source is not valid: write mysql://user:password@host/database.",
    );
  }
  const { hostname, port, username, password, pathname, searchParams } = parsed;
  const ssl = searchParams.has("ssl_ca") || searchParams.get("ssl") === "true";
  const socket = searchParams.get("unix_socket");
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 3306 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ...(socket === null ? {} : { socketPath: socket }),
    ...(ssl ? { ssl: {} } : {}),
    charset: "utf8mb4",
    connectTimeout: 15_000,
    supportBigNumbers: true,
    // The client's own reading of doubles is off in the last digits.
    typeCast: (field, next) => {
      if (field.type !== "DOUBLE" && field.type !== "FLOAT") return next();
      const text = field.string();
      return text === null ? null : Number(text);
    },
    dateStrings: true,
    timezone: "Z",
  };
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ER_ACCESS_DENIED_ERROR: "credentials",
  ER_DBACCESS_DENIED_ERROR: "credentials",
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: "credentials",
  ER_TABLEACCESS_DENIED_ERROR: "credentials",
  ER_BAD_DB_ERROR: "database",
};

const explain = (error: unknown, place: string): Error => explainReading(error, place, MEANINGS);
