import { invalidParameter, PlinthError } from "./errors.ts";

/**
 * JSON in and out with exact 64-bit integers: numbers beyond 2^53 are read as bigint and written
 * back digit for digit.
 */

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The value, or undefined when the bytes are not JSON in UTF-8: MLflow takes that for `{}`. With `exact`,
 * five times slower, integers that a number cannot hold are bigints.
 */
export function parseJson(bytes: Buffer | undefined, exact = false): unknown {
  const text = decodeText(bytes);
  return text === undefined ? undefined : parseJsonText(text, exact);
}

/** The same of a text. */
export const parseJsonText = (text: string, exact = false): unknown =>
  parseText(text, exact) ?? parseText(quoteBareNumbers(text), exact);

/** Undefined for nothing, and for what is no UTF-8. */
export function decodeText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Python writes NaN and Infinity bare, which JSON does not know; outside of texts they are quoted here. */
function quoteBareNumbers(text: string): string {
  if (!/NaN|Infinity/.test(text)) return text;
  let inText = false;
  // One pass whatever comes: an expression that matched whole texts would look for their ends again and again.
  return text.replaceAll(/\\.|"|-?\b(?:NaN|Infinity)\b/gs, (token) => {
    if (token === '"') inText = !inText;
    return inText || token === '"' || token.startsWith("\\") ? token : `"${token}"`;
  });
}

/** The start of an escaped half of a surrogate pair, mostly one with its other half behind it. */
const PAIR = /\\u[dD][89a-fA-F]/;
// Most texts hold no escape at all, which is known sooner.
export const mayHoldHalfPair = (text: string): boolean => text.includes("\\u") && PAIR.test(text);

function parseText(text: string, exact: boolean): unknown {
  try {
    return exact || mayHoldHalfPair(text)
      ? (JSON.parse(text, careful) as unknown)
      : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof PlinthError) throw error;
    return undefined;
  }
}

/** Throws `invalid_parameter` for half of a surrogate pair. */
export function requireWellFormed(text: string): void {
  if (text.isWellFormed()) return;
  throw invalidParameter(
    "The request holds a text with half of a surrogate pair (\\ud800 to \\udfff), which is no character.",
  );
}

const INTEGER = /^-?\d+$/;

/** A call for every value: taken only for bodies that hold a long integer or perhaps half a pair. */
const careful = (key: string, value: unknown, context?: { source?: string }): unknown => {
  requireWellFormed(key);
  if (typeof value === "string") requireWellFormed(value);
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
};

/** A double as MLflow writes it: NaN and the infinities are strings. */
export function doubleJson(value: number): string {
  if (Number.isFinite(value)) {
    // Python clients tell 1.0 from 1; JSON.stringify does not write the former.
    return Number.isInteger(value) && Math.abs(value) < 1e16
      ? `${Object.is(value, -0) ? "-0" : value}.0`
      : String(value);
  }
  if (Number.isNaN(value)) return '"NaN"';
  return value > 0 ? '"Infinity"' : '"-Infinity"';
}

/** The same for a double that is a text already, as PostgreSQL writes it. */
export function doubleTextJson(text: string): string {
  if (text.includes(".")) return text;
  if (text.endsWith("N") || text.endsWith("y")) return `"${text}"`;
  // `1e-05` is a double as it is.
  return text.includes("e") ? text : `${text}.0`;
}
