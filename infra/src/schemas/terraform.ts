import type { TerraformModule } from "../lint/workspace.ts";
import type { HclBlock } from "../hcl/syntax.ts";
import { checkBody, type MetaArguments } from "./terraform-body.ts";
import { moduleCalls, unusedValues } from "./terraform-calls.ts";
import { cycles, duplicates } from "./terraform-graph.ts";
import {
  attributeOf,
  blocksOf,
  hasOtherProvider,
  indexOf,
  isOurRelease,
  ownFiles,
  withConstraintsOf,
  type ModuleIndex,
} from "./terraform-index.ts";
import { textOf } from "../hcl/text.ts";
import { nearest } from "./nearest.ts";
import { checkFunctions } from "./terraform-functions.ts";
import { checkLanguage } from "./terraform-language.ts";
import type { Report, TerraformProblem } from "./terraform-problem.ts";
import { stepProblem } from "./terraform-paths.ts";
import {
  bodySchema,
  providerOf,
  providerSchema,
  type BlockKind,
  type BodySchema,
} from "./terraform-providers.ts";
import { checkReference } from "./terraform-references.ts";
import { checkRelations } from "./terraform-relations.ts";
import { requirements } from "./terraform-requirements.ts";
import { stages } from "./terraform-stages.ts";
import { variableTypes } from "./terraform-variables.ts";
import { placedReferences } from "./terraform-scopes.ts";

const found = new WeakMap<TerraformModule, TerraformProblem[]>();

/**
 * Everything about a module that Terraform or its providers would refuse, as far as text shows it. `modules` are those
 * it may call. What only Terraform can know passes; an excerpt is not blamed for what stands elsewhere.
 */
export function checkModule(
  module: TerraformModule,
  modules: readonly TerraformModule[] = [],
): TerraformProblem[] {
  const before = found.get(module);
  if (before !== undefined) return before;
  const index = withConstraintsOf(indexOf(module), modules);
  const problems: TerraformProblem[] = [
    ...duplicates(index),
    ...cycles(index),
    ...moduleCalls(index, modules),
    ...unusedValues(index),
    ...variableTypes(index),
    ...stages(index, modules),
    ...requirements(index),
  ];
  for (const { file, body } of ownFiles(module)) {
    const report: Report = (problem) => problems.push({ file, ...problem });
    checkLanguage(body, module.excerpt, report);
    for (const block of body.blocks) {
      checkSchema(index, block, report);
      checkFunctions(block, report);
      for (const data of block.type === "check" ? blocksOf(block.body, "data") : [])
        checkSchema(index, data, report);
      for (const placed of placedReferences(block)) checkReference(index, placed, report);
    }
  }
  found.set(module, problems);
  return problems;
}

const metaOf: Readonly<Record<BlockKind, MetaArguments>> = {
  resource: {
    arguments: new Set(["count", "for_each", "depends_on", "provider"]),
    blocks: new Set(["lifecycle", "provisioner", "connection"]),
  },
  data: {
    arguments: new Set(["count", "for_each", "depends_on", "provider"]),
    blocks: new Set(["lifecycle"]),
  },
  ephemeral: {
    arguments: new Set(["count", "for_each", "depends_on", "provider"]),
    blocks: new Set(["lifecycle"]),
  },
  provider: { arguments: new Set(["alias", "version"]), blocks: new Set() },
};

function checkSchema(index: ModuleIndex, block: HclBlock, report: Report): void {
  if (!Object.hasOwn(metaOf, block.type)) return;
  const kind = block.type as BlockKind;
  const [type = "", name] = block.labels;
  if (!isOurRelease(index, type) || hasOtherProvider(block)) return;
  const known = bodySchema(kind, type);
  if (known === undefined) return checkType({ kind, type, line: block.line }, report);
  const what =
    kind === "provider" ? `provider "${type}"` : `${kind === "data" ? "data." : ""}${type}.${name ?? ""}`;
  if (known.deprecatedFor !== undefined)
    report({
      kind: "deprecated",
      line: block.line,
      severity: "warning",
      message: `"${type}" is deprecated since version 3 of the provider.`,
      remedy: `Use "${known.deprecatedFor}", with a moved block for what exists.`,
    });
  const { schema } = known;
  const { line, body } = block;
  checkBody(body, { schema, meta: metaOf[kind], what, line }, report);
  checkRelations({ body, schema, what, line, report });
  checkIgnored(block, { schema, what }, report);
}

/** `ignore_changes` names arguments of the resource itself, without quotes. */
function checkIgnored(
  block: HclBlock,
  { schema, what }: { schema: BodySchema; what: string },
  report: Report,
): void {
  const ignored = block.body.blocks
    .filter(({ type }) => type === "lifecycle")
    .flatMap(({ body }) => attributeOf(body, "ignore_changes") ?? []);
  for (const list of ignored) {
    for (const item of list.kind === "tuple" ? list.items : []) {
      if (item.kind !== "reference") continue;
      const problem = stepProblem(schema, [item.root, ...item.steps]);
      if (problem === undefined) continue;
      report({
        kind: "unresolved-reference",
        line: item.line,
        message: `ignore_changes of ${what} names "${textOf(item)}": ${problem.message}`,
        remedy: `Name whole arguments, as in ignore_changes = [${item.root}].`,
      });
    }
  }
}

/** Providers of whose types we have only those the platform needs: a type we do not know may exist. */
const selections = new Set(["google"]);

function checkType(
  { kind, type, line }: { kind: BlockKind; type: string; line: number },
  report: Report,
): void {
  const provider = providerSchema(providerOf(type));
  if (provider === undefined || kind === "provider" || selections.has(providerOf(type))) return;
  // Old names of Kubernetes resources have data sources of their own.
  if (provider.deprecated_aliases !== undefined && Object.hasOwn(provider.deprecated_aliases, type)) return;
  const group =
    kind === "resource"
      ? provider.resources
      : kind === "data"
        ? provider.data_sources
        : (provider.ephemeral_resources ?? {});
  const guess = nearest(type, Object.keys(group));
  report({
    kind: "unknown-type",
    line,
    message: `The provider ${provider.provider} ${provider.version} has no ${kind === "data" ? "data source" : kind} "${type}".`,
    remedy:
      guess === undefined ? `It has: ${Object.keys(group).sort().join(", ")}.` : `Did you mean "${guess}"?`,
  });
}
