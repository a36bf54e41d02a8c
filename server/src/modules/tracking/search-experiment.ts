import {
  checkComparator,
  likeComparators,
  listComparators,
  nullComparators,
  numberComparators,
  readFilter,
  readInteger,
  readName,
  readText,
  readTextOrList,
  shownComparators,
  textComparators,
  type IntegerComparison,
  type ListComparison,
  type NullComparison,
  type TextComparison,
} from "./search-filter.ts";
import { readOrder } from "./search-order.ts";
import type { Clause, Unit } from "./search-statement.ts";
import {
  grammarError,
  isOneOf,
  plainKey,
  pythonFloat,
  pythonSet,
  pythonText,
  pythonTuple,
  splitPrefix,
} from "./search-text.ts";

const timeAttributes = ["creation_time", "last_update_time"] as const;
const attributes = ["creation_time", "experiment_id", "last_update_time", "name"] as const;
const equality = ["=", "!="] as const;
const entityPrefixes = ["attribute", "tag", "tags"] as const;

export type ExperimentAttribute = (typeof attributes)[number];
export type ExperimentTimeAttribute = (typeof timeAttributes)[number];

/**
 * One comparison of a filter for experiments. Ids are compared as the texts they were written as, with `=`,
 * `!=`, IN and NOT IN alone.
 */
export type ExperimentComparison =
  | ({ readonly kind: "attribute"; readonly key: "name" } & TextComparison)
  | ({ readonly kind: "attribute"; readonly key: "experiment_id" } & IdComparison)
  | ({ readonly kind: "attribute"; readonly key: ExperimentTimeAttribute } & IntegerComparison)
  | ({ readonly kind: "tag"; readonly key: string } & (TextComparison | NullComparison));

type IdComparison =
  | { readonly comparator: (typeof equality)[number]; readonly value: string }
  | ListComparison;

export type ExperimentOrderBy = { readonly key: ExperimentAttribute; readonly ascending: boolean };

/**
 * The comparisons of a filter for experiments, all of which must hold; none for an empty text. Unlike for
 * runs, `like` and `in` must be in capitals and `tags.` is the only prefix with more than one form.
 */
export function parseExperimentFilter(text: string): ExperimentComparison[] {
  const checks = readFilter(text, (invalid) => invalid).map(readClause);
  return checks.map((check) => check());
}

/** What to sort by, first things first. A key given twice is allowed, and means nothing the second time. */
export function parseExperimentOrderBy(items: readonly string[]): ExperimentOrderBy[] {
  return items.map((item) => {
    const { name, ascending } = readOrder(item);
    const term = readTerm(name);
    if (term.kind === "tag") throw grammarError("Invalid order_by entity: tag");
    return { key: term.key, ascending };
  });
}

type Term =
  | { readonly kind: "attribute"; readonly key: ExperimentAttribute }
  | { readonly kind: "tag"; readonly key: string };

function readTerm(name: string): Term {
  const { prefix = "attribute", key: written } = splitPrefix(name);
  if (!isOneOf(entityPrefixes, prefix)) {
    throw grammarError(
      `Invalid entity type '${prefix}'. Valid entity types are ${pythonTuple(entityPrefixes)}`,
    );
  }
  const key = plainKey(written);
  if (prefix !== "attribute") return { kind: "tag", key };
  if (isOneOf(attributes, key)) return { kind: "attribute", key };
  throw grammarError(`Invalid attribute key '${key}' specified. Valid keys are '${pythonSet(attributes)}'`);
}

type Check = () => ExperimentComparison;
type Side = { readonly comparator: string; readonly right: Unit };

/** Reads both sides; what it returns checks the comparator, once everything else was read. */
function readClause(clause: Clause): Check {
  const term = readTerm(readName(clause));
  const { comparator, right } = clause;
  if (right === undefined) return readNull(term, comparator);
  if (term.kind === "tag") return readTag(term.key, { comparator, right });
  if (isOneOf(timeAttributes, term.key)) return readTime(term.key, { comparator, right });
  return readTextAttribute(term.key, { comparator, right });
}

function readNull({ kind, key }: Term, comparator: string): Check {
  if (kind === "tag" && isOneOf(nullComparators, comparator)) {
    return () => ({ kind, key, comparator, value: null });
  }
  throw grammarError(`IS NULL / IS NOT NULL is only supported for tags, not for attribute '${key}'`);
}

function readTag(key: string, { comparator, right }: Side): Check {
  const value = readText(right);
  if (value === undefined) {
    throw grammarError(`Expected a quoted string value for tag (e.g. 'my-value'). Got value ${right.text}`);
  }
  return () => {
    if (isOneOf(likeComparators, comparator)) return { kind: "tag", key, comparator, value };
    throw grammarError(`Invalid comparator for tag: ${comparator}`);
  };
}

function readTime(key: ExperimentTimeAttribute, { comparator, right }: Side): Check {
  const value = readInteger(right);
  if (value === undefined) {
    throw grammarError(`Expected numeric value type for numeric attribute: ${key}. Found ${right.text}`);
  }
  return () => {
    // The comparators shown are those of texts, in MLflow too.
    const checked = checkComparator(comparator, numberComparators, shownComparators(textComparators, ""));
    if (right.kind === "whole number") return { kind: "attribute", key, comparator: checked, value };
    throw grammarError(
      `Invalid value for numeric attribute '${key}': ${pythonText(pythonFloat(Number(right.text)))}`,
    );
  };
}

function readTextAttribute(key: "name" | "experiment_id", { comparator, right }: Side): Check {
  const value = readTextOrList(right, key, ["experiment_id"]);
  if (value === undefined) {
    throw grammarError(`Expected a quoted string value for attributes. Got value ${right.text}`);
  }
  return (): ExperimentComparison => {
    if (key === "experiment_id") return { kind: "attribute", key, ...compareId(comparator, value) };
    const checked = checkComparator(comparator, textComparators);
    if (typeof value === "string" && isOneOf(likeComparators, checked)) {
      return { kind: "attribute", key, comparator: checked, value };
    }
    throw grammarError(`Invalid comparator for string attribute: ${comparator}`);
  };
}

function compareId(comparator: string, value: string | readonly string[]): IdComparison {
  if (typeof value === "string" && isOneOf(equality, comparator)) return { comparator, value };
  if (typeof value !== "string" && isOneOf(listComparators, comparator)) return { comparator, value };
  throw grammarError(`Invalid comparator for experiment_id: ${comparator}`);
}
