import { readFileSync } from "node:fs";
import { childrenOf } from "../hcl/references.ts";
import type { HclBlock, HclBody, HclExpression } from "../hcl/syntax.ts";
import { nearest } from "./nearest.ts";
import type { Report } from "./terraform-problem.ts";

/** The least and the greatest number of arguments; any number of more without the second. */
type Signature = readonly [least: number, most?: number];

let loaded: Readonly<Record<string, Signature>> | undefined;

function signatures(): Readonly<Record<string, Signature>> {
  const path = new URL("../../data/terraform/functions.json", import.meta.url);
  loaded ??= (JSON.parse(readFileSync(path, "utf8")) as { functions: Record<string, Signature> }).functions;
  return loaded;
}

/** Checks the calls of a block: names and numbers of arguments. Providers' own functions pass. */
export function checkFunctions(block: HclBlock, report: Report): void {
  // The type of a variable is written in words of its own.
  const skipped = block.type === "variable" ? "type" : undefined;
  for (const call of expressionsOf(block.body, skipped).flatMap(callsIn)) checkCall(call, report);
}

const expressionsOf = (body: HclBody, skipped?: string): HclExpression[] => [
  ...body.attributes.filter(({ name }) => name !== skipped).map(({ value }) => value),
  ...body.blocks.flatMap((block) => expressionsOf(block.body)),
];

type Call = Extract<HclExpression, { kind: "call" }>;

function callsIn(expression: HclExpression): Call[] {
  const inner = childrenOf(expression).flatMap(callsIn);
  return expression.kind === "call" ? [expression, ...inner] : inner;
}

function checkCall({ name, arguments: given, expand, line }: Call, report: Report): void {
  if (name.startsWith("provider::")) return;
  const plain = name.replace(/^core::/, "");
  const all = signatures();
  const signature = Object.hasOwn(all, plain) ? all[plain] : undefined;
  if (signature === undefined) {
    const guess = nearest(plain, Object.keys(all));
    report({
      kind: "function",
      line,
      // A later release, or OpenTofu, may have it; a near miss is a slip.
      ...(guess === undefined ? { severity: "warning" as const } : {}),
      message: `Terraform 1.11 has no function "${name}".`,
      remedy:
        guess === undefined ? "Functions cannot be declared: use what there is." : `Did you mean "${guess}"?`,
    });
    return;
  }
  const [least, most = Infinity] = signature;
  if (expand || (given.length >= least && given.length <= most)) return;
  const wanted = least === most ? `${least}` : `at least ${least}`;
  report({
    kind: "function",
    line,
    message: `${name}(...) takes ${wanted} argument${wanted === "1" ? "" : "s"}, ${given.length} are given.`,
  });
}
