import { invalidParameter } from "../../kernel/errors.ts";
import {
  isUuid,
  type Condition,
  type FieldKind,
  type ListQuery,
  type Operand,
  type Operation,
} from "../../modules/pipelines/index.ts";
import { invalidFilter, invalidRequest } from "./errors.ts";
import { hyphenated } from "./fields.ts";

/** The parameters of an address, each as often as it was given. */
export type Parameters = ReadonlyMap<string, readonly string[]>;

/** How fields are compared, by their names in the query. */
export type FieldKinds = Readonly<
  Record<string, { readonly kind: FieldKind; readonly unordered?: true; readonly orderOnly?: true }>
>;

export type ListQueryOptions = {
  /** The client is of ZenML 0.84: of a parameter given several times the last counts, and it knows fewer operations. */
  isOld: boolean;
};

const DEFAULT_SIZE = 20;
const MAX_SIZE = 10_000;

const oldOperations: readonly Operation[] = [
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
  "in",
];
const newOperations: readonly Operation[] = [
  ...oldOperations,
  "notcontains",
  "notoneof",
  "isnull",
  "isnotnull",
];
const known: Readonly<Record<"old" | "new", ReadonlySet<string>>> = {
  old: new Set(oldOperations),
  new: new Set(newOperations),
};

/** What ZenML 0.84 takes several of, too. */
const repeated: ReadonlySet<FieldKind> = new Set(["tags", "metadata"]);

const ordering: ReadonlySet<Operation> = new Set(["gte", "gt", "lte", "lt"]);
const onNumbers: ReadonlySet<Operation> = new Set([...ordering, "equals", "notequals"]);

/**
 * The whole query language of ZenML's lists: page, size, order, `logical_operator`, and filters on the fields named,
 * each `[operation:]value`. Pure. Other parameters are ignored, as ZenML's own server does.
 */
export function parseListQuery(
  parameters: Parameters,
  fields: FieldKinds,
  options: ListQueryOptions,
): ListQuery {
  const last = (name: string): string | undefined => parameters.get(name)?.at(-1);
  const conditions: Condition[] = [];
  for (const [field, given] of parameters) {
    const { kind, orderOnly } = (Object.hasOwn(fields, field) ? fields[field] : undefined) ?? {};
    if (kind === undefined || orderOnly === true) continue;
    const values = options.isOld && !repeated.has(kind) ? given.slice(-1) : given;
    for (const value of values) conditions.push(parseCondition(field, kind, { value, options }));
  }
  const operator = last("logical_operator") ?? "and";
  if (operator !== "and" && operator !== "or") {
    throw invalidRequest([
      { type: "enum", loc: ["query", "logical_operator"], msg: "Input should be 'or' or 'and'" },
    ]);
  }
  return {
    conditions,
    any: operator === "or",
    order: parseOrder(last("sort_by") ?? "created", fields),
    page: parseCount(last("page"), "page", { fallback: 1, most: Number.MAX_SAFE_INTEGER }),
    size: parseCount(last("size"), "size", { fallback: DEFAULT_SIZE, most: MAX_SIZE }),
  };
}

/** A page of what `query` asked for, in ZenML's envelope. Throws for a page beyond the last one. */
export function pageOf(
  { page, size }: Pick<ListQuery, "page" | "size">,
  { total, items }: { total: number; items: readonly unknown[] },
): object {
  const pages = Math.max(1, Math.ceil(total / size));
  if (page > pages) {
    throw invalidParameter(
      `Invalid page ${page}: there are ${total} items, ${size} on a page, so the last page is ${pages}.`,
    );
  }
  return { index: page, max_size: size, total_pages: pages, total, items };
}

/** A flag such as `hydrate`. */
export function readFlag(parameters: Parameters, name: string, fallback: boolean): boolean {
  const value = parameters.get(name)?.at(-1);
  if (value === undefined) return fallback;
  return parseBoolean(value) ?? noBoolean(name);
}

function noBoolean(name: string): never {
  throw invalidRequest([
    { type: "bool_parsing", loc: ["query", name], msg: "Input should be a valid boolean" },
  ]);
}

const truths: ReadonlySet<string> = new Set(["true", "1", "t", "yes", "y", "on"]);
const lies: ReadonlySet<string> = new Set(["false", "0", "f", "no", "n", "off"]);

function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  return truths.has(word) ? true : lies.has(word) ? false : undefined;
}

function parseCount(
  text: string | undefined,
  name: string,
  { fallback, most }: { fallback: number; most: number },
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= most) return value;
  throw invalidRequest([
    { type: "int_parsing", loc: ["query", name], msg: `Input should be a whole number of 1 to ${most}` },
  ]);
}

