import { FIRST_LONG } from "../../modules/tracking/bulk/index.ts";
import { count, type Tally } from "./context.ts";
import type { SourceKeyValue } from "./source.ts";

/** Turning what a source has into what Plinth's tables take. */

/** PostgreSQL's text cannot hold the character of code 0, nor half of a character. */
export function clean(text: string, tally: Tally): string {
  if (!text.includes("\0") && text.isWellFormed()) return text;
  count(tally, "replaced_characters");
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

export const cleanOrNull = (text: string | null, tally: Tally): string | null =>
  text === null ? null : clean(text, tally);

/** MLflow keeps infinities as the largest double, and so does Plinth. */
export function finite(value: number): number {
  if (value === Infinity) return Number.MAX_VALUE;
  return value === -Infinity ? -Number.MAX_VALUE : value;
}

/** The last of each key, cleaned. */
export function uniquePairs(pairs: readonly SourceKeyValue[], tally: Tally): Map<string, string> {
  return new Map(pairs.map(({ key, value }) => [clean(key, tally), clean(value, tally)]));
}

const runStatuses: Readonly<Record<string, number>> = {
  RUNNING: 1,
  SCHEDULED: 2,
  FINISHED: 3,
  FAILED: 4,
  KILLED: 5,
};

/** Undefined for what MLflow does not know. */
export const runStatus = (name: string): number | undefined => runStatuses[name.toUpperCase()];

/** An id that is the number inside, too. */
export const isShortId = (id: string): boolean => /^\d{1,10}$/.test(id) && Number(id) < FIRST_LONG;

/** An id of MLflow's file store, 18 digits, which gets a number of its own inside. */
export const isLongId = (id: string): boolean =>
  /^[1-9]\d{9,18}$/.test(id) && BigInt(id) >= FIRST_LONG && BigInt(id) <= 9_223_372_036_854_775_807n;
