/**
 * JSON whose numbers keep their text: 1.0 stays 1.0 and a step beyond 2^53 keeps all its digits.
 * Part of JavaScript (https://github.com/tc39/proposal-json-parse-with-source) and of Node 24, but not yet of
 * TypeScript's library.
 */
declare const rawJsonBrand: unique symbol;

/** A piece of JSON that `JSON.stringify` writes as it is. */
export type RawJson = { readonly [rawJsonBrand]: true };

const json = JSON as unknown as {
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
};

export const rawJson = (text: string): RawJson => json.rawJSON(text);

export const isRawJson = (value: unknown): value is RawJson => json.isRawJSON(value);

/** Throws a SyntaxError when `text` is not JSON. */
export const parseKeepingNumbers = (text: string): unknown =>
  json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );

/** Written as Python's `json.dumps` does: a space after commas and colons, and nothing but ASCII. */
export function pythonDumps(value: unknown): string {
  if (value === null || value === undefined || typeof value !== "object" || isRawJson(value)) {
    return (JSON.stringify(value) ?? "null").replaceAll(/[\u007f-\uffff]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });
  }
  if (Array.isArray(value)) return `[${value.map(pythonDumps).join(", ")}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${pythonDumps(key)}: ${pythonDumps(inner)}`);
  return `{${entries.join(", ")}}`;
}
