import { parseExpression } from "./expression.ts";
import { parseQuoted } from "./template.ts";
import { Scanner } from "./scanner.ts";
import { HclSyntaxError, type HclAttribute, type HclBlock, type HclBody } from "./syntax.ts";

/**
 * Reads HCL 2 as Terraform does. `firstLine` is the line of the file at which the text begins.
 * @throws {HclSyntaxError} at the first mistake, in words close to Terraform's.
 */
export function parseHcl(text: string, firstLine = 1): HclBody {
  const scanner = new Scanner(text, firstLine, parseExpression);
  const body = parseBody(scanner);
  if (scanner.peek() !== "")
    throw scanner.error(
      "Argument or block definition required: An argument or block definition is required here.",
    );
  const [first, ...others] = scanner.redefined;
  if (first !== undefined) throw new HclSyntaxError(first.message, first.line, { others, body });
  return body;
}

/** Everything up to the closing brace, which is left, or to the end. */
function parseBody(scanner: Scanner): HclBody {
  const body: HclBody = { attributes: [], blocks: [] };
  const seen = new Map<string, number>();
  for (;;) {
    while (scanner.takeNewline());
    const next = scanner.peek();
    if (next === "" || next === "}") return body;
    const item = scanner.deeper(() => parseItem(scanner));
    if ("value" in item) addAttribute({ body, seen, scanner }, item);
    else body.blocks.push(item);
    const after = scanner.peek();
    if (after !== "" && !scanner.takeNewline()) throw afterItem(scanner, "value" in item);
  }
}

function addAttribute(
  { body, seen, scanner }: { body: HclBody; seen: Map<string, number>; scanner: Scanner },
  attribute: HclAttribute,
): void {
  const { name, line } = attribute;
  const before = seen.get(name);
  if (before === undefined) {
    seen.set(name, line);
    body.attributes.push(attribute);
    return;
  }
  const message = `Attribute redefined: The argument "${name}" was already set on line ${before}. Each argument may be set only once.`;
  scanner.redefined.push(new HclSyntaxError(message, line));
}

function afterItem(scanner: Scanner, isAttribute: boolean): Error {
  const next = scanner.peek();
  if (/[';`?!@$\\]/.test(next)) return invalidCharacter(scanner, next);
  return isAttribute
    ? scanner.error("Missing newline after argument: An argument definition must end with a newline.")
    : scanner.error("Missing newline after block definition: A block definition must end with a newline.");
}

const invalidCharacter = (scanner: Scanner, character: string): Error =>
  scanner.error(
    character === "'"
      ? 'Invalid character: Single quotes are not valid. Use double quotes (") to enclose strings.'
      : character === ";"
        ? "Invalid character: The ; character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values."
        : `Invalid character: The ${character} character is not used within the language here.`,
  );

function parseItem(scanner: Scanner): HclAttribute | HclBlock {
  const start = scanner.at;
  const line = scanner.lineAt(start);
  const name = scanner.identifier();
  if (name === undefined) {
    if (scanner.startsWith('"'))
      throw scanner.error("Invalid argument name: Argument names must not be quoted.");
    throw scanner.error(
      "Argument or block definition required: An argument or block definition is required here.",
    );
  }
  const next = scanner.peek();
  if (next === "=" && !scanner.startsWith("==")) {
    scanner.at += 1;
    return { name, value: parseExpression(scanner), line };
  }
  if (next === "{" || next === '"' || scanner.peekIdentifier() !== undefined)
    return parseBlock(scanner, { type: name, line });
  throw scanner.error(
    `Argument or block definition required: An argument or block definition is required here. To set an argument, use the equals sign "=" to introduce the argument value.`,
    start,
  );
}

function parseBlock(scanner: Scanner, { type, line }: { type: string; line: number }): HclBlock {
  const labels = parseLabels(scanner);
  const brace = scanner.at;
  scanner.at += 1;
  const body = scanner.within(true, () => {
    const next = scanner.peek();
    return next === "\n" || next === "" || next === "}" ? parseBody(scanner) : parseOneLine(scanner);
  });
  if (scanner.peek() !== "}")
    throw scanner.error(
      "Unclosed configuration block: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.",
      brace,
    );
  const endLine = scanner.lineAt(scanner.at);
  scanner.at += 1;
  return { type, labels, body, line, endLine };
}

/** Labels, up to the opening brace. */
function parseLabels(scanner: Scanner): string[] {
  const labels: string[] = [];
  for (;;) {
    const next = scanner.peek();
    if (next === "{") return labels;
    if (next === '"') {
      const label = parseQuoted(scanner);
      if (label.kind !== "literal" || typeof label.value !== "string")
        throw scanner.error("Invalid string literal: Template sequences are not allowed in this string.");
      labels.push(label.value);
      continue;
    }
    const word = scanner.identifier();
    if (word === undefined)
      throw scanner.error(
        next === "\n" || next === ""
          ? 'Invalid block definition: A block definition must have block content delimited by "{" and "}", starting on the same line as the block header.'
          : 'Invalid block definition: Either a quoted string block label or an opening brace ("{") is expected here.',
      );
    labels.push(word);
  }
}

/** `{ name = value }`: one argument on the line of the brace, and nothing else. */
function parseOneLine(scanner: Scanner): HclBody {
  const item = scanner.deeper(() => parseItem(scanner));
  if (!("value" in item))
    throw scanner.error(
      "Argument definition required: A single-line block definition can contain only a single argument. If you meant to define a nested block, put it on a line of its own.",
    );
  const next = scanner.peek();
  if (next !== "}")
    throw scanner.error(
      next === ","
        ? "Invalid single-argument block definition: Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line."
        : "Invalid single-argument block definition: A single-line block definition must end with a closing brace immediately after its single argument definition.",
    );
  return { attributes: [item], blocks: [] };
}
