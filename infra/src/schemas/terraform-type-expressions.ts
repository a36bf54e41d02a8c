import type { HclExpression } from "../hcl/syntax.ts";
import { keyOf } from "../hcl/value.ts";
import type { TerraformType } from "./terraform-providers.ts";

const primitive = new Set(["string", "number", "bool"]);

/**
 * The type that a variable declares: `map(object({ name = string, size = optional(number, 1) }))`. Members that may be left
 * out read `["optional", type]`. What is no type is `dynamic`.
 */
export function typeOf(expression: HclExpression | undefined): TerraformType {
  if (expression?.kind === "reference" && expression.steps.length === 0)
    return primitive.has(expression.root) ? expression.root : "dynamic";
  if (expression?.kind !== "call") return "dynamic";
  const [inner] = expression.arguments;
  const { name } = expression;
  if (name === "list" || name === "set" || name === "map" || name === "optional")
    return [name, typeOf(inner)];
  if (name !== "object" || inner?.kind !== "object") return "dynamic";
  return ["object", Object.fromEntries(inner.items.map(({ key, value }) => [keyOf(key), typeOf(value)]))];
}
