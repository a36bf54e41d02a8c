import { sql, type RawBuilder } from "kysely";
import type { Database, Row } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { parseFaithfulJson } from "../../kernel/json-text.ts";
import {
  scopeFields,
  type Comparison,
  type Condition,
  type Field,
  type Fields,
  type ListQuery,
  type Operation,
  type Page,
} from "./list.ts";
import type { RowOf, Table } from "./table.ts";

type Fragment = RawBuilder<unknown>;

export type PageOptions<T extends Table> = {
  table: T;
  fields: Fields;
  query: ListQuery;
  /** What holds besides: the workspace, what the caller may see. Over the alias `t`. */
  where: readonly Fragment[];
  /** Columns that are read; all where nothing is said. `t.id` and what the order needs are not to be named. */
  columns?: readonly (keyof T["columns"] & string)[];
  /** The number of rows where that is known without counting, such as of a whole workspace without a filter. */
  total?: () => Promise<number>;
};

/**
 * A page of rows and how many there are. Page numbers leave no other way than to pass over the rows of the pages
 * before: that happens in the index of the order, and only the page's own rows are read whole.
 */
export async function selectPage<T extends Table>(
  database: Database,
  options: PageOptions<T>,
): Promise<Page<RowOf<T>>> {
  const { table } = options;
  const references = await findReferences(database, options);
  const where = conditionOf({ ...options, references });
  const from = sql.raw(`${table.name} as t`);
  const rows = rowsOf(options, { from, where }).compile(database.kysely);
  const counted = options.total ?? (() => countRows(database, { from, where }));
  const [found, total] = await Promise.all([database.run<RowOf<T>>(rows), counted()]);
  return { total, rows: found };
}

function rowsOf<T extends Table>(
  { table, fields, query, columns: names }: PageOptions<T>,
  { from, where }: { from: Fragment; where: Fragment },
): RawBuilder<RowOf<T> & Row> {
  const columns = sql.raw((names ?? Object.keys(table.columns)).map((name) => `t.${name}`).join(", "));
  const order = orderOf(fields, query);
  // Nothing is passed over, and an index has this order: its rows are read once. 50 of 100,000 runs: 0.1 in place of
  // 0.2 ms, and half of the time to plan it.
  if (query.page === 1 && query.order.field === "created") {
    return sql`select ${columns} from ${from} where ${where} order by ${order} limit ${query.size}`;
  }
  return sql`
    select ${columns} from (
      select t.id, row_number() over () as at from (
        select t.id from ${from} where ${where} order by ${order} limit ${query.size} offset ${(query.page - 1) * query.size}
      ) as t
    ) as found join ${from} using (id) order by at`;
}

async function countRows(
  database: Database,
  { from, where }: { from: Fragment; where: Fragment },
): Promise<number> {
  const count = sql<{ total: number }>`select count(*) as total from ${from} where ${where}`.compile(
    database.kysely,
  );
  return (await database.run<{ total: number }>(count))[0]?.total ?? 0;
}

/** More than this many are looked for where they are, not one by one. */
const MOST_REFERENCES = 1000;

type Ids = readonly string[];

/**
 * What conditions on references mean, by id, where that is not too much. By ids the page is found in the index of the
 * reference or of the order, whichever is shorter for those: of 1,000,000 artifact versions the 2,200 of eleven
 * artifacts in 9 ms in place of 270 ms.
 */
