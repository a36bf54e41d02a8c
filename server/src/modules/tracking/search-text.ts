import { invalidParameter, type PlinthError } from "../../kernel/errors.ts";

/** Texts that clients send are repeated in error messages, but not all ten megabytes of them. */
const LONGEST_MESSAGE = 2000;

export const grammarError = (message: string): PlinthError =>
  invalidParameter(message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}...` : message);

/** A text as Python's `repr` shows it: MLflow's messages do. */
export function pythonText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let shown = "";
  // More than a message can hold need not be escaped.
  for (const character of text.slice(0, LONGEST_MESSAGE)) {
    if (character === quote || character === "\\") shown += `\\${character}`;
    else shown += escapes[character] ?? (isControl(character) ? hexadecimal(character) : character);
  }
  return `${quote}${shown}${quote}`;
}

/** A double as Python shows it: `5.0`. */
export function pythonFloat(value: number): string {
  if (Math.abs(value) === Infinity) return value > 0 ? "inf" : "-inf";
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? value.toFixed(1) : String(value);
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const isControl = (character: string): boolean =>
  character < " " || (character >= "\u007f" && character <= "\u00a0") || character === "\u00ad";

const hexadecimal = (character: string): string =>
  `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** `['a', 'b']`, as Python shows a list of texts. */
export const pythonList = (texts: readonly string[]): string => `[${texts.map(pythonText).join(", ")}]`;

/** `{'a', 'b'}`. Python shows sets in an order that changes from process to process; ours is fixed. */
export const pythonSet = (texts: readonly string[]): string => `{${texts.map(pythonText).join(", ")}}`;

/** `('a', 'b')` */
export const pythonTuple = (texts: readonly string[]): string => `(${texts.map(pythonText).join(", ")})`;

const isQuoted = (text: string, quote: string): boolean =>
  text.length >= 2 && text.startsWith(quote) && text.endsWith(quote);

export const trimBackticks = (text: string): string => (isQuoted(text, "`") ? text.slice(1, -1) : text);

/** The text inside its quotes; undefined when it has none. Doubled and escaped quotes stay as they are. */
export const insideQuotes = (text: string): string | undefined =>
  isQuoted(text, "'") || isQuoted(text, '"') ? text.slice(1, -1) : undefined;

/** A key without the quotes or backticks around it. */
export const plainKey = (text: string): string => trimBackticks(insideQuotes(text) ?? text);

/** Splits at the first dot: `tags.a.b` is key `a.b` of `tags`. Without a dot there is no prefix. */
export function splitPrefix(text: string): { prefix: string | undefined; key: string } {
  const dot = text.indexOf(".");
  return dot < 0
    ? { prefix: undefined, key: text }
    : { prefix: text.slice(0, dot), key: text.slice(dot + 1) };
}

export const isOneOf = <T extends string>(list: readonly T[], text: string): text is T =>
  (list as readonly string[]).includes(text);
