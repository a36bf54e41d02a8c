import type { Problem, Rule } from "../rule.ts";
import type { Workspace } from "../workspace.ts";

const DUPLICATE = /^This key is written twice/;
const TEMPLATE = /^This is a template/;

function* brokenAs(
  { broken }: Workspace,
  wanted: (message: string, language: string) => boolean,
): Iterable<Problem> {
  for (const { file, line, language, message, excerpt } of broken) {
    // What a document shows is not applied: it only cannot be copied.
    const severity = excerpt && language === "yaml" ? { severity: "warning" as const } : {};
    if (wanted(message, language)) yield { file, line, message, ...severity };
  }
}

const yamlSyntax: Rule = {
  id: "syntax/yaml",
  severity: "error",
  covers: ["E25"],
  title: "YAML that cannot be parsed",
  why: "kubectl, kustomize and Argo CD refuse the file; what a document shows as a manifest can then not be copied from it.",
  remedy: "Correct it, or, where it only lists facts, do not call the block yaml.",
  check: (workspace) =>
    brokenAs(
      workspace,
      (message, language) => language === "yaml" && !DUPLICATE.test(message) && !TEMPLATE.test(message),
    ),
};

const duplicateKey: Rule = {
  id: "syntax/duplicate-key",
  severity: "error",
  covers: [],
  title: "one key twice in a mapping of YAML",
  why: "Some parsers take the last and some refuse the file: what is meant is not what is read.",
  remedy: "Remove one of the two.",
  *check({ broken }) {
    for (const { file, line, message, excerpt } of broken) {
      // Documents show two ways to write one thing below one another.
      const severity = excerpt ? { severity: "info" as const } : {};
      if (DUPLICATE.test(message)) yield { file, line, message, ...severity };
    }
  },
};

const templateBlock: Rule = {
  id: "syntax/template-in-yaml",
  severity: "info",
  covers: ["E25"],
  title: "a template in a code block that is called yaml",
  why: "Its expressions stand outside of quotes, so nobody can apply it as it stands, and checks see only a part of it.",
  remedy: "Call the block jinja, or show the manifest as it comes out.",
  *check(workspace) {
    for (const problem of brokenAs(workspace, (message) => TEMPLATE.test(message))) {
      yield { ...problem, severity: "info" };
    }
  },
};

const jsonSyntax: Rule = {
  id: "syntax/json",
  severity: "error",
  covers: [],
  title: "JSON that cannot be parsed",
  why: "Whatever reads the file stops there.",
  remedy: "Correct it.",
  check: (workspace) =>
    brokenAs(workspace, (message, language) => language === "json" && message.startsWith("This is not JSON")),
};

export const syntaxRules: readonly Rule[] = [yamlSyntax, duplicateKey, templateBlock, jsonSyntax];
