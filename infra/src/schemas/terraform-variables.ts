import type { HclStep } from "../hcl/syntax.ts";
import { textOf } from "../hcl/text.ts";
import { attributeOf, type Declared, type ModuleIndex } from "./terraform-index.ts";
import { typeProblem } from "./terraform-paths.ts";
import type { Report, TerraformProblem } from "./terraform-problem.ts";
import { placedReferences } from "./terraform-scopes.ts";
import { typeOf } from "./terraform-type-expressions.ts";
import { checkValue } from "./terraform-types.ts";

/** Checks values for variables against the types these declare: defaults, variable files, and what is read of them. */
export function variableTypes(index: ModuleIndex): TerraformProblem[] {
  const problems: TerraformProblem[] = [];
  for (const { file, block } of index.variables.values()) {
    const fallback = attributeOf(block.body, "default");
    const type = typeOf(attributeOf(block.body, "type"));
    if (fallback !== undefined)
      checkValue(fallback, { name: "default", type, limits: undefined }, (problem) =>
        problems.push({ file, ...problem }),
      );
  }
  for (const { file, body } of index.module.excerpt ? [] : index.module.variables)
    for (const { name, value } of body.attributes)
      checkGiven(index.variables.get(`var.${name}`), { name, value }, (problem) =>
        problems.push({ file, ...problem }),
      );
  for (const { file, body } of index.module.files)
    for (const block of body.blocks)
      for (const { reference } of placedReferences(block)) {
        const problem = readProblem(index, reference);
        if (problem === undefined) continue;
        const { message, remedy } = problem;
        problems.push({
          kind: "unresolved-reference",
          file,
          line: reference.line,
          message: `"${textOf(reference)}": ${message}`,
          ...(remedy === undefined ? {} : { remedy }),
        });
      }
  return problems;
}

/** A value given to a variable, by a call of the module or a variable file. */
export function checkGiven(
  variable: Declared | undefined,
  { name, value }: { name: string; value: Parameters<typeof checkValue>[0] },
  report: Report,
): void {
  const type = variable === undefined ? "dynamic" : typeOf(attributeOf(variable.block.body, "type"));
  checkValue(value, { name, type, limits: undefined, closed: true }, report);
}

function readProblem(
  index: ModuleIndex,
  { root, steps }: { root: string; steps: readonly HclStep[] },
): ReturnType<typeof typeProblem> {
  const [name, ...rest] = steps;
  const variable =
    root === "var" && typeof name === "string" ? index.variables.get(`var.${name}`) : undefined;
  if (variable === undefined || rest.length === 0) return undefined;
  return typeProblem(String(name), typeOf(attributeOf(variable.block.body, "type")), rest);
}
