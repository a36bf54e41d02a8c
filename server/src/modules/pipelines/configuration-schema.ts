import { plainNumber } from "../../kernel/json-text.ts";

/** JSON Schema as pydantic writes it for configurations of flavors. */
export type Schema = {
  readonly title?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
};

export type Problem = { readonly path: readonly (string | number)[]; readonly message: string };
export type Read = { readonly value: unknown } | { readonly problem: Problem };
type At = { readonly root: Schema; readonly path: readonly (string | number)[]; readonly isStrict?: boolean };

/**
 * The value as the schema reads it: texts that are booleans or numbers become such, as pydantic has it, and what a model
 * does not name is dropped. What needs no reading stays as it came, numbers to the digit.
 */
export function coerce(value: unknown, given: Schema, at: At): Read {
  const schema = resolve(given, at.root);
  if (schema.anyOf !== undefined) return coerceAny(value, schema.anyOf, at);
  if (schema.enum !== undefined || schema.const !== undefined) {
    const options = schema.enum ?? [schema.const];
    return options.includes(plainNumber(value))
      ? { value }
      : refused(at, `Input should be ${options.map((one) => `'${String(one)}'`).join(" or ")}`);
  }
  switch (schema.type) {
    case "null":
      return value === null ? { value } : refused(at, "Input should be None");
    case "boolean":
      return coerceBoolean(value, at);
    case "integer":
    case "number":
      return coerceNumber(value, schema, at);
    case "string":
      return coerceText(value, schema, at);
    case "array":
      return coerceArray(value, schema, at);
    case "object":
      return coerceObject(value, schema, at);
    default:
      return { value };
  }
}

export function resolve(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.replace("#/$defs/", "");
  const found = name === undefined ? undefined : root.$defs?.[name];
  return found === undefined ? schema : resolve(found, root);
}

/** What a value may be, besides nothing. */
export const optionsOf = (schema: Schema, root: Schema): readonly Schema[] =>
  (resolve(schema, root).anyOf ?? [schema]).filter((option) => resolve(option, root).type !== "null");

/** What fits as it is comes before what fits when it is read. */
function coerceAny(value: unknown, options: readonly Schema[], at: At): Read {
  let first: Read | undefined;
  for (const isStrict of at.isStrict === true ? [true] : [true, false]) {
    for (const option of options) {
      const read = coerce(value, option, { ...at, isStrict });
      if (!("problem" in read)) return read;
      if (!isStrict || at.isStrict === true) first ??= read;
    }
  }
  return first ?? refused(at, "Input does not fit");
}

const words: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...["1", "t", "true", "y", "yes", "on"].map((word) => [word, true] as const),
  ...["0", "f", "false", "n", "no", "off"].map((word) => [word, false] as const),
  [1, true],
  [0, false],
]);

function coerceBoolean(value: unknown, at: At): Read {
  if (typeof value === "boolean") return { value };
  const plain = plainNumber(value);
  const flag = words.get(typeof plain === "string" ? plain.toLowerCase() : plain);
  return flag === undefined || at.isStrict === true
    ? refused(at, "Input should be a valid boolean")
    : { value: flag };
}

function coerceNumber(value: unknown, schema: Schema, at: At): Read {
  const isInteger = schema.type === "integer";
  const plain = plainNumber(value);
  const number = numberOf(plain, at);
  if (number === undefined || (isInteger && !Number.isInteger(number))) {
    return refused(at, `Input should be a valid ${isInteger ? "integer" : "number"}`);
  }
  const problem = limitOf(number, schema);
  if (problem !== undefined) return refused(at, problem);
  // `1.0` is an integer when one is asked for.
  return { value: typeof plain === "number" && (!isInteger || value === plain) ? value : number };
}

function numberOf(plain: unknown, { isStrict }: At): number | undefined {
  if (typeof plain === "number") return plain;
  if (isStrict === true) return undefined;
  if (typeof plain === "boolean") return plain ? 1 : 0;
  if (typeof plain !== "string" || !/^\s*[-+]?(\d[\d_]*\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(plain))
    return undefined;
  return Number(plain.replaceAll("_", ""));
}

function limitOf(number: number, schema: Schema): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && number < minimum) return `Input should be greater than or equal to ${minimum}`;
  if (maximum !== undefined && number > maximum) return `Input should be less than or equal to ${maximum}`;
  if (exclusiveMinimum !== undefined && number <= exclusiveMinimum) {
    return `Input should be greater than ${exclusiveMinimum}`;
  }
  if (exclusiveMaximum !== undefined && number >= exclusiveMaximum) {
    return `Input should be less than ${exclusiveMaximum}`;
  }
  return undefined;
}

function coerceText(value: unknown, schema: Schema, at: At): Read {
  if (typeof value !== "string") return refused(at, "Input should be a valid string");
  const { minLength, maxLength, pattern } = schema;
  // Code points, as Python counts.
  const { length } = Array.from(value);
  if (minLength !== undefined && length < minLength) {
    return refused(at, `String should have at least ${minLength} characters`);
  }
  if (maxLength !== undefined && length > maxLength) {
    return refused(at, `String should have at most ${maxLength} characters`);
  }
  if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) {
    return refused(at, `String should match pattern '${pattern}'`);
  }
  return { value };
}

function coerceArray(value: unknown, schema: Schema, at: At): Read {
  if (!Array.isArray(value)) return refused(at, "Input should be a valid list");
  const { minItems, maxItems, prefixItems, items } = schema;
  if (minItems !== undefined && value.length < minItems) {
    return refused(at, `List should have at least ${minItems} items`);
  }
  if (maxItems !== undefined && value.length > maxItems) {
    return refused(at, `List should have at most ${maxItems} items`);
  }
  const read: unknown[] = [];
  for (const [index, one] of value.entries()) {
    const result = coerce(one, prefixItems?.[index] ?? items ?? {}, { ...at, path: [...at.path, index] });
    if ("problem" in result) return result;
    read.push(result.value);
  }
  return { value: read };
}

function coerceObject(value: unknown, schema: Schema, at: At): Read {
  // A number that is kept to the digit is an object to JavaScript.
  if (typeof value !== "object" || value === null || Array.isArray(value) || plainNumber(value) !== value) {
    return refused(at, "Input should be a valid dictionary");
  }
  const { properties = {}, required = [], additionalProperties = schema.properties === undefined } = schema;
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return refused({ ...at, path: [...at.path, missing] }, "Field required");
  const read: [string, unknown][] = [];
  for (const [key, one] of Object.entries(value)) {
    const path = [...at.path, key];
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property === undefined && additionalProperties === false) {
      if (schema.additionalProperties === false)
        return refused({ ...at, path }, "Extra inputs are not permitted");
      continue;
    }
    const other = typeof additionalProperties === "object" ? additionalProperties : {};
    const result = coerce(one, property ?? other, { ...at, path });
    if ("problem" in result) return result;
    read.push([key, result.value]);
  }
  return { value: Object.fromEntries(read) };
}

const refused = ({ path }: At, message: string): Read => ({ problem: { path, message } });
