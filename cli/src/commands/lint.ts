import {
  lint as lintFiles,
  ruleEntries,
  rules,
  rulesReport,
  sarifReport,
  SourceNotFound,
} from "@plinth/infra";
import { textReport, unseen, type LintResult, type Severity } from "@plinth/infra";
import manifest from "../../package.json" with { type: "json" };
import { CommandFailure, exitCodes, type ExitCode } from "../failure.ts";
import type { Call } from "../program.ts";

const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

/** Finds mistakes in Terraform, Kubernetes, Helm and Argo CD files, and in the code blocks of documents. */
export async function lint({ output, options }: Call): Promise<ExitCode> {
  const paths = Array.isArray(options["path"]) ? options["path"].map(String) : [];
  if (options["rules"] === true) {
    const entries = ruleEntries();
    output.answer({ rules: entries, unseen }, rulesReport(entries, unseen));
    return exitCodes.ok;
  }
  if (paths.length === 0) throw new CommandFailure("Name a file or folder to look at.", exitCodes.wrongCall);
  const { findings } = read(paths, options);
  if (options["sarif"] === true) {
    process.stdout.write(
      `${JSON.stringify(sarifReport(findings, ruleEntries(), manifest.version), null, 2)}\n`,
    );
  } else {
    const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
    output.answer({ findings }, output.json ? [] : textReport(findings, colour));
  }
  return findings.some(({ severity }) => severity === "error") ? exitCodes.failed : exitCodes.ok;
}

function read(paths: readonly string[], options: Call["options"]): LintResult {
  const atLeast = SEVERITIES.find((severity) => severity === options["severity"]);
  if (options["severity"] !== undefined && atLeast === undefined) {
    throw new CommandFailure(
      `--severity is error, warning or info, not ${String(options["severity"])}`,
      exitCodes.wrongCall,
    );
  }
  const only = Array.isArray(options["only"]) ? options["only"].map(String) : undefined;
  const unknown = only?.find(
    (wanted) => !rules.some(({ id }) => id === wanted || id.startsWith(`${wanted}/`)),
  );
  if (unknown !== undefined) {
    throw new CommandFailure(
      `There is no rule ${unknown}; \`plinth lint --rules\` lists them`,
      exitCodes.wrongCall,
    );
  }
  try {
    return lintFiles(paths, {
      ...(atLeast === undefined ? {} : { atLeast }),
      ...(only === undefined ? {} : { only }),
    });
  } catch (error) {
    if (error instanceof SourceNotFound) throw new CommandFailure(error.message, exitCodes.wrongCall);
    throw error;
  }
}
