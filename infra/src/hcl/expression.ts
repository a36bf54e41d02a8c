import { parseFor } from "./for-expression.ts";
import { referencesOfSteps } from "./references.ts";
import { parseHeredoc, parseQuoted } from "./template.ts";
import type { Scanner } from "./scanner.ts";
import type { HclExpression, HclStep } from "./syntax.ts";

/** How tightly the binary operators bind. */
export const precedence: Readonly<Record<string, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  ">=": 4,
  "<=": 4,
  ">": 4,
  "<": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};
const operators = /\|\||&&|==|!=|>=|<=|[><+\-*/%]/y;

/** More operators in a row than this are no configuration; the tree of a longer chain could not be walked. */
const longestChain = 400;

export function parseExpression(scanner: Scanner): HclExpression {
  return scanner.deeper(() => {
    const condition = parseOperation(scanner, 1);
    if (!scanner.take("?")) return condition;
    const yes = parseExpression(scanner);
    if (!scanner.take(":"))
      throw scanner.error(
        "Missing false expression in conditional: The conditional operator (...?...:...) requires a false expression, delimited by a colon.",
      );
    const no = parseExpression(scanner);
    return { kind: "conditional", condition, yes, no, line: condition.line };
  });
}

/** Operators that bind at least as tightly as `loosest`; all of them group from the left. */
function parseOperation(scanner: Scanner, loosest: number): HclExpression {
  let left = parseUnary(scanner);
  for (let length = 0; ; length += 1) {
    const operator = peekOperator(scanner);
    const binding = operator === undefined ? undefined : precedence[operator];
    if (operator === undefined || binding === undefined || binding < loosest) return left;
    if (length > longestChain)
      throw scanner.error(`Expression too long: more than ${longestChain} operators in a row.`);
    scanner.at += operator.length;
    const right = parseOperation(scanner, binding + 1);
    left = { kind: "operation", operator, operands: [left, right], line: left.line };
  }
}

function peekOperator(scanner: Scanner): string | undefined {
  const next = scanner.peek();
  operators.lastIndex = scanner.at;
  const operator = operators.exec(scanner.text)?.[0];
  if (operator === undefined && (next === "&" || next === "|"))
    throw scanner.error("Unsupported operator: Bitwise operators are not supported.");
  return operator;
}

function parseUnary(scanner: Scanner): HclExpression {
  const next = scanner.peek();
  const line = scanner.lineAt(scanner.at);
  if (next !== "-" && (next !== "!" || scanner.startsWith("!="))) return parseSteps(scanner, scanner.at);
  scanner.at += 1;
  const operand = scanner.deeper(() => parseUnary(scanner));
  return next === "-" && operand.kind === "literal" && typeof operand.value === "number" && operand.value > 0
    ? { kind: "literal", value: -operand.value, line }
    : { kind: "operation", operator: next, operands: [operand], line };
}

function parseTerm(scanner: Scanner): HclExpression {
  const next = scanner.peek();
  const line = scanner.lineAt(scanner.at);
  if (next === "(") return parseParentheses(scanner);
  if (next === "[" || next === "{") return parseFor(scanner) ?? parseCollection(scanner, next);
  if (next === '"') return parseQuoted(scanner);
  if (scanner.startsWith("<<")) return parseHeredoc(scanner);
  const number = scanner.number();
  if (number !== undefined) return { kind: "literal", value: number, line };
  const word = scanner.identifier();
  if (word !== undefined) return parseWord(scanner, { word, line });
  throw expressionExpected(scanner, next);
}

function expressionExpected(scanner: Scanner, next: string): Error {
  if (next === "")
    return scanner.error(
      "Missing expression: Expected the start of an expression, but found the end of the file.",
    );
  if (next === "'")
    return scanner.error(
      'Invalid character: Single quotes are not valid. Use double quotes (") to enclose strings.',
    );
  return scanner.error(
    "Invalid expression: Expected the start of an expression, but found an invalid expression token.",
  );
}

function parseParentheses(scanner: Scanner): HclExpression {
  scanner.at += 1;
  const inner = scanner.within(false, () => {
    const inner = parseExpression(scanner);
    if (scanner.peek() !== ")")
      throw scanner.error(
        "Unbalanced parentheses: Expected a closing parenthesis to terminate the expression.",
      );
    return inner;
  });
  scanner.at += 1;
  return inner;
}

const constants: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

function parseWord(scanner: Scanner, { word, line }: { word: string; line: number }): HclExpression {
  let name = word;
  while (scanner.peek() === ":" && scanner.startsWith("::")) {
    scanner.at += 2;
    const next = scanner.identifier();
    if (next === undefined)
      throw scanner.error("Missing function name: Expected a function name after the namespace separator.");
    name += `::${next}`;
  }
  if (scanner.peek() === "(") return parseCall(scanner, { name, line });
  if (name !== word)
    throw scanner.error("Missing open parenthesis: A function name must be followed by its arguments.");
  const constant = Object.hasOwn(constants, word) ? constants[word] : undefined;
  if (constant !== undefined) return { kind: "literal", value: constant, line };
  return { kind: "reference", root: word, steps: [], line };
}

