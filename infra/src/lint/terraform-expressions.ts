import { childrenOf } from "../hcl/references.ts";
import type { HclBody, HclExpression } from "../hcl/syntax.ts";
import type { TerraformModule } from "./workspace.ts";

export type ObjectExpression = Extract<HclExpression, { kind: "object" }>;

/** Every `{ ... }` written in a module, wherever it stands. */
export function* objectsWritten(
  module: TerraformModule,
): Iterable<{ file: string; object: ObjectExpression }> {
  for (const { file, body } of module.files)
    for (const expression of expressionsOf(body))
      for (const object of objectsWithin(expression)) yield { file, object };
}

function expressionsOf(body: HclBody): HclExpression[] {
  return [
    ...body.attributes.map(({ value }) => value),
    ...body.blocks.flatMap((block) => expressionsOf(block.body)),
  ];
}

function objectsWithin(expression: HclExpression): ObjectExpression[] {
  const own = expression.kind === "object" ? [expression] : [];
  return [...own, ...childrenOf(expression).flatMap(objectsWithin)];
}
