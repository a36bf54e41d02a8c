import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "./step-configuration.ts";

/**
 * The JSON schema of what can be said when a snapshot is run: the steps and parameters it has, and the settings of the
 * components of its stack. As ZenML's own server writes it, without descriptions.
 */
type Schema = Readonly<Record<string, unknown>>;

/** What of it is the same for all snapshots. */
type Known = {
  /** Fields of the pipeline and of each step. */
  result: Record<string, Schema>;
  step: Record<string, Schema>;
  definitions: Record<string, Schema>;
  /** Classes of settings, by their names; which one a flavor has, by `type:flavor`, and which others that needs. */
  settings: Record<string, Schema>;
  flavors: Record<string, { class: string; uses: string[] }>;
};

const DATA = join(import.meta.dirname, "../../../data/zenml-run-configuration.json");
let known: Known | undefined;
const read = (): Known => (known ??= JSON.parse(readFileSync(DATA, "utf8")) as Known);

export type SchemaComponent = { type: string; name: string; flavor_name: string };
export type SchemaStep = { name: string; spec: JsonObject; config: JsonObject };

export type RunConfiguration = {
  isDynamic: boolean;
  /** Of the pipeline. */
  parameters: JsonObject | null;
  steps: readonly SchemaStep[];
  components: readonly SchemaComponent[];
};

const optional = (name: string): Schema => ({
  anyOf: [{ $ref: `#/$defs/${name}` }, { type: "null" }],
  default: null,
});

/** `my_name` is `My Name`. */
const titleOf = (name: string): string =>
  name
    .replace(/^_+/, "")
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");

const objectSchema = (title: string, properties: Record<string, Schema>, required: string[]): Schema => ({
  properties,
  ...(required.length === 0 ? {} : { required }),
  title,
  type: "object",
});

const parametersSchema = (title: string, names: readonly string[]): Schema =>
  objectSchema(title, Object.fromEntries(names.map((name) => [name, { title: titleOf(name) }])), [...names]);

export function runConfigurationSchema({
  isDynamic,
  parameters,
  steps,
  components,
}: RunConfiguration): Schema {
  const { result, step: stepFields, definitions } = read();
  const defs: Record<string, Schema> = { ...definitions };
  if (!isDynamic) delete defs["StepRuntime"];
  defs["Settings"] = settingsSchema(components, defs);
  const common = stepProperties(stepFields, { isDynamic, components });
  const members: Record<string, Schema> = {};
  const required: string[] = [];
  for (const one of steps) {
    const own = stepParameters(one, defs);
    const has = Object.keys(one.config["parameters"] ?? {}).length > 0;
    const properties = { ...(own === undefined ? {} : { parameters: own }), ...common };
    defs[one.name] = objectSchema(one.name, properties, has ? ["parameters"] : []);
    members[one.name] = has ? { $ref: `#/$defs/${one.name}` } : optional(one.name);
    if (has) required.push(one.name);
  }
  defs["Steps"] = objectSchema("Steps", members, required);
  if (isDynamic) defs["Parameters"] = parametersSchema("Parameters", Object.keys(parameters ?? {}));
  return {
    $defs: defs,
    ...objectSchema(
      "Result",
      {
        ...(isDynamic ? { parameters: { $ref: "#/$defs/Parameters", default: null } } : {}),
        ...result,
        settings: optional("Settings"),
        steps: required.length > 0 ? { $ref: "#/$defs/Steps" } : optional("Steps"),
      },
      required.length > 0 ? ["steps"] : [],
    ),
  };
}

/** Settings of components by `type:name`; what their classes need goes to the definitions. */
function settingsSchema(components: readonly SchemaComponent[], defs: Record<string, Schema>): Schema {
  const { settings, flavors } = read();
  const properties: Record<string, Schema> = { resources: optional("ResourceSettings") };
  for (const { type, name, flavor_name: flavor } of components) {
    const found = flavors[`${type}:${flavor}`];
    if (found === undefined) continue;
    for (const needed of [found.class, ...found.uses]) {
      const schema = settings[needed];
      if (schema !== undefined) defs[needed] = schema;
    }
    properties[`${type}:${name}`] = optional(found.class);
  }
  return objectSchema("Settings", properties, []);
}

function stepProperties(
  fields: Readonly<Record<string, Schema>>,
  { isDynamic, components }: Pick<RunConfiguration, "isDynamic" | "components">,
): Record<string, Schema> {
  const choice = (type: string, field: string): Record<string, Schema> => {
    const names = components.filter((one) => one.type === type).map((one) => one.name);
    if (names.length === 0) return {};
    return {
      [field]: {
        anyOf: [{ enum: names, type: "string" }, { type: "boolean" }, { type: "null" }],
        default: null,
        title: titleOf(field),
      },
    };
  };
  const shown = Object.entries(fields).filter(([name]) => isDynamic || name !== "runtime");
  return {
    ...Object.fromEntries(shown),
    settings: optional("Settings"),
    ...choice("experiment_tracker", "experiment_tracker"),
    ...choice("step_operator", "step_operator"),
  };
}

/** Undefined for a step without parameters. What it says of them itself counts, with its definitions. */
function stepParameters(
  { name, spec, config }: SchemaStep,
  defs: Record<string, Schema>,
): Schema | undefined {
  const names = Object.keys(config["parameters"] ?? {});
  const said = spec["parameter_spec"] as Schema | null | undefined;
  if (said) {
    const { $defs: inner = {}, ...rest } = said as { $defs?: Record<string, Schema> };
    const renamed = new Map(
      Object.entries(inner).map(([key, schema]) => {
        const isTaken = key in defs && JSON.stringify(defs[key]) !== JSON.stringify(schema);
        return [key, isTaken ? `${name}__${key}` : key];
      }),
    );
    for (const [key, schema] of Object.entries(inner)) {
      defs[renamed.get(key) ?? key] = withReferences(schema, renamed) as Schema;
    }
    return withReferences(rest, renamed) as Schema;
  }
  if (names.length === 0) return undefined;
  defs[`${name}_parameters`] = parametersSchema(`${name}_parameters`, names);
  return { anyOf: [{ $ref: `#/$defs/${name}_parameters` }, { type: "null" }] };
}

function withReferences(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => withReferences(one, renamed));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const name = key === "$ref" && typeof one === "string" ? one.replace("#/$defs/", "") : undefined;
      const other = name === undefined ? undefined : renamed.get(name);
      return [key, other === undefined ? withReferences(one, renamed) : `#/$defs/${other}`];
    }),
  );
}
