import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { invalidParameter } from "../../kernel/errors.ts";
import type { SqlReader, SqlRow } from "./sql-reader.ts";

/** Opens a SQLite file for reading only, and keeps what it reads as of now until it is closed. */
export function openSqlite(file: string): SqlReader {
  if (!existsSync(file)) throw invalidParameter(`There is no file ${file}.`);
  if (!statSync(file).isFile()) throw invalidParameter(`${file} is not a file.`);
  const database = guarded(file, () => {
    const opened = new DatabaseSync(file, { readOnly: true });
    try {
      opened.exec("pragma busy_timeout = 10000");
      opened.exec("pragma cache_size = -65536");
      // The first read fixes what all others see.
      opened.exec("begin");
      opened.prepare("select count(*) from sqlite_master").get();
    } catch (error) {
      opened.close();
      throw error;
    }
    return opened;
  });
  const prepare = (sql: string): ReturnType<DatabaseSync["prepare"]> => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  const read = (sql: string, parameters: readonly unknown[]): IterableIterator<SqlRow> =>
    prepare(sql).iterate(...(parameters as (string | number)[])) as unknown as IterableIterator<SqlRow>;
  return {
    kind: "sqlite",
    quote: (name) => `"${name}"`,
    parameter: () => "?",
    // Node refuses to read those beyond 2^53 as numbers, and reading all as bigints takes twice as long.
    integer: (column) =>
      `iif(${column} between -9007199254740991 and 9007199254740991, ${column}, cast(${column} as text))`,
    among: (column, values) => ({
      sql: `${column} in (select value from json_each(?))`,
      parameters: [JSON.stringify(values)],
    }),
    rows: (sql, parameters = []) => Promise.resolve(guarded(file, () => [...read(sql, parameters)])),
    async *stream(sql, parameters, size) {
      let chunk: SqlRow[] = [];
      const iterator = read(sql, parameters);
      for (;;) {
        const next = guarded(file, () => iterator.next());
        if (next.done === true) break;
        chunk.push(next.value);
        if (chunk.length === size) {
          yield chunk;
          chunk = [];
        }
      }
      if (chunk.length > 0) yield chunk;
    },
    tables() {
      const found = new Map<string, Set<string>>();
      guarded(file, () => {
        const rows = database
          .prepare(
            "select m.name as t, c.name as c from sqlite_master as m, pragma_table_info(m.name) as c where m.type = 'table'",
          )
          .all() as { t: string; c: string }[];
        for (const { t, c } of rows) found.set(t, (found.get(t) ?? new Set()).add(c));
      });
      return Promise.resolve(found);
    },
    close() {
      database.close();
      return Promise.resolve();
    },
  };
}

/** SQLite's errors are of the file that was named, however they come. */
function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
    if (code === undefined) throw error;
    throw invalidParameter(`${file} cannot be read: ${explain(code, (error as Error).message)}`);
  }
}

function explain(code: number, message: string): string {
  switch (code) {
    case 5:
      return "another process holds a lock on it. Stop the MLflow server that writes to it, or import a copy.";
    case 11:
      return `the file is damaged or not complete (${message}). Import from a backup, or repair it with \`sqlite3 FILE .recover\`.`;
    case 26:
      return "it is not a SQLite database.";
    case 14:
      return `it cannot be opened (${message}). Check its permissions.`;
    default:
      return message;
  }
}
