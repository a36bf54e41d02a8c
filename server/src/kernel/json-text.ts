import { randomBytes } from "node:crypto";
import { decodeText, mayHoldHalfPair, parseJsonText, requireWellFormed } from "./json.ts";

/** JSON that is a text already: `writeJson` puts it in as it is, digit for digit, without reading it. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Called by `JSON.stringify` alone: leaves a mark, in whose place the text comes. */
  toJSON(): string {
    if (pending === undefined) throw new TypeError("JSON texts are written by writeJson");
    return `${MARK}${pending.push(this.text) - 1}`;
  }
}

export const jsonText = (text: string): JsonText => new JsonText(text);
export const jsonTextOrNull = (text: string | null): JsonText | null =>
  text === null ? null : new JsonText(text);

/** Known to this process alone and never sent, so that no value can hold it. */
const MARK = randomBytes(16).toString("hex");
const MARKED = new RegExp(`"${MARK}(\\d+)"`, "g");

/** What is being written; nothing waits meanwhile. */
let pending: string[] | undefined;

/** `JSON.stringify` for values that hold texts which are JSON already; undefined is null. */
export function writeJson(value: unknown): string {
  const texts: string[] = [];
  const outer = pending;
  pending = texts;
  try {
    const written = JSON.stringify(value ?? null);
    if (texts.length === 0) return written;
    return written.replace(MARKED, (_mark, at: string) => texts[Number(at)] ?? "null");
  } finally {
    pending = outer;
  }
}

/**
 * Numbers that `JSON.parse` would change: too long for a double, or doubles that are whole (`1.0`), which Python tells
 * from integers. Perhaps within a text.
 */
const DELICATE = /(?:^|[[:,\s])(?=-0|-?(?:\d{16}|\d+\.\d*0(?:[\s,\]}]|$)|\d+\.\d{16}|\d+(?:\.\d+)?[eE]))/;

/** A number that is a value where it stands, to its end. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[ \t\n\r]*(?:[,\]}]|$))/y;

/**
 * Like `parseJson`, but such numbers stay as they are through `writeJson` and `JSON.stringify`. They are quoted before
 * the text is read, and found again afterwards: `JSON.parse` with a function for every value takes ten times longer.
 */
export function parseFaithfulJson(bytes: Buffer | undefined): unknown {
  const text = decodeText(bytes);
  if (text === undefined) return undefined;
  const marked = DELICATE.test(text) ? markDelicate(text) : text;
  if (marked === text) return parseJsonText(text);
  const read = tryParse(marked);
  // With bare NaN, which only the lenient reading takes.
  if (read === undefined) return parseJsonText(text);
  return unmark(read, mayHoldHalfPair(text));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The same text with delicate numbers as marked texts; those within texts stay. */
function markDelicate(text: string): string {
  const find = new RegExp(DELICATE, "g");
  const parts: string[] = [];
  let written = 0;
  /** Up to here the ends of texts are known. */
  let known = 0;
  for (let found = find.exec(text); found !== null; found = find.exec(text)) {
    const from = found.index + found[0].length;
    // Nothing may have been passed over, as at the start of the text.
    find.lastIndex = Math.max(from, found.index + 1);
    known = endOfTexts(text, known, from);
    if (known > from) {
      find.lastIndex = known;
      continue;
    }
    NUMBER.lastIndex = from;
    const number = NUMBER.exec(text)?.[0];
    if (number === undefined || String(Number(number)) === number) continue;
    parts.push(text.slice(written, from), `"${MARK}${number}"`);
    written = from + number.length;
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(written);
}

/** Where the first text that reaches beyond `to` ends, or else `to`; `from` is outside of texts. */
function endOfTexts(text: string, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const start = text.indexOf('"', at);
    if (start === -1 || start >= to) return to;
    at = endOfText(text, start);
  }
  return at;
}

/** Behind the closing quote of the text that begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
  return text.length;
}

const BACKSLASH = 92;

type Container = Record<string, unknown>;

/** Marked numbers are themselves again. Not by recursion: what is nested deeply must not end the process. */
function unmark(value: unknown, isCareful: boolean): unknown {
  const top: Container = { value };
  const open: Container[] = [top];
  for (let container = open.pop(); container !== undefined; container = open.pop()) {
    for (const key in container) {
      if (isCareful) requireWellFormed(key);
      const inner = container[key];
      if (typeof inner === "string") {
        if (inner.startsWith(MARK)) put(container, key, raw.rawJSON(inner.slice(MARK.length)));
        else if (isCareful) requireWellFormed(inner);
      } else if (typeof inner === "object" && inner !== null) open.push(inner as Container);
    }
  }
  return top["value"];
}

/** Also where the key is `__proto__`. */
function put(container: Container, key: string, value: unknown): void {
  if (key !== "__proto__") container[key] = value;
  else Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

type Raw = { rawJSON(text: string): unknown; isRawJSON(value: unknown): boolean };
const raw = JSON as unknown as Raw;

/** The number that a value is which was read faithfully; anything else as it is. */
export const plainNumber = (value: unknown): unknown =>
  raw.isRawJSON(value) ? Number((value as { rawJSON: string }).rawJSON) : value;