async function findReferences(
  database: Database,
  { fields, query }: Pick<PageOptions<Table>, "fields" | "query">,
): Promise<ReadonlyMap<Condition, Ids>> {
  const asked = query.conditions.flatMap((condition) => {
    const field = fields[condition.field];
    return field?.kind === "reference" && !unresolved.has(condition.operation) ? [{ field, condition }] : [];
  });
  if (asked.length === 0) return new Map();
  const found = asked.map(
    ({ field, condition }) => sql`array(${meant(field, condition)} limit ${MOST_REFERENCES + 1})::text[]`,
  );
  const statement = sql<Record<string, Ids>>`select ${sql.join(
    found.map((one, at) => sql`${one} as ${sql.ref(`found${at}`)}`),
  )}`;
  const [row] = await database.run(statement.compile(database.kysely));
  return new Map(
    asked.flatMap(({ condition }, at) => {
      const ids = row?.[`found${at}`] ?? [];
      return ids.length > MOST_REFERENCES ? [] : [[condition, withAsked(condition, ids)]];
    }),
  );
}

/** These say what is not meant, or that there is nothing. */
const unresolved: ReadonlySet<Operation> = new Set([
  "isnull",
  "isnotnull",
  "notequals",
  "notoneof",
  "notcontains",
]);

/** What was deleted may still be referred to by its id. */
const withAsked = (condition: Condition, ids: Ids): Ids =>
  ids.length === 0 && isId(condition) ? [String(condition.value)] : ids;

type Narrowed = Pick<PageOptions<Table>, "fields" | "query" | "where"> & {
  /** See `findReferences`. */
  references?: ReadonlyMap<Condition, Ids>;
};

/** The conditions of the query and those that hold besides, as one. */
export function conditionOf({ fields, query, where, references }: Narrowed): Fragment {
  const compare = (condition: Condition): Fragment => {
    const ids = references?.get(condition);
    return ids === undefined ? compareField(fields, condition) : compareIds(fields, condition.field, ids);
  };
  const always = query.conditions.filter(({ field }) => scopeFields.has(field));
  const given = query.conditions.filter(({ field }) => !scopeFields.has(field));
  const parts = [...where, ...always.map(compare)];
  if (given.length > 0) {
    const joined = sql.join(given.map(compare), query.any ? sql` or ` : sql` and `);
    parts.push(sql`(${joined})`);
  }
  return parts.length === 0 ? sql`true` : sql.join(parts, sql` and `);
}

/** Rows of one order value come in the order of their ids. */
function orderOf(fields: Fields, { order }: ListQuery): Fragment {
  const direction = sql.raw(order.descending ? "desc" : "asc");
  const field = fields[order.field];
  return sql`${orderSql(field)} ${direction}, t.id ${direction}`;
}

function orderSql(field: Field | undefined): Fragment {
  if (field === undefined) return sql`t.created`;
  switch (field.kind) {
    case "reference": {
      const name = field.names?.[0] ?? "name";
      const key = field.key ?? "id";
      return sql.raw(
        field.order ?? `(select r.${name} from ${field.table} as r where r.${key} = ${field.sql})`,
      );
    }
    case "tags":
      return sql`(select string_agg(g.name, ', ' order by g.name) from pipelines.tag_resources as l
        join pipelines.tags as g on g.id = l.tag_id where l.resource_id = t.id)`;
    case "metadata":
      return sql`t.created`;
    default:
      return sql.raw(field.sql);
  }
}

/** A reference to one of these. */
function compareIds(fields: Fields, name: string, ids: Ids): Fragment {
  const field = fields[name];
  if (field?.kind !== "reference") throw new TypeError(`${name} is no reference`);
  const [first] = ids;
  if (first === undefined) return sql`false`;
  const column = sql.raw(field.sql);
  // One alone leaves the rest of an index in its order.
  return ids.length === 1 ? sql`${column} = ${first}::uuid` : sql`${column} = any (${ids}::uuid[])`;
}

