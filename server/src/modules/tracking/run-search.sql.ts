import { sql, type RawBuilder } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { readInts } from "../../kernel/pg-arrays.ts";
import { foreignToken } from "../../kernel/page-token.ts";
import type { OrderBy, RunComparison } from "./search-run.ts";

/** A SQL expression that runs are sorted by; it is never null, so that a page can start after it. */
export type Term = {
  expression: RawBuilder<unknown>;
  ascending: boolean;
  type: "float8" | "bigint" | "text";
};

export type KeyIds = ReadonlyMap<string, number>;

export type View = "active" | "deleted" | "all";

export type RunQuery = {
  experimentIds: readonly number[];
  view: View;
  filter: readonly RunComparison[];
  keyIds: KeyIds;
  orderBy: readonly OrderBy[];
};

const statusName = sql`(array['RUNNING','SCHEDULED','FINISHED','FAILED','KILLED'])[r.status]`;

const attributes: Record<string, { expression: RawBuilder<unknown>; type: Term["type"] }> = {
  run_id: { expression: sql`r.run_uuid`, type: "text" },
  run_name: { expression: sql`r.name`, type: "text" },
  user_id: { expression: sql`r.user_id`, type: "text" },
  status: { expression: statusName, type: "text" },
  artifact_uri: { expression: sql`r.artifact_uri`, type: "text" },
  experiment_id: { expression: sql`r.experiment_id`, type: "bigint" },
  start_time: { expression: sql`r.start_time`, type: "bigint" },
  end_time: { expression: sql`r.end_time`, type: "bigint" },
  deleted_time: { expression: sql`r.deleted_at`, type: "bigint" },
  lifecycle_stage: {
    expression: sql`case when r.deleted_at is null then 'active' else 'deleted' end`,
    type: "text",
  },
};

const attribute = (key: string): { expression: RawBuilder<unknown>; type: Term["type"] } => {
  const found = attributes[key];
  if (found === undefined) throw new Error(`Runs have no attribute '${key}'.`);
  return found;
};

type Simple = Exclude<RunComparison["comparator"], "IN" | "NOT IN" | "IS NULL" | "IS NOT NULL">;

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

/** `expression comparator value` for texts and numbers. */
function compare(expression: RawBuilder<unknown>, comparison: RunComparison): RawBuilder<unknown> {
  const { comparator, value } = comparison;
  switch (comparator) {
    case "IN":
      return sql`${expression} = any(${value}::text[])`;
    case "NOT IN":
      return sql`${expression} <> all(${value}::text[])`;
    case "IS NULL":
      return sql`${expression} is null`;
    case "IS NOT NULL":
      return sql`${expression} is not null`;
    default:
      return sql`${expression} ${operators[comparator]} ${value}`;
  }
}

function condition(comparison: RunComparison, keyIds: KeyIds): RawBuilder<unknown> {
  const { kind, key, comparator, value } = comparison;
  if (kind === "attribute") {
    const { expression, type } = attribute(key);
    return compare(type === "bigint" ? sql`${expression}::numeric` : expression, comparison);
  }
  if (kind === "dataset") {
    const column = key === "context" ? sql`link.tags ->> 'mlflow.data.context'` : sql.ref(`d.${key}`);
    return sql`exists (
      select from tracking.run_datasets as link join tracking.datasets as d using (dataset_id)
      where link.run_id = r.run_id and ${compare(column, comparison)})`;
  }
  const table = tables[kind];
  const keyId = keyIds.get(key);
  // A key that nothing was ever logged under.
  if (keyId === undefined) return comparator === "IS NULL" ? sql`true` : sql`false`;
  const found = sql`select from ${table} as v
    where v.run_id = r.run_id and v.experiment_id = r.experiment_id and v.key_id = ${sql.lit(keyId)}`;
  if (comparator === "IS NULL") return sql`not exists (${found})`;
  if (comparator === "IS NOT NULL") return sql`exists (${found})`;
  if (kind === "metric") {
    // NaN is above all numbers in PostgreSQL, but no comparison except "!=" holds for it.
    const nan = comparator === "!=" ? sql`` : sql`and v.value <> 'NaN'`;
    return sql`exists (${found} and v.value ${operators[comparator as Simple]} ${value}::float8 ${nan})`;
  }
  // The index holds the first 64 characters.
  const indexed = comparator === "=" ? sql`and left(v.value, 64) = left(${value}, 64)` : sql``;
  return sql`exists (${found} ${indexed} and ${compare(sql`v.value`, comparison)})`;
}

