import {
  checkComparator,
  checkTextOrList,
  isNumber,
  likeComparators,
  nullComparators,
  numberComparators,
  readFilter,
  readInteger,
  readName,
  readText,
  readTextOrList,
  shownComparators,
  textComparators,
  type DoubleComparison,
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
  pythonList,
  pythonSet,
  splitPrefix,
  trimBackticks,
} from "./search-text.ts";

const textAttributes = ["artifact_uri", "run_id", "run_name", "status", "user_id"] as const;
const timeAttributes = ["end_time", "start_time"] as const;
const datasetFields = ["context", "digest", "name"] as const;

export type RunTextAttribute = (typeof textAttributes)[number];
export type RunTimeAttribute = (typeof timeAttributes)[number];
export type DatasetField = (typeof datasetFields)[number];
type Attribute = RunTextAttribute | RunTimeAttribute;

/**
 * One comparison of a filter for runs. The keys of attributes are canonical; what the key is compared with,
 * a number, a text, a list of texts or nothing, follows from `kind`, `key` and `comparator`.
 */
export type RunComparison =
  | ({ readonly kind: "metric"; readonly key: string } & DoubleComparison)
  | ({ readonly kind: "param" | "tag"; readonly key: string } & (TextComparison | NullComparison))
  | ({ readonly kind: "attribute"; readonly key: RunTextAttribute } & (TextComparison | ListComparison))
  | ({ readonly kind: "attribute"; readonly key: RunTimeAttribute } & IntegerComparison)
  | ({ readonly kind: "dataset"; readonly key: DatasetField } & (TextComparison | ListComparison));

export type OrderBy =
  | { readonly kind: "metric" | "param" | "tag"; readonly key: string; readonly ascending: boolean }
  | { readonly kind: "attribute"; readonly key: Attribute; readonly ascending: boolean };

/** The comparisons of a filter for runs, all of which must hold; none for an empty text. */
export function parseRunFilter(text: string): RunComparison[] {
  const checks = readFilter(text, (invalid) => `'${invalid}'`).map(readClause);
  // All names and values are read before the first comparator is checked, as in MLflow: that decides which
  // of several mistakes is reported.
  return checks.map((check) => check());
}

/** What to sort by, first things first. A key given twice is an error, also under another name. */
export function parseRunOrderBy(items: readonly string[]): OrderBy[] {
  const seen = new Set<string>();
  return items.map((item) => {
    const { name, ascending } = readOrder(item);
    const term = readTerm(name, orderedAttributes);
    if (term.kind === "dataset") throw grammarError("Invalid identifier type 'dataset'");
    const field = `${term.kind}.${term.key}`;
    if (seen.has(field)) throw grammarError(`\`order_by\` contains duplicate fields: ${pythonList(items)}`);
    seen.add(field);
    return term.kind === "attribute"
      ? { kind: term.kind, key: term.key, ascending }
      : { kind: term.kind, key: term.key, ascending };
  });
}

type Term =
  | { readonly kind: "metric" | "param" | "tag"; readonly key: string }
  | { readonly kind: "attribute"; readonly key: Attribute; readonly written: string }
  | { readonly kind: "dataset"; readonly key: DatasetField };

type Kind = Term["kind"];

const prefixes: ReadonlyMap<string, Kind> = new Map([
  ...["metric", "metrics"].map((name) => [name, "metric"] as const),
  ...["parameter", "parameters", "param", "params"].map((name) => [name, "param"] as const),
  ...["tag", "tags"].map((name) => [name, "tag"] as const),
  ...["attribute", "attributes", "attr", "run"].map((name) => [name, "attribute"] as const),
  ...["dataset", "datasets"].map((name) => [name, "dataset"] as const),
]);

/** The kinds as MLflow's messages show them. */
const shownKinds = {
  metric: "metric",
  param: "parameter",
  tag: "tag",
  attribute: "attribute",
  dataset: "dataset",
} as const;

/** What runs can be sorted by, under each of its names. */
const orderedAttributes: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  ...[...textAttributes, ...timeAttributes].map((name) => [name, name] as const),
  ["created", "start_time"],
  ["Created", "start_time"],
]);

/** What they can be filtered by. */
const comparedAttributes: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  ...orderedAttributes,
  ["run name", "run_name"],
  ["Run name", "run_name"],
  ["Run Name", "run_name"],
]);

