import type { Condition, Operation, PageQuery } from "../../modules/identity/index.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { invalidFilter, invalidRequest } from "./errors.ts";

/** What a column of a list holds, and so how it is compared. */
export type ColumnKind = "text" | "uuid" | "boolean" | "time";

export type ListQuery<Column extends string> = PageQuery<Column> & { hydrate: boolean; page: number };

const DEFAULT_SIZE = 20;
const MAX_SIZE = 10_000;

const operations: ReadonlySet<string> = new Set<Operation>([
  "equals",
  "notequals",
  "contains",
  "startswith",
  "endswith",
  "oneof",
  "gte",
  "gt",
  "lte",
  "lt",
]);

const ordering: ReadonlySet<Operation> = new Set(["gte", "gt", "lte", "lt"]);

/**
 * The query of a list: page, size, order, and filters by the columns named. What the lists of principals need; other
 * parameters are ignored, as ZenML's own server does.
 */
export function readListQuery<Column extends string>(
  query: Readonly<Record<string, string>>,
  columns: Readonly<Record<Column, ColumnKind>>,
): ListQuery<Column> {
  const page = readCount(query, "page", { fallback: 1, most: Number.MAX_SAFE_INTEGER });
  const size = readCount(query, "size", { fallback: DEFAULT_SIZE, most: MAX_SIZE });
  const conditions: Condition<Column>[] = [];
  for (const [column, kind] of Object.entries(columns) as [Column, ColumnKind][]) {
    const value = query[column];
    if (value !== undefined) conditions.push(readCondition(column, kind, value));
  }
  return {
    hydrate: readFlag(query, "hydrate", false),
    page,
    offset: (page - 1) * size,
    limit: size,
    any: query["logical_operator"] === "or",
    conditions,
    order: readOrder(query["sort_by"] ?? "created", columns),
  };
}

export function readFlag(query: Readonly<Record<string, string>>, name: string, fallback: boolean): boolean {
  const value = query[name]?.toLowerCase();
  if (value === undefined) return fallback;
  const isTrue = ["true", "1", "t", "yes", "y", "on"].includes(value);
  if (isTrue || ["false", "0", "f", "no", "n", "off"].includes(value)) return isTrue;
  throw invalidRequest([
    { type: "bool_parsing", loc: ["query", name], msg: "Input should be a valid boolean" },
  ]);
}

/** A page of what `query` asked for, in ZenML's envelope. Throws for a page beyond the last one. */
export function pageOf(
  { page, limit }: Pick<ListQuery<string>, "page" | "limit">,
  { total, items }: { total: number; items: unknown[] },
): object {
  const pages = Math.max(1, Math.ceil(total / limit));
  if (page > pages) {
    throw invalidParameter(
      `Invalid page ${page}: there are ${total} items, ${limit} on a page, so the last page is ${pages}.`,
    );
  }
  return { index: page, max_size: limit, total_pages: pages, total, items };
}

function readCount(
  query: Readonly<Record<string, string>>,
  name: string,
  { fallback, most }: { fallback: number; most: number },
): number {
  const text = query[name];
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw invalidRequest([
    { type: "int_parsing", loc: ["query", name], msg: `Input should be a whole number of 1 to ${most}` },
  ]);
}

/** `desc:created`; a bare column, or a direction that does not exist, is ascending. */
function readOrder<Column extends string>(
  text: string,
  columns: Readonly<Record<Column, ColumnKind>>,
): { column: Column; descending: boolean } {
  const separator = text.indexOf(":");
  const column = text.slice(separator + 1);
  if (!Object.hasOwn(columns, column)) {
    throw invalidFilter("sort_by: You can only sort by valid fields of this resource");
  }
  return { column: column as Column, descending: separator !== -1 && text.slice(0, separator) === "desc" };
}

function readCondition<Column extends string>(
  column: Column,
  kind: ColumnKind,
  text: string,
): Condition<Column> {
  const separator = text.indexOf(":");
  const prefix = text.slice(0, Math.max(separator, 0));
  const operation = operations.has(prefix) ? (prefix as Operation) : "equals";
  const value = operations.has(prefix) ? text.slice(separator + 1) : text;
  if (operation === "oneof") return { column, operation, value: readTexts(column, kind, value) };
  if (ordering.has(operation) && kind !== "time") {
    throw invalidParameter(`${column}: ${operation} compares numbers and times, not '${value}'.`);
  }
  return { column, operation, value: readValue(column, kind, value) };
}

function readTexts(column: string, kind: ColumnKind, value: string): (string | boolean | number)[] {
  let list: unknown;
  try {
    list = JSON.parse(value);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) throw invalidFilter(`${column}: oneof takes a JSON list, such as ["a", "b"].`);
  return list.map((one: unknown) => readValue(column, kind, String(one)));
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/;

function readValue(column: string, kind: ColumnKind, value: string): string | boolean | number {
  if (kind === "boolean") return readFlag({ [column]: value }, column, false);
  if (kind === "text") return value;
  // Ids are compared without their hyphens.
  if (kind === "uuid") return value.replaceAll("-", "").toLowerCase();
  const [, day, time] = TIME.exec(value) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(at)) throw invalidFilter(`${column}: '${value}' is no time such as 2026-01-31 23:59:59.`);
  return at;
}
