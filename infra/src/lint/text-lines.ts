import type { Language, Workspace } from "./workspace.ts";

export type TextLine = { file: string; line: number; text: string; language: Language };

const LINE_COMMENT: Partial<Record<Language, RegExp>> = {
  hcl: /^\s*(?:#|\/\/)/,
  tfvars: /^\s*(?:#|\/\/)/,
  json: /^\s*\/\//,
  text: /^(?!)/,
};

const HASH = /^\s*#/;

/** Lines of everything but prose, comments left out: also of what cannot be parsed. */
export function* codeLines(workspace: Workspace): Iterable<TextLine> {
  for (const { file, firstLine, language, text } of workspace.snippets) {
    if (language === "text") continue;
    const comment = LINE_COMMENT[language] ?? HASH;
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() !== "" && !comment.test(line)) {
        yield { file, line: firstLine + index, text: line, language };
      }
    }
  }
}

/** Lines of what documents say, and of the drawings of folders in them. */
export function* proseLines(workspace: Workspace): Iterable<TextLine> {
  for (const { file, firstLine, language, text } of workspace.snippets) {
    if (language !== "text") continue;
    for (const [index, line] of text.split("\n").entries()) {
      if (line.trim() !== "") yield { file, line: firstLine + index, text: line, language };
    }
  }
}
