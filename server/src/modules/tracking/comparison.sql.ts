import { sql, type RawBuilder } from "kysely";
import type { Comparator, ListComparator, NullComparator } from "./search-filter.ts";

type Simple = Exclude<Comparator, ListComparator | NullComparator>;

const operators: Record<Simple, RawBuilder<unknown>> = {
  "=": sql`=`,
  "!=": sql`<>`,
  ">": sql`>`,
  ">=": sql`>=`,
  "<": sql`<`,
  "<=": sql`<=`,
  LIKE: sql`like`,
  ILIKE: sql`ilike`,
};

/** `text comparator value`; in patterns only `%` and `_` mean something, as in MLflow on SQLite. */
export function compareText(
  text: RawBuilder<unknown>,
  comparator: Comparator,
  value: string | readonly string[],
): RawBuilder<unknown> {
  switch (comparator) {
    case "IN":
      return sql`${text} = any(${value}::text[])`;
    case "NOT IN":
      return sql`${text} <> all(${value}::text[])`;
    case "IS NULL":
      return sql`${text} is null`;
    case "IS NOT NULL":
      return sql`${text} is not null`;
    case "LIKE":
    case "ILIKE":
      return sql`${text} ${operators[comparator]} ${value}::text escape ''`;
    default:
      return sql`${text} ${operators[comparator]} ${value}::text`;
  }
}

/** `bigint comparator value`, for values of any size, with fractions or infinite. Nothing compares with NaN. */
export function compareBigint(
  column: RawBuilder<unknown>,
  comparator: Comparator,
  value: number | bigint | string,
): RawBuilder<unknown> {
  if (Number.isNaN(value)) return sql`false`;
  return sql`${column}::numeric ${operators[comparator as Simple]} ${String(value)}::numeric`;
}

export function compareDouble(
  column: RawBuilder<unknown>,
  comparator: Comparator,
  value: number | bigint | string,
): RawBuilder<unknown> {
  if (Number.isNaN(value)) return sql`false`;
  return sql`${column} ${operators[comparator as Simple]} ${String(value)}::float8`;
}
