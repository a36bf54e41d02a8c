import { sql, type RawBuilder } from "kysely";

export type Comparator =
  | "="
  | "!="
  | ">"
  | ">="
  | "<"
  | "<="
  | "LIKE"
  | "ILIKE"
  | "IN"
  | "NOT IN"
  | "IS NULL"
  | "IS NOT NULL";

type Simple = Exclude<Comparator, "IN" | "NOT IN" | "IS NULL" | "IS NOT NULL">;

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

/** `bigint comparator value`, for values of any size and with fractions. */
export function compareBigint(
  column: RawBuilder<unknown>,
  comparator: Comparator,
  value: number | bigint | string,
): RawBuilder<unknown> {
  return sql`${column}::numeric ${operators[comparator as Simple]} ${String(value)}::numeric`;
}

export function compareDouble(
  column: RawBuilder<unknown>,
  comparator: Comparator,
  value: number | bigint | string,
): RawBuilder<unknown> {
  return sql`${column} ${operators[comparator as Simple]} ${String(value)}::float8`;
}
