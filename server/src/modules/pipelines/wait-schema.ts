import { isDeepStrictEqual } from "node:util";
import { Script } from "node:vm";

/** A JSON Schema, as far as answers to runs that wait are checked: drafts 4 to 2020-12 without references elsewhere. */
type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 64;

/** Whether a JSON value fits. What is not known of a schema says nothing, as in JSON Schema itself. Pure. */
export const fitsSchema = (value: unknown, schema: unknown): boolean =>
  fitsPart(value, schema, { root: schema, depth: 0 });

type Place = { readonly root: unknown; readonly depth: number };

function fitsPart(value: unknown, schema: unknown, { root, depth }: Place): boolean {
  if (typeof schema === "boolean") return schema;
  if (!isObject(schema) || depth > MAX_DEPTH) return true;
  const fits = (one: unknown, part: unknown): boolean => fitsPart(one, part, { root, depth: depth + 1 });
  return (
    fitsReference(value, schema, { root, depth }) &&
    fitsType(value, schema["type"]) &&
    fitsOptions(value, schema) &&
    fitsCombination(value, schema, fits) &&
    (typeof value === "number" ? fitsNumber(value, schema) : true) &&
    (typeof value === "string" ? fitsText(value, schema) : true) &&
    (Array.isArray(value) ? fitsArray(value, schema, fits) : true) &&
    (isObject(value) ? fitsObject(value, schema, fits) : true)
  );
}

type Fits = (value: unknown, schema: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fitsReference(
  value: unknown,
  { $ref: path }: Schema,
  { root, depth }: { root: unknown; depth: number },
): boolean {
  if (typeof path !== "string" || !path.startsWith("#")) return true;
  let found: unknown = root;
  for (const part of path.slice(1).split("/").slice(1)) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found === undefined || fitsPart(value, found, { root, depth: depth + 1 });
}

function fitsType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  return [type].flat().some((one) => {
    switch (one) {
      case "null":
        return value === null;
      case "array":
        return Array.isArray(value);
      case "object":
        return isObject(value);
      case "integer":
        return Number.isInteger(value);
      default:
        return typeof value === one;
    }
  });
}

const fitsOptions = (value: unknown, schema: Schema): boolean =>
  (!Array.isArray(schema["enum"]) || schema["enum"].some((one) => isDeepStrictEqual(one, value))) &&
  (!Object.hasOwn(schema, "const") || isDeepStrictEqual(schema["const"], value));

function fitsCombination(value: unknown, schema: Schema, fits: Fits): boolean {
  const { anyOf, allOf, oneOf, not } = schema;
  const matches = (options: unknown): number | undefined =>
    Array.isArray(options) ? options.filter((one) => fits(value, one)).length : undefined;
  return (
    matches(anyOf) !== 0 &&
    (!Array.isArray(allOf) || matches(allOf) === allOf.length) &&
    (matches(oneOf) ?? 1) === 1 &&
    (not === undefined || !fits(value, not))
  );
}

const within = (value: number, least: unknown, most: unknown): boolean =>
  (typeof least !== "number" || value >= least) && (typeof most !== "number" || value <= most);

function fitsNumber(value: number, schema: Schema): boolean {
  const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step } = schema;
  return (
    within(value, schema["minimum"], schema["maximum"]) &&
    (typeof above !== "number" || value > above) &&
    (typeof below !== "number" || value < below) &&
    (typeof step !== "number" || step <= 0 || Number.isInteger(value / step))
  );
}

/** Patterns come from whoever made the pipeline: one that would take long is given up, and nothing fits it. */
const PATTERN_MS = 50;
const matching = new Script('new RegExp(pattern, "u").test(text)');

function fitsText(value: string, schema: Schema): boolean {
  const { pattern } = schema;
  if (!within(Array.from(value).length, schema["minLength"], schema["maxLength"])) return false;
  if (typeof pattern !== "string") return true;
  try {
    return matching.runInNewContext({ pattern, text: value }, { timeout: PATTERN_MS }) === true;
  } catch {
    return false;
  }
}

function fitsArray(value: readonly unknown[], schema: Schema, fits: Fits): boolean {
  const { items, prefixItems } = schema;
  const places = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  const rest = Array.isArray(items) ? schema["additionalItems"] : items;
  const { length } = value;
  return (
    within(length, schema["minItems"], schema["maxItems"]) &&
    value.every((one, at) => fits(one, at < places.length ? places[at] : rest)) &&
    (schema["uniqueItems"] !== true ||
      value.every((one, at) => !value.slice(0, at).some((other) => isDeepStrictEqual(one, other))))
  );
}

function fitsObject(value: Record<string, unknown>, schema: Schema, fits: Fits): boolean {
  const { properties, required, additionalProperties: rest } = schema;
  const known = isObject(properties) ? properties : {};
  const needed = Array.isArray(required) ? required : [];
  return (
    needed.every((name) => typeof name !== "string" || Object.hasOwn(value, name)) &&
    within(Object.keys(value).length, schema["minProperties"], schema["maxProperties"]) &&
    Object.entries(value).every(([name, one]) => fits(one, Object.hasOwn(known, name) ? known[name] : rest))
  );
}
