import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { parseExperimentFilter, parseExperimentOrderBy } from "./search-experiment.ts";
import { MOST_TOKENS, tokenize } from "./search-lexer.ts";
import { parseLoggedModelFilter } from "./search-logged-model.ts";
import {
  parseModelVersionFilter,
  parseModelVersionOrderBy,
  parseRegisteredModelFilter,
  parseRegisteredModelOrderBy,
} from "./search-registry.ts";
import { parseRunFilter, parseRunOrderBy, type RunComparison } from "./search-run.ts";

const parsers: readonly ((text: string) => unknown)[] = [
  parseRunFilter,
  parseExperimentFilter,
  parseLoggedModelFilter,
  parseRegisteredModelFilter,
  parseModelVersionFilter,
  (text) => parseRunOrderBy([text]),
  (text) => parseExperimentOrderBy([text]),
  (text) => parseRegisteredModelOrderBy([text]),
  (text) => parseModelVersionOrderBy([text]),
];

/** Parses or refuses: anything else fails the test. */
function tryAll(text: string): void {
  for (const parse of parsers) {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof PlinthError)) throw error;
      expect(error.code).toBe("invalid_parameter");
      expect(error.message.length).toBeLessThan(2100);
    }
  }
}

const signs = Array.from("()[]'\"`´;:.,*=<>!~-+/#%@$?\\{}| \n\t\0");
const words = [
  "metrics.",
  "params.",
  "tags.a",
  "run_id",
  "name",
  "version_number",
  "creation_time",
  "timestamp",
];
const values = [
  "`a b`",
  "'x'",
  "5",
  "1e5",
  "0x1",
  "-.5",
  "5.",
  "1_0",
  "NULL",
  "é",
  "\u2003",
  "𝕏",
  "\ud835",
  "\u0301",
];
const keywords = [" AND ", " OR ", " IN ", " NOT ", " LIKE ", " IS ", " AS ", " DESC"];
const pieces = [...signs, ...words, ...values, ...keywords, "::", ":=", "--", "# ", "/*", "*/", "->"];

describe("any text", () => {
  it("is parsed or refused", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), tryAll), { numRuns: 500 });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), (list) => tryAll(list.join(""))),
      {
        numRuns: 3000,
      },
    );
  });

  it("is cut into tokens that follow one another, with nothing but blanks between them", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 25 }), (list) => {
        const text = list.join("");
        let end = 0;
        for (const token of tokenize(text) ?? []) {
          expect(text.slice(end, token.start).trim()).toBe("");
          expect(token.end).toBeGreaterThan(token.start);
          end = token.end;
        }
        expect(text.slice(end).trim()).toBe("");
      }),
      { numRuns: 1000 },
    );
  });
});

const MEGA = 1_000_000;

/** Each would take minutes, or the stack, if it were read more often than a few times. */
const hostile: readonly (readonly [string, string])[] = [
  ["a million parentheses", "(".repeat(MEGA)],
  ["nested parentheses", `${"(".repeat(4000)}${")".repeat(4000)}`],
  ["nested calls", `metrics.${"f(".repeat(3000)}`],
  ["blanks", " ".repeat(10 * MEGA)],
  ["blanks behind a name", `a${" ".repeat(9000)}`],
  ["one word", "a".repeat(10 * MEGA)],
  ["one number", `start_time > ${"9".repeat(10 * MEGA)}`],
  ["one text", `params.a = '${"x".repeat(10 * MEGA)}'`],
  ["quotes", "'".repeat(10 * MEGA)],
  ["an open quote before words", `'${"a ".repeat(4900)}`],
  ["escaped quotes", `'${"\\'".repeat(MEGA)}`],
  ["open backticks", "`a ".repeat(4900)],
  ["open comments", "/*".repeat(4900) + "a".repeat(MEGA)],
  ["open brackets", "[ ".repeat(4900)],
  ["a dotted name", "a.".repeat(4900)],
  ["operators", "a + ".repeat(2400)],
  ["names", "a ".repeat(4900)],
  ["ANDs", "AND ".repeat(2400)],
  ["clauses", "metrics.a > 1 ".repeat(1100)],
  ["a list", `run_id IN (${"'a', ".repeat(3000)}'b')`],
  ["a list of one text in pieces", `run_id IN (${"'a' ".repeat(4000)})`],
  ["a list of escapes", `run_id IN ('${"\\n".repeat(MEGA)}')`],
];