const tables = {
  metric: sql`tracking.run_metrics`,
  param: sql`tracking.params`,
  tag: sql`tracking.tags`,
} as const;

/** Terms of one `order by` entry: what is missing comes last in both directions, NaN before it. */
function termsOf(
  order: OrderBy,
  index: number,
  keyIds: KeyIds,
): { terms: Term[]; join: RawBuilder<unknown> } {
  const alias = sql.ref(`o${index}`);
  const value = sql.ref(`o${index}.value`);
  if (order.kind === "attribute") {
    const { expression, type } = attribute(order.key);
    if (order.key !== "end_time")
      return {
        terms: [{ expression: sorted(expression, type), ascending: order.ascending, type }],
        join: sql``,
      };
    return {
      terms: [
        { expression: sql`(${expression} is null)::int`, ascending: true, type: "bigint" },
        { expression: sql`coalesce(${expression}, 0)`, ascending: order.ascending, type },
      ],
      join: sql``,
    };
  }
  const table = tables[order.kind as keyof typeof tables];
  const join = sql`left join ${table} as ${alias}
    on ${alias}.run_id = r.run_id and ${alias}.key_id = ${sql.lit(keyIds.get(order.key) ?? -1)}`;
  if (order.kind === "metric") {
    return {
      terms: [
        {
          expression: sql`case when ${value} = 'NaN' then 1 when ${value} is null then 2 else 0 end`,
          ascending: true,
          type: "bigint",
        },
        { expression: sql`coalesce(nullif(${value}, 'NaN'), 0)`, ascending: order.ascending, type: "float8" },
      ],
      join,
    };
  }
  return {
    terms: [
      { expression: sql`(${value} is null)::int`, ascending: true, type: "bigint" },
      { expression: sql`coalesce(${value}, '') collate "C"`, ascending: order.ascending, type: "text" },
    ],
    join,
  };
}

const sorted = (expression: RawBuilder<unknown>, type: Term["type"]): RawBuilder<unknown> =>
  type === "text" ? sql`${expression} collate "C"` : expression;

const newestFirst: Term[] = [
  { expression: sql`r.start_time`, ascending: false, type: "bigint" },
  { expression: sql`r.run_uuid`, ascending: true, type: "text" },
];

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

export type Place = readonly (string | number | null)[];

/** `lastPlace` is that of the last run of the page; `more` tells whether others come after it. */
export type FoundRuns = { runIds: number[]; lastPlace: string[]; more: boolean };

/** Up to `size` runs of a phase after a place. */
export async function selectRunIds(
  database: Database,
  query: RunQuery,
  page: { phase: Phase; after: Place | undefined; size: number },
): Promise<FoundRuns> {
  const { phase, after, size } = page;
  const { terms, from, where } = phaseParts(query, phase);
  if (after !== undefined && after.length !== terms.length) throw foreignToken();
  const conditions = [
    ...where,
    sql`r.experiment_id = any(${sql.lit(`{${query.experimentIds.join(",")}}`)}::integer[])`,
    ...(query.view === "all"
      ? []
      : [query.view === "active" ? sql`r.deleted_at is null` : sql`r.deleted_at is not null`]),
    ...query.filter.map((comparison) => condition(comparison, query.keyIds)),
    ...(after === undefined ? [] : [isAfter(terms, after)]),
  ];
  const columns = terms.map((term, index) => sql`${term.expression} as ${sql.ref(`t${index}`)}`);
  const order = terms.map((term) => sql`${term.expression} ${term.ascending ? sql`asc` : sql`desc`}`);
  const last = terms.map((_term, index) => {
    const name = sql.ref(`t${index}`);
    return sql`(array_agg(${name}))[${sql.lit(size)}]::text as ${name}`;
  });
  const built = sql<Record<string, unknown>>`
    select array_agg(run_id)::text as run_ids, ${sql.join(last)} from (
      select r.run_id, ${sql.join(columns)} from ${from}
      where ${sql.join(conditions, sql` and `)}
      order by ${sql.join(order)} limit ${sql.lit(size + 1)}
    ) as page`;
  const [row] = await database.run(built.compile(database.kysely));
  const runIds = readInts((row?.["run_ids"] ?? null) as string | null);
  return {
    runIds: runIds.slice(0, size),
    more: runIds.length > size,
    lastPlace: terms.map((_term, index) => (row?.[`t${index}`] ?? "") as string),
  };
}

