import { plainNumber } from "../../kernel/json-text.ts";
import { brokenRule, withDerived, withoutFringes } from "./component-rules.ts";
import { coerce, optionsOf, resolve, type Problem, type Schema } from "./configuration-schema.ts";
import type { FlavorRow } from "./stack-tables.ts";

export type Configuration = Readonly<Record<string, unknown>>;

/** `keys` that the flavor does not know, or values that do not fit its schema. */
export type Refusal =
  | { readonly kind: "keys"; readonly keys: readonly string[] }
  | { readonly kind: "values"; readonly title: string; readonly problems: readonly Problem[] }
  | { readonly kind: "rule"; readonly text: string };

export type Checked = { readonly configuration: Configuration } | { readonly refusal: Refusal };

/**
 * A component's configuration as its flavor understands it, which is what ZenML's server keeps: only what was given, with
 * texts read as the booleans, numbers, lists and objects that they stand for. Pure. Python code of custom flavors runs
 * on clients alone, so theirs is kept as it comes.
 *
 * `existing` is what the component had: keys that were there before may stay out of date, but are given up.
 */
export function checkConfiguration(
  flavor: Pick<FlavorRow, "name" | "type" | "is_custom" | "config_schema_json">,
  given: Configuration,
  existing: Configuration = {},
): Checked {
  if (flavor.is_custom) return { configuration: given };
  const schema = JSON.parse(flavor.config_schema_json) as Schema;
  const properties = schema.properties ?? {};
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(properties, key));
  const keys = unknown.filter((key) => !Object.hasOwn(existing, key));
  if (keys.length > 0) return { refusal: { kind: "keys", keys } };

  const filled = withDerived(flavor, given);
  const configuration: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [key, one] of Object.entries(properties)) {
    if (!Object.hasOwn(filled, key)) continue;
    const result = readText(filled[key], one, schema);
    const read = "problem" in result ? result : coerce(result.value, one, { root: schema, path: [key] });
    if ("problem" in read) problems.push(read.problem);
    else configuration[key] = read.value;
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(filled, key)) problems.push({ path: [key], message: "Field required" });
  }
  if (problems.length > 0) {
    return { refusal: { kind: "values", title: schema.title ?? flavor.name, problems } };
  }
  const bare = withoutFringes(flavor, configuration);
  const text = brokenRule(flavor, bare);
  return text === undefined ? { configuration: bare } : { refusal: { kind: "rule", text } };
}

export function refusalText(flavor: Pick<FlavorRow, "name" | "type">, refusal: Refusal): string {
  switch (refusal.kind) {
    case "keys":
      return `Invalid configuration keys [${refusal.keys.map((key) => `'${key}'`).join(", ")}] for ${flavor.name} ${flavor.type}.`;
    case "rule":
      return refusal.text;
    case "values": {
      const { problems, title } = refusal;
      const lines = problems.map(({ path, message }) => `${path.join(".")}\n  ${message}`);
      const count = `${problems.length} validation error${problems.length === 1 ? "" : "s"}`;
      return `${count} for ${title}\n${lines.join("\n")}`;
    }
  }
}

/** Command lines and Terraform give lists and objects as JSON in a text. */
function readText(value: unknown, schema: Schema, root: Schema): { value: unknown } | { problem: Problem } {
  if (typeof value !== "string") return { value };
  const kinds = optionsOf(schema, root).map((option) => resolve(option, root).type);
  const isStructured = kinds[0] === "object" || kinds[0] === "array";
  if (!isStructured || kinds.includes("string")) return { value };
  try {
    return { value: JSON.parse(value) as unknown };
  } catch {
    return { problem: { path: [], message: `Invalid json string '${value}'` } };
  }
}

/** The text of a value of a configuration, where it is one. */
export const textIn = (configuration: Configuration, key: string | null): string | undefined => {
  const value = key === null ? undefined : plainNumber(configuration[key]);
  return typeof value === "string" && value !== "" ? value : undefined;
};
