import { parseFaithfulJson } from "../../kernel/json-text.ts";
import { runConfigurationSchema, type JsonObject, type Runnable } from "../../modules/pipelines/index.ts";
import { pipelineConfiguration, stepConfiguration } from "./configuration.ts";

/** What a snapshot and its steps are configured to, as it is given when it is run: without what nobody set. */

/** Of the fields of a step, those that can be given for a run. */
const notOfSteps: ReadonlySet<string> = new Set([
  "name",
  "outputs",
  "step_type",
  "template",
  "caching_parameters",
  "external_input_artifacts",
  "model_artifacts_or_metadata",
  "client_lazy_loaders",
  "command",
]);
const notOfPipelines: ReadonlySet<string> = new Set([
  "name",
  "steps_to_skip",
  "skip_successful_steps",
  "step_input_overrides",
  "step_default_input_overrides",
]);

const stepDefaults: JsonObject = stepConfiguration.parse({ name: "" });
const pipelineDefaults: JsonObject = pipelineConfiguration.parse({ name: "" });
const partDefaults: JsonObject = {
  cache_policy: stepDefaults["cache_policy"],
  retry: stepConfiguration.parse({ name: "", retry: {} }).retry,
  // ZenML's own models set the last one of these on every model, and show it.
  model: {
    ...stepConfiguration.parse({ name: "", model: { name: "" } }).model,
    suppress_class_validation_warnings: false,
  },
  group: { name: null, type: "manual" },
};

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const importPath = ({ module, attribute }: Record<string, unknown>): string =>
  typeof attribute === "string" ? `${String(module)}.${attribute}` : String(module);

/** Fields of an object that are set, and not to what they are anyway. */
const setFields = (given: JsonObject, defaults: JsonObject): [string, unknown][] =>
  Object.entries(given).filter(
    ([field, value]) => value !== null && !(field in defaults && isSame(value, defaults[field])),
  );

function templateOf(
  given: JsonObject,
  defaults: JsonObject,
  left: ReadonlySet<string>,
): Record<string, unknown> {
  const fields = setFields(given, defaults).filter(([field]) => !left.has(field));
  return Object.fromEntries(fields.map(([field, value]) => [field, shown(field, value)]));
}

function shown(field: string, value: unknown): unknown {
  if (field.endsWith("_hook_source") && isObject(value)) return importPath(value);
  if (field === "settings" && isObject(value)) {
    const { docker: _docker, ...settings } = value;
    const entries = Object.entries(settings);
    return Object.fromEntries(
      entries.map(([key, one]) => [key, isObject(one) ? Object.fromEntries(setFields(one, {})) : one]),
    );
  }
  if (field === "tags" && Array.isArray(value)) {
    return value.map((tag: unknown) => (isObject(tag) ? Object.fromEntries(setFields(tag, {})) : tag));
  }
  const defaults = partDefaults[field];
  return isObject(value) && isObject(defaults) ? Object.fromEntries(setFields(value, defaults)) : value;
}

const parsed = (text: string): JsonObject => parseFaithfulJson(Buffer.from(text)) as JsonObject;

function templateFor({ row, steps }: Runnable): object {
  const pipeline = parsed(row.pipeline_configuration_json);
  const left = row.is_dynamic ? notOfPipelines : new Set([...notOfPipelines, "parameters"]);
  return {
    run_name: row.run_name_template,
    steps: Object.fromEntries(
      steps.map((step) => [step.name, templateOf(parsed(step.overrides_json), stepDefaults, notOfSteps)]),
    ),
    ...templateOf(pipeline, pipelineDefaults, left),
  };
}

/** Nothing where the snapshot has no build for a stack. */
export function runConfigurationOf(runnable: Runnable | undefined): object {
  if (runnable === undefined) return { config_template: null, config_schema: null };
  const { row, steps, components } = runnable;
  const { parameters } = parsed(row.pipeline_configuration_json);
  return {
    config_template: templateFor(runnable),
    config_schema: runConfigurationSchema({
      isDynamic: row.is_dynamic,
      parameters: isObject(parameters) ? parameters : null,
      steps: steps.map((step) => ({
        name: step.name,
        spec: parsed(step.spec_json),
        config: parsed(step.config_json),
      })),
      components,
    }),
  };
}
