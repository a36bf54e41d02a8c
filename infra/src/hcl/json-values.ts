import { HclSyntaxError } from "./syntax.ts";

/** JSON that knows its lines, for `.tf.json`. */
export type JsonNode = { line: number } & (
  | { kind: "scalar"; value: string | number | boolean | null }
  | { kind: "array"; items: JsonNode[] }
  | { kind: "object"; entries: { key: string; line: number; value: JsonNode }[] }
);

const token =
  /[\s]*(?:([{}[\],:])|("(?:[^"\\\n]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;

/** Reads JSON. @throws {HclSyntaxError} with the line of the first mistake. */
export function parseJson(text: string, firstLine: number): JsonNode {
  const reader = new Reader(text, firstLine);
  const node = reader.value(0);
  if (reader.next() !== undefined) throw reader.error("Invalid JSON: more follows the end of the value.");
  return node;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line: number;
  #counted = 0;

  constructor(text: string, firstLine: number) {
    this.#text = text.replace(/^\ufeff/, "");
    this.#line = firstLine;
  }

  /** The next token; undefined at the end. */
  next(): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text);
    if (found === null) {
      if (this.#text.slice(this.#at).trim() === "") return undefined;
      throw this.error("Invalid JSON: a value, a comma or a bracket is expected.");
    }
    this.#at = token.lastIndex;
    for (; this.#counted < this.#at; this.#counted += 1)
      if (this.#text[this.#counted] === "\n") this.#line += 1;
    return found[1] ?? found[2] ?? found[3];
  }

  error(message: string): HclSyntaxError {
    return new HclSyntaxError(message, this.#line);
  }

  value(depth: number): JsonNode {
    return this.#valueOf(this.next(), depth);
  }

  #valueOf(first: string | undefined, depth: number): JsonNode {
    const line = this.#line;
    if (depth > 200) throw this.error("Nested too deeply: more than 200 values within one another.");
    if (first === "{") return { kind: "object", entries: this.#entries(depth), line };
    if (first === "[") return { kind: "array", items: this.#items(depth), line };
    if (first === undefined || /^[}\],:]$/.test(first))
      throw this.error("Invalid JSON: a value is expected.");
    return { kind: "scalar", value: this.#scalar(first), line };
  }

  #scalar(text: string): string | number | boolean | null {
    try {
      return JSON.parse(text) as string | number | boolean | null;
    } catch {
      throw this.error(`Invalid JSON: ${text} is no value.`);
    }
  }

  #items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    for (let first = this.next(); first !== "]"; first = this.next()) {
      if (items.length > 0) {
        if (first !== ",") throw this.error("Invalid JSON: a comma is expected between two items.");
        first = this.next();
      }
      items.push(this.#valueOf(first, depth + 1));
    }
    return items;
  }

  #entries(depth: number): { key: string; line: number; value: JsonNode }[] {
    const entries: { key: string; line: number; value: JsonNode }[] = [];
    for (let first = this.next(); first !== "}"; first = this.next()) {
      if (entries.length > 0) {
        if (first !== ",") throw this.error("Invalid JSON: a comma is expected between two members.");
        first = this.next();
      }
      if (!first?.startsWith('"')) throw this.error("Invalid JSON: a key in double quotes is expected.");
      const line = this.#line;
      const key = String(this.#scalar(first));
      if (this.next() !== ":") throw this.error("Invalid JSON: a colon is expected after a key.");
      entries.push({ key, line, value: this.value(depth + 1) });
    }
    return entries;
  }
}
