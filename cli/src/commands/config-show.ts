import { settingsOf } from "@plinth/infra";
import { exitCodes, type ExitCode } from "../failure.ts";
import { table } from "../output.ts";
import type { Call } from "../program.ts";
import { findingLines, readEnvironment } from "./project.ts";

const SOURCES = {
  environment: "this environment",
  platform: "all environments",
  default: "default",
} as const;

/** Every setting of an environment with the value it ends up with, inherited and default ones too. */
export async function showSettings({ options, output }: Call): Promise<ExitCode> {
  const { project, checked } = await readEnvironment(options);
  if (checked?.environment === undefined) {
    output.answer({ findings: project.findings }, findingLines(project.findings));
    return exitCodes.failed;
  }
  const settings = settingsOf(checked);
  output.answer(
    Object.fromEntries(settings.map(({ setting, value, source }) => [setting, { value, source }])),
    table(
      ["SETTING", "VALUE", "FROM"],
      settings.map(({ setting, value, source }) => [setting, JSON.stringify(value), SOURCES[source]]),
    ),
  );
  return exitCodes.ok;
}
