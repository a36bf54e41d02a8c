import type { CheckedEnvironment } from "./project.ts";
import { isObject } from "./spec/merge.ts";
import { dotted, type SettingPath, type Source } from "./spec/resolve.ts";

/** One settled setting of an environment, and where its value comes from. */
export type SettingLine = { setting: string; value: unknown; source: Source };

/** Every setting of an environment, inherited defaults too, in the order of the schema. */
export function settingsOf({ environment, sourceOf }: CheckedEnvironment): SettingLine[] {
  if (environment === undefined) return [];
  const { platform, name: _name, ...settings } = environment;
  const lines: SettingLine[] = [{ setting: "name", value: platform, source: "platform" }];
  const walk = (value: unknown, path: SettingPath): void => {
    if (isObject(value) && Object.keys(value).length > 0) {
      for (const [key, below] of Object.entries(value)) walk(below, [...path, key]);
    } else if (Array.isArray(value) && value.length > 0) {
      value.forEach((below, at) => walk(below, [...path, at]));
    } else {
      lines.push({ setting: dotted(path), value, source: sourceOf(path) });
    }
  };
  walk(settings, []);
  return lines;
}
