import { decodePageToken, encodePageToken } from "../../kernel/page-token.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { isoToMicros, type Micros } from "../../kernel/micros.ts";
import { LEVELS, type LogFilter } from "../../modules/pipelines/index.ts";
import { invalidFilter, invalidRequest } from "./errors.ts";

/** As many as ZenML's own server gives, and what is given where nothing is said. */
export const MAX_ENTRIES = 50_000;
const DEFAULT_ENTRIES = 1000;

export type EntriesQuery = {
  filter: LogFilter;
  limit: number;
  backwards: boolean;
  /** The place that a cursor holds. */
  from: number | undefined;
};

type Query = Readonly<Record<string, string>>;

/** What is asked for of the entries of a log; a cursor holds the filter it was made with. Pure. */
export function parseEntriesQuery(query: Query, logId: string): EntriesQuery {
  const filter = parseFilter(query);
  const limit = Math.min(readPositive(query, "limit") ?? DEFAULT_ENTRIES, MAX_ENTRIES);
  const { start, before, after } = query;
  if (start !== undefined && start !== "oldest" && start !== "newest") {
    throw problem("literal_error", "start", "Input should be 'oldest' or 'newest'");
  }
  if (before !== undefined && after !== undefined) {
    throw invalidParameter("Pass only one of `before` and `after`.");
  }
  const cursor = before ?? after;
  if (cursor === undefined) return { filter, limit, backwards: start === "newest", from: undefined };
  const backwards = before !== undefined;
  const saved = readCursor(cursor, { logId, backwards });
  if (start !== undefined && (start === "newest") !== backwards) throw conflict("start");
  for (const name of ["search", "level", "since", "until"] as const) {
    if (filter[name] !== undefined && filter[name] !== saved.filter[name]) throw conflict(name);
  }
  return { filter: saved.filter, limit, backwards, from: saved.place };
}

const conflict = (name: string): Error =>
  invalidParameter(`\`${name}\` conflicts with the pagination cursor.`);

const LENGTH = 7;

/**
 * The places before and behind a page, in bytes: they stay what they are while a log grows, and when its files are made
 * one. Whoever makes one up sees other lines of the same log.
 */
export function cursorsOf(
  page: { start: number; end: number; size: number },
  { logId, filter }: { logId: string; filter: LogFilter },
): { before: string | null; after: string | null } {
  const make = (direction: string, place: number): string =>
    encodePageToken([
      logId,
      direction,
      place,
      filter.search ?? null,
      filter.level ?? null,
      filter.since ?? null,
      filter.until ?? null,
    ]);
  return {
    before: page.start > 0 ? make("before", page.start) : null,
    after: page.end < page.size ? make("after", page.end) : null,
  };
}

function readCursor(
  cursor: string,
  { logId, backwards }: { logId: string; backwards: boolean },
): { place: number; filter: LogFilter } {
  const [id, direction, place, search, level, since, until] = decode(cursor);
  const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
  const isNumberOrNull = (value: unknown): boolean => value === null || isNumber(value);
  const fits =
    id === logId &&
    direction === (backwards ? "before" : "after") &&
    isNumber(place) &&
    place >= 0 &&
    (search === null || typeof search === "string") &&
    [level, since, until].every(isNumberOrNull);
  if (!fits) throw invalidCursor();
  const filter: LogFilter = {
    search: search ?? undefined,
    level: (level as number | null) ?? undefined,
    since: (since as Micros | null) ?? undefined,
    until: (until as Micros | null) ?? undefined,
  };
  return { place, filter };
}

const invalidCursor = (): Error => invalidParameter("Invalid pagination cursor.");

function decode(cursor: string): ReturnType<typeof decodePageToken> {
  try {
    return decodePageToken(cursor, LENGTH);
  } catch {
    throw invalidCursor();
  }
}

function parseFilter(query: Query): LogFilter {
  const since = readTime(query, "since");
  const until = readTime(query, "until");
  if (since !== undefined && until !== undefined && since > until) {
    throw invalidFilter("`since` must be earlier than `until`.");
  }
  return { search: query["search"] || undefined, level: readLevel(query["level"]), since, until };
}

/** By name or number. */
function readLevel(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const name = text.trim().toUpperCase();
  const level = Object.hasOwn(LEVELS, name) ? LEVELS[name] : /^\d+$/.test(name) ? Number(name) : undefined;
  if (level !== undefined && Object.values(LEVELS).includes(level)) return level;
  const names = "NOTSET, ERROR, WARN, WARNING, INFO, DEBUG, CRITICAL";
  const shown = JSON.stringify(text).slice(1, -1);
  throw problem(
    "value_error",
    "level",
    `Value error, "${shown}" is not a log level. Use one of ${names} or the equivalent number.`,
  );
}

function readTime(query: Query, name: string): Micros | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const micros = isoToMicros(text);
  if (micros !== undefined) return micros;
  throw problem("datetime_from_date_parsing", name, "Input should be a valid datetime or date");
}

export function readInteger(query: Query, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const value = /^\s*[-+]?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw problem("int_parsing", name, "Input should be a valid integer, unable to parse string as an integer");
}

function readPositive(query: Query, name: string): number | undefined {
  const value = readInteger(query, name);
  if (value !== undefined && value <= 0)
    throw problem("greater_than", name, "Input should be greater than 0");
  return value;
}

const problem = (type: string, name: string, msg: string): Error =>
  invalidRequest([{ type, loc: ["query", name], msg }]);
