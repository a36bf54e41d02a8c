import type { HclBody, HclExpression, HclStep } from "./syntax.ts";

/** `aws_x.y[0].id`, `var.name`: a place of the configuration that an expression reads. */
export type HclReference = Extract<HclExpression, { kind: "reference" }>;

/** Every reference of a body and the blocks in it, in the order they are written. */
export function references(body: HclBody): HclReference[] {
  return [
    ...body.attributes.flatMap((attribute) => referencesIn(attribute.value)),
    ...body.blocks.flatMap((block) => references(block.body)),
  ];
}

/** Every reference of an expression, those within indexes and templates too. Variables of a `for` are none. */
export function referencesIn(expression: HclExpression): HclReference[] {
  if (expression.kind === "reference") return [expression, ...referencesOfSteps(expression.steps)];
  const own = expression.kind === "access" ? referencesOfSteps(expression.steps) : [];
  return [...childrenOf(expression).flatMap(referencesIn), ...own];
}

export const referencesOfSteps = (steps: readonly HclStep[]): HclReference[] =>
  steps.flatMap((step) => (typeof step === "object" ? referencesIn(step.index) : []));

/** The expressions directly within another one; not those of its steps. */
export function childrenOf(expression: HclExpression): HclExpression[] {
  switch (expression.kind) {
    case "literal":
    case "heredoc":
    case "reference":
      return [];
    case "template":
      return expression.parts.filter((part) => typeof part !== "string");
    case "tuple":
      return expression.items;
    case "object":
      return expression.items.flatMap((item) => [item.key, item.value]);
    case "access":
      return [expression.of];
    case "call":
      return expression.arguments;
    case "conditional":
      return [expression.condition, expression.yes, expression.no];
    case "operation":
      return expression.operands;
    case "for":
      return expression.references;
  }
}
