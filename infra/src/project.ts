import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { closest } from "fastest-levenshtein";
import { sharedBetween } from "./checks/environments.ts";
import { specRules } from "./checks/rules.ts";
import { ConfigurationError, loadConfiguration, type ConfigurationFile } from "./config-file.ts";
import { inOrder, type Finding } from "./finding.ts";
import { lintSnippets } from "./lint/run.ts";
import { snippetsOfText } from "./lint/sources.ts";
import { printFiles } from "./print/files.ts";
import type { Resource } from "./resources/resource.ts";
import type { JsonObject } from "./spec/merge.ts";
import type { Environment } from "./spec/platform.ts";
import { environmentsOf, resolveEnvironment, type Resolved, type SettingPath } from "./spec/resolve.ts";
import { resourcesOf, type OutputFile } from "./synth.ts";

/** The call itself was wrong: a file or an environment that is not there. Nothing was looked at. */
export class WrongCall extends Error {
  override readonly name = "WrongCall";
}

/** An environment that was checked, and what it becomes. `files` is empty when its settings have errors. */
export type CheckedEnvironment = {
  name: string;
  environment: Environment | undefined;
  sourceOf: Extract<Resolved, { problems: [] }>["sourceOf"];
  resources: Resource[];
  files: OutputFile[];
  findings: Finding[];
};

export type Project = {
  file: string;
  /** All findings, of the file itself and of its environments, in order. */
  findings: Finding[];
  environments: CheckedEnvironment[];
  lineOf: ConfigurationFile["lineOf"];
};

/**
 * Checks a configuration file: its shape, the settings of each environment, the rules over them, and the files they become.
 * @param only one environment, or all
 * @throws {WrongCall} when the file or the environment is not there
 */
export async function checkProject(file: string, only?: string): Promise<Project> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new WrongCall(`there is no file ${file}: name one with --config, or make one with plinth init`);
  }
  if (!found.isFile()) throw new WrongCall(`${file} is no file: name the configuration itself with --config`);
  let configuration: ConfigurationFile;
  try {
    configuration = await loadConfiguration(file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const finding = settingFinding("config/unreadable", error.message, "Mend the file: it is TypeScript.");
    return {
      file,
      findings: [{ ...finding, file, line: error.line }],
      environments: [],
      lineOf: () => error.line,
    };
  }
  const { exported, lineOf } = configuration;
  const { names, problems } = environmentsOf(exported);
  const outer = problems.map(({ path, message, remedy }) => ({
    ...settingFinding("config/invalid-setting", message, remedy),
    file,
    line: lineOf(path),
  }));
  if (outer.length > 0) return { file, findings: outer, environments: [], lineOf };
  if (only !== undefined && !names.includes(only)) {
    throw new WrongCall(
      `there is no environment "${only}" in ${file}. Did you mean ${closest(only, names)}? It has: ${names.join(", ")}`,
    );
  }
  const environments = names
    .filter((name) => only === undefined || name === only)
    .map((name) => checkEnvironment(configuration, name));
  const shared = sharedBetween(environments.flatMap(({ environment }) => environment ?? [])).map(
    ({ environment, path, rule, message, remedy }): Finding => ({
      ...settingFinding(rule, `${environment}: ${message}`, remedy),
      file,
      line: lineOf(["environments", environment, ...path]),
    }),
  );
  const findings = distinct(
    inOrder([...environments.flatMap((environment) => environment.findings), ...shared]),
  );
  return { file, findings, environments, lineOf };
}

const settingFinding = (rule: string, message: string, remedy: string): Omit<Finding, "file" | "line"> => ({
  rule,
  severity: "error",
  message,
  remedy,
});

function checkEnvironment({ file, exported, lineOf }: ConfigurationFile, name: string): CheckedEnvironment {
  const resolved = resolveEnvironment(exported as JsonObject, name);
  const nothing = {
    name,
    environment: undefined,
    sourceOf: () => "default" as const,
    resources: [],
    files: [],
  };
  if (resolved.environment === undefined) {
    const findings = resolved.problems.map(({ path, message, remedy }) => ({
      ...settingFinding("config/invalid-setting", message, remedy),
      file,
      line: lineOf(path),
    }));
    return { ...nothing, findings };
  }
  const { environment, sourceOf } = resolved;
  const placed = (path: SettingPath): SettingPath =>
    sourceOf(path) === "environment" ? ["environments", name, ...path] : path;
  const findings = specRules.flatMap((rule) =>
    rule.check(environment).map(({ path, message, remedy }): Finding => ({
      rule: rule.id,
      severity: rule.severity,
      file,
      line: lineOf(placed(path)),
      message: `${name}: ${message}`,
      remedy,
    })),
  );
  if (findings.some(({ severity }) => severity === "error")) {
    return { ...nothing, environment, sourceOf, findings };
  }
  const resources = resourcesOf(environment);
  const files = printFiles(resources);
  const folder = outputFolder(file, environment);
  const snippets = files.flatMap(({ path, text }) => snippetsOfText(join(folder, path), text));
  return {
    name,
    environment,
    sourceOf,
    resources,
    files,
    findings: [...findings, ...lintSnippets(snippets).findings],
  };
}

/** Folder of an environment's files, beside the configuration unless it is told otherwise. */
export const outputFolder = (file: string, { gitOps, name }: Environment): string =>
  join(dirname(file), gitOps.path.replaceAll("{environment}", name));

/** What holds for several environments is said once. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ rule, file, line, message }) => {
    const key = JSON.stringify([rule, file, line, message]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
