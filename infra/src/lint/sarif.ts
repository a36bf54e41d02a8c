import type { Finding, Severity } from "../finding.ts";
import type { RuleEntry } from "./report.ts";

const LEVELS: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "note" };

/** SARIF 2.1.0 (OASIS), as code hosts take it to show findings beside the lines of a change. */
export function sarifReport(
  findings: readonly Finding[],
  rules: readonly RuleEntry[],
  version: string,
): Record<string, unknown> {
  const used = new Set(findings.map(({ rule }) => rule));
  const described = rules.filter(({ id }) => used.has(id));
  // Findings about ignores belong to no rule of the list: SARIF wants an index only where there is one.
  const indexes = new Map(described.map(({ id }, index) => [id, index]));
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "plinth", version, rules: described.map(descriptor) } },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => result(finding, indexes.get(finding.rule))),
      },
    ],
  };
}

const descriptor = (rule: RuleEntry): Record<string, unknown> => ({
  id: rule.id,
  shortDescription: { text: rule.title },
  fullDescription: { text: rule.why },
  ...(rule.remedy === undefined ? {} : { help: { text: rule.remedy } }),
  defaultConfiguration: { level: LEVELS[rule.severity] },
  properties: { tags: rule.covers },
});

const result = (finding: Finding, ruleIndex: number | undefined): Record<string, unknown> => ({
  ruleId: finding.rule,
  ...(ruleIndex === undefined ? {} : { ruleIndex }),
  level: LEVELS[finding.severity],
  message: { text: `${finding.message.replace(/\.$/, "")}. ${finding.remedy}` },
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: uriOf(finding.file) },
        region: { startLine: Math.max(finding.line, 1) },
      },
    },
  ],
});

/** Relative paths stay relative: the host knows where the repository lies. */
function uriOf(file: string): string {
  const path = file.replace(/^\.\//, "").split("/").map(encodeURIComponent).join("/");
  return file.startsWith("/") ? `file://${path}` : path;
}
