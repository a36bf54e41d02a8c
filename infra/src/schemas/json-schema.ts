import type { Path } from "../lint/workspace.ts";
import { isTemplated } from "./templated.ts";

/**
 * Validates against the JSON Schemas of `infra/data`. Their keywords are a small closed set, and a manifest is read once:
 * Ajv needs 60 to 150 ms to compile each of the kinds, this walks a Deployment in well under one. The tests hold both against each other.
 * Where a value is a template (`${...}`, `{{ ... }}`), what it becomes is not known, and nothing is said about it.
 */

export type JsonSchema = boolean | JsonSchemaObject;

export type JsonSchemaObject = {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly if?: JsonSchema;
  readonly then?: JsonSchema;
  readonly else?: JsonSchema;
  readonly "x-unique-by"?: readonly string[];
  readonly "x-unique"?: boolean;
};

export type Violation =
  | { kind: "unknown"; path: Path; field: string; fields: readonly string[] }
  | { kind: "missing"; path: Path; field: string }
  | { kind: "value"; path: Path; expected: string }
  | { kind: "choice"; path: Path; choices: readonly unknown[] }
  | { kind: "duplicate"; path: Path; keys: readonly string[] };

type Visit = { root: JsonSchemaObject; found: Violation[] };

export function violationsOf(root: JsonSchemaObject, value: unknown): Violation[] {
  const visit: Visit = { root, found: [] };
  validate(visit, root, { value, path: [] });
  return visit.found;
}

type Place = { value: unknown; path: Path };
type Fields = Readonly<Record<string, unknown>>;

function validate(visit: Visit, schema: JsonSchema, place: Place): void {
  if (schema === true || isTemplated(place.value)) return;
  if (schema === false) {
    visit.found.push({ kind: "value", path: place.path, expected: "nothing" });
    return;
  }
  if (schema.$ref !== undefined) validate(visit, definition(visit.root, schema.$ref), place);
  if (!checkType(visit, schema, place)) return;
  checkScalar(visit, schema, place);
  if (Array.isArray(place.value)) checkItems(visit, schema, { value: place.value, path: place.path });
  else if (typeof place.value === "object" && place.value !== null)
    checkFields(visit, schema, { value: place.value as Fields, path: place.path });
  checkCombinations(visit, schema, place);
}

