/** A database that MLflow writes to, read as of one moment. What differs between the three is here. */
export type SqlReader = {
  kind: "sqlite" | "postgresql" | "mysql";
  /** `"key"`, or in MySQL the same between backticks. */
  quote(name: string): string;
  /** The n-th parameter of a statement, counted from 1. */
  parameter(n: number): string;
  /** A column of 64-bit integers, so that `readInt` gets each of them exactly. */
  integer(column: string): string;
  /** `column in (...)` for any number of values, with its parameters, the first of which is the n-th. */
  among(column: string, values: readonly string[], n: number): { sql: string; parameters: unknown[] };
  /** Rows as arrays. */
  rows(sql: string, parameters?: readonly unknown[]): Promise<SqlRow[]>;
  /** The same, so many at a time. */
  stream(sql: string, parameters: readonly unknown[], size: number): AsyncIterable<SqlRow[]>;
  /** Tables with their columns. */
  tables(): Promise<Map<string, Set<string>>>;
  close(): Promise<void>;
};

export type SqlValue = string | number | bigint | boolean | null;
export type SqlRow = SqlValue[];

/** An integer of a column that was asked for by `integer`: a number where that is exact. */
export function readInt(value: SqlValue | undefined): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string") return 0;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

/** Times and other integers that fit. */
export const readNumber = (value: SqlValue | undefined): number => Number(value ?? 0);
export const readNumberOrNull = (value: SqlValue | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
export const readText = (value: SqlValue | undefined): string =>
  value === null || value === undefined ? "" : String(value);
export const readTextOrNull = (value: SqlValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
