import { readList } from "./search-list.ts";
import { isClause, isKeyword, readStatement, type Clause, type Unit } from "./search-statement.ts";
import { grammarError, insideQuotes, isOneOf, pythonList, pythonSet, pythonText } from "./search-text.ts";

export const numberComparators = ["!=", "<", "<=", "=", ">", ">="] as const;
export const likeComparators = ["!=", "=", "ILIKE", "LIKE"] as const;
export const listComparators = ["IN", "NOT IN"] as const;
export const nullComparators = ["IS NOT NULL", "IS NULL"] as const;
export const textComparators = [...likeComparators, ...listComparators] as const;

export type NumberComparator = (typeof numberComparators)[number];
/**
 * In the patterns of LIKE (which minds the case) and ILIKE (which does not) `%` stands for any characters
 * and `_` for one. There is no escape: a backslash is an ordinary character, as in MLflow on SQLite.
 */
export type LikeComparator = (typeof likeComparators)[number];
export type ListComparator = (typeof listComparators)[number];
export type NullComparator = (typeof nullComparators)[number];
export type Comparator = NumberComparator | LikeComparator | ListComparator | NullComparator;

/** What the right side of a comparison says; `comparator` and value fit together. */
export type TextComparison = { readonly comparator: LikeComparator; readonly value: string };
export type ListComparison = { readonly comparator: ListComparator; readonly value: readonly string[] };
export type NullComparison = { readonly comparator: NullComparator; readonly value: null };
/** A double, infinite where the number is too large for one. */
export type DoubleComparison = { readonly comparator: NumberComparator; readonly value: number };
/** Whole numbers are exact: a bigint where a number could not hold it. */
export type IntegerComparison = { readonly comparator: NumberComparator; readonly value: number | bigint };

/**
 * The comparisons of a filter for runs, experiments or registered models. They are joined by AND; the word
 * itself may be missing, doubled, or stand at either end.
 */
export function readFilter(text: string, showInvalid: (text: string) => string): Clause[] {
  if (text === "") return [];
  const statement = readStatement(text);
  switch (statement.is) {
    case "unreadable":
      throw grammarError(`Error on parsing filter '${text}'`);
    case "blank":
      throw grammarError(`Invalid filter '${text}'. Could not be parsed.`);
    case "several":
      throw grammarError(
        `Search filter contained multiple expression ${pythonText(text)}. Provide AND-ed expression list.`,
      );
    case "units": {
      const invalid = statement.units.filter((unit) => !isClause(unit) && !isKeyword(unit, "AND"));
      if (invalid.length > 0) {
        const shown = invalid.map((unit) => showInvalid(unit.text)).join(", ");
        throw grammarError(`Invalid clause(s) in filter string: ${shown}`);
      }
      return statement.units.filter(isClause);
    }
  }
}

/** The left side as it was written. */
export function readName({ left }: Clause): string {
  if (left.kind === "identifier") return left.text;
  throw grammarError(`Invalid comparison clause. Expected 'Identifier' found '${left.text}'`);
}

/** A text in single or double quotes; undefined for anything that could not be one. */
export function readText(unit: Unit): string | undefined {
  if (unit.kind !== "string" && unit.kind !== "identifier") return undefined;
  const inside = insideQuotes(unit.text);
  if (inside !== undefined) return inside;
  throw grammarError(
    `Parameter value is either not quoted or unidentified quote types used for string value ${unit.text}. ` +
      "Use either single or double quotes.",
  );
}

export const isNumber = ({ kind }: Unit): boolean => kind === "number" || kind === "whole number";

/** Python refuses whole numbers with more digits. */
const MOST_DIGITS = 4300;

/** Undefined when it is no number. */
export function readInteger(unit: Unit): number | bigint | undefined {
  if (!isNumber(unit)) return undefined;
  const number = Number(unit.text);
  if (unit.kind === "number" || Number.isSafeInteger(number)) return number;
  return unit.text.length > MOST_DIGITS ? undefined : BigInt(unit.text);
}

/** A list of texts in parentheses. */
export function readTexts(unit: Unit): readonly string[] {
  const list = readList(unit.text);
  if (list.is === "texts" && list.texts.length > 0) return list.texts;
  const expected = "While parsing a list in the query, expected";
  if (list.is === "texts")
    throw grammarError(`${expected} a non-empty list of string values, but got empty list`);
  if (list.is === "ill-formed") {
    throw grammarError(`${expected} a non-empty list of string values, but got ill-formed list.`);
  }
  throw grammarError(
    `${expected} string value, punctuation, or whitespace, but got different type in list: ${list.shown}`,
  );
}

/** A text or, for the keys that have them, a list of texts; undefined for anything else. */
export function readTextOrList(
  unit: Unit,
  key: string,
  listKeys: readonly string[],
): string | readonly string[] | undefined {
  if (unit.kind !== "parentheses") return readText(unit);
  if (listKeys.includes(key)) return readTexts(unit);
  throw grammarError(
    `Only ${pythonList(listKeys)} attributes support comparison with a list of quoted string values.`,
  );
}

/** The comparator, if it is one of those allowed. */
export function checkComparator<T extends Comparator>(
  comparator: string,
  allowed: readonly T[],
  shown: string = shownComparators(allowed),
): T {
  if (isOneOf(allowed, comparator)) return comparator;
  throw grammarError(`Invalid comparator '${comparator}' not one of ${shown}`);
}

/** `'{...}'`; for some kinds MLflow forgets the last quote. */
export const shownComparators = (allowed: readonly string[], end: "'" | "" = "'"): string =>
  `'${pythonSet(allowed)}${end}`;

/** A list goes with IN and NOT IN, a text with the others; on anything else MLflow fails. */
export function checkTextOrList(
  comparator: string,
  value: string | readonly string[],
  shown?: string,
): TextComparison | ListComparison {
  const checked = checkComparator(comparator, textComparators, shown);
  if (typeof value === "string" && isOneOf(likeComparators, checked)) return { comparator: checked, value };
  if (typeof value !== "string" && isOneOf(listComparators, checked)) return { comparator: checked, value };
  const what = typeof value === "string" ? "a single value" : "a list of values";
  throw grammarError(`Invalid comparator '${comparator}' for ${what}`);
}
