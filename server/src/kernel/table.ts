import type { Column, ColumnType } from "./copy-out.ts";

/** A table as it leaves Plinth: its columns, and the select without parameters that gives them in this order. */
export type Table = { name: string; columns: readonly Column[]; select: string };

/** Columns from `name: type`, with a `?` behind the type where a value may be missing. */
export function columnsOf(spec: Readonly<Record<string, ColumnType | `${ColumnType}?`>>): Column[] {
  return Object.entries(spec).map(([name, type]) => ({
    name,
    type: type.replace("?", "") as ColumnType,
    nullable: type.endsWith("?"),
  }));
}

/** Integers as an SQL literal, for statements that take no parameters. */
export const intArray = (values: readonly number[]): string => {
  if (!values.every((value) => Number.isSafeInteger(value))) throw new TypeError("an id is not an integer");
  return `'{${values.join(",")}}'::integer[]`;
};