describe("hostile texts", () => {
  it.each(hostile)("%s", (_name, text) => {
    const tokens = tokenize(text);
    if (tokens !== undefined) expect(tokens.length).toBeLessThanOrEqual(MOST_TOKENS);
    tryAll(text);
  });

  it("have at most so many tokens, blanks included", () => {
    expect(tokenize("(".repeat(MOST_TOKENS))).toHaveLength(MOST_TOKENS);
    expect(tokenize("(".repeat(MOST_TOKENS + 1))).toBeUndefined();
    expect(() => parseRunFilter(`metrics.a > 1${" ".repeat(MOST_TOKENS)}`)).toThrow(
      "Error on parsing filter 'metrics.a > 1 ",
    );
  });

  it("are nested at most so deep", () => {
    const nested = (depth: number): string => `metrics.f${"(".repeat(depth)}${")".repeat(depth)} > 1`;
    expect(parseRunFilter(nested(100))).toHaveLength(1);
    expect(() => parseRunFilter(nested(101))).toThrow("Error on parsing filter");
  });
});

const key = fc.string({ unit: "binary" }).filter((text) => !/[`\0]/.test(text));
const value = fc
  .string({ unit: "binary" })
  .filter(
    (text) => !text.includes("\0") && !(text.includes("'") && text.includes('"')) && !text.endsWith("\\"),
  );
const number = fc.double({ noNaN: true });
const like = fc.constantFrom("=" as const, "!=" as const, "LIKE" as const, "ILIKE" as const);
const ordering = fc.constantFrom(
  "=" as const,
  "!=" as const,
  "<" as const,
  "<=" as const,
  ">" as const,
  ">=" as const,
);
const texts = fc.array(
  fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
  { minLength: 1, maxLength: 4 },
);
const integer = fc
  .bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
  .map((one) => (Number.isSafeInteger(Number(one)) ? Number(one) : one));

const comparison: fc.Arbitrary<RunComparison> = fc.oneof(
  fc.record({ kind: fc.constant("metric" as const), key, comparator: ordering, value: number }),
  fc.record({ kind: fc.constantFrom("param" as const, "tag" as const), key, comparator: like, value }),
  fc.record({
    kind: fc.constantFrom("param" as const, "tag" as const),
    key,
    comparator: fc.constantFrom("IS NULL" as const, "IS NOT NULL" as const),
    value: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant("attribute" as const),
    key: fc.constantFrom("run_id" as const, "status" as const, "run_name" as const),
    comparator: like,
    value,
  }),
  fc.record({
    kind: fc.constant("attribute" as const),
    key: fc.constant("run_id" as const),
    comparator: fc.constantFrom("IN" as const, "NOT IN" as const),
    value: texts,
  }),
  fc.record({
    kind: fc.constant("attribute" as const),
    key: fc.constantFrom("start_time" as const, "end_time" as const),
    comparator: ordering,
    value: integer,
  }),
  fc.record({
    kind: fc.constant("dataset" as const),
    key: fc.constantFrom("name" as const, "digest" as const, "context" as const),
    comparator: fc.constantFrom("IN" as const, "NOT IN" as const),
    value: texts,
  }),
);

/** Quotes and backslashes in a list are printed by number, because both readers of a list see them. */
const escaped = (text: string): string =>
  text.replaceAll(/['"\\\n\r]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);

function print({ kind, key, comparator, value }: RunComparison): string {
  const left = `${kind}.\`${key}\``;
  if (value === null) return `${left} ${comparator}`;
  if (typeof value === "bigint") return `${left} ${comparator} ${value}`;
  if (typeof value === "number") return `${left} ${comparator} ${printNumber(value)}`;
  if (typeof value === "string") {
    const quote = value.includes("'") ? '"' : "'";
    return `${left} ${comparator} ${quote}${value}${quote}`;
  }
  return `${left} ${comparator} (${value.map((text) => `'${escaped(text)}'`).join(", ")})`;
}

function printNumber(value: number): string {
  if (Math.abs(value) === Number.POSITIVE_INFINITY) return value > 0 ? "1e999" : "-1e999";
  return Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
}

describe("a comparison that is printed", () => {
  it("is read as it was", () => {
    fc.assert(
      fc.property(fc.array(comparison, { minLength: 1, maxLength: 4 }), (comparisons) => {
        expect(parseRunFilter(comparisons.map(print).join(" AND "))).toEqual(comparisons);
      }),
      { numRuns: 2000 },
    );
  });
});
