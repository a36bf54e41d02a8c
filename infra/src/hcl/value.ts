import { isUnresolved, type Located, type Path } from "../lint/workspace.ts";
import type { HclExpression } from "./syntax.ts";
import { interpolation, textOf } from "./text.ts";

/**
 * Functions that hand on their argument, or encode it: what is encoded is of more use than its text.
 * `sensitive` and the like change nothing of a value.
 */
const lookedThrough = new Set([
  "jsonencode",
  "yamlencode",
  "tomap",
  "tolist",
  "toset",
  "tostring",
  "tonumber",
  "tobool",
  "sensitive",
  "nonsensitive",
  "ephemeralasnull",
  "trimspace",
  "chomp",
]);

/**
 * The value as plain data. Strings keep `${...}` as written; what only Terraform can know is `Unresolved`.
 * `yamlencode({...})` and `jsonencode({...})` give the object, `merge({...}, {...})` the merged one.
 */
export function valueOf(expression: HclExpression): unknown {
  switch (expression.kind) {
    case "literal":
    case "heredoc":
      return expression.value;
    case "template":
      return expression.parts.map((part) => (typeof part === "string" ? part : interpolation(part))).join("");
    case "tuple":
      return expression.items.map(valueOf);
    case "object":
      return Object.fromEntries(expression.items.map((item) => [keyOf(item.key), valueOf(item.value)]));
    case "call": {
      const value = valueOfCall(expression);
      return value === undefined ? unresolved(expression) : value;
    }
    case "conditional":
      return valueOfConditional(expression);
    case "operation":
    case "reference":
    case "access":
    case "for":
      return unresolved(expression);
  }
}

const unresolved = (expression: HclExpression): unknown => ({ unresolved: textOf(expression) });

/** Key of an object. One that is no constant reads `${...}`. */
export function keyOf(key: HclExpression): string {
  if (key.kind === "literal" || key.kind === "template" || key.kind === "heredoc")
    return String(valueOf(key));
  return interpolation(key);
}

type Call = Extract<HclExpression, { kind: "call" }>;

/** Undefined when it cannot be told. */
function valueOfCall(call: Call): unknown {
  const inner = throughCall(call);
  if (inner !== undefined) return valueOf(inner);
  if (call.expand) return undefined;
  const values = call.arguments.map(valueOf);
  if (call.name === "merge" && values.every(isObject)) return Object.assign({}, ...values) as unknown;
  if (call.name === "concat" && values.every((value) => Array.isArray(value))) return values.flat();
  return undefined;
}

const throughCall = (call: Call): HclExpression | undefined =>
  lookedThrough.has(call.name) && call.arguments.length === 1 && !call.expand ? call.arguments[0] : undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isUnresolved(value);

function valueOfConditional(expression: Extract<HclExpression, { kind: "conditional" }>): unknown {
  const chosen = chosenOf(expression);
  return chosen === undefined ? unresolved(expression) : valueOf(chosen);
}

function chosenOf(expression: Extract<HclExpression, { kind: "conditional" }>): HclExpression | undefined {
  const condition = valueOf(expression.condition);
  return condition === true ? expression.yes : condition === false ? expression.no : undefined;
}

/** The value together with the lines its parts stand on. */
export function locate(file: string, expression: HclExpression): Located {
  return {
    file,
    value: valueOf(expression),
    lineOf: (path) => lineAt(expression, { path, line: expression.line }),
  };
}

function lineAt(expression: HclExpression, { path, line }: { path: Path; line: number }): number {
  const [step, ...rest] = path;
  if (step === undefined) return line;
  if (expression.kind === "tuple") {
    const item = typeof step === "number" ? expression.items[step] : undefined;
    return item === undefined ? line : lineAt(item, { path: rest, line: item.line });
  }
  if (expression.kind === "object") {
    const item = expression.items.findLast((item) => keyOf(item.key) === String(step));
    return item === undefined ? line : lineAt(item.value, { path: rest, line: item.line });
  }
  if (expression.kind === "conditional") {
    const chosen = chosenOf(expression);
    return chosen === undefined ? line : lineAt(chosen, { path, line });
  }
  if (expression.kind !== "call") return line;
  const inner = throughCall(expression) ?? mergedPart(expression, step);
  return inner === undefined ? line : lineAt(inner, { path, line });
}

/** The argument of `merge` that a key comes from: the last that has it. */
function mergedPart(call: Call, step: string | number): HclExpression | undefined {
  if (call.name !== "merge") return undefined;
  return call.arguments.findLast((argument) => {
    const value = valueOf(argument);
    return isObject(value) && Object.hasOwn(value, step);
  });
}
