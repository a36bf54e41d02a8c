/**
 * What holds for a step in the end: what it says itself, laid over what its pipeline says for all of its steps. Pure.
 * It follows ZenML's own rules to the letter, also where they surprise, since cache keys and settings of orchestrators
 * depend on them.
 */

/** An object of JSON, read; its parts may be numbers that are kept as they came (`kernel/json-text.ts`). */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a pipeline says for all of its steps. */
const propagated = [
  "settings",
  "extra",
  "retry",
  "substitutions",
  "environment",
  "secrets",
  "cache_policy",
] as const;

/** Hooks besides: those of a dynamic pipeline are its own, as its steps are not known beforehand. */
const propagatedHooks = [
  "failure_hook_source",
  "success_hook_source",
  "start_hook_source",
  "end_hook_source",
] as const;

export type MergeOptions = { isDynamic: boolean };

/** What `mergeStepConfiguration` takes of a pipeline: worked out once for all of its steps. */
export type PropagatedConfiguration = { readonly [field: string]: unknown };

/** What is null says nothing: fields, and what the settings of a component or the source of a hook hold. */
export function propagatedBy(pipeline: JsonObject, { isDynamic }: MergeOptions): PropagatedConfiguration {
  const said: [string, unknown][] = [];
  for (const field of propagated) {
    const value = pipeline[field];
    if (!isSaid(value)) continue;
    said.push([field, field === "settings" && isJsonObject(value) ? mapValues(value, withoutNulls) : value]);
  }
  for (const field of isDynamic ? [] : propagatedHooks) {
    const hook = pipeline[field];
    if (isSaid(hook))
      said.push([field, isJsonObject(hook) ? { attribute: null, ...withoutNulls(hook) } : hook]);
  }
  return Object.fromEntries(said);
}

const isSaid = (value: unknown): boolean => value !== null && value !== undefined;

const withoutNulls = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

const mapValues = (object: JsonObject, change: (value: JsonObject) => JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, isJsonObject(value) ? change(value) : value]),
  );

/** `overrides` and the result are whole configurations of steps, in one order of fields. Neither is changed. */
export function mergeStepConfiguration(
  overrides: JsonObject,
  pipeline: PropagatedConfiguration,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...overrides };
  for (const [field, value] of Object.entries(pipeline)) {
    merged[field] = field === "secrets" ? joined(value, overrides[field]) : layOver(value, overrides[field]);
  }
  return merged;
}

const joined = (first: unknown, second: unknown): unknown[] => [
  ...(Array.isArray(first) ? (first as unknown[]) : []),
  ...(Array.isArray(second) ? (second as unknown[]) : []),
];

/** Objects are merged field by field, anything else replaces; null replaces nothing. */
function layOver(below: unknown, above: unknown): unknown {
  if (above === null || above === undefined) return below;
  if (!isJsonObject(above)) return above;
  // What counts as nothing in Python is as good as an empty object here.
  if (!isJsonObject(below) && !isEmpty(below)) return above;
  const merged: Record<string, unknown> = isJsonObject(below) ? { ...below } : {};
  for (const [key, value] of Object.entries(above)) {
    if (value !== null)
      setField(merged, key, layOver(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

/** A field, also one that is called `__proto__`. */
export const setField = (object: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === 0 ||
  value === "" ||
  (Array.isArray(value) && value.length === 0);

const rawJson = JSON as unknown as { isRawJSON(value: unknown): boolean };

/** An object, and no number that is kept as it came. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !rawJson.isRawJSON(value);
}

/** How often a failed step of this configuration may be tried again. */
export function maxRetriesOf({ retry }: JsonObject): number {
  const retries = isJsonObject(retry) ? retry["max_retries"] : undefined;
  return typeof retries === "number" ? retries : 0;
}
