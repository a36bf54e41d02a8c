import type { Finding, Severity } from "../finding.ts";
import { sharedRules } from "../checks/environments.ts";
import { specRules } from "../checks/rules.ts";
import type { SpecRule } from "../checks/check.ts";
import type { Rule } from "./rule.ts";
import { rules } from "./rules.ts";
import type { Unseen } from "./unseen.ts";

const COLOURS: Readonly<Record<Severity | "dim" | "bold", number>> = {
  error: 31,
  warning: 33,
  info: 36,
  dim: 2,
  bold: 1,
};

type Paint = (text: string, as: keyof typeof COLOURS) => string;

const painter =
  (colour: boolean): Paint =>
  (text, as) =>
    colour ? `\u001b[${COLOURS[as]}m${text}\u001b[0m` : text;

/** The findings for people: by file, each with what to do, then how many there are. */
export function textReport(findings: readonly Finding[], colour: boolean): string[] {
  const paint = painter(colour);
  const lines: string[] = [];
  const files = Map.groupBy(findings, ({ file }) => file);
  for (const [file, own] of files) {
    lines.push(paint(file, "bold"));
    const width = String(own.at(-1)?.line ?? 0).length;
    for (const { line, severity, rule, message, remedy } of own) {
      const place = String(line).padStart(width);
      lines.push(`  ${place}  ${paint(severity.padEnd(7), severity)}  ${message}  ${paint(rule, "dim")}`);
      lines.push(`  ${" ".repeat(width)}           ${paint(`-> ${remedy}`, "dim")}`);
    }
    lines.push("");
  }
  return [...lines, summary(findings)];
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return "No problems found.";
  const count = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  const parts = (["error", "warning", "info"] as const)
    .map((severity) => ({ severity, number: count(severity) }))
    .filter(({ number }) => number > 0)
    .map(({ severity, number }) => `${number} ${severity}${number > 1 && severity !== "info" ? "s" : ""}`);
  return `${parts.join(", ")}.`;
}

/** What there is to say of a rule: of one over files, and of one over settings, whose remedy depends on what it sees. */
export type RuleEntry = Pick<Rule, "id" | "severity" | "covers" | "title" | "why"> & {
  remedy?: string;
  judges: "files" | "settings";
};

/** What `plinth lint --rules` answers: all rules, those of `plinth check` over settings too. */
export function ruleEntries(): RuleEntry[] {
  const entry = ({
    id,
    severity,
    covers,
    title,
    why,
  }: Omit<Rule | SpecRule, "check">): Omit<RuleEntry, "judges"> => ({
    id,
    severity,
    covers: [...covers],
    title,
    why,
  });
  return [
    ...rules.map((rule) => ({ ...entry(rule), remedy: rule.remedy, judges: "files" as const })),
    ...[...specRules, ...sharedRules].map((rule) => ({ ...entry(rule), judges: "settings" as const })),
  ];
}

export function rulesReport(entries: readonly RuleEntry[], unseen: readonly Unseen[]): string[] {
  const width = Math.max(...entries.map(({ id }) => id.length), 4);
  return [
    ...entries.map(
      ({ id, severity, judges, covers, title }) =>
        `${id.padEnd(width)}  ${severity.padEnd(7)}  ${judges.padEnd(8)}  ${title}${covers.length > 0 ? ` (${covers.join(", ")})` : ""}`,
    ),
    ...(unseen.length === 0 ? [] : ["", "Not to be seen in text:"]),
    ...unseen.map(({ mistake, why }) => `${mistake}  ${why}`),
  ];
}