/** `desc:created`; a bare column, or a direction that does not exist, is ascending. */
function parseOrder(text: string, fields: FieldKinds): ListQuery["order"] {
  const separator = text.indexOf(":");
  const field = text.slice(separator + 1);
  if (!Object.hasOwn(fields, field) || fields[field]?.kind === "metadata") {
    throw invalidFilter("sort_by: You can only sort by valid fields of this resource");
  }
  if (fields[field]?.unordered === true) {
    throw invalidFilter(`sort_by: This resource can not be sorted by this field: '${field}'`);
  }
  return { field, descending: separator !== -1 && text.slice(0, separator) === "desc" };
}

type Given = { value: string; options: ListQueryOptions };

function split({ value, options }: Given): { operation: Operation; text: string } {
  const separator = value.indexOf(":");
  const prefix = value.slice(0, Math.max(separator, 0));
  const isKnown = known[options.isOld ? "old" : "new"].has(prefix);
  return isKnown
    ? { operation: prefix as Operation, text: value.slice(separator + 1) }
    : { operation: "equals", text: value };
}

function parseCondition(field: string, kind: FieldKind, given: Given): Condition {
  if (kind === "metadata") return parseMetadata(field, given);
  if (field === "scope_user") requireUuid(field, given.value);
  const { operation, text } = split(given);
  if (operation === "isnull" || operation === "isnotnull") {
    if (text !== "") throw invalidFilter(`${field}: ${operation}: takes no value.`);
    return { field, operation, value: null };
  }
  if (operation === "oneof" || operation === "notoneof") {
    if (kind === "boolean" || kind === "integer" || kind === "number" || kind === "time")
      throw wrongOperation(field, operation);
    return { field, operation, value: parseList(field, text) };
  }
  switch (kind) {
    case "boolean":
      if (operation !== "equals" && operation !== "notequals") throw wrongOperation(field, operation);
      return { field, operation, value: parseBoolean(text) ?? noBoolean(field) };
    case "integer":
      if (!onNumbers.has(operation)) throw wrongOperation(field, operation);
      return { field, operation, value: parseInteger(field, text) };
    case "number":
      if (!onNumbers.has(operation)) throw wrongOperation(field, operation);
      return { field, operation, value: parseNumber(field, text) };
    case "time":
      if (operation === "in") return { field, operation, value: parseSpan(field, text) };
      if (!onNumbers.has(operation)) throw wrongOperation(field, operation);
      return { field, operation, value: parseTime(field, text) };
    default:
      if (operation === "in") throw wrongOperation(field, operation);
      if (ordering.has(operation) && (text.trim() === "" || !Number.isFinite(Number(text)))) {
        throw invalidParameter(`${field}: failed to compare with '${text}' (must be numeric).`);
      }
      return { field, operation, value: text };
  }
}

/** `key:value` or `key:operation:value`; the operand goes behind the key. */
function parseMetadata(field: string, { value, options }: Given): Condition {
  const separator = value.indexOf(":");
  if (separator === -1) {
    throw invalidFilter(
      `Invalid ${field} entry format: '${value}'. Entry must be in format 'key:value' for direct equality comparison ` +
        "or 'key:filterop:value'.",
    );
  }
  const key = value.slice(0, separator);
  const { operation, text } = split({ value: value.slice(separator + 1), options });
  if (operation === "in") throw wrongOperation(field, operation);
  const isList = operation === "oneof" || operation === "notoneof";
  return { field, operation, value: [key, ...(isList ? parseList(field, text) : [text])] };
}

/** One id alone, which is checked before any filter is. */
function requireUuid(field: string, text: string): void {
  if (isUuid(hyphenated(text))) return;
  throw invalidRequest([
    { type: "uuid_parsing", loc: ["query", field], msg: "Input should be a valid UUID" },
  ]);
}

const wrongOperation = (field: string, operation: Operation): Error =>
  invalidFilter(`${field}: This datatype can not be filtered using this operation: '${operation}'.`);

function wrongValue(field: string, text: string, expected: string): never {
  throw invalidFilter(`${field}: '${text}' is not ${expected}.`);
}

function parseList(field: string, text: string): string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list)) {
    throw invalidFilter(
      `${field}: When you are using the 'oneof:'/'notoneof:' filtering make sure that the provided value is a json ` +
        "formatted list.",
    );
  }
  return list.map((one: unknown) => (typeof one === "string" ? one : JSON.stringify(one)));
}

/** Beyond what is stored it compares as any number that is as far away. */
function parseInteger(field: string, text: string): Operand {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) return wrongValue(field, text, "a whole number");
  return Math.max(Math.min(Number(text), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

function parseNumber(field: string, text: string): Operand {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : wrongValue(field, text, "a number");
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/;

/** Microseconds since 1970. */
function parseTime(field: string, text: string): number {
  const [, day, time] = TIME.exec(text.trim()) ?? [];
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}Z`);
  return Number.isNaN(at) ? wrongValue(field, text, "a time such as 2026-01-31 23:59:59") : at * 1000;
}

function parseSpan(field: string, text: string): readonly number[] {
  const parts = text.split(",");
  if (parts.length !== 2) return wrongValue(field, text, "two times with a comma between them");
  return parts.map((part) => parseTime(field, part));
}
