import type { HclBlock, HclBody, HclExpression } from "../hcl/syntax.ts";
import { valueOf } from "../hcl/value.ts";
import { indexOf, type Declared, type ModuleIndex } from "../schemas/terraform-index.ts";
import { isUnresolved, type TerraformModule, type Workspace } from "./workspace.ts";

/** A resource, data source or ephemeral resource of some module of the workspace. */
export type TerraformObject = Declared & { type: string; name: string; index: ModuleIndex };

/** The resources of these types, in every module; all of them when no type is given. */
export function resourcesOf(workspace: Workspace, ...types: readonly string[]): TerraformObject[] {
  return workspace.modules.flatMap((module) => resourcesIn(module, ...types));
}

export function resourcesIn(module: TerraformModule, ...types: readonly string[]): TerraformObject[] {
  const index = indexOf(module);
  return index.all.flatMap((declared) => {
    if (!("block" in declared) || declared.block.type !== "resource") return [];
    const [type = "", name = ""] = declared.block.labels;
    return types.length === 0 || types.includes(type) ? [{ ...declared, type, name, index }] : [];
  });
}

/** Blocks of a kind, such as `provider` or `output`, in every module. */
export function blocksOfKind(
  workspace: Workspace,
  kind: string,
): { file: string; block: HclBlock; index: ModuleIndex }[] {
  return workspace.modules.flatMap((module) =>
    module.files.flatMap(({ file, body }) =>
      body.blocks
        .filter(({ type }) => type === kind)
        .map((block) => ({ file, block, index: indexOf(module) })),
    ),
  );
}

export type Written = { expression: HclExpression; line: number };

/** An argument by its path through blocks: `("settings", "backup_configuration", "enabled")`. */
export function argument(body: HclBody, ...path: readonly string[]): Written | undefined {
  const [name, ...rest] = path;
  if (rest.length === 0) {
    const found = body.attributes.find((attribute) => attribute.name === name);
    return found === undefined ? undefined : { expression: found.value, line: found.line };
  }
  for (const block of body.blocks)
    if (block.type === name) {
      const found = argument(block.body, ...rest);
      if (found !== undefined) return found;
    }
  return undefined;
}

/** Whether a block may be there: written, or made by `dynamic`. */
export const hasBlock = (body: HclBody, name: string): boolean =>
  body.blocks.some(({ type, labels }) => type === name || (type === "dynamic" && labels[0] === name));

/**
 * The value of an argument, through local values and the defaults of variables; undefined when it is not written,
 * `Unresolved` when only Terraform knows it.
 */
export function known(index: ModuleIndex, body: HclBody, ...path: readonly string[]): unknown {
  const written = argument(body, ...path);
  return written === undefined ? undefined : valueOf(resolved(index, written.expression));
}

/** As `known`, when it is a text without anything that only Terraform knows. */
export function knownText(index: ModuleIndex, body: HclBody, ...path: readonly string[]): string | undefined {
  const value = known(index, body, ...path);
  return typeof value === "string" && !value.includes("${") ? value : undefined;
}

/** Follows `local.x` and `var.x` to what is written there, as far as it is one thing. */
export function resolved(index: ModuleIndex, expression: HclExpression, depth = 0): HclExpression {
  if (expression.kind !== "reference" || expression.steps.length !== 1 || depth > 8) return expression;
  const address = `${expression.root}.${String(expression.steps[0])}`;
  const local = index.locals.get(address);
  if (local !== undefined) return resolved(index, local.value, depth + 1);
  const variable = index.variables.get(address);
  const fallback = variable === undefined ? undefined : argument(variable.block.body, "default")?.expression;
  return fallback ?? expression;
}

/** True unless the value is known to be something else: what only Terraform knows may be it. */
export const mayBe = (value: unknown, wanted: unknown): boolean => value === wanted || isUnknown(value);

export const isUnknown = (value: unknown): boolean =>
  isUnresolved(value) || (typeof value === "string" && value.includes("${"));
