import type { Finding } from "../finding.ts";
import type { Rule } from "./rule.ts";
import type { Snippet } from "./workspace.ts";

type Ignore = { file: string; line: number; target: number; rule: string; reason: string; used: boolean };

const MARK = "plinth-lint-ignore";
const COMMENT =
  /(?:#|\/\/|<!--)\s*plinth-lint-ignore(?:[ \t]+(?<rule>[\w/-]+))?(?:[ \t]+(?<reason>[^\n]*?))?\s*(?:-->)?\s*$/;

/**
 * Takes out what `# plinth-lint-ignore <rule> <reason>` silences: findings of that rule on its line, or, where it is alone on its
 * line, on the next. An ignore without a reason, or one that silences nothing, is a finding itself.
 */
export function applyIgnores(
  findings: readonly Finding[],
  snippets: readonly Snippet[],
  { rules, all }: { rules: readonly Rule[]; all: boolean },
): Finding[] {
  const ignores = ignoresIn(snippets);
  if (ignores.length === 0) return [...findings];
  const left = findings.filter((finding) => {
    const match = ignores.find(
      (ignore) =>
        ignore.file === finding.file && ignore.rule === finding.rule && ignore.target === finding.line,
    );
    if (match === undefined) return true;
    match.used = true;
    return match.reason === "";
  });
  const known = new Set(rules.map(({ id }) => id));
  return [...left, ...ignores.flatMap((ignore) => complaint(ignore, { known, all }))];
}

function complaint(ignore: Ignore, { known, all }: { known: Set<string>; all: boolean }): Finding[] {
  const { file, line, rule } = ignore;
  const at = { file, line, severity: "warning" as const };
  if (rule === "" || (all && !known.has(rule))) {
    const message =
      rule === "" ? `${MARK} names no rule` : `${MARK} names ${rule}, and there is no such rule`;
    const remedy = "Write `# plinth-lint-ignore <rule-id> <reason>`; `plinth lint --rules` lists the ids.";
    return [{ ...at, rule: "lint/unknown-ignore", message, remedy }];
  }
  if (!known.has(rule)) return [];
  if (ignore.reason === "") {
    const message = `This ignore of ${rule} has no reason, so it silences nothing`;
    const remedy = "Say behind the id why the rule does not hold here.";
    return [{ ...at, rule: "lint/ignore-without-reason", message, remedy }];
  }
  if (ignore.used) return [];
  const message = `This ignore of ${rule} silences nothing: the rule finds nothing here`;
  return [{ ...at, rule: "lint/unused-ignore", message, remedy: "Remove the comment." }];
}

function ignoresIn(snippets: readonly Snippet[]): Ignore[] {
  return snippets.flatMap(({ file, firstLine, text }) => {
    if (!text.includes(MARK)) return [];
    const lines = text.split("\n");
    return lines.flatMap((line, index): Ignore[] => {
      const found = COMMENT.exec(line);
      if (found === null) return [];
      const { rule = "", reason = "" } = found.groups ?? {};
      const own = firstLine + index;
      const alone = line.slice(0, found.index).trim() === "";
      return [
        {
          file,
          line: own,
          target: alone ? targetBelow(lines, index) + firstLine : own,
          rule,
          reason,
          used: false,
        },
      ];
    });
  });
}

/** The next line that is no ignore: several may stand above one line. */
function targetBelow(lines: readonly string[], index: number): number {
  let at = index + 1;
  while (at < lines.length && (lines[at] ?? "").includes(MARK)) at += 1;
  return at;
}
