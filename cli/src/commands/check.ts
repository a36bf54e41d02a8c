import { ruleEntries, sarifReport } from "@plinth/infra";
import manifest from "../../package.json" with { type: "json" };
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { environmentOption, findingLines, hasErrors, readProject } from "./project.ts";

/** Every problem of the configuration and of what it becomes. */
export async function check({ options, output }: Call): Promise<ExitCode> {
  const { findings } = await readProject(options, environmentOption(options));
  if (options["sarif"] === true) {
    const entries = ruleEntries();
    process.stdout.write(`${JSON.stringify(sarifReport(findings, entries, manifest.version), null, 2)}\n`);
  } else {
    output.answer({ findings }, findingLines(findings));
  }
  return hasErrors(findings) ? exitCodes.failed : exitCodes.ok;
}
