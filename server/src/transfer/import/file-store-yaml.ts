import { isMap, isScalar, isSeq, Lexer, parseDocument, Scalar } from "yaml";
import type { LocalFolder } from "./local-folder.ts";
import { Unreadable } from "./local-folder.ts";

/** A dataset's schema and profile are in its file: MLflow takes up to 16 MiB of them. */
const MAX_BYTES = 32 * 1024 * 1024;

type Value = string | null | Value[] | Map<string, Value>;

/** The fields of one `meta.yaml`. Each reader says what it wants, or throws `Unreadable` naming file and field. */
export type Meta = {
  has(field: string): boolean;
  text(field: string): string;
  textOrNull(field: string): string | null;
  /** An integer that a double holds exactly. */
  number(field: string): number;
  numberOrNull(field: string): number | null;
  /** The keys and values of a mapping; an empty list or null counts as none. */
  texts(field: string): { key: string; value: string }[];
};

/** Undefined when there is no such file. Throws `Unreadable` for one that is empty, cut off or no mapping. */
export function readMeta(folder: LocalFolder, path: string): Meta | undefined {
  const text = folder.readText(path, MAX_BYTES);
  if (text === undefined) return undefined;
  const where = folder.pathOf(path);
  return metaOf(parseMapping(text, where), where);
}

/**
 * MLflow writes these files with PyYAML, which is YAML 1.1. Scalars are kept as text and read by what
 * their field is, since the two disagree on what looks like a number: PyYAML leaves the run id
 * `12345678901234567890123456789e12` without quotes, which other readers take for infinity.
 */
export function parseMapping(text: string, where: string): Map<string, Value> {
  if (text.trim() === "") throw new Unreadable(where, "is empty");
  let value: Value;
  try {
    refuseDeep(text);
    // Keys that are there twice are looked for below: the library compares each with all others.
    const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault !== undefined) throw fault;
    value = plain(document.contents);
  } catch (error) {
    throw new Unreadable(where, `is not the YAML that MLflow writes: ${firstLine(error)}`);
  }
  if (!(value instanceof Map)) throw new Unreadable(where, "is not the YAML that MLflow writes: no mapping");
  return value;
}

const MAX_DEPTH = 8;

/** MLflow nests two levels. A million brackets would take the parser 12 s, and its stack's end. */
function refuseDeep(text: string): void {
  let depth = 0;
  let inLine = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === "[" || lexeme === "{") depth += 1;
    else if (lexeme === "]" || lexeme === "}") depth -= 1;
    else if (lexeme === "-" || lexeme === "?" || lexeme === ":") inLine += 1;
    else if (lexeme.startsWith("\n") || lexeme.startsWith("\r")) inLine = 0;
    if (depth > MAX_DEPTH || inLine > MAX_DEPTH || /^ {64}/.test(lexeme))
      throw new Error("nested too deeply");
  }
}

function plain(node: unknown): Value {
  if (node === null || node === undefined) return null;
  if (isScalar(node)) return plainScalar(node);
  if (isSeq(node)) return node.items.map((item) => plain(item));
  if (!isMap(node)) throw new Error("references between values are not followed");
  const pairs = new Map<string, Value>();
  for (const { key, value } of node.items) {
    const name = plain(key);
    if (typeof name !== "string") throw new Error("a key is not text");
    if (pairs.has(name)) throw new Error(`the key '${name.slice(0, 40)}' is there twice`);
    pairs.set(name, plain(value));
  }
  return pairs;
}

function plainScalar({ type, value }: Scalar): string | null {
  const text = String(value);
  if (type === Scalar.PLAIN) return /^(?:~|null|Null|NULL)?$/.test(text) ? null : text;
  // For PyYAML these end a line, so it indents what follows them.
  if (type === Scalar.QUOTE_SINGLE) return text.replaceAll(/[ \t]*([\u2028\u2029])[ \t]*/g, "$1");
  return text;
}

function metaOf(values: ReadonlyMap<string, Value>, where: string): Meta {
  const fault = (field: string, what: string): Unreadable =>
    new Unreadable(where, `the field '${field}' ${what}`);
  const meta: Meta = {
    has: (field) => (values.get(field) ?? null) !== null,
    text(field) {
      const value = meta.textOrNull(field);
      if (value === null) throw fault(field, "is missing");
      return value;
    },
    textOrNull(field) {
      const value = values.get(field) ?? null;
      if (value !== null && typeof value !== "string") throw fault(field, "is not text");
      return value;
    },
    number(field) {
      const value = meta.numberOrNull(field);
      if (value === null) throw fault(field, "is missing");
      return value;
    },
    numberOrNull(field) {
      const text = meta.textOrNull(field);
      if (text === null || text === "") return null;
      const value = /^[-+]?\d{1,16}(?:\.0*)?$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(value)) throw fault(field, `is no whole number: '${text.slice(0, 40)}'`);
      return value;
    },
    texts(field) {
      const value = values.get(field) ?? null;
      if (value === null || (Array.isArray(value) && value.length === 0)) return [];
      if (!(value instanceof Map)) throw fault(field, "is no mapping");
      return [...value].map(([key, text]) => {
        if (text !== null && typeof text !== "string") throw fault(`${field}.${key}`, "is not text");
        return { key, value: text ?? "" };
      });
    },
  };
  return meta;
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]?.slice(0, 200) ?? "";
