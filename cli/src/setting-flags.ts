import { Option, type Command } from "commander";
import {
  environmentName,
  settings,
  settingNames,
  type Flags,
  type Setting,
  type SettingName,
} from "./server-door.ts";

/** Adds the flags of settings to a command. Values stay text: `readConfig` judges them, as it does the environment's. */
export function addSettings(command: Command, names: readonly SettingName[] = settingNames): Command {
  for (const name of names) {
    const setting: Setting<unknown> = settings[name];
    if (setting.onlyVariable === true) continue;
    const syntax = setting.placeholder === undefined ? "" : ` <${setting.placeholder}>`;
    const standard = setting.defaultText ?? String(setting.default(process.env));
    command.addOption(
      new Option(
        `--${setting.flag}${syntax}`,
        `${setting.description} (${environmentName(setting.flag)}; default: ${standard})`,
      ),
    );
  }
  return command;
}

/** The setting flags that were given on the command line, by flag name. */
export function givenFlags(command: Command): Flags {
  const flags: Record<string, string | boolean> = {};
  const known = new Set(settingNames.map((name) => settings[name].flag));
  for (const option of command.options) {
    const flag = option.long?.slice(2) ?? "";
    const value: unknown = command.getOptionValue(option.attributeName());
    if (known.has(flag) && (typeof value === "string" || value === true)) flags[flag] = value;
  }
  return flags;
}
