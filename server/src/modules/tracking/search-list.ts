import { isDigit, runOf } from "./search-characters.ts";
import { pythonText } from "./search-text.ts";

/** An element of a list: a text, a nested list, or anything else that Python could read, as it was written. */
type Element = string | { readonly tuple: readonly Element[] } | { readonly other: string };

export type ReadList =
  | { readonly is: "texts"; readonly texts: readonly string[] }
  | { readonly is: "mixed"; readonly shown: string }
  | { readonly is: "ill-formed" };

const illFormed: ReadList = { is: "ill-formed" };

/**
 * What stands in the parentheses of `IN (...)`. MLflow evaluates it as a Python literal, so that the texts
 * in it, unlike those elsewhere, have Python's escapes: `('a\'b', "c")` holds `a'b` and `c`, `('a' 'b')`
 * holds `ab`, `(('a', 'b'))` is the same as `('a', 'b')`.
 */
export function readList(text: string): ReadList {
  const whole = readLiteral(text);
  if (whole === undefined) return illFormed;
  const elements = typeof whole === "object" && "tuple" in whole ? whole.tuple : [whole];
  const texts = elements.filter((element) => typeof element === "string");
  if (texts.length === elements.length) return { is: "texts", texts };
  return { is: "mixed", shown: show({ tuple: elements }) };
}

function show(element: Element): string {
  if (typeof element === "string") return pythonText(element);
  if ("other" in element) return element.other;
  const [first, ...rest] = element.tuple.map(show);
  return rest.length === 0
    ? `(${first ?? ""}${first === undefined ? "" : ","})`
    : `(${[first, ...rest].join(", ")})`;
}

/** An open parenthesis: its elements, whether a comma was seen, and what the last thing in it was. */
type Frame = { elements: Element[]; commas: boolean; last: "comma" | "text" | "element" };

const newFrame = (): Frame => ({ elements: [], commas: false, last: "comma" });

/** Undefined when it is no literal. Parentheses are kept on a stack of our own: nesting is at most 100 deep. */
function readLiteral(text: string): Element | undefined {
  const outer = newFrame();
  const frames: Frame[] = [outer];
  let at = 0;
  while (at < text.length) {
    const frame = frames.at(-1);
    if (frame === undefined) return undefined;
    const character = text[at] as string;
    const blank = blankEnd(text, at);
    if (blank > at) {
      at = blank;
    } else if (character === "(") {
      if (frame.last !== "comma") return undefined;
      frames.push(newFrame());
      at += 1;
    } else if (character === ")") {
      frames.pop();
      const around = frames.at(-1);
      if (around === undefined) return undefined;
      around.elements.push(closed(frame));
      around.last = "element";
      at += 1;
    } else if (character === ",") {
      if (frame.last === "comma") return undefined;
      frame.commas = true;
      frame.last = "comma";
      at += 1;
    } else {
      const found = readText(text, at) ?? readOther(text, at);
      if (found === undefined || !append(frame, found.element)) return undefined;
      at = found.end;
    }
  }
  return frames.length === 1 && outer.elements.length === 1 && !outer.commas ? outer.elements[0] : undefined;
}

function closed(frame: Frame): Element {
  const [only] = frame.elements;
  return only !== undefined && frame.elements.length === 1 && !frame.commas
    ? only
    : { tuple: frame.elements };
}

/** Texts next to each other are one. */
function append(frame: Frame, element: Element): boolean {
  const before = frame.elements.at(-1);
  if (frame.last === "text" && typeof before === "string" && typeof element === "string") {
    frame.elements[frame.elements.length - 1] = before + element;
    return true;
  }
  if (frame.last !== "comma") return false;
  frame.elements.push(element);
  frame.last = typeof element === "string" ? "text" : "element";
  return true;
}

const lineEnd = runOf(/[^\r\n]*/y);
const endOfBlank = runOf(/[ \t\n\f\r]*/y);

/** Blanks, line ends, lines continued by a backslash, and comments. */
function blankEnd(text: string, start: number): number {
  if (text[start] === "#") return lineEnd(text, start);
  if (text[start] === "\\") return text[start + 1] === "\n" ? start + 2 : start;
  return endOfBlank(text, start);
}

type Found = { element: Element; end: number };

const endOfNumber = runOf(/[\p{L}\p{N}_.]*/uy);
const constants = new Set(["None", "True", "False"]);

/** Numbers and Python's constants; that they are no texts is said by the caller. */
function readOther(text: string, start: number): Found | undefined {
  const first = text[start] === "-" || text[start] === "+" ? start + 1 : start;
  const end = endOfNumber(text, first);
  const word = text.slice(first, end);
  const digit = text.codePointAt(word.startsWith(".") ? first + 1 : first) ?? -1;
  if (!isDigit(digit) && !constants.has(word)) return undefined;
  return { element: { other: text.slice(start, end) }, end };
}

const plainEnd = runOf(/[^'"\\\r\n]*/y);

/** A Python text with its prefix; undefined where none begins or where it is wrong. */
function readText(text: string, start: number): Found | undefined {
  let open = start;
  while (open < start + 2 && /[rub]/i.test(text[open] ?? "")) open += 1;
  const prefix = text.slice(start, open).toLowerCase();
  const quote = text[open];
  if (
    (quote !== "'" && quote !== '"') ||
    prefix === "ur" ||
    prefix === "ru" ||
    prefix === "uu" ||
    prefix === "rr"
  ) {
    return undefined;
  }
  const triple = text.startsWith(quote.repeat(3), open);
  const mark = triple ? quote.repeat(3) : quote;
  const raw = prefix.includes("r");
  let read = "";
  let at = open + mark.length;
  while (at < text.length) {
    const character = text[at] as string;
    if (text.startsWith(mark, at)) {
      const end = at + mark.length;
      return { element: prefix.includes("b") ? { other: text.slice(start, end) } : read, end };
    }
    if (!triple && (character === "\n" || character === "\r")) return undefined;
    if (character === "\\") {
      const escaped = raw ? { text: text.slice(at, at + 2), end: at + 2 } : readEscape(text, at + 1);
      if (escaped === undefined) return undefined;
      read += escaped.text;
      at = escaped.end;
    } else {
      const end = Math.max(plainEnd(text, at), at + 1);
      read += text.slice(at, end);
      at = end;
    }
  }
  return undefined;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const octalEnd = runOf(/[0-7]*/y);

const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** What a backslash and the characters from `start` on mean. Characters by name (`\N{...}`) are not known. */
function readEscape(text: string, start: number): { text: string; end: number } | undefined {
  const character = text[start];
  if (character === undefined || character === "N") return undefined;
  const simple = simpleEscapes[character];
  if (simple !== undefined) return { text: simple, end: start + 1 };
  const octal = octalEnd(text.slice(start, start + 3), 0);
  if (octal > 0) return fromCode(Number.parseInt(text.slice(start, start + octal), 8), start + octal);
  const length = hexLengths[character];
  if (length === undefined) return { text: `\\${character}`, end: start + 1 };
  const digits = text.slice(start + 1, start + 1 + length);
  if (digits.length < length || !/^[\da-f]+$/i.test(digits)) return undefined;
  return fromCode(Number.parseInt(digits, 16), start + 1 + length);
}

/** No null character and no half of a surrogate pair: PostgreSQL has no texts with them. */
function fromCode(code: number, end: number): { text: string; end: number } | undefined {
  const possible = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return possible ? { text: String.fromCodePoint(code), end } : undefined;
}
