import type { HclReference } from "../hcl/references.ts";
import { textOf } from "../hcl/text.ts";
import { nearest } from "./nearest.ts";
import {
  attributeOf,
  hasOtherProvider,
  isOurRelease,
  type Declared,
  type ModuleIndex,
} from "./terraform-index.ts";
import { keyProblem } from "./terraform-object-keys.ts";
import { stepProblem } from "./terraform-paths.ts";
import { bodySchema, type BlockKind } from "./terraform-providers.ts";
import type { Report } from "./terraform-problem.ts";
import type { PlacedReference } from "./terraform-scopes.ts";

/** Roots that are no declarations of the module. */
const ownRoots = new Set(["self", "path", "terraform"]);

/** Checks that a reference leads to something that is declared and has the attribute. */
export function checkReference(index: ModuleIndex, placed: PlacedReference, report: Report): void {
  const { reference, wholeOnly } = placed;
  if (reference.root === "each" || reference.root === "count") return checkInstance(placed, report);
  if (ownRoots.has(reference.root)) return;
  if (reference.root === "var")
    return checkNamed(index.variables, { index, reference, noun: "input variable" }, report);
  if (reference.root === "local")
    return checkNamed(index.locals, { index, reference, noun: "local value" }, report);
  if (reference.root === "module")
    return checkNamed(index.modules, { index, reference, noun: "module" }, report);
  checkObject(index, { reference, wholeOnly }, report);
}

function checkInstance({ reference, block }: PlacedReference, report: Report): void {
  const needed = reference.root === "each" ? "for_each" : "count";
  if (attributeOf(block.body, needed) !== undefined) return;
  report({
    kind: "unresolved-reference",
    line: reference.line,
    message: `"${textOf(reference)}" has no meaning here: ${[block.type, ...block.labels].join(" ")} does not set "${needed}".`,
    remedy: `Set ${needed}, or write the value itself.`,
  });
}

type Named = { index: ModuleIndex; reference: HclReference; noun: string };

function checkNamed(
  declared: ReadonlyMap<string, unknown>,
  { index, reference, noun }: Named,
  report: Report,
): void {
  const [name] = reference.steps;
  if (typeof name !== "string" || name === "*") {
    report({
      kind: "unresolved-reference",
      line: reference.line,
      message: `Invalid reference: "${reference.root}" must be followed by the name of a declaration.`,
    });
    return;
  }
  const address = `${reference.root}.${name}`;
  const local = index.locals.get(address);
  if (local !== undefined && reference.root === "local") {
    const problem = keyProblem(local.value, reference.steps.slice(1));
    if (problem !== undefined)
      report({
        kind: "unresolved-reference",
        line: reference.line,
        ...problem,
        message: `"${textOf(reference)}": ${problem.message}`,
      });
  }
  // The rest of an excerpt is elsewhere.
  if (declared.has(address) || index.module.excerpt) return;
  const guess = nearest(address, declared.keys());
  report({
    kind: "unresolved-reference",
    line: reference.line,
    message: `No ${noun} "${name}" is declared in this module.`,
    remedy:
      guess === undefined ? `Declare it, or correct "${textOf(reference)}".` : `Did you mean "${guess}"?`,
  });
}

const kindOf = (root: string): BlockKind => (root === "data" || root === "ephemeral" ? root : "resource");

function checkObject(
  index: ModuleIndex,
  { reference, wholeOnly }: { reference: HclReference; wholeOnly: boolean },
  report: Report,
): void {
  const { root, steps, line } = reference;
  const kind = kindOf(root);
  const [type, name, ...rest] = kind === "resource" ? [root, ...steps] : steps;
  if (typeof type !== "string" || typeof name !== "string" || name === "*") {
    if (index.module.excerpt && kind === "resource") return;
    report({
      kind: "unresolved-reference",
      line,
      message: `Invalid reference: "${textOf(reference)}" names no resource; a reference to a resource is its type, a dot and its name.`,
      remedy:
        steps.length === 0
          ? `A plain word needs double quotes; a variable of a shell within a text is written $\${${root}}.`
          : "Name a resource by its type and name.",
    });
    return;
  }
  const address = kind === "resource" ? `${type}.${name}` : `${root}.${type}.${name}`;
  const declared = index.objects.get(address);
  if (declared === undefined) {
    if (index.module.excerpt) checkSteps(index, { kind, type, rest, reference }, report);
    else
      reportUndeclared(
        index,
        {
          address,
          line,
          noun: kind === "data" ? "data source" : `${kind === "ephemeral" ? "ephemeral " : ""}resource`,
        },
        report,
      );
    return;
  }
  if (wholeOnly || hasOtherProvider(declared.block)) return;
  const inner = instanceSteps(declared, { rest, reference }, report);
  if (inner !== undefined) checkSteps(index, { kind, type, rest: inner, reference }, report);
}

function reportUndeclared(
  index: ModuleIndex,
  { address, line, noun }: { address: string; line: number; noun: string },
  report: Report,
): void {
  const guess = nearest(address, index.objects.keys());
  report({
    kind: "unresolved-reference",
    line,
    message: `No ${noun} "${address}" is declared in this module.`,
    remedy: guess === undefined ? "Declare it, or take the reference out." : `Did you mean "${guess}"?`,
  });
}

type Steps = HclReference["steps"];

/** The steps after the one that chooses an instance; undefined when nothing follows to be checked. */
function instanceSteps(
  declared: Declared,
  { rest, reference }: { rest: Steps; reference: HclReference },
  report: Report,
): Steps | undefined {
  const [first, ...others] = rest;
  if (first === undefined) return undefined;
  const isRepeated =
    attributeOf(declared.block.body, "count") !== undefined ||
    attributeOf(declared.block.body, "for_each") !== undefined;
  const isIndex = typeof first === "number" || typeof first === "object" || first === "*";
  if (isIndex) {
    if (!isRepeated && typeof first === "number")
      report({
        kind: "unresolved-reference",
        line: reference.line,
        message: `"${textOf(reference)}": ${declared.address} has neither "count" nor "for_each", so it has no instances to choose from.`,
        remedy: `Write it without [${first}].`,
      });
    return others;
  }
  const byCount = attributeOf(declared.block.body, "count") !== undefined;
  if (byCount) {
    report({
      kind: "unresolved-reference",
      line: reference.line,
      message: `"${textOf(reference)}": ${declared.address} has "count", so its attributes must be reached through an instance.`,
      remedy: `Write ${declared.address}[0], or one(${declared.address}[*].${first}) where there may be none.`,
    });
    return undefined;
  }
  // The key of a for_each may read like an attribute: x["name"] and x.name are one thing here.
  return isRepeated ? undefined : rest;
}

type Checked = { kind: BlockKind; type: string; rest: Steps; reference: HclReference };

function checkSteps(index: ModuleIndex, { kind, type, rest, reference }: Checked, report: Report): void {
  const known = isOurRelease(index, type) ? bodySchema(kind, type) : undefined;
  if (known === undefined) return;
  const problem = stepProblem(known.schema, rest);
  if (problem === undefined) return;
  report({
    kind: "unresolved-reference",
    line: reference.line,
    message: `"${textOf(reference)}": ${problem.message}`,
    ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
  });
}
