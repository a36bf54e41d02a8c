/** How bad a finding is. Only errors make a command fail. */
export type Severity = "error" | "warning" | "info";

/** One problem, as `plinth check` and `plinth lint` print it. This shape is an interface: others parse it. */
export type Finding = {
  /** Id of the rule, for example `helm/unknown-value`. */
  rule: string;
  severity: Severity;
  /** Path as it was given, with forward slashes. */
  file: string;
  /** Line in the file, counted from 1. */
  line: number;
  /** What was seen and why it fails. */
  message: string;
  /** What to do instead. */
  remedy: string;
};

/** Findings in the order people read them: by file, line, then rule. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compare(a.file, b.file) || a.line - b.line || compare(a.rule, b.rule) || compare(a.message, b.message),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
