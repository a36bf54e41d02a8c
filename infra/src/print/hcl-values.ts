import { parseHcl } from "../hcl/parse.ts";
import { HclSyntaxError, type HclExpression } from "../hcl/syntax.ts";
import { interpolation } from "../hcl/text.ts";
import { Call, escapeTemplate, Expression, type TerraformValue } from "../resources/resource.ts";

/** Lists longer than this are written one item on a line. */
const widest = 100;

/** A key and the text of its value: one line, several, or a heredoc. */
export type Entry = { name: string; text: string; comment: string | undefined };

/** Text of a value; lines after the first are indented by `indent` and more. */
export function valueText(value: TerraformValue, indent: string): string {
  if (typeof value === "string") return heredocText(value, indent) ?? `"${escapeTemplate(value)}"`;
  if (typeof value === "number" && !Number.isFinite(value))
    throw new RangeError(`HCL has no number ${value}`);
  if (value === null || typeof value !== "object") return String(value);
  if (value instanceof Expression) return expressionText(value.text, indent);
  if (value instanceof Call) return callText(value, indent);
  if (isList(value)) return listText(value, indent);
  const entries = Object.entries(value).flatMap(([name, part]) =>
    part === undefined
      ? []
      : [{ name: keyText(name), text: valueText(part, `${indent}  `), comment: undefined }],
  );
  return entries.length === 0 ? "{}" : `{\n${entriesText(entries, `${indent}  `)}\n${indent}}`;
}

export const isList = (value: object): value is readonly TerraformValue[] => Array.isArray(value);

/**
 * One entry on a line, the equals signs in one column as `terraform fmt` sets them: those of neighbours whose value
 * begins and ends on its line, or is a heredoc. A comment, an empty line or a bracket left open end the column.
 */
export function entriesText(entries: readonly Entry[], indent: string): string {
  const lines: string[] = [];
  let run: Entry[] = [];
  const closeRun = (): void => {
    const width = Math.max(...run.map(({ name }) => columns(name)));
    for (const { name, text } of run)
      lines.push(`${indent}${name}${" ".repeat(width - columns(name))} = ${text}`);
    run = [];
  };
  for (const entry of entries) {
    const aligned = isAligned(entry.text);
    if ((entry.comment !== undefined || !aligned) && run.length > 0) closeRun();
    if (entry.comment !== undefined) lines.push(commentText(entry.comment, indent));
    run.push(entry);
    if (!aligned) closeRun();
  }
  if (run.length > 0) closeRun();
  return lines.join("\n");
}

export const commentText = (comment: string, indent: string): string =>
  comment
    .split("\n")
    .map((line) => `${indent}# ${line}`.trimEnd())
    .join("\n");

const isAligned = (text: string): boolean => !text.includes("\n") || text.startsWith("<<");

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const columns = (text: string): number => [...graphemes.segment(text)].length;

const bareKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const keyText = (name: string): string =>
  bareKey.test(name) && name !== "for" ? name : `"${escapeTemplate(name)}"`;

function listText(items: readonly TerraformValue[], indent: string): string {
  const inner = `${indent}  `;
  const texts = items.map((item) => valueText(item, inner));
  const line = `[${texts.join(", ")}]`;
  if (!line.includes("\n") && line.length + indent.length <= widest) return line;
  // After a heredoc's last line the comma needs a line of its own.
  const lines = texts.map((text) =>
    text.startsWith("<<") ? `${inner}${text}\n${inner},` : `${inner}${text},`,
  );
  return `[\n${lines.join("\n")}\n${indent}]`;
}

function callText({ name, values }: Call, indent: string): string {
  const [only] = values;
  if (values.length === 1 && only !== undefined && isBracketed(only))
    return `${name}(${valueText(only, indent)})`;
  const inner = `${indent}  `;
  const texts = values.map((value) => valueText(value, inner));
  const line = `${name}(${texts.join(", ")})`;
  if (!line.includes("\n") && line.length + indent.length <= widest) return line;
  const lines = texts.map((text) =>
    text.startsWith("<<") ? `${inner}${text}\n${inner},` : `${inner}${text},`,
  );
  return `${name}(\n${lines.join("\n")}\n${indent})`;
}

const isBracketed = (value: TerraformValue): boolean =>
  typeof value === "object" && value !== null && !(value instanceof Expression) && !(value instanceof Call);

/** An expression as it is, its further lines indented; a quoted template of several lines as a heredoc. */
function expressionText(text: string, indent: string): string {
  if (text.startsWith('"') && text.includes("\\n")) {
    const heredoc = templateHeredoc(text, indent);
    if (heredoc !== undefined) return heredoc;
  }
  return text.includes("<<") ? text : text.replaceAll(/\n(?=[^\n])/g, `\n${indent}`);
}

function templateHeredoc(text: string, indent: string): string | undefined {
  const parsed = parsedExpression(text);
  if (parsed?.kind !== "template") return undefined;
  const parts = parsed.parts.map((part) =>
    typeof part === "string" ? { text: part, literal: true } : { text: interpolation(part), literal: false },
  );
  // An interpolation over several lines would be taken apart by the indentation.
  return heredocOf(parts, indent);
}

function parsedExpression(text: string): HclExpression | undefined {
  try {
    return parseHcl(`a = ${text}`).attributes[0]?.value;
  } catch (error) {
    if (error instanceof HclSyntaxError) return undefined;
    throw error;
  }
}

const heredocText = (value: string, indent: string): string | undefined =>
  heredocOf([{ text: value, literal: true }], indent);

type Part = { text: string; literal: boolean };

/** Text of several lines as a heredoc that is read again as exactly this text; undefined where none is. */
function heredocOf(parts: readonly Part[], indent: string): string | undefined {
  const plain = parts.map(({ text }) => text).join("");
  const lines = plain.slice(0, -1).split("\n");
  // One line is better quoted. A heredoc always ends in a newline and knows no escapes.
  if (!plain.endsWith("\n") || lines.length < 2 || hasControls(plain)) return undefined;
  const escaped = parts
    .map(({ text, literal }) =>
      literal ? text.replaceAll(/[$%]\{/g, (opening) => opening[0] + opening) : text,
    )
    .join("")
    .slice(0, -1)
    .split("\n");
  const marker = markerFor(lines);
  // `<<-` takes off the least indentation of all lines: one must begin at the margin for ours alone to go.
  const reachesMargin = lines.some((line) => /^\S/.test(line));
  if (!reachesMargin) return `<<${marker}\n${escaped.join("\n")}\n${marker}`;
  const inner = `${indent}  `;
  const indented = escaped.map((line) => (line.trim() === "" ? line : inner + line));
  return `<<-${marker}\n${indented.join("\n")}\n${indent}${marker}`;
}

function hasControls(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 32 && character !== "\n" && character !== "\t") return true;
    if (code === 0x7f || code === 0x2028 || code === 0xfeff) return true;
  }
  return false;
}

function markerFor(lines: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const marker = number === 1 ? "EOT" : `EOT${number}`;
    if (lines.every((line) => line.trim() !== marker)) return marker;
  }
}
