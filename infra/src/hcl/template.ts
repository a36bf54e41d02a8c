import { dedented } from "./heredoc-indent.ts";
import { parseForIntroduction } from "./for-expression.ts";
import { referencesIn } from "./references.ts";
import type { Scanner } from "./scanner.ts";
import type { HclExpression } from "./syntax.ts";

type Part = string | HclExpression;

/** A template being read: its parts and the directives (`%{ if }`, `%{ for }`) still open. */
type Template = {
  parts: Part[];
  open: { keyword: "if" | "for"; variables: number; elseSeen: boolean; at: number }[];
  /** After `~}`: white space up to and with the next newline goes. */
  trimNext: boolean;
};

const newTemplate = (): Template => ({ parts: [], open: [], trimNext: false });

/** A quoted string; the scanner stands at the opening quote. */
export function parseQuoted(scanner: Scanner): HclExpression {
  const start = scanner.at;
  const line = scanner.lineAt(start);
  const template = newTemplate();
  scanner.at += 1;
  for (;;) {
    const next = scanner.text[scanner.at];
    if (next === undefined)
      throw scanner.error("Unterminated template string: No closing marker was found for the string.", start);
    if (next === '"') break;
    if (next === "\n" || next === "\r")
      throw scanner.error(
        'Invalid multi-line string: Quoted strings may not be split over multiple lines. To produce a multi-line string, either use the \\n escape to represent a newline character or use the "heredoc" multi-line template syntax.',
      );
    if (next === "\\") addText(template, parseEscape(scanner));
    else if (!parseSequence(scanner, template)) addText(template, takeRun(scanner, /[^"\\\n\r$%]+|[$%]/y));
  }
  scanner.at += 1;
  assertClosed(scanner, template);
  const [only = ""] = template.parts;
  return typeof only === "string" && template.parts.length <= 1
    ? { kind: "literal", value: only, line }
    : { kind: "template", parts: template.parts, heredoc: undefined, line };
}

/** The whole text of the scanner as a template without quotes and escapes: a string of JSON. */
export function parseTemplateText(scanner: Scanner): HclExpression {
  const line = scanner.lineAt(0);
  const template = newTemplate();
  while (scanner.at < scanner.text.length)
    if (!parseSequence(scanner, template)) addText(template, takeRun(scanner, /[^$%]+|[$%]/y));
  assertClosed(scanner, template);
  const [only = ""] = template.parts;
  if (template.parts.length > 1) return { kind: "template", parts: template.parts, heredoc: undefined, line };
  return typeof only === "string" ? { kind: "literal", value: only, line } : only;
}

const heredocStart = /<<(-?)([\p{ID_Start}_][\p{ID_Continue}-]*)(\r?\n)?/uy;

/** A heredoc; the scanner stands at `<<`. The newline after the closing marker is left: it ends the expression. */
export function parseHeredoc(scanner: Scanner): HclExpression {
  const start = scanner.at;
  const line = scanner.lineAt(start);
  heredocStart.lastIndex = start;
  const [opening, dash, marker = "", newline] = heredocStart.exec(scanner.text) ?? [];
  if (opening === undefined || newline === undefined)
    throw scanner.error("Invalid expression: A heredoc begins with << and a marker, followed by a newline.");
  scanner.at += opening.length;
  const heredoc = { marker, firstLine: line + 1, indented: dash === "-" };
  const template = newTemplate();
  for (;;) {
    const atLineStart = scanner.text[scanner.at - 1] === "\n";
    if (atLineStart && takeMarker(scanner, marker)) break;
    if (scanner.at >= scanner.text.length)
      throw scanner.error(
        `Unterminated template string: No closing marker "${marker}" was found for the heredoc.`,
        start,
      );
    if (!parseSequence(scanner, template)) addText(template, takeRun(scanner, /[^\n$%]*\n|[^\n$%]+|[$%]/y));
  }
  assertClosed(scanner, template);
  const parts = heredoc.indented ? dedented(template.parts) : template.parts;
  if (parts.every((part) => typeof part === "string"))
    return { kind: "heredoc", value: parts.join(""), heredoc, line };
  return { kind: "template", parts, heredoc, line };
}

/** Takes the closing line when it comes next, but for its newline. */
function takeMarker(scanner: Scanner, marker: string): boolean {
  const end = scanner.text.indexOf("\n", scanner.at);
  const line = scanner.text.slice(scanner.at, end < 0 ? undefined : end);
  if (line.trim() !== marker) return false;
  scanner.at += line.endsWith("\r") ? line.length - 1 : line.length;
  return true;
}

function takeRun(scanner: Scanner, pattern: RegExp): string {
  pattern.lastIndex = scanner.at;
  const run = pattern.exec(scanner.text)?.[0] ?? "";
  scanner.at += run.length;
  return run.replaceAll("\r\n", "\n");
}

function addText(template: Template, text: string): void {
  const wanted = template.trimNext ? text.replace(/^[^\S\n]*\n?/, "") : text;
  template.trimNext = false;
  if (wanted === "") return;
  const last = template.parts.length - 1;
  const before = template.parts[last];
  if (typeof before === "string") template.parts[last] = before + wanted;
  else template.parts.push(wanted);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function parseEscape(scanner: Scanner): string {
  const letter = scanner.text[scanner.at + 1] ?? "";
  const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
  if (simple !== undefined) {
    scanner.at += 2;
    return simple;
  }
  const digits = letter === "u" ? 4 : letter === "U" ? 8 : 0;
  const hex = scanner.text.slice(scanner.at + 2, scanner.at + 2 + digits);
  const code =
    digits > 0 && /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? parseInt(hex, 16) : undefined;
  if (code === undefined || code > 0x10_ff_ff)
    throw scanner.error(
      `Invalid escape sequence: The symbol "${letter}" is not a valid escape sequence selector. To write a backslash, write it twice.`,
    );
  scanner.at += 2 + digits;
  return String.fromCodePoint(code);
}

/** `$${`, `%%{`, an interpolation or a directive; false where plain text follows. */
function parseSequence(scanner: Scanner, template: Template): boolean {
  if (scanner.startsWith("$${") || scanner.startsWith("%%{")) {
    addText(template, scanner.text.slice(scanner.at + 1, scanner.at + 3));
    scanner.at += 3;
    return true;
  }
  if (!scanner.startsWith("${") && !scanner.startsWith("%{")) return false;
  const start = scanner.at;
  const isDirective = scanner.startsWith("%");
  scanner.at += 2;
  if (scanner.startsWith("~")) {
    scanner.at += 1;
    trimBefore(template);
  }
  template.trimNext = false;
  const part = scanner.within(false, () =>
    isDirective ? parseDirective(scanner, { template, start }) : scanner.expression(),
  );
  const trimsNext = scanner.within(false, () => takeEnd(scanner, isDirective));
  template.trimNext = trimsNext;
  if (isDirective && part.kind === "for") part.text = scanner.text.slice(start, scanner.at);
  template.parts.push(part);
  return true;
}

function takeEnd(scanner: Scanner, isDirective: boolean): boolean {
  const trims = scanner.take("~");
  if (!scanner.take("}"))
    throw scanner.error(
      isDirective
        ? "Extra characters in directive: Expected a closing brace to end the directive."
        : "Extra characters after interpolation expression: Expected a closing brace to end the interpolation expression, but found extra characters.",
    );
  return trims;
}

function trimBefore(template: Template): void {
  const last = template.parts.length - 1;
  const before = template.parts[last];
  if (typeof before !== "string") return;
  const trimmed = before.replace(/[^\S\n]+$/, "");
  if (trimmed === "") template.parts.pop();
  else template.parts[last] = trimmed;
}

function parseDirective(
  scanner: Scanner,
  { template, start }: { template: Template; start: number },
): HclExpression {
  const keyword = scanner.identifier();
  const line = scanner.lineAt(start);
  const directive = (of: HclExpression[]): HclExpression => ({
    kind: "for",
    text: "",
    references: of.flatMap(referencesIn),
    line,
  });
  const innermost = template.open.at(-1);
  if (keyword === "if") {
    const condition = scanner.expression();
    template.open.push({ keyword, variables: 0, elseSeen: false, at: start });
    return directive([condition]);
  }
  if (keyword === "for") {
    const { collection, variables } = parseForIntroduction(scanner);
    template.open.push({ keyword, variables, elseSeen: false, at: start });
    return directive([collection]);
  }
  if (keyword === "else" && innermost?.keyword === "if" && !innermost.elseSeen) {
    innermost.elseSeen = true;
    return directive([]);
  }
  if (innermost !== undefined && keyword === `end${innermost.keyword}`) {
    template.open.pop();
    scanner.loopVariables.length -= innermost.variables;
    return directive([]);
  }
  throw scanner.error(
    keyword === "else" || keyword === "endif" || keyword === "endfor"
      ? `Unexpected ${keyword} directive: There is no corresponding directive for this ${keyword}.`
      : `Invalid template directive: "${keyword ?? ""}" is not a valid template directive: if, else, endif, for and endfor are.`,
    start,
  );
}

function assertClosed(scanner: Scanner, template: Template): void {
  const innermost = template.open.at(-1);
  if (innermost !== undefined)
    throw scanner.error(
      `Unexpected end of template: The ${innermost.keyword} directive is missing its corresponding end${innermost.keyword} directive.`,
      innermost.at,
    );
}