/** Takes a name such as ``metrics.`a b` `` apart. */
function readTerm(name: string, attributes: ReadonlyMap<string, Attribute>): Term {
  const { prefix = "attribute", key: written } = splitPrefix(name);
  const kind = prefixes.get(trimBackticks(prefix));
  const key = plainKey(written);
  switch (kind) {
    case undefined:
      throw grammarError(
        `Invalid entity type '${trimBackticks(prefix)}'. Valid values are ${pythonList(Object.values(shownKinds))}`,
      );
    case "attribute": {
      const attribute = attributes.get(key);
      if (attribute !== undefined) return { kind, key: attribute, written: key };
      const valid = pythonSet([...attributes.keys()].toSorted());
      throw grammarError(`Invalid attribute key '${key}' specified. Valid keys are '${valid}'`);
    }
    case "dataset":
      if (isOneOf(datasetFields, key)) return { kind, key };
      throw grammarError(
        `Invalid dataset key '${key}' specified. Valid keys are '${pythonSet(datasetFields)}'`,
      );
    default:
      return { kind, key };
  }
}

type Side = { readonly comparator: string; readonly right: Unit };
type Check = () => RunComparison;

/** Reads both sides; what it returns checks the comparator. */
function readClause(clause: Clause): Check {
  const term = readTerm(readName(clause), comparedAttributes);
  const comparator = clause.comparator.toUpperCase();
  if (clause.right === undefined) return readNull(term, comparator);
  const side = { comparator, right: clause.right };
  switch (term.kind) {
    case "metric":
      return readMetric(term.key, side);
    case "param":
    case "tag":
      return readParamOrTag(term.kind, term.key, side);
    case "attribute":
      return isOneOf(timeAttributes, term.key)
        ? readTime(term.key, term.written, side)
        : readAttribute(term.key, side);
    case "dataset":
      return readDataset(term.key, side);
  }
}

function readNull(term: Term, comparator: string): Check {
  const { kind, key } = term;
  if ((kind === "param" || kind === "tag") && isOneOf(nullComparators, comparator)) {
    return () => ({ kind, key, comparator, value: null });
  }
  const written = kind === "attribute" ? term.written : key;
  throw grammarError(
    `IS NULL / IS NOT NULL is only supported for tags and params, not for '${shownKinds[kind]}' '${written}'`,
  );
}

const shownNumeric = shownComparators(numberComparators, "");

function readMetric(key: string, { comparator, right }: Side): Check {
  if (!isNumber(right)) throw grammarError(`Expected numeric value type for metric. Found ${right.text}`);
  const value = Number(right.text);
  return () => ({
    kind: "metric",
    key,
    comparator: checkComparator(comparator, numberComparators, shownNumeric),
    value,
  });
}

const nullableComparators = [...likeComparators, ...nullComparators];

function readParamOrTag(kind: "param" | "tag", key: string, { comparator, right }: Side): Check {
  const value = readText(right);
  if (value === undefined) {
    throw grammarError(
      `Expected a quoted string value for ${shownKinds[kind]} (e.g. 'my-value'). Got value ${right.text}`,
    );
  }
  const shown = shownComparators(nullableComparators, kind === "param" ? "'" : "");
  return () => ({ kind, key, comparator: checkComparator(comparator, likeComparators, shown), value });
}

function readTime(key: RunTimeAttribute, written: string, { comparator, right }: Side): Check {
  const value = readInteger(right);
  if (value === undefined) {
    throw grammarError(`Expected numeric value type for numeric attribute: ${written}. Found ${right.text}`);
  }
  // The comparators shown are those of texts, in MLflow too.
  const shown = shownComparators(textComparators, "");
  return () => ({
    kind: "attribute",
    key,
    comparator: checkComparator(comparator, numberComparators, shown),
    value,
  });
}

function readAttribute(key: RunTextAttribute, { comparator, right }: Side): Check {
  const value = readTextOrList(right, key, ["run_id"]);
  if (value === undefined) {
    throw grammarError(`Expected a quoted string value for attributes. Got value ${right.text}`);
  }
  return () => ({ kind: "attribute", key, ...checkTextOrList(comparator, value) });
}

function readDataset(key: DatasetField, { comparator, right }: Side): Check {
  const value = readTextOrList(right, key, datasetFields);
  if (value === undefined) {
    throw grammarError(`Expected a quoted string value for dataset attributes. Got value ${right.text}`);
  }
  const shown = shownComparators(textComparators, "");
  return () => ({ kind: "dataset", key, ...checkTextOrList(comparator, value, shown) });
}
