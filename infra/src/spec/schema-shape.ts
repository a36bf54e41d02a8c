import type { z } from "zod";
import { isObject, valueAt, type JsonObject } from "./merge.ts";
import { environmentSpec } from "./platform.ts";

/** What the schema allows at a place, for suggestions. */

type Path = readonly (string | number)[];
type Schema = z.ZodType;

/** Keys that an object may have at `path`, by the schema and the kinds chosen in `raw`. */
export function keysAt(path: Path, raw: JsonObject): string[] {
  const schema = schemaAt(path, raw);
  return schema === undefined ? [] : Object.keys(shapeOf(schema) ?? {});
}

/** What the key that tells kinds apart may say at `path`. */
export function kindsAt(path: Path, discriminator: string, raw: JsonObject): string[] {
  const schema = schemaAt(path, raw);
  return schema === undefined
    ? []
    : membersOf(schema).flatMap((member) => literalsOf(shapeOf(member)?.[discriminator]).map(String));
}

type Definition = {
  type: string;
  innerType?: Schema;
  in?: Schema;
  options?: readonly Schema[];
  shape?: Record<string, Schema>;
  element?: Schema;
  valueType?: Schema;
  values?: readonly unknown[];
};

const definitionOf = (schema: Schema): Definition => schema.def;

/** Without defaults, options and pipes around it. */
function unwrapped(schema: Schema): Schema {
  let current = schema;
  for (;;) {
    const { type, innerType, in: input } = definitionOf(current);
    const inner = innerType ?? (type === "pipe" ? input : undefined);
    if (inner === undefined) return current;
    current = inner;
  }
}

const membersOf = (schema: Schema): readonly Schema[] => definitionOf(unwrapped(schema)).options ?? [];

const shapeOf = (schema: Schema): Record<string, Schema> | undefined => definitionOf(unwrapped(schema)).shape;

const literalsOf = (schema: Schema | undefined): readonly unknown[] =>
  schema === undefined ? [] : (definitionOf(unwrapped(schema)).values ?? []);

function schemaAt(path: Path, raw: JsonObject): Schema | undefined {
  let schema: Schema | undefined = environmentSpec;
  for (const [at, step] of path.entries()) {
    if (schema === undefined) return undefined;
    const { element, valueType } = definitionOf(unwrapped(schema));
    const next: Schema | undefined =
      typeof step === "number" ? element : (shapeOf(schema)?.[step] ?? valueType);
    schema = next === undefined ? undefined : chosen(next, valueAt(raw, path.slice(0, at + 1)));
  }
  return schema;
}

/** Of a union, the member that the value says it is; the union itself when it says nothing that is known. */
function chosen(schema: Schema, value: unknown): Schema {
  if (!isObject(value)) return schema;
  const member = membersOf(schema).find((option) =>
    ["engine", "kind"].some((key) => literalsOf(shapeOf(option)?.[key]).includes(value[key])),
  );
  return member ?? schema;
}
