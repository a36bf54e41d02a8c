import type { Language, Workspace } from "./workspace.ts";

export type TextLine = { file: string; line: number; text: string; language: Language; excerpt: boolean };

const LINE_COMMENT: Partial<Record<Language, RegExp>> = {
  hcl: /^\s*(?:#|\/\/)/,
  tfvars: /^\s*(?:#|\/\/)/,
  json: /^\s*\/\//,
  text: /^(?!)/,
};

const HASH = /^\s*#/;

/** A longer line or file was written by a program: a bundle, a schema, a bill of materials. */
const LONGEST = 4096;
const LARGEST = 512 * 1024;

type Lines = { code: TextLine[]; prose: TextLine[] };

/** A dozen rules read all lines: they are cut once. */
const cut = new WeakMap<Workspace, Lines>();

function linesOf(workspace: Workspace): Lines {
  let lines = cut.get(workspace);
  if (lines !== undefined) return lines;
  lines = { code: [], prose: [] };
  for (const { file, firstLine, language, text, excerpt } of workspace.snippets) {
    if (text.length > LARGEST) continue;
    const into = language === "text" ? lines.prose : lines.code;
    const comment = LINE_COMMENT[language] ?? HASH;
    for (const [index, line] of text.split("\n").entries()) {
      if (line.length > LONGEST || line.trim() === "" || comment.test(line)) continue;
      into.push({ file, line: firstLine + index, text: line, language, excerpt });
    }
  }
  cut.set(workspace, lines);
  return lines;
}

/** Lines of everything but prose, comments left out: also of what cannot be parsed. */
export const codeLines = (workspace: Workspace): readonly TextLine[] => linesOf(workspace).code;

/** Lines of what documents say, and of the drawings of folders in them. */
export const proseLines = (workspace: Workspace): readonly TextLine[] => linesOf(workspace).prose;
