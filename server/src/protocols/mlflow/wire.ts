import { invalidParameter } from "../../kernel/errors.ts";

/**
 * MLflow's requests are protocol buffers written as JSON. This reads them as its server does: both
 * spellings of a field (`run_id`, `runId`), integers as numbers or strings, unknown fields ignored,
 * `NaN` and `Infinity` as strings. A value of the wrong type ends the reading, what came before it
 * stays, and then the checks of the endpoint decide what is said about it.
 * Source: facts on `_get_request_message`, and the proto3 JSON mapping
 * (https://protobuf.dev/programming-guides/json/).
 */
export type Int = number | bigint;

type Scalar = "string" | "int64" | "double" | "bool";

export type FieldType =
  | { kind: Scalar }
  | { kind: "enum"; names: Readonly<Record<string, number>> }
  | { kind: "message"; message: Message }
  | { kind: "repeated"; of: FieldType }
  | { kind: "json" };

export type Message = {
  fields: ReadonlyMap<string, { name: string; type: FieldType }>;
  camel: readonly string[];
};

/** The value of a field as handlers see it; absent fields are undefined. */
export type Values = { [name: string]: unknown };

export const string: FieldType = { kind: "string" };
export const int64: FieldType = { kind: "int64" };
export const double: FieldType = { kind: "double" };
export const bool: FieldType = { kind: "bool" };
/** Any JSON value, for the few endpoints that are not protocol buffers. */
export const json: FieldType = { kind: "json" };
export const repeated = (of: FieldType): FieldType => ({ kind: "repeated", of });
export const enumOf = (names: Readonly<Record<string, number>>): FieldType => ({ kind: "enum", names });
export const nested = (message_: Message): FieldType => ({ kind: "message", message: message_ });

export function message(fields: Record<string, FieldType>): Message {
  const known = new Map<string, { name: string; type: FieldType }>();
  const camel: string[] = [];
  for (const [name, type] of Object.entries(fields)) {
    const other = name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    known.set(name, { name, type });
    if (other !== name) {
      known.set(other, { name, type });
      camel.push(name);
    }
  }
  return { fields: known, camel };
}

const STOP = Symbol("a value of the wrong type");

export type ReadMessage = {
  values: Values;
  /** False when a value of a wrong type ended the reading. */
  complete: boolean;
  /** False when a 64-bit integer came as a number that cannot hold it: the body is to be parsed anew. */
  exact: boolean;
};

/** Set by `readInt` below; reading is synchronous. */
let inexact = false;

/** Reads `source` into plain values; `complete` is false when a value of a wrong type ended it. */
export function readMessage(shape: Message, source: unknown): ReadMessage {
  inexact = false;
  const values: Values = {};
  if (!isObject(source)) return { values, complete: false, exact: true };
  refuseBothSpellings(shape, source);
  const complete = fill(shape, source, values);
  return { values, complete, exact: !inexact };
}

function fill(shape: Message, source: Record<string, unknown>, values: Values): boolean {
  for (const key of Object.keys(source)) {
    const field = shape.fields.get(key);
    const raw = source[key];
    if (field === undefined || raw === null || raw === undefined) continue;
    const value = readValue(field.type, raw);
    if (value === STOP) return false;
    if (value !== undefined) values[field.name] = value;
  }
  return true;
}

function readValue(type: FieldType, raw: unknown): unknown {
  switch (type.kind) {
    case "string":
      return typeof raw === "string" ? raw : STOP;
    case "int64":
      return readInt(raw);
    case "double":
      return readDouble(raw);
    case "bool":
      return typeof raw === "boolean" ? raw : STOP;
    case "enum":
      return readEnum(type.names, raw);
    case "json":
      return raw;
    case "message": {
      // Upstream walks over a text's letters as if they were keys, and finds none that it knows.
      if (typeof raw === "string") return {};
      if (!isObject(raw)) return STOP;
      refuseBothSpellings(type.message, raw);
      const values: Values = {};
      return fill(type.message, raw, values) ? values : STOP;
    }
    case "repeated": {
      if (!Array.isArray(raw)) return STOP;
      const list: unknown[] = [];
      for (const item of raw as unknown[]) {
        const value = item === null ? STOP : readValue(type.of, item);
        if (value === STOP) return STOP;
        if (value !== undefined) list.push(value);
      }
      return list;
    }
  }
}

const INT = /^[+-]?\d+$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

