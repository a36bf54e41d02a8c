import { readText, type SqlReader, type SqlRow } from "./sql-reader.ts";

/** A database of MLflow, with what this one's version has of tables and columns. */
export type MlflowDatabase = {
  reader: SqlReader;
  has(table: string, column?: string): boolean;
};

const PAGE = 1000;

/** The workspace column where there is one. */
export const workspaceOf = ({ has }: MlflowDatabase, table: string): string =>
  has(table, "workspace") ? "workspace" : "'default'";

/**
 * Rows in order of a key of one or more columns, page by page. `select` ends in the text that stands before
 * `where`; the key's columns come first in it.
 */
export async function* keysetPages(
  { reader }: MlflowDatabase,
  wanted: {
    select: string;
    key: readonly string[];
    after: string | undefined;
    size?: number;
    where?: string;
  },
): AsyncGenerator<{ rows: SqlRow[]; cursor: string }, void> {
  const { select, key, size = PAGE, where = "1 = 1" } = wanted;
  let place = wanted.after === undefined ? undefined : (JSON.parse(wanted.after) as unknown[]);
  for (;;) {
    const from =
      place === undefined
        ? `where ${where}`
        : `where ${where} and (${key.join(", ")}) > (${key.map((_one, index) => reader.parameter(index + 1)).join(", ")})`;
    const rows = await reader.rows(`${select} ${from} order by ${key.join(", ")} limit ${size}`, place ?? []);
    const last = rows.at(-1);
    if (last === undefined) return;
    place = last.slice(0, key.length);
    yield { rows, cursor: JSON.stringify(place) };
    if (rows.length < size) return;
  }
}

/** Key and value behind the first column. */
export const pairsOf = (rows: readonly SqlRow[] | undefined): { key: string; value: string }[] =>
  (rows ?? []).map((row) => ({ key: readText(row.at(-2)), value: readText(row.at(-1)) }));

/** Prompts are registered models with this tag. */
export const PROMPT_TAG = "mlflow.prompt.is_prompt";

/** `workspace` and `name` of every prompt, as `placeOf` has them. */
export async function readPrompts(database: MlflowDatabase): Promise<Set<string>> {
  const { reader } = database;
  const table = "registered_model_tags";
  const rows = await reader.rows(
    `select ${workspaceOf(database, table)}, name from ${table}
      where ${reader.quote("key")} = '${PROMPT_TAG}' and lower(value) = 'true'`,
  );
  return new Set(rows.map(placeOf));
}

/** MLflow keeps a deleted version's row, without its contents, so that its number is not given again. */
export const LIVE_VERSION = "coalesce(current_stage, '') <> 'Deleted_Internal'";

/** What tells registered models apart: their first two columns. */
export const placeOf = ([workspace, name]: SqlRow): string => JSON.stringify([workspace, name]);
