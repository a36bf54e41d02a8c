import { invalidParameter } from "../../kernel/errors.ts";
import { settingsKeys, type SettingsScope } from "./setting-keys.ts";
import { mergeSteps, type GivenStep } from "./snapshot-merging.ts";
import type { NewSnapshotStep } from "./snapshot-steps.sql.ts";
import { isJsonObject, setField, type JsonObject } from "./step-configuration.ts";

/** What runs of a snapshot are to do otherwise than it says: what is not named stays. */
export type RunConfigurationUpdate = {
  runName: string | null;
  /** Fields of the pipeline's configuration, and of its steps' by their names. */
  pipeline: JsonObject;
  steps: Readonly<Record<string, JsonObject>>;
  /** What no run may change, where it was asked for. */
  build: unknown;
  schedule: unknown;
};

export const noUpdate: RunConfigurationUpdate = {
  runName: null,
  pipeline: {},
  steps: {},
  build: null,
  schedule: null,
};

/** Fills in what a configuration must have and was not said; throws where something does not fit. */
export type Complete = {
  pipeline(configuration: JsonObject): JsonObject & { name: string };
  step(configuration: JsonObject): JsonObject;
};

export type SourceSnapshot = {
  isDynamic: boolean;
  configuration: JsonObject;
  spec: JsonObject | null;
  /** In their order; `config` is what holds for each in the end. */
  steps: readonly (GivenStep & { name: string; config: JsonObject })[];
};

export type DerivedSnapshot = {
  configuration: JsonObject & { name: string };
  spec: JsonObject | null;
  steps: NewSnapshotStep[];
};

/** Throws `invalid_parameter` for what cannot be said of a run that a server begins. */
export function checkUpdate(
  { pipeline, steps, build, schedule }: RunConfigurationUpdate,
  isDynamic: boolean,
): void {
  if (!isDynamic && hasFields(pipeline["parameters"])) {
    throw invalidParameter(
      "Can't set pipeline parameters when running a static pipeline via the REST API. Use a dynamic pipeline, or " +
        "parameters of its steps.",
    );
  }
  if (isGiven(build)) throw invalidParameter("Can't set build when running pipeline via Rest API.");
  if (isGiven(schedule)) throw invalidParameter("Can't set schedule when running pipeline via Rest API.");
  const settings = [pipeline, ...Object.values(steps)].map((one) => one["settings"]);
  if (settings.some((one) => isJsonObject(one) && isGiven(one["docker"]))) {
    throw invalidParameter("Can't set DockerSettings when running pipeline via Rest API.");
  }
}

/**
 * A snapshot as its runs are to be: the update laid over what pipeline and steps say themselves, and their orchestrator
 * told not to wait for its runs. By ZenML's own rules; pure. Throws `invalid_parameter` for parameters that a step does
 * not have, and for settings of components that the stack does not have.
 */
export function deriveSnapshot(
  source: SourceSnapshot,
  update: RunConfigurationUpdate,
  { scope, complete }: { scope: SettingsScope; complete: Complete },
): DerivedSnapshot {
  const keys = settingsKeys(scope);
  const { name: _name, parameters, ...common } = update.pipeline;
  const changes = source.isDynamic && isGiven(parameters) ? { ...common, parameters } : common;
  const merged = complete.pipeline(overlay(source.configuration, keys.normalized(changes)));
  const configuration: DerivedSnapshot["configuration"] = {
    ...merged,
    settings: keys.withoutWaiting(merged["settings"]),
  };
  const steps = source.steps.map(({ name, spec, overrides, config }): [string, GivenStep] => {
    const { name: _ignored, ...own } = update.steps[name] ?? {};
    const changed = complete.step(overlay(overrides, keys.normalized(own)));
    checkParameters(name, fieldsOf(config["parameters"]), fieldsOf(changed["parameters"]));
    return [name, { spec, overrides: changed }];
  });
  const spec =
    source.spec !== null && hasFields(configuration["parameters"])
      ? { ...source.spec, parameters: configuration["parameters"] }
      : source.spec;
  return {
    configuration,
    spec,
    steps: mergeSteps({ isDynamic: source.isDynamic, configuration, steps: new Map(steps) }),
  };
}

/** What Python takes for something. */
const isGiven = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== "" && !(isJsonObject(value) && !hasFields(value));

const fieldsOf = (value: unknown): string[] => (isJsonObject(value) ? Object.keys(value) : []);
const hasFields = (value: unknown): boolean => fieldsOf(value).length > 0;

/** Objects are merged field by field, anything else replaces. Neither is changed. */
function overlay(below: JsonObject, above: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const canMerge = isJsonObject(value) && (isJsonObject(before) || !before);
    setField(merged, key, canMerge ? overlay(isJsonObject(before) ? before : {}, value) : value);
  }
  return merged;
}

function checkParameters(step: string, required: readonly string[], configured: readonly string[]): void {
  const listed = (names: readonly string[]): string => `{${names.map((name) => `'${name}'`).join(", ")}}`;
  const unknown = configured.filter((name) => !required.includes(name));
  if (unknown.length > 0) {
    throw invalidParameter(
      `Run configuration contains the following unknown parameters for step ${step}: ${listed(unknown)}.`,
    );
  }
  const missing = required.filter((name) => !configured.includes(name));
  if (missing.length > 0) {
    throw invalidParameter(
      `Run configuration is missing the following required parameters for step ${step}: ${listed(missing)}.`,
    );
  }
}