function parseCall(scanner: Scanner, { name, line }: { name: string; line: number }): HclExpression {
  scanner.at += 1;
  const values: HclExpression[] = [];
  const expand = scanner.within(false, () => {
    for (;;) {
      if (scanner.peek() === ")") return false;
      if (scanner.peek() === "")
        throw scanner.error(
          "Unterminated function call: There is no closing parenthesis for this function call.",
        );
      values.push(parseExpression(scanner));
      if (scanner.take("...")) {
        if (scanner.peek() !== ")")
          throw scanner.error(
            "Missing closing parenthesis: An expanded function argument (with ...) must be immediately followed by closing parentheses.",
          );
        return true;
      }
      if (!scanner.take(",") && scanner.peek() !== ")")
        throw scanner.error(
          scanner.peek() === ""
            ? "Unterminated function call: There is no closing parenthesis for this function call before the end of the file."
            : "Missing argument separator: A comma is required to separate each function argument from the next.",
        );
    }
  });
  scanner.at += 1;
  return { kind: "call", name, arguments: values, ...(expand ? { expand } : {}), line };
}

function parseCollection(scanner: Scanner, opening: "[" | "{"): HclExpression {
  const line = scanner.lineAt(scanner.at);
  scanner.at += 1;
  const parsed: HclExpression =
    opening === "["
      ? { kind: "tuple", items: scanner.within(false, () => parseItems(scanner)), line }
      : { kind: "object", items: scanner.within(true, () => parseEntries(scanner)), line };
  scanner.at += 1;
  return parsed;
}

function parseItems(scanner: Scanner): HclExpression[] {
  const items: HclExpression[] = [];
  for (;;) {
    if (scanner.peek() === "]") return items;
    items.push(parseExpression(scanner));
    if (!scanner.take(",") && scanner.peek() !== "]")
      throw scanner.error("Missing item separator: Expected a comma to mark the beginning of the next item.");
  }
}

type Entry = { key: HclExpression; value: HclExpression; line: number };

function parseEntries(scanner: Scanner): Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    while (scanner.takeNewline());
    if (scanner.peek() === "}") return entries;
    const line = scanner.lineAt(scanner.at);
    const key = parseKey(scanner);
    if (!scanner.take("=") && !scanner.take(":")) throw missingSeparator(scanner);
    entries.push({ key, value: parseExpression(scanner), line });
    if (!scanner.take(",") && scanner.peek() !== "\n" && scanner.peek() !== "}")
      throw scanner.error(
        "Missing attribute separator: Expected a newline or comma to mark the beginning of the next attribute.",
      );
  }
}

function missingSeparator(scanner: Scanner): Error {
  const next = scanner.peek();
  return scanner.error(
    next === "\n" || next === "}" || next === ","
      ? 'Missing attribute value: Expected an attribute value, introduced by an equals sign ("=").'
      : 'Missing key/value separator: Expected an equals sign ("=") to mark the beginning of the attribute value.',
  );
}

/** A bare word is a string. A reference as a key needs parentheses, but `a.b = 1` passes the parser of Terraform too. */
function parseKey(scanner: Scanner): HclExpression {
  const word = scanner.peekIdentifier();
  if (word !== undefined) {
    const { at } = scanner;
    const line = scanner.lineAt(at);
    scanner.at += word.length;
    const next = scanner.peek();
    if (next === "=" || next === ":" || next === "\n" || next === "}")
      if (!scanner.startsWith("==") && !scanner.startsWith("::"))
        return { kind: "literal", value: word, line };
    scanner.at = at;
  }
  return parseExpression(scanner);
}

/** `.name`, `.0`, `[0]`, `["k"]`, `[expression]`, `.*`, `[*]` after a term, as many as there are. */
function parseSteps(scanner: Scanner, start: number): HclExpression {
  const of = parseTerm(scanner);
  const steps: HclStep[] = [];
  let end = scanner.at;
  for (;;) {
    const next = scanner.peek();
    if (next === "." && !scanner.startsWith("...")) steps.push(parseName(scanner));
    else if (next === "[") steps.push(parseIndex(scanner));
    else break;
    end = scanner.at;
  }
  if (of.kind === "reference" && scanner.loopVariables.includes(of.root))
    return {
      kind: "for",
      text: scanner.text.slice(start, end),
      references: referencesOfSteps(steps),
      line: of.line,
    };
  if (steps.length === 0) return of;
  return of.kind === "reference" ? { ...of, steps } : { kind: "access", of, steps, line: of.line };
}

function parseName(scanner: Scanner): HclStep {
  scanner.at += 1;
  if (scanner.take("*")) return "*";
  scanner.peek();
  const name = scanner.identifier() ?? scanner.wholeNumber();
  if (name === undefined)
    throw scanner.error("Invalid attribute name: An attribute name is required after a dot.");
  return name;
}

function parseIndex(scanner: Scanner): HclStep {
  scanner.at += 1;
  const step = scanner.within(false, (): HclStep => {
    if (scanner.take("*")) return "*";
    const index = parseExpression(scanner);
    const constant = index.kind === "literal" ? index.value : undefined;
    return typeof constant === "string" || typeof constant === "number" ? constant : { index };
  });
  if (!scanner.within(false, () => scanner.take("]")))
    throw scanner.error(
      'Missing close bracket on index: The index operator must end with a closing bracket ("]").',
    );
  return step;
}