function compareField(fields: Fields, { field: name, ...comparison }: Condition): Fragment {
  const field = fields[name];
  if (field === undefined) throw new TypeError(`there is no field ${name}`);
  switch (field.kind) {
    case "reference":
      return compareReferenceTo(field, comparison);
    case "tags":
      return compareTags(comparison);
    case "metadata":
      return compareMetadata(comparison);
    default:
      return field.condition?.(comparison) ?? compareColumn(sql.raw(field.sql), field.kind, comparison);
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
export const isUuid = (text: string): boolean => UUID.test(text);

const comparisons = { equals: "=", gte: ">=", gt: ">", lte: "<=", lt: "<" } as const;

/** One column, or an expression like one, compared as its kind is. */
export function compareColumn(
  column: Fragment,
  kind: Exclude<Field["kind"], "reference" | "tags" | "metadata">,
  { operation, value }: Comparison,
): Fragment {
  if (operation === "isnull") return sql`${column} is null`;
  if (operation === "isnotnull") return sql`${column} is not null`;
  if (operation === "in") {
    const [from, to] = value as readonly number[];
    return sql`${column} between ${from} and ${to}`;
  }
  if (kind === "uuid") return compareUuid(column, { operation, value });
  if (kind === "text") return compareText(column, { operation, value });
  // Without its type it would have to fit the column.
  const operand = kind === "integer" ? sql`${value}::bigint` : value;
  // As everywhere in these lists, what has no value is neither equal nor unequal.
  if (operation === "notequals") return sql`${column} <> ${operand}`;
  if (operation in comparisons)
    return sql`${column} ${sql.raw(comparisons[operation as "equals"])} ${operand}`;
  throw invalidParameter(`This field cannot be compared with the operation '${operation}'.`);
}

/** An id is equal to ids only; anything else is asked of its 32 digits. */
function compareUuid(column: Fragment, { operation, value }: Comparison): Fragment {
  const text = String(value);
  if (operation === "equals") return isUuid(text) ? sql`${column} = ${text}::uuid` : sql`false`;
  if (operation === "notequals") return isUuid(text) ? sql`${column} <> ${text}::uuid` : sql`true`;
  if (operation === "oneof") {
    const ids = [value].flat().map(String).filter(isUuid);
    return sql`${column} = any (${ids}::uuid[])`;
  }
  if (operation === "notoneof") {
    const ids = [value].flat().map(String).filter(isUuid);
    return sql`${column} <> all (${ids}::uuid[])`;
  }
  return compareText(sql`replace(${column}::text, '-', '')`, {
    operation,
    value: text.replaceAll("-", "").toLowerCase(),
  });
}

const NUMBER = "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$";

/** Texts are compared to the letter; `gte` and its like compare those that are numbers as numbers. */
function compareText(column: Fragment, { operation, value }: Comparison): Fragment {
  const text = String(value);
  switch (operation) {
    case "equals":
      return sql`${column} = ${text}`;
    case "notequals":
      return sql`${column} <> ${text}`;
    case "oneof":
      return sql`${column} = any (${[value].flat().map(String)}::text[])`;
    case "notoneof":
      return sql`${column} <> all (${[value].flat().map(String)}::text[])`;
    case "contains":
      return sql`position(${text} in ${column}) > 0`;
    case "notcontains":
      return sql`position(${text} in ${column}) = 0`;
    case "startswith":
      return sql`starts_with(${column}, ${text})`;
    case "endswith":
      return sql`right(${column}, char_length(${text})) = ${text}`;
    default: {
      const number = Number(text);
      if (text.trim() === "" || !Number.isFinite(number)) {
        throw invalidParameter(`Failed to compare with the value '${text}': it must be numeric.`);
      }
      const operator = sql.raw(comparisons[operation as "gte"]);
      return sql`(case when ${column} ~ ${NUMBER} then ${column}::double precision ${operator} ${number} else false end)`;
    }
  }
}

type Reference = Extract<Field, { kind: "reference" }>;

const isId = ({ operation, value }: Comparison): boolean =>
  operation === "equals" && typeof value === "string" && isUuid(value);

/** The row `r` has this for one of its names. */
const namedAs = (field: Reference, comparison: Comparison): Fragment =>
  sql.join(
    (field.names ?? ["name"]).map((name) => compareText(sql.raw(`r.${name}`), comparison)),
    sql` or `,
  );

/** What a column refers to, by its id or one of its names, which may look like an id. */
export function compareReferenceTo(field: Reference, comparison: Comparison): Fragment {
  const id = sql.raw(field.sql);
  const { operation } = comparison;
  if (operation === "isnull") return sql`${id} is null`;
  if (operation === "isnotnull") return sql`${id} is not null`;
  return sql`${id} in (${meant(field, comparison)})`;
}

/** The ids of what is meant, by id or name. */
function meant(field: Reference, comparison: Comparison): Fragment {
  const key = sql.raw(field.key ?? "id");
  const isMeant = sql`${compareUuid(sql`r.${key}`, comparison)} or ${namedAs(field, comparison)}`;
  return sql`select r.${key} from ${sql.raw(field.table)} as r where ${isMeant}`;
}

const outward: ReadonlySet<Operation> = new Set(["notequals", "notoneof", "notcontains"]);

/** By what a tag is on rather than by each row's tags: most tags are on few of many rows. */
function compareTags({ operation, value }: Comparison): Fragment {
  const linked = sql`select from pipelines.tag_resources as l`;
  if (operation === "isnull") return sql`not exists (${linked} where l.resource_id = t.id)`;
  if (operation === "isnotnull") return sql`exists (${linked} where l.resource_id = t.id)`;
  const condition = compareText(sql`g.name`, { operation, value });
  if (outward.has(operation)) {
    return sql`exists (${linked} join pipelines.tags as g on g.id = l.tag_id where l.resource_id = t.id and ${condition})`;
  }
  return sql`t.id = any (array(
    select l.resource_id from pipelines.tags as g join pipelines.tag_resources as l on l.tag_id = g.id where ${condition}))`;
}

/** `value` is `[key, operand]`: see `protocols/zenml/list-query.ts`. Any value that was logged may fit, not the newest alone. */
function compareMetadata({ operation, value }: Comparison): Fragment {
  const [key = "", ...operands] = [value].flat().map(String);
  return sql`exists (
    select from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
    where l.resource_id = t.id and m.workspace_id = t.workspace_id and m.key = ${key}
      and ${compareLogged(operation, operands)})`;
}

/** How much of a value is in the index `run_metadata_key`. */
const INDEXED = 64;

function compareLogged(operation: Operation, operands: readonly string[]): Fragment {
  const logged = sql`m.value_json`;
  const operand = operands[0] ?? "";
  const forms = operands.flatMap(formsOf);
  switch (operation) {
    case "isnull":
      return sql`${logged} = 'null'`;
    case "isnotnull":
      return sql`${logged} <> 'null'`;
    case "equals":
    case "oneof": {
      const indexed = sql.raw(String(INDEXED));
      const starts = sql`array(select left(f, ${indexed}) from unnest(${forms}::text[]) as f)`;
      return sql`left(${logged}, ${indexed}) = any (${starts}) and ${logged} = any (${forms}::text[])`;
    }
    case "notequals":
    case "notoneof":
      return sql`${logged} <> all (${forms}::text[])`;
    case "contains":
    case "startswith":
    case "endswith": {
      // A text without its quotes, or with them, as the JSON it is.
      const text = sql`(case when left(${logged}, 1) = '"' then ${logged}::json #>> '{}' else ${logged} end)`;
      const bare = compareText(text, { operation, value: operand });
      return sql`(${bare} or ${compareText(logged, { operation, value: operand })})`;
    }
    default:
      return compareText(logged, { operation, value: operand });
  }
}

/** How a value may be written that is looked for: as it is, as a text in quotes, as JSON without spaces. */
function formsOf(operand: string): string[] {
  const forms = [operand, JSON.stringify(operand)];
  if (/^\s*[[{]/.test(operand)) {
    const compact = parseFaithfulJson(Buffer.from(operand));
    if (compact !== undefined) forms.push(JSON.stringify(compact));
  }
  return forms;
}
