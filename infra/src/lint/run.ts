import { inOrder, type Finding, type Severity } from "../finding.ts";
import { applyIgnores } from "./ignores.ts";
import type { Rule } from "./rule.ts";
import { rules as allRules } from "./rules.ts";
import { scopesOf } from "./scopes.ts";
import { readSources } from "./sources.ts";
import { unseen, type Unseen } from "./unseen.ts";
import { buildWorkspace } from "./workspace-builder.ts";
import type { Snippet } from "./workspace.ts";

export type LintOptions = {
  /** Only these rules, by id or family (`helm`). */
  only?: readonly string[];
  /** Leaves out what is less bad. */
  atLeast?: Severity;
};

export type LintResult = {
  findings: Finding[];
  /** How many files and code blocks were read. */
  snippets: number;
  /** Mistakes of the catalogue that text does not show. */
  unseen: readonly Unseen[];
};

/** @throws {SourceNotFound} when a path is not there. */
export function lint(paths: readonly string[], options: LintOptions = {}): LintResult {
  return lintSnippets(readSources(paths), options);
}

export function lintSnippets(snippets: readonly Snippet[], options: LintOptions = {}): LintResult {
  const rules = selected(options.only);
  const found = scopesOf(snippets).flatMap((scope) => {
    const workspace = buildWorkspace(scope);
    return rules.flatMap((rule) => [...rule.check(workspace)].map((problem) => toFinding(rule, problem)));
  });
  const findings = inOrder(
    applyIgnores(distinct(found), snippets, { rules, all: options.only === undefined }),
  );
  return { findings: findings.filter(bySeverity(options.atLeast)), snippets: snippets.length, unseen };
}

export const isOfRule = (id: string, wanted: string): boolean => id === wanted || id.startsWith(`${wanted}/`);

const selected = (only: readonly string[] | undefined): readonly Rule[] =>
  only === undefined ? allRules : allRules.filter(({ id }) => only.some((wanted) => isOfRule(id, wanted)));

function toFinding(
  rule: Rule,
  problem: ReturnType<Rule["check"]> extends Iterable<infer P> ? P : never,
): Finding {
  return {
    rule: rule.id,
    severity: problem.severity ?? rule.severity,
    file: problem.file,
    line: problem.line,
    message: problem.message,
    remedy: problem.remedy ?? rule.remedy,
  };
}

/** One mistake that is seen in two ways, such as a manifest that two overlays use, is one finding. */
function distinct(findings: readonly Finding[]): Finding[] {
  const byKey = new Map<string, Finding>();
  for (const finding of findings) {
    const key = [finding.rule, finding.file, finding.line, finding.message].join("\n");
    if (!byKey.has(key)) byKey.set(key, finding);
  }
  return [...byKey.values()];
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

const bySeverity =
  (atLeast: Severity = "info") =>
  (finding: Finding): boolean =>
    RANK[finding.severity] >= RANK[atLeast];
