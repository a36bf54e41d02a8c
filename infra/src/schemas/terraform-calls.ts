import { posix } from "node:path";
import type { TerraformModule } from "../lint/workspace.ts";
import type { HclReference } from "../hcl/references.ts";
import type { HclStep } from "../hcl/syntax.ts";
import { textOf } from "../hcl/text.ts";
import { valueOf } from "../hcl/value.ts";
import { keyProblem } from "./terraform-object-keys.ts";
import { placedReferences } from "./terraform-scopes.ts";
import { nearest } from "./nearest.ts";
import { attributeOf, indexOf, type Declared, type ModuleIndex } from "./terraform-index.ts";
import { checkGiven } from "./terraform-variables.ts";
import type { TerraformProblem } from "./terraform-problem.ts";

const metaArguments = new Set(["source", "version", "count", "for_each", "depends_on", "providers"]);

/** Checks calls of modules that lie beside this one, and the outputs taken from them. */
export function moduleCalls(index: ModuleIndex, modules: readonly TerraformModule[]): TerraformProblem[] {
  const called = new Map<string, ModuleIndex>();
  const problems: TerraformProblem[] = [];
  for (const declared of index.modules.values()) {
    const target = calledModule(index, declared, modules);
    if (target === undefined) continue;
    called.set(declared.address, indexOf(target));
    problems.push(...checkCall(declared, indexOf(target)));
  }
  for (const { file, body } of index.module.files)
    for (const block of body.blocks)
      for (const { reference } of placedReferences(block)) {
        if (reference.root !== "module") continue;
        const [name, ...rest] = reference.steps;
        const target = called.get(`module.${String(name)}`);
        const output = rest.find((step) => typeof step === "string" && step !== "*");
        if (target === undefined || typeof output !== "string" || isRepeated(index, String(name), rest))
          continue;
        const declared = target.outputs.get(`output.${output}`);
        if (declared !== undefined) {
          const steps = rest.slice(rest.indexOf(output) + 1);
          problems.push(...outputProblems(declared, { file, reference, steps }));
          continue;
        }
        const guess = nearest(
          output,
          [...target.outputs.keys()].map((one) => one.slice("output.".length)),
        );
        problems.push({
          kind: "unresolved-reference",
          file,
          line: reference.line,
          message: `The module in ${target.module.folder} has no output "${output}".`,
          remedy: guess === undefined ? `Declare output "${output}" there.` : `Did you mean "${guess}"?`,
        });
      }
  return problems;
}

/** A key that is read of an output, and that its value does not have. */
export function outputProblems(
  { block }: Declared,
  { file, reference, steps }: { file: string; reference: HclReference; steps: readonly HclStep[] },
): TerraformProblem[] {
  const value = attributeOf(block.body, "value");
  const problem = value === undefined ? undefined : keyProblem(value, steps);
  if (problem === undefined) return [];
  const message = `"${textOf(reference)}": ${problem.message}`;
  return [{ kind: "unresolved-reference", file, line: reference.line, message, remedy: problem.remedy }];
}

/** With `for_each` the first name may be the key of an instance. */
function isRepeated(index: ModuleIndex, name: string, [first]: readonly unknown[]): boolean {
  const call = index.modules.get(`module.${name}`);
  return (
    typeof first === "string" &&
    first !== "*" &&
    call !== undefined &&
    attributeOf(call.block.body, "for_each") !== undefined
  );
}

/** The module that a call names by its folder, where it is among those given. */
export function calledModule(
  { module }: ModuleIndex,
  declared: Declared,
  modules: readonly TerraformModule[],
): TerraformModule | undefined {
  const source = attributeOf(declared.block.body, "source");
  const path = source === undefined ? undefined : valueOf(source);
  if (module.excerpt || typeof path !== "string" || !/^\.\.?\//.test(path)) return undefined;
  const folder = posix.normalize(posix.join(module.folder, path)).replace(/\/$/, "");
  return modules.find((one) => !one.excerpt && posix.normalize(one.folder).replace(/\/$/, "") === folder);
}

function checkCall({ file, block, line }: Declared, target: ModuleIndex): TerraformProblem[] {
  const wrong: TerraformProblem[] = [];
  for (const { name, value } of block.body.attributes)
    checkGiven(target.variables.get(`var.${name}`), { name, value }, (problem) =>
      wrong.push({ file, ...problem }),
    );
  const known = [...target.variables.keys()].map((address) => address.slice("var.".length));
  const unknown = block.body.attributes
    .filter(({ name }) => !metaArguments.has(name) && !known.includes(name))
    .map((attribute): TerraformProblem => {
      const guess = nearest(attribute.name, known);
      return {
        kind: "module-argument",
        file,
        line: attribute.line,
        message: `The module in ${target.module.folder} declares no variable "${attribute.name}".`,
        remedy:
          guess === undefined
            ? `Declare variable "${attribute.name}" there, or take the argument out.`
            : `Did you mean "${guess}"?`,
      };
    });
  const given = new Set(block.body.attributes.map(({ name }) => name));
  const missing = [...target.variables.values()]
    .filter(
      ({ block }) => attributeOf(block.body, "default") === undefined && !given.has(block.labels[0] ?? ""),
    )
    .map(({ block: variable }): TerraformProblem => ({
      kind: "module-argument",
      file,
      line,
      message: `module "${block.labels[0] ?? ""}" needs the argument "${variable.labels[0] ?? ""}": the variable has no default.`,
      remedy: `Set "${variable.labels[0] ?? ""}".`,
    }));
  return [...unknown, ...missing, ...wrong];
}

/** Values in variable files for variables that nothing declares. Terraform only warns, and uses them for nothing. */
export function unusedValues({ module, variables }: ModuleIndex): TerraformProblem[] {
  // Variable files of a document, or of a folder without declarations, belong to a module elsewhere.
  if (module.excerpt || variables.size === 0) return [];
  const known = [...variables.keys()].map((address) => address.slice("var.".length));
  return module.variables.flatMap(({ file, body }) =>
    body.attributes
      .filter(({ name }) => !known.includes(name))
      .map(({ name, line }): TerraformProblem => {
        const guess = nearest(name, known);
        return {
          kind: "module-argument",
          file,
          line,
          severity: "warning",
          message: `A value for "${name}" is given, but the module declares no such variable: it has no effect.`,
          remedy:
            guess === undefined
              ? `Declare variable "${name}", or take the value out.`
              : `Did you mean "${guess}"?`,
        };
      }),
  );
}