function phaseParts(
  query: RunQuery,
  phase: Phase,
): { terms: Term[]; from: RawBuilder<unknown>; where: RawBuilder<unknown>[] } {
  const [first, ...others] = query.orderBy;
  const rest = (phase === "all" ? query.orderBy : others).map((order, index) =>
    termsOf(order, index + 1, query.keyIds),
  );
  const bySortedStart = query.orderBy.some(
    (order) => order.kind === "attribute" && order.key === "start_time",
  );
  const tail = [...rest.flatMap((one) => one.terms), ...(bySortedStart ? newestFirst.slice(1) : newestFirst)];
  const joins = sql.join(
    rest.map((one) => one.join),
    sql` `,
  );
  if (phase === "all" || first === undefined) {
    return { terms: tail, from: sql`tracking.runs as r ${joins}`, where: [] };
  }
  const keyId = sql.lit(query.keyIds.get(first.key) ?? -1);
  if (phase === "missing") {
    const without = sql`not exists (select from tracking.run_metrics as o0
      where o0.run_id = r.run_id and o0.key_id = ${keyId})`;
    return { terms: tail, from: sql`tracking.runs as r ${joins}`, where: [without] };
  }
  const from = sql`tracking.run_metrics as o0 join tracking.runs as r
    on r.run_id = o0.run_id and r.experiment_id = o0.experiment_id ${joins}`;
  const experiments = sql.lit(`{${query.experimentIds.join(",")}}`);
  // One experiment is an equality, which lets the index give the order; several cannot.
  const inExperiments =
    query.experimentIds.length === 1
      ? sql`o0.experiment_id = ${sql.lit(query.experimentIds[0] as number)}`
      : sql`o0.experiment_id = any(${experiments}::integer[])`;
  const value: Term = { expression: sql`o0.value`, ascending: first.ascending, type: "float8" };
  const where = [inExperiments, sql`o0.key_id = ${keyId}`];
  return phase === "numbers"
    ? { terms: [value, ...tail], from, where: [...where, sql`o0.value < 'NaN'`] }
    : { terms: tail, from, where: [...where, sql`o0.value = 'NaN'`] };
}

/** (t0, t1, ...) comes after the place, each term in its own direction. */
function isAfter(terms: readonly Term[], place: Place): RawBuilder<unknown> {
  const operand = (index: number): RawBuilder<unknown> => {
    const term = terms[index] as Term;
    const value = sql`${String(place[index])}::${sql.raw(term.type)}`;
    return term.type === "text" ? sql`${value} collate "C"` : value;
  };
  let after: RawBuilder<unknown> = sql`false`;
  for (let index = terms.length - 1; index >= 0; index -= 1) {
    const term = terms[index] as Term;
    const value = operand(index);
    const beyond = sql`${term.expression} ${term.ascending ? sql`>` : sql`<`} ${value}`;
    after = sql`(${beyond} or (${term.expression} = ${value} and ${after}))`;
  }
  // Says the same once more in a form that an index on the first term can use.
  const first = terms[0] as Term;
  return sql`(${first.expression} ${first.ascending ? sql`>=` : sql`<=`} ${operand(0)} and ${after})`;
}
