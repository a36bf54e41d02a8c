import { checkProject, WrongCall, type CheckedEnvironment, type Finding, type Project } from "@plinth/infra";
import { CommandFailure, exitCodes } from "../failure.ts";
import type { Call } from "../program.ts";

type Options = Call["options"];

/** The environment of the call, given either way. */
export function environmentOption({ environment, env }: Options): string | undefined {
  if (environment !== undefined && env !== undefined && environment !== env) {
    throw new CommandFailure(
      `two environments are named: ${String(environment)} and --env ${String(env)}`,
      exitCodes.wrongCall,
    );
  }
  return (environment ?? env) as string | undefined;
}

/** Reads and checks the configuration of the call. */
export async function readProject(options: Options, only: string | undefined): Promise<Project> {
  try {
    return await checkProject(options["config"] as string, only);
  } catch (error) {
    if (error instanceof WrongCall) throw new CommandFailure(error.message, exitCodes.wrongCall);
    throw error;
  }
}

/** The one environment that the call is about: the named one, or the only one. */
export async function readEnvironment(
  options: Options,
): Promise<{ project: Project; checked: CheckedEnvironment | undefined }> {
  const only = environmentOption(options);
  const project = await readProject(options, only);
  if (project.environments.length > 1) {
    const names = project.environments.map(({ name }) => name).join(", ");
    throw new CommandFailure(`name an environment: ${names}`, exitCodes.wrongCall);
  }
  return { project, checked: project.environments[0] };
}

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === "error");

/** Findings for people. */
export function findingLines(findings: readonly Finding[]): string[] {
  const lines = findings.flatMap(({ rule, severity, file, line, message, remedy }) => [
    `${file}:${line}  ${severity}  ${message}  [${rule}]`,
    `    ${remedy}`,
  ]);
  const count = (severity: Finding["severity"], name: string): string => {
    const found = findings.filter((finding) => finding.severity === severity).length;
    return `${found} ${name}${found === 1 ? "" : "s"}`;
  };
  const counts = [count("error", "error"), count("warning", "warning"), count("info", "note")];
  return [...lines, findings.length === 0 ? "No problems found." : counts.join(", ")];
}
