import { sql } from "kysely";
import type { Database } from "./database.ts";
import { invalidState } from "./errors.ts";
import type { Secrets } from "./secrets.ts";

/** A column that holds sealed texts, and the place they are bound to, by their row's key. */
export type SealedColumn = { table: string; key: string; column: string; place(key: string): string };

const STEP = 200;

/**
 * Seals anew with the first key what was sealed with an older one, so that the older one can be taken away. A text
 * that changes meanwhile is left as it then is; what does not open ends it, with the place named.
 */
export async function reseal(
  database: Database,
  secrets: Secrets,
  columns: readonly SealedColumn[],
): Promise<{ resealed: number }> {
  const { currentPrefix } = secrets;
  if (currentPrefix === undefined) throw invalidState("There is no key to seal secrets with.");
  let resealed = 0;
  for (const { table, key, column, place } of columns) {
    let after = "";
    for (;;) {
      const rows = await database.run<{ key: string; sealed: string }>(
        sql`select ${sql.ref(key)}::text as key, ${sql.ref(column)} as sealed from ${sql.table(table)}
          where not starts_with(${sql.ref(column)}, ${currentPrefix}) and ${sql.ref(key)}::text > ${after}
          order by 1 limit ${STEP}`.compile(database.kysely),
      );
      for (const row of rows) {
        const sealed = secrets.seal(secrets.open(row.sealed, place(row.key)), place(row.key));
        const changed = await database.run(
          sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sealed}
            where ${sql.ref(key)}::text = ${row.key} and ${sql.ref(column)} = ${row.sealed} returning 1`.compile(
            database.kysely,
          ),
        );
        resealed += changed.length;
      }
      if (rows.length < STEP) break;
      after = rows.at(-1)?.key ?? after;
    }
  }
  return { resealed };
}
