import { sql, type RawBuilder } from "kysely";
import { compareBigint, compareText } from "./comparison.sql.ts";
import type { OrderTerm } from "./keyset.ts";
import type { View } from "./run-search.sql.ts";
import { readExperimentId } from "./experiment-ids.ts";
import type { ExperimentAttribute, ExperimentComparison, ExperimentOrderBy } from "./search-experiment.ts";
import { isVisible, type VisibleExperiments } from "./visible-experiments.ts";

export type ExperimentQuery = {
  workspaceId: number;
  view: View;
  filter: readonly ExperimentComparison[];
  visible: VisibleExperiments;
};

const name = sql`e.name`;
const id = sql`e.experiment_id`;
const creationTime = sql`e.creation_time`;
const lastUpdateTime = sql`e.last_update_time`;

export function experimentConditions(query: ExperimentQuery): RawBuilder<unknown>[] {
  const { workspaceId, view, filter, visible } = query;
  const conditions = [
    sql`e.workspace_id = ${sql.lit(workspaceId)}`,
    ...isVisible(id, visible),
    ...filter.map(condition),
  ];
  if (view === "active") conditions.push(sql`e.deleted_at is null`);
  if (view === "deleted") conditions.push(sql`e.deleted_at is not null`);
  return conditions;
}

function condition(comparison: ExperimentComparison): RawBuilder<unknown> {
  const { comparator, value } = comparison;
  if (comparison.kind === "tag") {
    const tagged = sql`select from tracking.experiment_tags as t
      where t.experiment_id = e.experiment_id and t.key = ${comparison.key}`;
    if (comparator === "IS NULL") return sql`not exists (${tagged})`;
    if (comparator === "IS NOT NULL") return sql`exists (${tagged})`;
    return sql`exists (${tagged} and ${compareText(sql`t.value`, comparator, value as string)})`;
  }
  switch (comparison.key) {
    case "name":
      return compareText(name, comparison.comparator, comparison.value);
    case "creation_time":
      return compareBigint(creationTime, comparison.comparator, comparison.value);
    case "last_update_time":
      return compareBigint(lastUpdateTime, comparison.comparator, comparison.value);
    case "experiment_id":
      return compareId(comparison.comparator, comparison.value);
  }
}

/** Ids arrive as texts; one that is no number is an error, one that no experiment can have matches none. */
function compareId(
  comparator: "=" | "!=" | "IN" | "NOT IN",
  value: string | readonly string[],
): RawBuilder<unknown> {
  const read = [value].flat().map(readExperimentId);
  const numbers = read.filter((one) => typeof one === "number");
  const long = read.filter((one) => typeof one === "string");
  const list =
    long.length === 0
      ? sql`${numbers}::integer[]`
      : sql`${numbers}::integer[] || array(
          select experiment_id from tracking.experiment_ids where long_id = any(${long}::bigint[]))`;
  return comparator === "=" || comparator === "IN" ? sql`${id} = any(${list})` : sql`${id} <> all(${list})`;
}

const terms: Record<ExperimentAttribute, Omit<OrderTerm, "ascending">> = {
  name: { expression: sql`e.name collate "C"`, type: "text", nullable: false },
  experiment_id: { expression: id, type: "bigint", nullable: false },
  creation_time: { expression: creationTime, type: "bigint", nullable: false },
  last_update_time: { expression: lastUpdateTime, type: "bigint", nullable: false },
};

const newestFirst: readonly ExperimentOrderBy[] = [
  { key: "creation_time", ascending: false },
  { key: "experiment_id", ascending: true },
];

/** MLflow's default, and its tie-breaker: the youngest first where an order was given. */
export function experimentOrder(orderBy: readonly ExperimentOrderBy[]): OrderTerm[] {
  const wanted =
    orderBy.length === 0 ? newestFirst : [...orderBy, { key: "experiment_id", ascending: false } as const];
  const order = new Map<ExperimentAttribute, OrderTerm>();
  for (const { key, ascending } of wanted) {
    // A key given twice says nothing the second time, and nothing does after the id.
    if (!order.has(key) && !order.has("experiment_id")) order.set(key, { ...terms[key], ascending });
  }
  return [...order.values()];
}
