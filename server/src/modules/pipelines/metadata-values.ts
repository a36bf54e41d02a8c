import { invalidParameter } from "../../kernel/errors.ts";

export const metadataTypes = [
  "str",
  "int",
  "float",
  "bool",
  "list",
  "dict",
  "tuple",
  "set",
  "Uri",
  "Path",
  "DType",
  "StorageSize",
] as const;
export type MetadataType = (typeof metadataTypes)[number];

const MAX_VALUE = 65_535;

/** What a JSON value is called, by its text; undefined for null. */
export function metadataTypeOf(json: string): MetadataType | undefined {
  switch (json.charAt(0)) {
    case '"':
      return "str";
    case "{":
      return "dict";
    case "[":
      return "list";
    case "t":
    case "f":
      return "bool";
    case "n":
      return undefined;
    default:
      return /[.eE]/.test(json) ? "float" : "int";
  }
}

export type MetadataValue = { key: string; value_json: string; type: MetadataType };

/**
 * Values that are logged together with what they are about, by their keys in order; those of more than 65,535
 * characters are left out, as ZenML does. Throws `invalid_parameter` for keys with colons, which filters could not
 * name, and for null.
 */
export function readMetadata(values: Readonly<Record<string, unknown>>): MetadataValue[] {
  const read: MetadataValue[] = [];
  for (const key of Object.keys(values).toSorted()) {
    const json = JSON.stringify(values[key]);
    const type = metadataTypeOf(json);
    if (key.includes(":")) {
      throw invalidParameter(
        `You can not use colons (\`:\`) in the key names when you are creating metadata. Change the key: ${key}`,
      );
    }
    if (type === undefined) throw invalidParameter(`The value of the metadata key '${key}' is null.`);
    if (json.length <= MAX_VALUE) read.push({ key, value_json: json, type });
  }
  return read;
}
