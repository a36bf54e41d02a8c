export type JsonObject = Record<string, unknown>;

/** Keys that say which kind of thing an object is: of another kind, none of the rest carries over. */
const KINDS = ["engine", "kind"];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `over` on top of `base`: objects key by key, everything else replaced. Neither is changed. */
export function merge(base: JsonObject, over: JsonObject): JsonObject {
  if (KINDS.some((key) => key in base && key in over && base[key] !== over[key])) return { ...over };
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}

/** The value at `path`, or undefined. */
export function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
