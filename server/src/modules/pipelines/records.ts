import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import { sqlTypeOf, type NewRow, type RowOf, type Table } from "./table.ts";

/**
 * Rows of one table by their ids, as every kind of entity needs them. What needs more (searches, several tables in one
 * statement, hot paths) has statements of its own in the `.sql.ts` beside its rules.
 */

/** A statement has one name for one text: PostgreSQL keeps its plan. */
const statements = new Map<string, Prepared>();

function statement(table: Table, what: string, write: () => string): Prepared {
  const key = `${table.name} ${what}`;
  let found = statements.get(key);
  if (found === undefined) {
    found = { name: `pipelines_record_${statements.size}`, text: write() };
    statements.set(key, found);
  }
  return found;
}

const listOf = (table: Table): string => Object.keys(table.columns).join(", ");

export async function selectRow<T extends Table>(
  database: Queryable,
  table: T,
  id: string,
): Promise<RowOf<T> | undefined> {
  const text = statement(table, "one", () => `select ${listOf(table)} from ${table.name} where id = $1`);
  return (await database.prepared<RowOf<T> & Row>(text, [id]))[0];
}

/** The row, which no other transaction changes until this one ends. */
export async function lockRow<T extends Table>(
  transaction: Queryable,
  table: T,
  id: string,
): Promise<RowOf<T> | undefined> {
  const write = (): string => `select ${listOf(table)} from ${table.name} where id = $1 for update`;
  return (await transaction.prepared<RowOf<T> & Row>(statement(table, "lock", write), [id]))[0];
}

/** Those that are there; nothing is asked for no ids. */
export async function selectRows<T extends Table>(
  database: Queryable,
  table: T,
  ids: Iterable<string>,
): Promise<Map<string, RowOf<T>>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const text = statement(
    table,
    "many",
    () => `select ${listOf(table)} from ${table.name} where id = any ($1::uuid[])`,
  );
  const rows = await database.prepared<RowOf<T> & Row>(text, [wanted]);
  return new Map(rows.map((row) => [row["id"] as string, row]));
}

/**
 * False where a row of this id is there already: the request was answered before, and its answer got lost. Other
 * constraints throw, for `violates`.
 */
export async function insertRow<T extends Table>(
  database: Queryable,
  table: T,
  row: NewRow<T>,
): Promise<boolean> {
  const names = Object.keys(row).filter((name) => row[name as keyof typeof row] !== undefined);
  const text = statement(table, `insert ${names.join()}`, () => {
    const values = names.map((name, at) => `$${at + 1}::${typeOf(table, name)}`);
    return `insert into ${table.name} (${names.join(", ")}) values (${values.join(", ")}) on conflict (id) do nothing returning id`;
  });
  const added = await database.prepared(
    text,
    names.map((name) => row[name as keyof typeof row]),
  );
  return added.length > 0;
}

/**
 * As many rows as there are in one statement; those whose ids are there already are left alone (of link tables, and
 * with `linked`, those of any key). All have the same columns. Answers how many were put in. Other constraints throw.
 */
export async function insertRows<T extends Table>(
  database: Queryable,
  table: T,
  ...[rows, { linked = false } = {}]: [rows: readonly Partial<RowOf<T>>[], options?: { linked?: boolean }]
): Promise<number> {
  const [first] = rows;
  if (first === undefined) return 0;
  const names = Object.keys(first);
  const key = linked || table.columns["id"] === undefined ? "" : "(id)";
  const text = statement(table, `insert many ${key} ${names.join()}`, () => {
    const columns = names.join(", ");
    const typed = names.map((name) => `${name} ${typeOf(table, name)}`).join(", ");
    return `insert into ${table.name} (${columns}) select ${columns} from json_to_recordset($1::json) as r (${typed})
      on conflict ${key} do nothing returning 1 as added`;
  });
  return (await database.prepared(text, [JSON.stringify(rows)])).length;
}

/** Only what is given changes; undefined where there is no such row. */
export async function updateRow<T extends Table>(
  database: Queryable,
  table: T,
  ...[id, changes]: [id: string, changes: Partial<RowOf<T>>]
): Promise<RowOf<T> | undefined> {
  const names = Object.keys(changes).filter((name) => changes[name as keyof RowOf<T>] !== undefined);
  if (names.length === 0) return selectRow(database, table, id);
  const text = statement(table, `update ${names.join()}`, () => {
    const sets = names.map((name, at) => `${name} = $${at + 2}::${typeOf(table, name)}`);
    return `update ${table.name} set ${sets.join(", ")} where id = $1 returning ${listOf(table)}`;
  });
  const values = [id, ...names.map((name) => changes[name as keyof RowOf<T>])];
  return (await database.prepared<RowOf<T> & Row>(text, values))[0];
}

export async function deleteRow(database: Queryable, table: Table, id: string): Promise<boolean> {
  const text = statement(table, "delete", () => `delete from ${table.name} where id = $1 returning id`);
  return (await database.prepared(text, [id])).length > 0;
}

/** By what is unique besides the id, such as `{ workspace_id, name }`. */
export async function findRow<T extends Table>(
  database: Queryable,
  table: T,
  by: Partial<RowOf<T>>,
): Promise<RowOf<T> | undefined> {
  const parts = Object.entries(by).map(([name, value]) => ({ name, value, isNull: value === null }));
  const key = parts.map(({ name, isNull }) => (isNull ? `${name}?` : name)).join();
  const text = statement(table, `find ${key}`, () => {
    let at = 0;
    const conditions = parts.map(({ name, isNull }) =>
      isNull ? `${name} is null` : `${name} = $${(at += 1)}::${typeOf(table, name)}`,
    );
    return `select ${listOf(table)} from ${table.name} where ${conditions.join(" and ")} limit 1`;
  });
  const values = parts.flatMap(({ value, isNull }) => (isNull ? [] : [value]));
  return (await database.prepared<RowOf<T> & Row>(text, values))[0];
}

function typeOf(table: Table, name: string): string {
  const spec = table.columns[name];
  if (spec === undefined) throw new TypeError(`${table.name} has no column ${name}`);
  return sqlTypeOf(spec);
}
