import { sql, type RawBuilder } from "kysely";
import {
  compareBigint,
  compareText,
  type ModelVersionComparison,
  type ModelVersionOrderBy,
  type OrderTerm,
  type RegisteredModelComparison,
  type RegisteredModelOrderBy,
} from "../tracking/index.ts";
import { PROMPT_TAG } from "./names.ts";

type TextOrList = Pick<Extract<RegisteredModelComparison, { kind: "attribute" }>, "comparator" | "value">;
type TagComparison = Extract<RegisteredModelComparison, { kind: "tag" }>;

/** Conditions on `registered_models as m`; at least one. */
export function modelConditions(filter: readonly RegisteredModelComparison[]): RawBuilder<unknown>[] {
  const prompts = asksForPrompts(filter);
  const isPrompt = sql`exists (
    select from registry.registered_model_tags as p
    where p.model_key = m.model_key and p.key = ${PROMPT_TAG} and p.value = 'true')`;
  const own = withoutPromptTag(filter, prompts).map((comparison) =>
    comparison.kind === "tag"
      ? tagCondition(sql`registry.registered_model_tags as t where t.model_key = m.model_key`, comparison)
      : nameCondition(comparison),
  );
  return prompts ? own : [...own, sql`not ${isPrompt}`];
}

/** Conditions on `model_versions as v` joined with `registered_models as m`; at least one. */
export function versionConditions(filter: readonly ModelVersionComparison[]): RawBuilder<unknown>[] {
  const prompts = asksForPrompts(filter);
  // One version that is a prompt makes the others of its model so too, as in MLflow.
  const isPrompt = sql`v.model_key in (
    select s.model_key from registry.model_version_tags as p join registry.model_versions as s using (version_key)
    where p.key = ${PROMPT_TAG} and p.value = 'true')`;
  const own = withoutPromptTag(filter, prompts).map(versionCondition);
  return prompts ? own : [...own, sql`not (${isPrompt})`];
}

function versionCondition(comparison: ModelVersionComparison): RawBuilder<unknown> {
  if (comparison.kind === "tag") {
    return tagCondition(
      sql`registry.model_version_tags as t where t.version_key = v.version_key`,
      comparison,
    );
  }
  switch (comparison.key) {
    case "name":
      return nameCondition(comparison);
    case "run_id":
      return compareText(sql`v.run_uuid`, comparison.comparator, comparison.value);
    case "source_path":
      return compareText(sql`v.source`, comparison.comparator, comparison.value);
    case "version_number":
      return compareBigint(sql`v.version`, comparison.comparator, comparison.value);
  }
}

// Without regard to case, names compare by the database's collation, which knows more letters than "C".
const nameCondition = ({ comparator, value }: TextOrList): RawBuilder<unknown> =>
  compareText(comparator === "ILIKE" ? sql`m.name collate "default"` : sql`m.name`, comparator, value);

// The beginning of a value is in the index: 1,000 of 1,000,000 versions by their tag in 25 ms instead of 240.
const tagCondition = (
  from: RawBuilder<unknown>,
  { key, comparator, value }: TagComparison,
): RawBuilder<unknown> => {
  const indexed = comparator === "=" ? sql`and left(t.value, 64) = left(${value}::text, 64)` : sql``;
  const compared = compareText(sql`t.value`, comparator, value);
  return sql`exists (select from ${from} and t.key = ${key} ${indexed} and ${compared})`;
};

type AnyComparison = RegisteredModelComparison | ModelVersionComparison;

const isPromptTag = (comparison: AnyComparison): comparison is TagComparison =>
  comparison.kind === "tag" && comparison.key === PROMPT_TAG;

/** Prompts are shown only to those who ask for them; the first comparison of their tag decides. */
function asksForPrompts(filter: readonly AnyComparison[]): boolean {
  const first = filter.find(isPromptTag);
  if (first === undefined) return false;
  const value = first.value.toLowerCase();
  return (first.comparator === "=" && value === "true") || (first.comparator === "!=" && value === "false");
}

/** Models have no such tag, so the client's `!= 'true'` would find none. */
const withoutPromptTag = <C extends AnyComparison>(filter: readonly C[], prompts: boolean): C[] =>
  filter.filter((comparison) => prompts || !isPromptTag(comparison));

const name: Omit<OrderTerm, "ascending"> = { expression: sql`m.name`, type: "text", nullable: false };

/** By name where nothing else was asked for. */
export function modelOrder(wanted: readonly RegisteredModelOrderBy[]): OrderTerm[] {
  const updated = { expression: sql`m.last_updated_timestamp`, type: "bigint", nullable: false } as const;
  const terms: OrderTerm[] = wanted.map(({ key, ascending }) =>
    key === "name" ? { ...name, ascending } : { ...updated, ascending },
  );
  return endingWith(terms, wanted, [{ key: "name", term: { ...name, ascending: true } }]);
}

const versionTerms: Record<ModelVersionOrderBy["key"], Omit<OrderTerm, "ascending">> = {
  name,
  version_number: { expression: sql`v.version`, type: "bigint", nullable: false },
  creation_timestamp: { expression: sql`v.creation_timestamp`, type: "bigint", nullable: false },
  last_updated_timestamp: { expression: sql`v.last_updated_timestamp`, type: "bigint", nullable: false },
};

const youngestFirst: readonly ModelVersionOrderBy[] = [{ key: "last_updated_timestamp", ascending: false }];

/** The youngest first where nothing else was asked for; then by name, and the highest version first. */
export function versionOrder(orderBy: readonly ModelVersionOrderBy[]): OrderTerm[] {
  const wanted = orderBy.length === 0 ? youngestFirst : orderBy;
  const terms: OrderTerm[] = wanted.map(({ key, ascending }) => ({ ...versionTerms[key], ascending }));
  return endingWith(terms, wanted, [
    { key: "name", term: { ...name, ascending: true } },
    { key: "version_number", term: { ...versionTerms.version_number, ascending: false } },
  ]);
}

const endingWith = (
  terms: readonly OrderTerm[],
  wanted: readonly { key: string }[],
  last: readonly { key: string; term: OrderTerm }[],
): OrderTerm[] => [
  ...terms,
  ...last.filter(({ key }) => wanted.every((one) => one.key !== key)).map(({ term }) => term),
];