function readInt(raw: unknown): unknown {
  if (typeof raw === "number") {
    if (Number.isSafeInteger(raw)) return raw;
    if (!Number.isFinite(raw)) return STOP;
    if (Number.isInteger(raw)) inexact = true;
    // A fraction is cut, as upstream does.
    return narrow(BigInt(Math.trunc(raw)));
  }
  if (typeof raw === "bigint") return narrow(raw);
  if (typeof raw === "string" && INT.test(raw)) return narrow(BigInt(raw));
  return STOP;
}

function narrow(value: bigint): unknown {
  if (value < MIN_INT64 || value > MAX_INT64) return STOP;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

const DOUBLE = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

function readDouble(raw: unknown): unknown {
  if (typeof raw === "number") return raw;
  if (typeof raw === "bigint" || typeof raw === "boolean") return Number(raw);
  if (typeof raw !== "string") return STOP;
  if (raw === "NaN") return Number.NaN;
  if (raw === "Infinity") return Number.POSITIVE_INFINITY;
  if (raw === "-Infinity") return Number.NEGATIVE_INFINITY;
  return DOUBLE.test(raw) ? Number(raw) : STOP;
}

function readEnum(names: Readonly<Record<string, number>>, raw: unknown): unknown {
  if (typeof raw === "string") return Object.hasOwn(names, raw) ? names[raw] : undefined;
  if (typeof raw === "number") return Object.values(names).includes(raw) ? raw : STOP;
  return STOP;
}

function refuseBothSpellings(shape: Message, source: Record<string, unknown>): void {
  for (const name of shape.camel) {
    if (!Object.hasOwn(source, name)) continue;
    const other = name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(source, other)) {
      throw invalidParameter(`Request specifies both '${name}' and '${other}'; provide only one of them.`);
    }
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What an endpoint demands of a parameter, in the order in which it is checked. */
export type Check = "required" | "string" | "int" | "double" | "bool" | "array" | ((value: unknown) => void);

const API_DOCS = " See the API docs for more information about request parameters.";

/** Throws MLflow's message for the first parameter that fails a check. */
export function checkParameters(
  checks: Readonly<Record<string, readonly Check[]>>,
  source: Record<string, unknown>,
  complete: boolean,
): void {
  for (const name of Object.keys(checks)) {
    const list = checks[name] as readonly Check[];
    if (!Object.hasOwn(source, name) && !list.includes("required")) continue;
    const value = source[name] ?? (name === "run_id" ? source["run_uuid"] : undefined);
    for (const check of list) {
      if (typeof check === "function") check(value);
      else if (check === "required") {
        if (value === undefined || value === null || value === "") throw missingParameter(name);
      } else if (!complete && !hasType(check, value)) throw wrongType(name, value);
    }
  }
}

/**
 * A check for a list whose items must be readable too. Without it what cannot be read would end the
 * reading, and the request go on without what stands there and after it.
 */
export const itemsOf =
  (name: string, of: FieldType): Check =>
  (value) => {
    if (Array.isArray(value) && readValue(repeated(of), value) === STOP) throw wrongType(name, value);
  };

export const wrongType = (name: string, value: unknown): Error =>
  invalidParameter(
    `Invalid value ${pythonJson(value)} for parameter '${name}' supplied: ` +
      ` Hint: Value was of type '${pythonType(value)}'.${API_DOCS}`,
  );

export const missingParameter = (name: string): Error =>
  invalidParameter(`Missing value for required parameter '${name}'.${API_DOCS}`);

function hasType(check: Exclude<Check, "required" | ((value: unknown) => void)>, value: unknown): boolean {
  switch (check) {
    case "string":
      return typeof value === "string";
    case "int":
      return readInt(value) !== STOP || typeof value === "boolean";
    case "double":
      return typeof value === "number" || typeof value === "boolean" || readDouble(value) !== STOP;
    case "bool":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value);
  }
}

function pythonType(value: unknown): string {
  if (value === null || value === undefined) return "NoneType";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (typeof value === "bigint") return "int";
  return Array.isArray(value) ? "list" : "dict";
}

/** Values that clients send are repeated in messages, but not all ten megabytes of them. */
const LONGEST_SHOWN = 2000;

/** As Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))` writes it. */
export function pythonJson(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (value === undefined) return "null";
  const sorted = (_key: string, inner: unknown): unknown =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  const text = stringify(value, sorted);
  const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
  return shown.replaceAll(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function stringify(value: unknown, replacer: (key: string, inner: unknown) => unknown): string {
  try {
    return JSON.stringify(value, replacer);
  } catch {
    // Nested deeper than the stack goes, or with an integer beyond 2^53 somewhere inside.
    return Array.isArray(value) ? "[...]" : "{...}";
  }
}
