import {
  likeComparators,
  listComparators,
  type DoubleComparison,
  type ListComparison,
  type TextComparison,
} from "./search-filter.ts";
import { readList } from "./search-list.ts";
import { isClause, isKeyword, readStatement, type Clause } from "./search-statement.ts";
import { grammarError, isOneOf, pythonList, pythonSet, pythonText, pythonTuple } from "./search-text.ts";

const textAttributes = [
  "artifact_location",
  "lifecycle_stage",
  "model_id",
  "model_type",
  "name",
  "source_run_id",
  "status",
  "status_message",
] as const;
const timeAttributes = ["creation_timestamp", "last_updated_timestamp"] as const;

export type LoggedModelTextAttribute = (typeof textAttributes)[number];
export type LoggedModelTimeAttribute = (typeof timeAttributes)[number];
type Attribute = LoggedModelTextAttribute | LoggedModelTimeAttribute | "experiment_id";

/**
 * One comparison of a filter for logged models. Numbers are doubles, also for times; they may be infinite
 * and NaN. Lists may be empty: nothing is in an empty list.
 */
export type LoggedModelComparison =
  | ({ readonly kind: "metric"; readonly key: string } & DoubleComparison)
  | ({ readonly kind: "attribute"; readonly key: LoggedModelTimeAttribute } & DoubleComparison)
  | ({ readonly kind: "attribute"; readonly key: LoggedModelTextAttribute } & TextOrList)
  /** Experiments have numbers: the value is one, in digits. */
  | {
      readonly kind: "attribute";
      readonly key: "experiment_id";
      readonly comparator: (typeof equality)[number];
      readonly value: string;
    }
  | ({ readonly kind: "param" | "tag"; readonly key: string } & TextOrList);

type TextOrList = TextComparison | ListComparison;

/** What to sort by, as it comes over the wire. */
export type LoggedModelOrderClause = {
  readonly field_name?: string;
  readonly ascending?: boolean;
  readonly dataset_name?: string;
  readonly dataset_digest?: string;
};

/** The value of a metric may be narrowed to a dataset. */
export type LoggedModelOrderBy =
  | {
      readonly kind: "attribute";
      readonly key: Attribute;
      readonly ascending: boolean;
      readonly datasetName?: undefined;
      readonly datasetDigest?: undefined;
    }
  | {
      readonly kind: "metric";
      readonly key: string;
      readonly ascending: boolean;
      readonly datasetName?: string;
      readonly datasetDigest?: string;
    };

/** The comparisons of a filter for logged models, all of which must hold; none for an empty text. */
export function parseLoggedModelFilter(text: string): LoggedModelComparison[] {
  if (text === "") return [];
  const statement = readStatement(text);
  if (statement.is === "unreadable") {
    throw grammarError(
      `Invalid filter string: ${pythonText(text)}. SQLParseError(${pythonText(statement.why)})`,
    );
  }
  if (statement.is !== "units") {
    throw grammarError(`Invalid filter string: ${pythonText(text)}. Expected a single SQL expression.`);
  }
  const checks = statement.units
    .filter((unit) => !isKeyword(unit, "AND"))
    .map((unit) => {
      if (isClause(unit)) return readClause(unit);
      throw grammarError(
        `Invalid filter string: ${pythonText(text)}. Expected a list of comparisons separated by 'AND' ` +
          "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').",
      );
    });
  return checks.map((check) => check());
}

/** What to sort by, first things first; a field given twice means nothing the second time. */
export function parseLoggedModelOrderBy(clauses: readonly LoggedModelOrderClause[]): LoggedModelOrderBy[] {
  return clauses.map(({ field_name: name = "", ascending = true, ...dataset }) => {
    const dot = name.indexOf(".");
    if (dot < 0) {
      const key = attributeOf(name);
      if (key !== undefined) return { kind: "attribute", key, ascending };
      throw grammarError(`Invalid order by field name: ${name}`);
    }
    if (name.slice(0, dot) !== "metrics") {
      throw grammarError(`Invalid order by field name: ${name}. Only metrics are supported.`);
    }
    if (name.includes("\0")) throw grammarError("A search text must not contain a null character.");
    return {
      kind: "metric",
      key: name.slice(dot + 1),
      ascending,
      ...(dataset.dataset_name ? { datasetName: dataset.dataset_name } : {}),
      ...(dataset.dataset_digest ? { datasetDigest: dataset.dataset_digest } : {}),
    };
  });
}

const aliases: ReadonlyMap<string, Attribute> = new Map([
  ["creation_time", "creation_timestamp"],
  ["creation_timestamp_ms", "creation_timestamp"],
  ["last_updated_timestamp_ms", "last_updated_timestamp"],
]);

const attributes = [...textAttributes, ...timeAttributes, "experiment_id"] as const;

const attributeOf = (name: string): Attribute | undefined =>
  isOneOf(attributes, name) ? name : aliases.get(name);

const kinds = { attributes: "attribute", metrics: "metric", params: "param", tags: "tag" } as const;

/** Of attributes, also of unknown ones, the key in MLflow's messages is the name of its column. */
type Term = { kind: "attribute" | "metric" | "param" | "tag"; key: string };