function definition(root: JsonSchemaObject, reference: string): JsonSchema {
  let found: unknown = root;
  for (const name of reference.replace(/^#\/?/, "").split("/")) {
    if (name !== "")
      found = (found as Fields | undefined)?.[name.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  if (found === undefined) throw new Error(`The schema refers to ${reference}, which it does not have.`);
  return found as JsonSchema;
}

function checkType(visit: Visit, schema: JsonSchemaObject, { value, path }: Place): boolean {
  if (schema.type === undefined) return true;
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  if (types.some((type) => hasType(value, type))) return true;
  visit.found.push({ kind: "value", path, expected: types.map(typeName).join(" or ") });
  return false;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

const typeName = (type: string): string =>
  ({
    array: "a list",
    object: "a map",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
    null: "null",
  })[type] ?? "a string";

function checkScalar(visit: Visit, schema: JsonSchemaObject, { value, path }: Place): void {
  const expect = (holds: boolean, expected: string): void => {
    if (!holds) visit.found.push({ kind: "value", path, expected });
  };
  if (schema.enum !== undefined && !schema.enum.includes(value))
    visit.found.push({ kind: "choice", path, choices: schema.enum });
  if (schema.const !== undefined && schema.const !== value)
    visit.found.push({ kind: "choice", path, choices: [schema.const] });
  if (typeof value === "number") {
    if (schema.minimum !== undefined) expect(value >= schema.minimum, `at least ${schema.minimum}`);
    if (schema.maximum !== undefined) expect(value <= schema.maximum, `at most ${schema.maximum}`);
  }
  if (typeof value !== "string") return;
  const { length } = Array.from(value);
  if (schema.minLength !== undefined)
    expect(length >= schema.minLength, `at least ${count(schema.minLength, "character")}`);
  if (schema.maxLength !== undefined)
    expect(length <= schema.maxLength, `at most ${count(schema.maxLength, "character")}`);
  if (schema.pattern !== undefined)
    expect(patternOf(schema.pattern).test(value), `text like ${schema.pattern}`);
  const format = schema.format === undefined ? undefined : FORMATS[schema.format];
  if (format !== undefined) expect(format.pattern.test(value), format.name);
}

const FORMATS: Readonly<Record<string, { name: string; pattern: RegExp }>> = {
  byte: { name: "text in base64", pattern: /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/ },
  "date-time": {
    name: "a time such as 2026-01-02T15:04:05Z",
    pattern: /^\d{4}-\d\d-\d\d[tT ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[zZ]|[+-]\d\d:?\d\d)$/,
  },
  ipv4: { name: "an IPv4 address", pattern: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/ },
  ipv6: { name: "an IPv6 address", pattern: /^(?=.*:.*:)[\da-fA-F:.]+$/ },
};

const patterns = new Map<string, RegExp>();

function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) patterns.set(source, (pattern = new RegExp(source, "u")));
  return pattern;
}

function checkItems(
  visit: Visit,
  schema: JsonSchemaObject,
  { value, path }: { value: unknown[]; path: Path },
): void {
  sizeWithin(visit, { path, size: value.length, unit: "item" }, [schema.minItems, schema.maxItems]);
  const { items } = schema;
  if (items !== undefined)
    for (const [at, item] of value.entries()) validate(visit, items, { value: item, path: [...path, at] });
  const keys = schema["x-unique-by"];
  if (keys === undefined && schema["x-unique"] !== true) return;
  const seen = new Set<string>();
  for (const [at, item] of value.entries()) {
    const parts = keys === undefined ? [item] : keys.map((key) => (item as Fields | null)?.[key] ?? null);
    if (parts.some(isTemplated) || (keys !== undefined && parts.every((part) => part === null))) continue;
    const identity = JSON.stringify(parts);
    if (seen.has(identity)) visit.found.push({ kind: "duplicate", path: [...path, at], keys: keys ?? [] });
    seen.add(identity);
  }
}

function checkFields(
  visit: Visit,
  schema: JsonSchemaObject,
  { value, path }: { value: Fields; path: Path },
): void {
  // A key that is a template may become any of the missing ones, or any number of them.
  const templated = Object.keys(value).some(isTemplated);
  for (const field of schema.required ?? [])
    if (value[field] === undefined && !templated) visit.found.push({ kind: "missing", path, field });
  const fields = Object.keys(value).filter((field) => value[field] !== undefined && !isTemplated(field));
  if (!templated)
    sizeWithin(visit, { path, size: fields.length, unit: "field" }, [
      schema.minProperties,
      schema.maxProperties,
    ]);
  for (const field of fields) {
    const declared =
      schema.properties !== undefined && Object.hasOwn(schema.properties, field)
        ? schema.properties[field]
        : undefined;
    const rule = declared ?? schema.additionalProperties;
    if (rule === false)
      visit.found.push({
        kind: "unknown",
        path: [...path, field],
        field,
        fields: Object.keys(schema.properties ?? {}),
      });
    else if (rule !== undefined) validate(visit, rule, { value: value[field], path: [...path, field] });
  }
}

function sizeWithin(
  visit: Visit,
  { path, size, unit }: { path: Path; size: number; unit: string },
  [least, most]: readonly [number | undefined, number | undefined],
): void {
  if (least !== undefined && size < least)
    visit.found.push({ kind: "value", path, expected: `at least ${count(least, unit)}` });
  if (most !== undefined && size > most)
    visit.found.push({ kind: "value", path, expected: `at most ${count(most, unit)}` });
}

function checkCombinations(visit: Visit, schema: JsonSchemaObject, place: Place): void {
  const { root, found } = visit;
  const against = (candidate: JsonSchema): Violation[] => {
    const inner: Visit = { root, found: [] };
    validate(inner, candidate, place);
    return inner.found;
  };
  for (const part of schema.allOf ?? []) found.push(...against(part));
  if (schema.anyOf !== undefined) {
    const results = schema.anyOf.map(against);
    if (results.every((result) => result.length > 0)) found.push(...nearestOf(results));
  }
  if (schema.oneOf !== undefined) {
    const results = schema.oneOf.map(against);
    const matching = results.filter((result) => result.length === 0).length;
    if (matching === 0) found.push(...nearestOf(results));
    else if (matching > 1)
      found.push({
        kind: "value",
        path: place.path,
        expected: `only one of ${schema.oneOf.map(summary).join(", ")}`,
      });
  }
  if (schema.not !== undefined && against(schema.not).length === 0)
    found.push({ kind: "value", path: place.path, expected: `something without ${summary(schema.not)}` });
  if (schema.if !== undefined) {
    const branch = against(schema.if).length === 0 ? schema.then : schema.else;
    if (branch !== undefined) found.push(...against(branch));
  }
}

/** Of several alternatives that all fail: what the one with the fewest faults says. */
const nearestOf = (results: readonly Violation[][]): Violation[] =>
  results.reduce((best, result) => (result.length < best.length ? result : best), results[0] ?? []);

const summary = (schema: JsonSchema): string =>
  typeof schema === "object" && schema.required !== undefined ? schema.required.join(" and ") : "this";

const count = (number: number, unit: string): string => `${number} ${unit}${number === 1 ? "" : "s"}`;
