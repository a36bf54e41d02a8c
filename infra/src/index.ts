export { inOrder, type Finding, type Severity } from "./finding.ts";
export { textReport, ruleEntries, rulesReport } from "./lint/report.ts";
export { rules } from "./lint/rules.ts";
export { lint, type LintResult } from "./lint/run.ts";
export { sarifReport } from "./lint/sarif.ts";
export { SourceNotFound } from "./lint/sources.ts";
export { unseen } from "./lint/unseen.ts";
