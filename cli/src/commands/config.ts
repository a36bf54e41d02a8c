import { exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { environmentName, readConfig, settingNames, settings, shownValue } from "../server-door.ts";

/** Every setting with its effective value and its source; secrets are hidden. */
export async function showConfig({ flags, output }: Call): Promise<ExitCode> {
  const { config, sources } = readConfig(flags, process.env);
  const rows = settingNames.map((name) => {
    const { flag } = settings[name];
    const value = shownValue(name, config[name]);
    return { flag, value, source: sources[name], variable: environmentName(flag) };
  });
  output.answer(
    Object.fromEntries(rows.map(({ flag, value, source, variable }) => [flag, { value, source, variable }])),
    table(
      ["SETTING", "VALUE", "FROM", "VARIABLE"],
      rows.map(({ flag, value, source, variable }) => [flag, value, source, variable]),
    ),
  );
  return exitCodes.ok;
}
