import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import type { Condition, PageQuery } from "./pages.ts";
import { PRINCIPAL_COLUMNS, type PrincipalRow } from "./principals.sql.ts";
import type { PrincipalKind } from "./principals.ts";

/** By their names in ZenML's API. */
export const principalColumns = {
  id: "replace(uuid::text, '-', '')",
  name: "name",
  full_name: "coalesce(full_name, '')",
  email: "email",
  description: "coalesce(description, '')",
  active: "(active and activation_hash is null)",
  created: "creation_timestamp",
  updated: "last_updated_timestamp",
} as const;
export type PrincipalColumn = keyof typeof principalColumns;

/**
 * Page numbers leave no other way than to pass over the rows of the pages before. With 100,000 principals, two busy
 * cores: one name is found in 0.1 ms; the first page by time takes 80 ms, the last by name 200 ms, the count 40 ms.
 */
export async function selectPrincipalPage(
  database: Database,
  kind: PrincipalKind,
  query: PageQuery<PrincipalColumn>,
): Promise<{ total: number; rows: PrincipalRow[] }> {
  const where = sql`kind = ${kind} and ${matching(query)}`;
  const order = sql.raw(principalColumns[query.order.column]);
  const direction = sql.raw(query.order.descending ? "desc" : "asc");
  const [rows, [count]] = await Promise.all([
    database.run<PrincipalRow>(
      sql`select ${sql.raw(PRINCIPAL_COLUMNS)} from identity.principals where ${where}
        order by ${order} ${direction}, principal_id ${direction}
        limit ${query.limit} offset ${query.offset}`.compile(database.kysely),
    ),
    database.run<{ total: number }>(
      sql`select count(*) as total from identity.principals where ${where}`.compile(database.kysely),
    ),
  ]);
  return { total: count?.total ?? 0, rows };
}

function matching({ conditions, any }: PageQuery<PrincipalColumn>): RawBuilder<unknown> {
  if (conditions.length === 0) return sql`true`;
  return sql`(${sql.join(conditions.map(conditionSql), any ? sql` or ` : sql` and `)})`;
}

const comparisons = { equals: "=", gte: ">=", gt: ">", lte: "<=", lt: "<" } as const;

function conditionSql({ column, operation, value }: Condition<PrincipalColumn>): RawBuilder<unknown> {
  const left = sql.raw(principalColumns[column]);
  switch (operation) {
    case "oneof":
      return sql`(${left})::text = any (${[value].flat().map(String)}::text[])`;
    case "notequals":
      return sql`${left} is distinct from ${value}`;
    case "contains":
      return sql`position(${String(value)} in (${left})::text) > 0`;
    case "startswith":
      return sql`starts_with((${left})::text, ${String(value)})`;
    case "endswith":
      return sql`right((${left})::text, greatest(char_length(${String(value)}), 0)) = ${String(value)}`;
    default:
      return sql`${left} ${sql.raw(comparisons[operation])} ${value}`;
  }
}
