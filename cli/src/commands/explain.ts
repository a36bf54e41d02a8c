import { explain, explainable, type Explanation } from "@plinth/infra";
import { closest } from "fastest-levenshtein";
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";
import { environmentOption, findingLines, hasErrors, readProject } from "./project.ts";

/** Which settings something of the output comes from, and why it is there. */
export async function explainOutput({ options, output }: Call): Promise<ExitCode> {
  const project = await readProject(options, environmentOption(options));
  if (hasErrors(project.findings)) {
    output.answer({ findings: project.findings }, findingLines(project.findings));
    return exitCodes.failed;
  }
  const asked = options["file-or-resource"] as string;
  const found = project.environments.map((checked) => ({
    environment: checked.name,
    explanations: explain(project, checked, asked),
  }));
  if (found.every(({ explanations }) => explanations.length === 0)) {
    const known = project.environments.flatMap((checked) => explainable(checked));
    throw new CommandFailure(
      `nothing of the output is called ${asked}. Did you mean ${closest(asked, known)}?`,
      exitCodes.wrongCall,
    );
  }
  output.answer(
    { environments: found },
    found.flatMap(({ environment, explanations }) =>
      explanations.flatMap((explanation) => explanationLines(explanation, environment, project.file)),
    ),
  );
  return exitCodes.ok;
}

function explanationLines(
  { file, resource, comment, reasons }: Explanation,
  environment: string,
  config: string,
): string[] {
  return [
    `${environment}: ${resource === undefined ? "" : `${resource} in `}${file}`,
    ...(comment === undefined ? [] : [`  ${comment.replaceAll("\n", "\n  ")}`]),
    ...reasons.map(({ setting, value, line, why }) => {
      const place = line === undefined ? "default" : `${config}:${line}`;
      return `  ${setting} = ${shown(value)} (${place}): ${why}`;
    }),
    "",
  ];
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "not set";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
