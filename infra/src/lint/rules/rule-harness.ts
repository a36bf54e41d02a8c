import type { Finding } from "../../finding.ts";
import type { Rule } from "../rule.ts";
import { buildWorkspace } from "../workspace-builder.ts";
import type { Language, Snippet } from "../workspace.ts";

/** For the tests of rules: what rules say about files given as text. */

const languageOf = (file: string): Language =>
  file.endsWith(".tf")
    ? "hcl"
    : file.endsWith(".tfvars")
      ? "tfvars"
      : file.endsWith(".sh")
        ? "shell"
        : file.endsWith(".md")
          ? "text"
          : "yaml";

export type Files = Readonly<Record<string, string>>;

export function findingsIn(
  rules: readonly Rule[],
  files: Files | string,
): Pick<Finding, "rule" | "line" | "message">[] {
  const given = typeof files === "string" ? { "manifests.yaml": files } : files;
  const snippets = Object.entries(given).map(([file, text]): Snippet => {
    // `excerpt:` in front of a name says that the text is a code block of a document.
    const excerpt = file.startsWith("excerpt:");
    const name = file.replace("excerpt:", "");
    const template = name.endsWith(".j2") ? { template: true as const } : {};
    return { file: name, firstLine: 1, language: languageOf(name), text, excerpt, ...template };
  });
  const workspace = buildWorkspace(snippets);
  return rules.flatMap((rule) =>
    [...rule.check(workspace)].map(({ line, message }) => ({ rule: rule.id, line, message })),
  );
}

/** `rule:line` of everything found, for short comparisons. */
export const seenIn = (rules: readonly Rule[], files: Files | string): string[] =>
  findingsIn(rules, files).map(({ rule, line }) => `${rule}:${line}`);
