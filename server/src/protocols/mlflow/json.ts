/**
 * JSON in and out with exact 64-bit integers: numbers beyond 2^53 are read as bigint and written
 * back digit for digit.
 */

const decoder = new TextDecoder("utf-8", { fatal: true });
/** A run of 16 digits is the shortest that a double cannot always hold. */
const LONG_NUMBER = /\d{16}/;

/** The value, or undefined when the bytes are not JSON in UTF-8: MLflow takes that for `{}`. */
export function parseJson(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  return parseText(text) ?? parseText(quoteBareNumbers(text));
}

/** Python writes NaN and Infinity bare, which JSON does not know; outside of texts they are quoted here. */
const quoteBareNumbers = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );

/** Half of a surrogate pair cannot be stored, and replacing it would change what was sent. */
const HALF_PAIR =
  /\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]/;

function parseText(text: string): unknown {
  if (text.includes("\\u") && HALF_PAIR.test(text)) return undefined;
  try {
    return LONG_NUMBER.test(text) ? (JSON.parse(text, exact) as unknown) : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

const INTEGER = /^-?\d+$/;

/** Slow path (a call for every value), taken only for texts that hold a long number. */
function exact(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

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
