import { escapeTemplate } from "../resources/resource.ts";
import { precedence } from "./expression.ts";
import type { HclExpression, HclStep } from "./syntax.ts";

/** An expression written out again on one line, as people write it. Heredocs become quoted strings. */
export function textOf(expression: HclExpression): string {
  switch (expression.kind) {
    case "literal":
      return typeof expression.value === "string" ? quoted(expression.value) : String(expression.value);
    case "heredoc":
      return quoted(expression.value);
    case "template":
      return `"${expression.parts.map((part) => (typeof part === "string" ? escapeTemplate(part) : interpolation(part))).join("")}"`;
    case "tuple":
      return `[${expression.items.map(textOf).join(", ")}]`;
    case "object":
      return objectText(expression.items);
    case "reference":
      return expression.root + stepsText(expression.steps);
    case "access":
      return operand(expression.of) + stepsText(expression.steps);
    case "call":
      return `${expression.name}(${expression.arguments.map(textOf).join(", ")}${expression.expand ? "..." : ""})`;
    case "conditional":
      return `${conditionText(expression.condition)} ? ${textOf(expression.yes)} : ${textOf(expression.no)}`;
    case "operation":
      return operationText(expression.operator, expression.operands);
    case "for":
      return expression.text;
  }
}

/** `${...}` as it stands within a string; a directive already has its own braces. */
export const interpolation = (part: HclExpression): string =>
  part.kind === "for" && part.text.startsWith("%{") ? part.text : `\${${textOf(part)}}`;

const conditionText = (condition: HclExpression): string =>
  condition.kind === "conditional" ? `(${textOf(condition)})` : textOf(condition);

function objectText(items: readonly { key: HclExpression; value: HclExpression }[]): string {
  if (items.length === 0) return "{}";
  return `{ ${items.map(({ key, value }) => `${keyText(key)} = ${textOf(value)}`).join(", ")} }`;
}

const bareKey = /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u;

function keyText(key: HclExpression): string {
  if (key.kind === "literal" && typeof key.value === "string")
    return bareKey.test(key.value) && key.value !== "for" ? key.value : quoted(key.value);
  return key.kind === "template" ? textOf(key) : `(${textOf(key)})`;
}

const stepsText = (steps: readonly HclStep[]): string =>
  steps
    .map((step) => {
      if (step === "*") return "[*]";
      if (typeof step === "number") return `[${step}]`;
      if (typeof step === "string") return bareKey.test(step) ? `.${step}` : `[${quoted(step)}]`;
      return `[${textOf(step.index)}]`;
    })
    .join("");

function operationText(operator: string, operands: readonly HclExpression[]): string {
  const [left, right] = operands;
  if (left === undefined) return "";
  if (right === undefined) return operator + operand(left);
  return `${side(left, operator, 0)} ${operator} ${side(right, operator, 1)}`;
}

/** An operand of a binary operation, in parentheses where it binds less tightly. */
function side(expression: HclExpression, operator: string, extra: 0 | 1): string {
  const text = textOf(expression);
  if (expression.kind === "conditional") return `(${text})`;
  if (expression.kind !== "operation" || expression.operands.length === 1) return text;
  const own = precedence[expression.operator] ?? 0;
  return own < (precedence[operator] ?? 0) + extra ? `(${text})` : text;
}

const operand = (expression: HclExpression): string =>
  expression.kind === "operation" || expression.kind === "conditional" || isNegative(expression)
    ? `(${textOf(expression)})`
    : textOf(expression);

const isNegative = (expression: HclExpression): boolean =>
  expression.kind === "literal" && typeof expression.value === "number" && expression.value < 0;

const quoted = (value: string): string => `"${escapeTemplate(value)}"`;
