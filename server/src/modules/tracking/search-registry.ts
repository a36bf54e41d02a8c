import {
  isNumber,
  likeComparators,
  listComparators,
  numberComparators,
  readFilter,
  readInteger,
  readName,
  readText,
  readTexts,
  type IntegerComparison,
  type ListComparison,
  type TextComparison,
} from "./search-filter.ts";
import { readOrder } from "./search-order.ts";
import type { Clause, Unit } from "./search-statement.ts";
import {
  grammarError,
  isOneOf,
  plainKey,
  pythonFloat,
  pythonList,
  pythonSet,
  pythonText,
  pythonTuple,
  splitPrefix,
} from "./search-text.ts";

type TagComparison = { readonly kind: "tag"; readonly key: string } & TextComparison;

/** One comparison of a filter for registered models. */
export type RegisteredModelComparison =
  | ({ readonly kind: "attribute"; readonly key: "name" } & (TextComparison | ListComparison))
  | TagComparison;

/** One comparison of a filter for model versions. */
export type ModelVersionComparison =
  | ({ readonly kind: "attribute"; readonly key: "name" | "run_id" } & (TextComparison | ListComparison))
  | ({ readonly kind: "attribute"; readonly key: "source_path" } & TextComparison)
  | ({ readonly kind: "attribute"; readonly key: "version_number" } & IntegerComparison)
  | TagComparison;

const entityPrefixes = ["attribute", "tag", "tags"] as const;
const versionAttributes = ["name", "run_id", "source_path", "version_number"] as const;

/** The comparisons of a filter for registered models, all of which must hold; none for an empty text. */
export function parseRegisteredModelFilter(text: string): RegisteredModelComparison[] {
  const checks = readFilter(text, (invalid) => invalid).map((clause): (() => RegisteredModelComparison) => {
    const { kind, key, comparator, right } = readSides(clause, ["name"]);
    if (kind === "tag") return readTag(key, { comparator, right });
    const value = readTextOrList(right) ?? missing(right);
    return () => ({ kind, key, ...checkAttribute(comparator, value) });
  });
  return checks.map((check) => check());
}

/** The comparisons of a filter for model versions, all of which must hold; none for an empty text. */
export function parseModelVersionFilter(text: string): ModelVersionComparison[] {
  const checks = readFilter(text, (invalid) => invalid).map((clause): (() => ModelVersionComparison) => {
    const { kind, key, comparator, right } = readSides(clause, versionAttributes);
    if (kind === "tag") return readTag(key, { comparator, right });
    if (key === "version_number") return readVersion({ comparator, right });
    if (isNumber(right)) {
      const numeric = pythonSet(["creation_timestamp", "last_updated_timestamp", "version_number"]);
      throw grammarError(`Only the '${numeric}' attributes support comparison with numeric values.`);
    }
    if (key === "source_path") {
      if (right.kind === "parentheses") throw noList();
      const value = readText(right) ?? missing(right);
      return () => ({ kind, key, ...checkLike(comparator, value, "attribute") });
    }
    const value = readTextOrList(right) ?? missing(right);
    return () => ({ kind, key, ...checkAttribute(comparator, value) });
  });
  return checks.map((check) => check());
}

type Side = { readonly comparator: string; readonly right: Unit };

type Sides<Attribute> = Side &
  ({ readonly kind: "attribute"; readonly key: Attribute } | { readonly kind: "tag"; readonly key: string });

/** Unlike elsewhere, the names of attributes must not stand in quotes or backticks. */
function readSides<Attribute extends string>(
  clause: Clause,
  attributes: readonly Attribute[],
): Sides<Attribute> {
  const { prefix = "attribute", key } = splitPrefix(readName(clause));
  const comparator = clause.comparator.toUpperCase();
  const { right } = clause;
  checkPrefix(prefix);
  if (prefix !== "attribute") {
    if (right === undefined) throw grammarError(`Invalid comparator for tag: ${comparator}`);
    return { kind: "tag", key: plainKey(key), comparator, right };
  }
  if (!isOneOf(attributes, key)) {
    throw grammarError(`Invalid attribute key '${key}' specified. Valid keys are '${pythonSet(attributes)}'`);
  }
  if (right === undefined) throw grammarError(`Invalid comparator for attribute: ${comparator}`);
  return { kind: "attribute", key, comparator, right };
}

function checkPrefix(prefix: string): void {
  if (isOneOf(entityPrefixes, prefix)) return;
  throw grammarError(
    `Invalid entity type '${prefix}'. Valid entity types are ${pythonTuple(entityPrefixes)}`,
  );
}

const noList = (): Error =>
  grammarError(
    `Only ${pythonList(["name", "run_id"])} attributes support comparison with a list of quoted string values.`,
  );

