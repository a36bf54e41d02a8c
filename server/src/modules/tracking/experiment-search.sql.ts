import { sql, type RawBuilder } from "kysely";
import { invalidParameter } from "../../kernel/errors.ts";
import { compareBigint, compareText } from "./comparison.sql.ts";
import type { OrderTerm } from "./keyset.ts";
import type { View } from "./run-search.sql.ts";
import { experimentNumber } from "./runs.ts";
import type { ExperimentComparison, ExperimentOrderBy } from "./search-experiment.ts";

export type ExperimentQuery = { view: View; filter: readonly ExperimentComparison[] };

const name = sql`e.name`;
const id = sql`e.experiment_id`;
const creationTime = sql`e.creation_time`;
const lastUpdateTime = sql`e.last_update_time`;

export function experimentConditions({ view, filter }: ExperimentQuery): RawBuilder<unknown>[] {
  const conditions = filter.map(condition);
  if (view === "active") conditions.push(sql`e.deleted_at is null`);
  if (view === "deleted") conditions.push(sql`e.deleted_at is not null`);
  return conditions;
}

function condition({ kind, key, comparator, value }: ExperimentComparison): RawBuilder<unknown> {
  if (kind === "tag") {
    const tagged = sql`select from tracking.experiment_tags as t where t.experiment_id = e.experiment_id and t.key = ${key}`;
    if (comparator === "IS NULL") return sql`not exists (${tagged})`;
    if (comparator === "IS NOT NULL") return sql`exists (${tagged})`;
    return sql`exists (${tagged} and ${compareText(sql`t.value`, comparator, value as string)})`;
  }
  switch (key) {
    case "name":
      return compareText(name, comparator, value as string);
    case "creation_time":
      return compareBigint(creationTime, comparator, value as number);
    case "last_update_time":
      return compareBigint(lastUpdateTime, comparator, value as number);
    case "experiment_id":
      return compareId(comparator, value as string | readonly string[]);
    default:
      throw invalidParameter(`Invalid attribute key '${key}' specified.`);
  }
}

/** Ids arrive as texts; one that is no number is an error, one that no experiment can have matches none. */
function compareId(comparator: string, value: string | readonly string[]): RawBuilder<unknown> {
  const ids = [value].flat().flatMap((one) => experimentNumber(one) ?? []);
  const list = sql`${ids}::integer[]`;
  return comparator === "=" || comparator === "IN" ? sql`${id} = any(${list})` : sql`${id} <> all(${list})`;
}

const terms: Record<string, Omit<OrderTerm, "ascending">> = {
  name: { expression: sql`e.name collate "C"`, type: "text", nullable: false },
  experiment_id: { expression: id, type: "bigint", nullable: false },
  creation_time: { expression: creationTime, type: "bigint", nullable: false },
  last_update_time: { expression: lastUpdateTime, type: "bigint", nullable: false },
};

/** MLflow's default, and its tie-breaker: the youngest first where an order was given. */
export function experimentOrder(orderBy: readonly ExperimentOrderBy[]): OrderTerm[] {
  const wanted =
    orderBy.length === 0
      ? [
          { key: "creation_time", ascending: false },
          { key: "experiment_id", ascending: true },
        ]
      : [...orderBy, { key: "experiment_id", ascending: false }];
  const found = new Map<string, OrderTerm>();
  for (const { key, ascending } of wanted) {
    const term = Object.hasOwn(terms, key) ? terms[key] : undefined;
    if (term === undefined) throw invalidParameter(`Invalid attribute key '${key}' specified.`);
    // A key given twice says nothing the second time.
    if (!found.has(key)) found.set(key, { ...term, ascending });
  }
  const order = [...found.values()];
  // What comes after a unique key says nothing either.
  return order.slice(0, [...found.keys()].indexOf("experiment_id") + 1);
}
