import type { HclExpression, HclStep } from "../hcl/syntax.ts";
import { keyOf } from "../hcl/value.ts";
import { nearest } from "./nearest.ts";

/**
 * What is wrong with a way into a value that is written out as `{ ... }`: a key that is not there. Undefined where only
 * Terraform can tell.
 */
export function keyProblem(
  value: HclExpression,
  steps: readonly HclStep[],
): { message: string; remedy: string } | undefined {
  const [step, ...rest] = steps;
  if (value.kind === "call" && value.arguments.length === 1 && /^(?:non)?sensitive$/.test(value.name)) {
    const [inner] = value.arguments;
    return inner === undefined ? undefined : keyProblem(inner, steps);
  }
  if (value.kind !== "object" || typeof step !== "string" || step === "*") return undefined;
  const keys = value.items.map(({ key }) => keyOf(key));
  const found = value.items.findLast(({ key }) => keyOf(key) === step);
  if (found !== undefined) return keyProblem(found.value, rest);
  if (keys.some((key) => key.includes("${"))) return undefined;
  const guess = nearest(step, keys);
  return {
    message: `there is no "${step}" in it.`,
    remedy: guess === undefined ? `It has: ${keys.join(", ") || "nothing"}.` : `Did you mean "${guess}"?`,
  };
}
