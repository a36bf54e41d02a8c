import { randomBytes } from "node:crypto";
import { parseJson } from "./json.ts";

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
 * from integers. Perhaps within a text, which costs time only.
 */
const DELICATE = /(?:^|[[:,\s])(?:-0|-?(?:\d{16}|\d+\.\d*0(?:[\s,\]}]|$)|\d+(?:\.\d+)?[eE]))/;

/** Like `parseJson`, but such numbers stay as they are through `writeJson` and `JSON.stringify`. */
export function parseFaithfulJson(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const text = bytes.toString("utf8");
  // Refuses what is no UTF-8, and half surrogate pairs.
  const parsed = parseJson(bytes);
  if (parsed === undefined || !DELICATE.test(text)) return parsed;
  try {
    return JSON.parse(text, keepNumber) as unknown;
  } catch {
    // With bare NaN, which only the lenient reading takes.
    return parsed;
  }
}

type Raw = { rawJSON(text: string): unknown; isRawJSON(value: unknown): boolean };
const raw = JSON as unknown as Raw;

const keepNumber = (_key: string, value: unknown, context?: { source?: string }): unknown => {
  if (typeof value !== "number") return value;
  const source = context?.source;
  return source === undefined || String(value) === source ? value : raw.rawJSON(source);
};

/** The number that a value is which was read faithfully; anything else as it is. */
export const plainNumber = (value: unknown): unknown =>
  raw.isRawJSON(value) ? Number((value as { rawJSON: string }).rawJSON) : value;
