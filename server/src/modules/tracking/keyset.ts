import { createHash } from "node:crypto";
import { sql, type RawBuilder } from "kysely";
import { invalidParameter } from "../../kernel/errors.ts";
import { decodePageToken, encodePageToken, type TokenPart } from "../../kernel/page-token.ts";

/**
 * Keyset paging: a page starts after the values of the last row of the page before, so its cost does
 * not grow with its number. The last term of an order must be unique.
 */
export type OrderTerm = {
  /** For texts with a collation in it, so that the order is the same on every database. */
  expression: RawBuilder<unknown>;
  type: "bigint" | "float8" | "text";
  ascending: boolean;
  /** Null comes last in both directions. */
  nullable: boolean;
};

export function orderBy(terms: readonly OrderTerm[]): RawBuilder<unknown> {
  const list = terms.map(({ expression, ascending, nullable }) => {
    const direction = ascending ? sql`asc` : sql`desc`;
    return nullable ? sql`${expression} ${direction} nulls last` : sql`${expression} ${direction}`;
  });
  return sql.join(list);
}

/** A row's place in the order, as texts that PostgreSQL reads back without loss. */
export function placeOf(terms: readonly OrderTerm[]): RawBuilder<unknown> {
  return sql`array[${sql.join(terms.map(({ expression }) => sql`(${expression})::text`))}]`;
}

export type Place = readonly (string | null)[];

/** True for rows that come after `place`. */
export function isAfter(terms: readonly OrderTerm[], place: Place): RawBuilder<unknown> {
  const [first, ...others] = terms;
  if (first === undefined) return sql`false`;
  const rest = others.length === 0 ? undefined : isAfter(others, place.slice(1));
  return isAfterTerm(first, place[0] ?? null, rest);
}

function isAfterTerm(
  { expression, type, ascending, nullable }: OrderTerm,
  value: string | null,
  rest: RawBuilder<unknown> | undefined,
): RawBuilder<unknown> {
  if (value === null) return rest === undefined ? sql`false` : sql`(${expression} is null and ${rest})`;
  const bound = sql`${value}::${sql.raw(type)}`;
  const beyond = ascending ? sql`${expression} > ${bound}` : sql`${expression} < ${bound}`;
  if (rest === undefined) return nullable ? sql`(${beyond} or ${expression} is null)` : beyond;
  if (nullable) return sql`(${beyond} or ${expression} is null or (${expression} = ${bound} and ${rest}))`;
  // Implied by what follows, and in a form that an index can use.
  const from = ascending ? sql`${expression} >= ${bound}` : sql`${expression} <= ${bound}`;
  return sql`(${from} and (${beyond} or ${rest}))`;
}

/** The token of the page after `place`; it serves only searches that ask for the same. */
export const encodePlace = (search: readonly unknown[], place: Place): string =>
  encodePageToken([fingerprint(search), ...place]);

export function decodePlace(search: readonly unknown[], terms: readonly OrderTerm[], token: string): Place {
  const [mark, ...parts] = decodePageToken(token, terms.length + 1);
  const valid = terms.every((term, index) => fits(term, parts[index] ?? null));
  if (mark !== fingerprint(search) || !valid) {
    throw invalidParameter(
      "Invalid page token: it belongs to a search with another scope, filter or order. " +
        "Send the token of the page before together with the fields that page was asked for with.",
    );
  }
  return parts as Place;
}

const INT8 = /^-?\d{1,19}$/;

function fits({ type, nullable }: OrderTerm, part: TokenPart): boolean {
  if (part === null) return nullable;
  if (typeof part !== "string") return false;
  if (type === "bigint") return INT8.test(part);
  return type === "text" ? !part.includes("\0") : part !== "" && !Number.isNaN(Number(part));
}

function fingerprint(search: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(search)).digest("base64url").slice(0, 12);
}
