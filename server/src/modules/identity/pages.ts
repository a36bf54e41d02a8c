/** Lists by page number, as ZenML's clients ask for them: filtered and ordered by columns. */
export type Operation =
  | "equals"
  | "notequals"
  | "contains"
  | "startswith"
  | "endswith"
  | "oneof"
  | "gte"
  | "gt"
  | "lte"
  | "lt";

export type Comparable = string | boolean | number;

export type Condition<Column extends string = string> = {
  column: Column;
  operation: Operation;
  /** Several for `oneof`. Ids are without hyphens, times in milliseconds since 1970. */
  value: Comparable | readonly Comparable[];
};

export type PageQuery<Column extends string = string> = {
  conditions: readonly Condition<Column>[];
  /** Whether one condition is enough. */
  any: boolean;
  order: { column: Column; descending: boolean };
  offset: number;
  limit: number;
};

/** A page of a list that is short, such as the keys of one account; null is equal to nothing. */
export function pageOfRows<Row, Column extends string>(
  rows: readonly Row[],
  query: PageQuery<Column>,
  valueOf: (row: Row, column: Column) => Comparable | null,
): { total: number; rows: Row[] } {
  const { conditions, any, order, offset, limit } = query;
  const fits = (row: Row, { column, operation, value }: Condition<Column>): boolean =>
    compare(valueOf(row, column), operation, value);
  const found = rows.filter((row) =>
    any && conditions.length > 0
      ? conditions.some((condition) => fits(row, condition))
      : conditions.every((condition) => fits(row, condition)),
  );
  const sign = order.descending ? -1 : 1;
  const sorted = found.toSorted((left, right) => {
    const [a, b] = [valueOf(left, order.column), valueOf(right, order.column)];
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? sign : -sign;
    return a < b ? -sign : sign;
  });
  return { total: found.length, rows: sorted.slice(offset, offset + limit) };
}

function compare(actual: Comparable | null, operation: Operation, value: Condition["value"]): boolean {
  if (operation === "oneof") return actual !== null && [value].flat().includes(actual);
  if (operation === "notequals") return actual !== value;
  if (actual === null) return false;
  if (operation === "equals") return actual === value;
  const [text, part] = [String(actual), String(value)];
  switch (operation) {
    case "contains":
      return text.includes(part);
    case "startswith":
      return text.startsWith(part);
    case "endswith":
      return text.endsWith(part);
    case "gte":
      return Number(actual) >= Number(value);
    case "gt":
      return Number(actual) > Number(value);
    case "lte":
      return Number(actual) <= Number(value);
    case "lt":
      return Number(actual) < Number(value);
  }
}