const readTextOrList = (right: Unit): string | readonly string[] | undefined =>
  right.kind === "parentheses" ? readTexts(right) : readText(right);

function missing({ text }: Unit): never {
  throw grammarError(
    `Expected a quoted string value or a list of quoted string values for attributes. Got value ${text}`,
  );
}

function readTag(key: string, { comparator, right }: Side): () => TagComparison {
  const value = readText(right);
  if (value === undefined) {
    throw grammarError(`Expected a quoted string value for tag (e.g. 'my-value'). Got value ${right.text}`);
  }
  return () => ({ kind: "tag", key, ...checkLike(comparator, value, "tag") });
}

function checkLike(comparator: string, value: string, what: "attribute" | "tag"): TextComparison {
  if (isOneOf(likeComparators, comparator)) return { comparator, value };
  throw grammarError(`Invalid comparator for ${what}: ${comparator}`);
}

/** A list goes with IN and NOT IN, a text with the others. */
function checkAttribute(
  comparator: string,
  value: string | readonly string[],
): TextComparison | ListComparison {
  if (typeof value === "string") return checkLike(comparator, value, "attribute");
  if (isOneOf(listComparators, comparator)) return { comparator, value };
  throw grammarError(`Invalid comparator for attribute: ${comparator}`);
}

/** A version may stand in quotes: what Python's `int` takes is a number all the same. */
const INTEGER = /^\s*[+-]?\d+(?:_\d+)*\s*$/;

function readVersion({ comparator, right }: Side): () => ModelVersionComparison {
  if (right.kind === "parentheses") throw noList();
  const text = isNumber(right) ? undefined : (readText(right) ?? missing(right));
  return () => {
    if (!isOneOf(numberComparators, comparator)) {
      throw grammarError(`Invalid comparator for attribute version_number: ${comparator}`);
    }
    const value = text === undefined ? readInteger(right) : integerIn(text);
    if (value !== undefined && right.kind !== "number") {
      return { kind: "attribute", key: "version_number", comparator, value };
    }
    const shown = text === undefined ? pythonFloat(Number(right.text)) : pythonText(text);
    throw grammarError(`Invalid value for numeric attribute 'version_number': ${shown}`);
  };
}

function integerIn(text: string): number | bigint | undefined {
  // No version is longer, and a long text of digits would take long to read.
  if (text.length > 100 || !INTEGER.test(text)) return undefined;
  const digits = text.trim().replaceAll("_", "").replace("+", "");
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

export type RegisteredModelOrderBy = {
  readonly key: "name" | "last_updated_timestamp";
  readonly ascending: boolean;
};

/** What to sort registered models by. A key given twice is an error, also under another name. */
export function parseRegisteredModelOrderBy(items: readonly string[]): RegisteredModelOrderBy[] {
  const order = items.map((item): RegisteredModelOrderBy => {
    const { name, ascending } = readOrder(item);
    if (name === "name") return { key: name, ascending };
    if (name === "timestamp" || name === "last_updated_timestamp") {
      return { key: "last_updated_timestamp", ascending };
    }
    const valid = pythonSet(["name", "timestamp"]);
    throw grammarError(`Invalid order by key '${name}' specified. Valid keys are '${valid}'`);
  });
  return withoutDuplicates(items, order);
}

const versionOrders = ["creation_timestamp", "last_updated_timestamp", "name", "version_number"] as const;

export type ModelVersionOrderBy = {
  readonly key: (typeof versionOrders)[number];
  readonly ascending: boolean;
};

/** What to sort model versions by. A key given twice is an error. */
export function parseModelVersionOrderBy(items: readonly string[]): ModelVersionOrderBy[] {
  const order = items.map((item): ModelVersionOrderBy => {
    const { name, ascending } = readOrder(item);
    const { prefix = "attribute", key: written } = splitPrefix(name);
    checkPrefix(prefix);
    const key = plainKey(written);
    if (isOneOf(versionOrders, key)) return { key, ascending };
    const valid = pythonSet(versionOrders);
    throw prefix === "attribute"
      ? grammarError(`Invalid attribute key '${key}' specified. Valid keys are '${valid}'`)
      : grammarError(`Invalid order by key '${key}' specified. Valid keys are ${valid}`);
  });
  return withoutDuplicates(items, order);
}

function withoutDuplicates<Order extends { key: string }>(
  items: readonly string[],
  order: readonly Order[],
): Order[] {
  if (new Set(order.map(({ key }) => key)).size === order.length) return [...order];
  throw grammarError(`\`order_by\` contains duplicate fields: ${pythonList(items)}`);
}