/** `metrics.a`, `params.a`, `tags.a`, `attributes.a` or `a`. Only these prefixes, and no quotes but backticks. */
function readTerm(name: string): Term {
  const dot = name.indexOf(".");
  const prefix = name.slice(0, Math.max(dot, 0));
  const prefixed = /^[a-z]+$/.test(prefix) && name.length > dot + 1 && !name.includes("\n");
  if (prefixed && !isOneOf(Object.keys(kinds), prefix)) {
    throw grammarError(
      `Invalid entity type: ${pythonText(prefix)}. Expected one of ${pythonList(Object.keys(kinds))}.`,
    );
  }
  const key = strip(prefixed ? name.slice(dot + 1) : name, "`");
  const kind = prefixed ? kinds[prefix as keyof typeof kinds] : "attribute";
  return { kind, key: kind === "attribute" && isTime(key) ? `${attributeOf(key)}_ms` : key };
}

const isTime = (name: string): boolean => {
  const attribute = attributeOf(name);
  return attribute !== undefined && isOneOf(timeAttributes, attribute);
};

/** The text without any of the sign at its ends. */
function strip(text: string, sign: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === sign) start += 1;
  while (end > start && text[end - 1] === sign) end -= 1;
  return text.slice(start, end);
}

type Side = { readonly comparator: string; readonly text: string };
type Check = () => LoggedModelComparison;

/** Reads both sides; what it returns checks that there is such an attribute, once all else was read. */
function readClause({ left, comparator: written, right }: Clause): Check {
  if (right === undefined) {
    throw grammarError(`Invalid comparison: ${left.text}${written}. Expected a comparison with 3 tokens.`);
  }
  const term = readTerm(left.text);
  const { kind, key } = term;
  const side = { comparator: written.toUpperCase(), text: right.text };
  if (kind === "metric") {
    const compared = readNumber(term, side);
    return () => ({ kind, key, ...compared });
  }
  if (kind !== "attribute") {
    const compared = readTextOrList(term, side);
    return () => ({ kind, key, ...compared });
  }
  return readAttribute(term, side);
}

function readAttribute(term: Term, side: Side): Check {
  const kind = "attribute";
  const key = attributeOf(term.key);
  if (key !== undefined && isOneOf(timeAttributes, key)) {
    const compared = readNumber(term, side);
    return () => ({ kind, key, ...compared });
  }
  if (key === "experiment_id") {
    const compared = readId(term, side);
    return () => ({ kind, key, ...compared });
  }
  const compared = readTextOrList(term, side);
  return () => {
    if (key !== undefined) return { kind, key, ...compared };
    const valid = pythonSet(attributes.toSorted());
    throw grammarError(`Invalid attribute key '${term.key}' specified. Valid keys are '${valid}'`);
  };
}

const shownKinds = { attribute: "attributes", metric: "metrics", param: "params", tag: "tags" } as const;

function checkComparator<T extends string>(term: Term, comparator: string, allowed: readonly T[]): T {
  if (isOneOf(allowed, comparator)) return comparator;
  throw grammarError(
    `Invalid comparison operator for ${shownKinds[term.kind]}.${term.key}: ${pythonText(comparator)}. ` +
      `Expected one of ${pythonTuple(allowed)}.`,
  );
}

/** What Python takes for a float: also with underscores between digits, infinite, or not a number. */
const FLOAT = /^[+-]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?)$/i;
const special: ReadonlyMap<string, number> = new Map([
  ["inf", Infinity],
  ["infinity", Infinity],
  ["nan", Number.NaN],
]);

const numberOperators = ["<", "<=", ">", ">=", "=", "!="] as const;

function readNumber(term: Term, { comparator, text }: Side): DoubleComparison {
  const checked = checkComparator(term, comparator, numberOperators);
  const value = FLOAT.test(text) ? Number(text.replaceAll("_", "")) : special.get(text.toLowerCase());
  if (value !== undefined) return { comparator: checked, value };
  throw grammarError(`Expected numeric value type for ${shownKinds[term.kind]}.${term.key}. Found ${text}`);
}

const textOperators = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"] as const;

/** A text need not have quotes; of others than single ones it keeps them. */
function readTextOrList(term: Term, { comparator, text }: Side): TextOrList {
  const checked = checkComparator(term, comparator, textOperators);
  if (!(text.startsWith("(") && text.endsWith(")"))) {
    if (isOneOf(likeComparators, checked)) return { comparator: checked, value: strip(text, "'") };
  } else if (isOneOf(listComparators, checked)) {
    const list = readList(text);
    if (list.is === "texts") return { comparator: checked, value: list.texts };
  }
  throw grammarError(`Invalid value for comparison operator ${pythonText(comparator)}: ${text}`);
}

const equality = ["=", "!="] as const;

function readId(term: Term, { comparator, text }: Side): { comparator: "=" | "!="; value: string } {
  const checked = checkComparator(term, comparator, equality);
  const value = strip(text, "'");
  if (/^\d{1,18}$/.test(value)) return { comparator: checked, value };
  throw grammarError(`Invalid experiment ID '${value}'. Experiment ID must be a valid integer.`);
}
