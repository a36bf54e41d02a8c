import { closest } from "fastest-levenshtein";
import { z } from "zod";
import { defaultsFor, tierOf } from "./defaults.ts";
import { isObject, merge, valueAt, type JsonObject } from "./merge.ts";
import { environmentSpec, type Environment } from "./platform.ts";
import { keysAt, kindsAt } from "./schema-shape.ts";
import { shortName } from "./values.ts";

/** Path of a setting in the exported object: `["environments", "prod", "tracking", "replicas"]`. */
export type SettingPath = readonly (string | number)[];

/** A setting that is wrong, and where it was given. */
export type SettingProblem = { path: SettingPath; message: string; remedy: string };

/** Where the value of a setting comes from. */
export type Source = "environment" | "platform" | "default";

export type Resolved =
  | { environment: Environment; sourceOf(path: SettingPath): Source; problems: [] }
  | { environment?: undefined; problems: SettingProblem[] };

const environmentName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/)
  .max(12);

/** Names of the environments of what a configuration file exports; problems of its outer shape. */
export function environmentsOf(exported: unknown): { names: string[]; problems: SettingProblem[] } {
  const problem = (
    path: SettingPath,
    message: string,
    remedy: string,
  ): { names: []; problems: SettingProblem[] } => ({
    names: [],
    problems: [{ path, message, remedy }],
  });
  if (!isObject(exported)) {
    return problem([], "the configuration exports no object", "export default { name, environments, ... }");
  }
  const name = shortName.safeParse(exported["name"]);
  if (!name.success) {
    const said = name.error.issues[0]?.message ?? "";
    return problem(["name"], `name ${shown(exported["name"])}: ${said}`, "Give the platform a short name.");
  }
  const environments = exported["environments"];
  if (!isObject(environments) || Object.keys(environments).length === 0) {
    return problem(
      ["environments"],
      "there is no environment",
      "Name at least one: environments: { dev: {} }. Its settings are those above, with what it changes.",
    );
  }
  for (const [key, value] of Object.entries(environments)) {
    if (!environmentName.safeParse(key).success) {
      return problem(
        ["environments", key],
        `the name of the environment "${key}" cannot be part of other names`,
        "Use up to 12 lower-case letters, digits and hyphens, beginning with a letter.",
      );
    }
    if (!isObject(value)) {
      return problem(["environments", key], `the environment "${key}" is no object`, `Write ${key}: {}.`);
    }
  }
  return { names: Object.keys(environments), problems: [] };
}

/** Settles every setting of one environment: defaults, then the platform's settings, then the environment's own. */
export function resolveEnvironment(exported: JsonObject, name: string): Resolved {
  const { name: platform, environments, ...shared } = exported;
  const own = (environments as Record<string, JsonObject>)[name] ?? {};
  const tier = tierOf(name);
  const given = merge(tier === undefined ? {} : { tier }, merge(shared, own));
  const raw = merge(defaultsFor(given, String(platform), name), given);
  const parsed = environmentSpec.safeParse(raw);
  const placed = (path: SettingPath): SettingPath =>
    placeOf(path, own, shared) === "environment" ? ["environments", name, ...path] : path;
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, raw, placed));
    const isMissing = (path: SettingPath): boolean => valueAt(exported, path) === undefined;
    return { problems: withoutConsequences(problems, isMissing) };
  }
  const sourceOf = (path: SettingPath): Source => {
    if (valueAt(own, path) !== undefined) return "environment";
    return valueAt(shared, path) === undefined ? "default" : "platform";
  };
  return { environment: { ...parsed.data, platform: String(platform), name }, sourceOf, problems: [] };
}

/** Where the user wrote what stands at `path`, or most of the way to it: in the environment, or at the top. */
function placeOf(path: SettingPath, own: JsonObject, shared: JsonObject): "environment" | "platform" {
  const depthIn = (root: JsonObject): number => {
    let length = path.length;
    while (length > 0 && valueAt(root, path.slice(0, length)) === undefined) length -= 1;
    return length;
  };
  const depth = depthIn(own);
  return depth > 0 && depth >= depthIn(shared) ? "environment" : "platform";
}

/** Of a target that is none, the rest follows: defaults come from it. */
function withoutConsequences(
  problems: readonly SettingProblem[],
  isMissing: (path: SettingPath) => boolean,
): SettingProblem[] {
  const ofTarget = problems.some(
    ({ path }) => path.at(-1) === "target" || path.slice(-2).join(".") === "target.kind",
  );
  return problems.filter(({ path }) => !ofTarget || !isMissing(path) || path.includes("target"));
}

type Issue = z.core.$ZodIssue;

function problemsOf(
  issue: Issue,
  raw: JsonObject,
  placed: (path: SettingPath) => SettingPath,
): SettingProblem[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  const value = valueAt(raw, path);
  const at = dotted(path);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(path, raw);
    return issue.keys.map((key) => ({
      path: placed([...path, key]),
      message: `unknown setting ${dotted([...path, key])}`,
      remedy:
        known.length === 0
          ? "Remove it."
          : `Did you mean ${closest(key, known)}? Settings here: ${known.join(", ")}.`,
    }));
  }
  if (issue.code === "invalid_union") {
    const key =
      "discriminator" in issue && typeof issue.discriminator === "string" ? issue.discriminator : undefined;
    const options = key === undefined ? [] : kindsAt(path.slice(0, -1), key, raw);
    const kindPath = key === undefined || path.at(-1) === key ? path : [...path, key];
    const chosen = valueAt(raw, kindPath);
    const isText = typeof chosen === "string" && options.length > 0;
    return [
      {
        path: placed(kindPath),
        message:
          chosen === undefined
            ? `${dotted(kindPath)} is missing`
            : `${dotted(kindPath)} cannot be ${shown(chosen)}`,
        remedy:
          options.length === 0
            ? issue.message
            : `${isText ? `Did you mean "${closest(chosen, options)}"? ` : ""}Choices: ${options.join(", ")}.`,
      },
    ];
  }
  if (value === undefined) {
    return [{ path: placed(path), message: `${at} is missing`, remedy: `Set ${at}: ${expected(issue)}.` }];
  }
  return [
    { path: placed(path), message: `${at} cannot be ${shown(value)}`, remedy: `Use ${expected(issue)}.` },
  ];
}

function expected(issue: Issue): string {
  if (issue.code === "invalid_value") return `one of ${issue.values.map((value) => shown(value)).join(", ")}`;
  if (issue.code === "invalid_type") return `a value of type ${issue.expected}`;
  return issue.message;
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

export const dotted = (path: SettingPath): string =>
  path.map((step, at) => (typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`)).join("");
