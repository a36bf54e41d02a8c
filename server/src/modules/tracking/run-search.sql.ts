import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { readInts, readTexts } from "../../kernel/pg-arrays.ts";
import { compareBigint, compareDouble, compareText } from "./comparison.sql.ts";
import { inWorkspace, ofExperiments } from "./experiment-scope.sql.ts";
import { isAfter, orderBy, placeOf, type OrderTerm, type Place } from "./keyset.ts";
import { versionOf } from "./runs.sql.ts";
import type { OrderBy, RunComparison } from "./search-run.ts";

export type KeyIds = ReadonlyMap<string, number>;

export type View = "active" | "deleted" | "all";

export type RunQuery = {
  workspaceId: number;
  experimentIds: readonly number[];
  view: View;
  filter: readonly RunComparison[];
  keyIds: KeyIds;
  orderBy: readonly OrderBy[];
};

const statusName = sql`(array['RUNNING','SCHEDULED','FINISHED','FAILED','KILLED'])[r.status]`;

const attributes: Record<string, Omit<OrderTerm, "ascending">> = {
  run_id: { expression: sql`r.run_uuid`, type: "text", nullable: false },
  run_name: { expression: sql`r.name collate "C"`, type: "text", nullable: false },
  user_id: { expression: sql`r.user_id collate "C"`, type: "text", nullable: false },
  status: { expression: sql`${statusName} collate "C"`, type: "text", nullable: false },
  artifact_uri: { expression: sql`r.artifact_uri collate "C"`, type: "text", nullable: false },
  start_time: { expression: sql`r.start_time`, type: "bigint", nullable: false },
  end_time: { expression: sql`r.end_time`, type: "bigint", nullable: true },
};

const attribute = (key: string): Omit<OrderTerm, "ascending"> => {
  const found = attributes[key];
  if (found === undefined) throw new Error(`Runs have no attribute '${key}'.`);
  return found;
};

const tables = {
  metric: sql`tracking.run_metrics`,
  param: sql`tracking.params`,
  tag: sql`tracking.tags`,
} as const;

const datasetColumns = {
  name: sql`d.name`,
  digest: sql`d.digest`,
  context: sql`link.tags ->> 'mlflow.data.context'`,
} as const;

function condition(comparison: RunComparison, keyIds: KeyIds): RawBuilder<unknown> {
  switch (comparison.kind) {
    case "attribute": {
      const { expression } = attribute(comparison.key);
      return typeof comparison.value === "number" || typeof comparison.value === "bigint"
        ? compareBigint(expression, comparison.comparator, comparison.value)
        : compareText(expression, comparison.comparator, comparison.value);
    }
    case "dataset": {
      const compared = compareText(datasetColumns[comparison.key], comparison.comparator, comparison.value);
      return sql`exists (
        select from tracking.run_datasets as link join tracking.datasets as d using (dataset_id)
        where link.run_id = r.run_id and ${compared})`;
    }
    default: {
      const keyId = keyIds.get(comparison.key);
      // A key that nothing was ever logged under.
      if (keyId === undefined) return comparison.comparator === "IS NULL" ? sql`true` : sql`false`;
      return valueCondition(comparison, keyId);
    }
  }
}

type ValueComparison = Extract<RunComparison, { kind: "metric" | "param" | "tag" }>;

function valueCondition(comparison: ValueComparison, keyId: number): RawBuilder<unknown> {
  const found = sql`select from ${tables[comparison.kind]} as v
    where v.run_id = r.run_id and v.experiment_id = r.experiment_id and v.key_id = ${sql.lit(keyId)}`;
  if (comparison.kind === "metric") {
    const compared = compareDouble(sql`v.value`, comparison.comparator, comparison.value);
    // NaN is above all numbers in PostgreSQL, but no comparison except "!=" holds for it.
    const nan = comparison.comparator === "!=" ? sql`` : sql`and v.value <> 'NaN'`;
    return sql`exists (${found} and ${compared} ${nan})`;
  }
  if (comparison.value === null) {
    return comparison.comparator === "IS NULL" ? sql`not exists (${found})` : sql`exists (${found})`;
  }
  const { comparator, value } = comparison;
  // The index holds the first 64 characters.
  const indexed = comparator === "=" ? sql`and left(v.value, 64) = left(${value}::text, 64)` : sql``;
  return sql`exists (${found} ${indexed} and ${compareText(sql`v.value`, comparator, value)})`;
}

/** Terms of one `order by` entry: what is missing comes last in both directions, NaN before it. */
function termsOf(
  order: OrderBy,
  index: number,
  keyIds: KeyIds,
): { terms: OrderTerm[]; join: RawBuilder<unknown> } {
  const { ascending } = order;
  if (order.kind === "attribute") return { terms: [{ ...attribute(order.key), ascending }], join: sql`` };
  const alias = sql.ref(`o${index}`);
  const value = sql.ref(`o${index}.value`);
  const join = sql`left join ${tables[order.kind]} as ${alias}
    on ${alias}.run_id = r.run_id and ${alias}.key_id = ${sql.lit(keyIds.get(order.key) ?? -1)}`;
  if (order.kind !== "metric") {
    return {
      terms: [{ expression: sql`${value} collate "C"`, type: "text", nullable: true, ascending }],
      join,
    };
  }
  const rank = sql`case when ${value} = 'NaN' then 1 when ${value} is null then 2 else 0 end`;
  return {
    terms: [
      { expression: rank, type: "bigint", nullable: false, ascending: true },
      { expression: sql`nullif(${value}, 'NaN')`, type: "float8", nullable: true, ascending },
    ],
    join,
  };
}

