import type { RawBuilder } from "kysely";

/** A list by page number, filtered and ordered as ZenML's clients ask for it (`protocols/zenml/list-query.ts`). */
export type Operation =
  | "equals"
  | "notequals"
  | "contains"
  | "notcontains"
  | "startswith"
  | "endswith"
  | "oneof"
  | "notoneof"
  | "isnull"
  | "isnotnull"
  | "gte"
  | "gt"
  | "lte"
  | "lt"
  | "in";

/** What an operation compares with: a list for `oneof` and `notoneof`, `[from, to]` for `in`, null for none. */
export type Operand = string | number | boolean | null | readonly (string | number | boolean)[];

export type Comparison = { readonly operation: Operation; readonly value: Operand };

export type Condition = Comparison & { readonly field: string };

export type ListQuery = {
  readonly conditions: readonly Condition[];
  /** Whether one condition is enough. */
  readonly any: boolean;
  readonly order: { readonly field: string; readonly descending: boolean };
  /** From 1. */
  readonly page: number;
  readonly size: number;
};

/** How a field is compared; what is of a `reference` may be named or be an id. */
export type FieldKind =
  | "text"
  | "uuid"
  | "boolean"
  | "integer"
  | "number"
  | "time"
  | "reference"
  | "tags"
  | "metadata";

/** A field of a list, as SQL over the alias `t` of its table. */
export type Field =
  | {
      readonly kind: "text" | "uuid" | "boolean" | "integer" | "number" | "time";
      readonly sql: string;
      /** Filters that no one column answers; `sql` is for the order then. */
      condition?(comparison: Comparison): RawBuilder<unknown>;
      /** No order can be asked for by it. */
      readonly unordered?: true;
      /** No filter can be on it. */
      readonly orderOnly?: true;
    }
  | {
      readonly kind: "reference";
      /** The id of what is referred to. */
      readonly sql: string;
      readonly table: string;
      /** Columns of that table that may be named besides its id; `name` where nothing is said. */
      readonly names?: readonly string[];
      /** The column that holds its id; `id` where nothing is said. */
      readonly key?: string;
      /** What lists are ordered by; its name where nothing is said. */
      readonly order?: string;
      readonly unordered?: true;
    }
  /** Tags of the row `t.id`, by their names. */
  | { readonly kind: "tags"; readonly unordered?: true }
  /** Values logged about the row `t.id`, as `key:value` or `key:operation:value`. */
  | { readonly kind: "metadata" };

export type Fields = Readonly<Record<string, Field>>;

export type Page<R> = { total: number; rows: R[] };

/** What every list has. */
export const idFields = {
  id: { kind: "uuid", sql: "t.id" },
  created: { kind: "time", sql: "t.created" },
  updated: { kind: "time", sql: "t.updated" },
} as const satisfies Fields;

/** Whoever made it: `scope_user` takes an id alone, and always counts besides the other conditions. */
export const userFields = {
  user: {
    kind: "reference",
    sql: "t.user_id",
    table: "identity.principals",
    key: "uuid",
    names: ["name", "full_name"],
  },
  user_id: { kind: "uuid", sql: "t.user_id" },
  scope_user: { kind: "uuid", sql: "t.user_id", unordered: true },
} as const satisfies Fields;

/** Fields that hold whatever the `logical_operator` says. */
export const scopeFields: ReadonlySet<string> = new Set([
  "scope_user",
  "scope_type",
  "latest_run_status",
  "latest_run_user",
]);
