import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from "yaml";
import type { Document, Node, Pair } from "yaml";
import { maskTemplates, type Mask } from "./template-mask.ts";
import type { Path } from "./workspace.ts";

export type YamlDocument = {
  value: unknown;
  lineOf(path: Path): number;
  /** Line of the first thing in it that is no comment. */
  line: number;
  /** True when a value is left to a template engine, so that the text as it stands is not YAML. */
  templated: boolean;
};

export type YamlText = {
  documents: YamlDocument[];
  problems: { line: number; message: string }[];
  /** Line of the first value that a template engine has to fill in before the text is YAML at all. */
  templateLine: number | undefined;
};

/** Reads YAML with the lines of everything. A document with an error is a problem and no document. */
export function readYaml(text: string, firstLine: number): YamlText {
  const mask = maskTemplates(text);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(mask.text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "silent",
    // Tags of other tools (`!vault`, `!Ref`) are theirs to know.
    resolveKnownTags: true,
  });
  const result: YamlText = { documents: [], problems: [], templateLine: undefined };
  // Without any document the library answers an empty list with errors of its own.
  const lineAt = (offset: number): number => Math.max(lines.linePos(offset).line, 1) - 1 + firstLine;
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const fatal = document.errors.filter((error) => error.code !== "DUPLICATE_KEY");
    for (const error of document.errors) {
      result.problems.push({ line: lineAt(error.pos[0]), message: explain(error) });
      if (error.code !== "DUPLICATE_KEY") break;
    }
    if (fatal.length > 0 || document.contents === null) continue;
    const templates = mask.used ? templatesIn(document, mask) : [];
    const offset = templates.find(({ text }) => text.startsWith("{{"))?.offset;
    if (offset !== undefined) result.templateLine ??= lineAt(offset);
    const value = valueOf(document, mask);
    if (value === null || value === undefined) continue;
    const contents = document.contents;
    result.documents.push({
      value,
      lineOf: (path) => lineAt(offsetOf(document, path, mask)),
      line: lineAt(contents.range?.[0] ?? 0),
      templated: templates.length > 0,
    });
  }
  return result;
}

function explain(error: { code: string; message: string }): string {
  const text = error.message.replace(/ at line \d+, column \d+:[\s\S]*$/, "").replaceAll("\n", " ");
  if (error.code === "DUPLICATE_KEY") {
    return "This key is written twice in one mapping: the last value wins, or the file is refused";
  }
  return `This is not YAML: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function valueOf(document: Document.Parsed, mask: Mask): unknown {
  let value: unknown;
  try {
    // Aliases that multiply (a "billion laughs") are refused by the library.
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  return mask.used ? restored(value, mask) : value;
}

function restored(value: unknown, mask: Mask): unknown {
  if (typeof value === "string") return mask.restore(value);
  if (Array.isArray(value)) return value.map((item) => restored(item, mask));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [mask.restore(key), restored(item, mask)]),
  );
}

/** A template within quotes or a block of text is only text: `{{ $labels.pod }}` of an alert. */
function templatesIn(document: Document.Parsed, mask: Mask): { text: string; offset: number }[] {
  const found: { text: string; offset: number }[] = [];
  visit(document, {
    Scalar(_, node) {
      if (node.type !== "PLAIN" || typeof node.value !== "string" || !node.value.includes("PLINTHx")) return;
      found.push({ text: mask.restore(node.value), offset: node.range?.[0] ?? 0 });
    },
  });
  return found;
}

function offsetOf(document: Document.Parsed, path: Path, mask: Mask): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        (item) => isScalar(item.key) && mask.restore(String(item.key.value)) === String(step),
      );
      if (!isPair(pair) || !isNode(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = isNode(pair.value) ? pair.value : undefined;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (!isNode(item)) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}