const startTime: OrderTerm = {
  expression: sql`r.start_time`,
  type: "bigint",
  nullable: false,
  ascending: false,
};
const runUuid: OrderTerm = { expression: sql`r.run_uuid`, type: "text", nullable: false, ascending: true };

/**
 * Sorting by a metric walks the index (experiment, key, value) and stops when the page is full, so its
 * time does not grow with the experiment: first the runs with a number, then those with NaN, then
 * those without the metric. Each of the three is a phase with a query of its own. Measured at 250,000
 * runs, first 1,000 by a metric: 9 ms, against 410 ms for one query with a sort over all of them.
 */
export const phases = ["numbers", "nan", "missing", "all"] as const;
export type Phase = (typeof phases)[number];

export const firstPhase = (query: RunQuery): Phase =>
  query.orderBy[0]?.kind === "metric" ? "numbers" : "all";

export const nextPhase = (phase: Phase): Phase | undefined =>
  phase === "numbers" ? "nan" : phase === "nan" ? "missing" : undefined;

/** `lastPlace` is that of the last run of the page; `more` tells whether others come after it. */
export type FoundRun = { runId: number; version: string };

export type FoundRuns = { runs: FoundRun[]; lastPlace: Place | undefined; more: boolean };

/** Up to `size` runs of a phase after a place. */
export async function selectRunIds(
  database: Database,
  query: RunQuery,
  page: { phase: Phase; after: Place | undefined; size: number },
): Promise<FoundRuns> {
  const { phase, after, size } = page;
  const { terms, from, where } = phaseParts(query, phase);
  const conditions = [
    ...where,
    ofExperiments(sql`r.experiment_id`, query.experimentIds),
    inWorkspace(sql`r.experiment_id`, query),
    ...viewConditions(query.view),
    ...query.filter.map((comparison) => condition(comparison, query.keyIds)),
    ...(after === undefined ? [] : [isAfter(terms, after)]),
  ];
  const built = sql<{ run_ids: string | null; versions: string | null; last_place: string | null }>`
    select array_agg(run_id)::text as run_ids, array_to_json(array_agg(version))::text as versions,
      (array_agg(place))[least(count(*), ${sql.lit(size)})] as last_place
    from (
      select r.run_id, ${sql.raw(versionOf("r"))} as version, array_to_json(${placeOf(terms)})::text as place from ${from}
      where ${sql.join(conditions, sql` and `)}
      order by ${orderBy(terms)} limit ${sql.lit(size + 1)}
    ) as page`;
  const [row] = await database.run(built.compile(database.kysely));
  const ids = readInts(row?.run_ids ?? null);
  const versions = readTexts(row?.versions ?? null);
  const last = row?.last_place ?? null;
  return {
    runs: ids.slice(0, size).map((runId, index) => ({ runId, version: versions[index] as string })),
    more: ids.length > size,
    lastPlace: last === null ? undefined : (JSON.parse(last) as Place),
  };
}

function viewConditions(view: View): RawBuilder<unknown>[] {
  if (view === "all") return [];
  return [view === "active" ? sql`r.deleted_at is null` : sql`r.deleted_at is not null`];
}

type PhaseParts = { terms: OrderTerm[]; from: RawBuilder<unknown>; where: RawBuilder<unknown>[] };

/** What the runs of a phase are sorted by: it decides what a page token must hold. */
export const phaseTerms = (query: RunQuery, phase: Phase): OrderTerm[] => phaseParts(query, phase).terms;

function phaseParts(query: RunQuery, phase: Phase): PhaseParts {
  const [first, ...others] = query.orderBy;
  const rest = (phase === "all" ? query.orderBy : others).map((order, index) =>
    termsOf(order, index + 1, query.keyIds),
  );
  const byStart = query.orderBy.some((order) => order.kind === "attribute" && order.key === "start_time");
  const tail = [...rest.flatMap((one) => one.terms), ...(byStart ? [] : [startTime]), runUuid];
  const joins = sql.join(
    rest.map((one) => one.join),
    sql` `,
  );
  const runs = rest.length === 0 ? sql`tracking.runs as r` : sql`tracking.runs as r ${joins}`;
  if (phase === "all" || first === undefined) return { terms: tail, from: runs, where: [] };
  const keyId = sql.lit(query.keyIds.get(first.key) ?? -1);
  if (phase === "missing") {
    const without = sql`not exists (select from tracking.run_metrics as o0
      where o0.run_id = r.run_id and o0.key_id = ${keyId})`;
    return { terms: tail, from: runs, where: [without] };
  }
  const joined = rest.length === 0 ? sql`` : joins;
  const from = sql`tracking.run_metrics as o0 join tracking.runs as r
    on r.run_id = o0.run_id and r.experiment_id = o0.experiment_id ${joined}`;
  const where = [ofExperiments(sql`o0.experiment_id`, query.experimentIds), sql`o0.key_id = ${keyId}`];
  if (phase === "nan") return { terms: tail, from, where: [...where, sql`o0.value = 'NaN'`] };
  const value: OrderTerm = {
    expression: sql`o0.value`,
    type: "float8",
    nullable: false,
    ascending: first.ascending,
  };
  return { terms: [value, ...tail], from, where: [...where, sql`o0.value < 'NaN'`] };
}
