import { invalidParameter } from "../../kernel/errors.ts";
import { componentTypes } from "./component-types.ts";
import { isJsonObject, type JsonObject } from "./step-configuration.ts";

/** Settings name components by their type alone, by `type.flavor` or by `type:name`: in the end each in one way. */
export type SettingsScope = {
  /** Of the stack, by type and place. */
  components: readonly { type: string; name: string; flavor_name: string }[];
  /** Whether runs read `type.flavor`, as those of clients before 0.94.3 do. */
  isLegacy: boolean;
  /** Whether the orchestrator can be told not to wait for a run. */
  canWait: boolean;
};

type SettingsKeys = {
  /** A configuration with its settings by the keys that runs read; those of components that are not there are left out. */
  normalized(configuration: JsonObject): JsonObject;
  /** Settings, with the orchestrator told not to wait. */
  withoutWaiting(settings: unknown): JsonObject;
};

const SELECTOR = new RegExp(`^(${componentTypes.join("|")})(?:([.:])([^]+))?$`);

export function settingsKeys({ components, isLegacy, canWait }: SettingsScope): SettingsKeys {
  const keyOf = (one: SettingsScope["components"][number]): string =>
    isLegacy ? `${one.type}.${one.flavor_name}` : `${one.type}:${one.name}`;

  const resolve = (key: string, [, type, separator, name]: RegExpExecArray): string | undefined => {
    const ofType = components.filter((one) => one.type === type);
    if (separator === undefined) {
      const [first] = ofType;
      if (first !== undefined) return keyOf(first);
      throw invalidParameter(
        `Unable to resolve settings key \`${key}\` because the stack has no default component of type ${type}.`,
      );
    }
    const field = separator === "." ? "flavor_name" : "name";
    const matching = ofType.filter((one) => one[field] === name);
    if (matching.length > 1) {
      throw invalidParameter(
        `Unable to resolve settings key \`${key}\` because it matched ${matching.length} components.`,
      );
    }
    return matching[0] === undefined ? undefined : keyOf(matching[0]);
  };

  const normalize = (settings: JsonObject): JsonObject => {
    const others: [string, unknown][] = [];
    const resolved = new Map<string, { from: string; value: unknown }>();
    for (const [key, value] of Object.entries(settings)) {
      const selector = SELECTOR.exec(key);
      if (selector === null) {
        others.push([key, value]);
        continue;
      }
      const target = resolve(key, selector);
      if (target === undefined) continue;
      const before = resolved.get(target);
      if (before !== undefined) {
        throw invalidParameter(
          `Duplicate settings provided using the keys ${before.from} and ${key}. Both refer to ${target}. Remove ` +
            "settings for one of them to fix this error.",
        );
      }
      resolved.set(target, { from: key, value });
    }
    return Object.fromEntries([...others, ...[...resolved].map(([key, { value }]) => [key, value] as const)]);
  };

  return {
    normalized: (configuration) =>
      isJsonObject(configuration["settings"])
        ? { ...configuration, settings: normalize(configuration["settings"]) }
        : configuration,
    withoutWaiting(given) {
      const settings = isJsonObject(given) ? given : {};
      const orchestrator = components.find((one) => one.type === "orchestrator");
      if (!canWait || orchestrator === undefined) return settings;
      const normal = normalize(settings);
      const key = keyOf(orchestrator);
      const own = normal[key];
      return { ...normal, [key]: { ...(isJsonObject(own) ? own : {}), synchronous: false } };
    },
  };
}

/** Runs of clients before 0.94.3, and those of whom nobody knows. */
export function readsLegacyKeys(version: string | null): boolean {
  const [, major, minor, patch] = /^\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version ?? "") ?? [];
  if (major === undefined) return true;
  const numbers = [major, minor ?? "0", patch ?? "0"].map(Number);
  const since = [0, 94, 3];
  const at = numbers.findIndex((number, place) => number !== since[place]);
  return at !== -1 && (numbers[at] ?? 0) < (since[at] ?? 0);
}
