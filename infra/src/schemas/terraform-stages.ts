import type { TerraformModule } from "../lint/workspace.ts";
import type { HclBody, HclBlock } from "../hcl/syntax.ts";
import { keyOf, valueOf } from "../hcl/value.ts";
import { nearest } from "./nearest.ts";
import { checkBody } from "./terraform-body.ts";
import { attributeOf, blocksOf, indexOf, type Declared, type ModuleIndex } from "./terraform-index.ts";
import { backends } from "./terraform-language.ts";
import type { TerraformProblem } from "./terraform-problem.ts";
import { outputProblems } from "./terraform-calls.ts";
import { placedReferences } from "./terraform-scopes.ts";

/**
 * Checks what one root reads of the state of another: the settings of its backend, and, where the other is among the
 * files, that it has the output.
 */
export function stages(index: ModuleIndex, modules: readonly TerraformModule[]): TerraformProblem[] {
  const problems: TerraformProblem[] = [];
  const writers = new Map<string, ModuleIndex>();
  for (const declared of index.objects.values()) {
    if (!declared.address.startsWith("data.terraform_remote_state.")) continue;
    problems.push(...settingProblems(declared));
    const writer = writerOf(declared, modules);
    if (writer !== undefined) writers.set(declared.address, indexOf(writer));
  }
  if (writers.size === 0) return problems;
  for (const { file, body } of index.module.files)
    for (const block of body.blocks)
      for (const { reference } of placedReferences(block)) {
        const [type, name, outputs, output] = reference.steps;
        const writer = writers.get(`${reference.root}.${String(type)}.${String(name)}`);
        if (writer === undefined || outputs !== "outputs" || typeof output !== "string" || output === "*")
          continue;
        const declared = writer.outputs.get(`output.${output}`);
        if (declared !== undefined) {
          problems.push(...outputProblems(declared, { file, reference, steps: reference.steps.slice(4) }));
          continue;
        }
        const guess = nearest(
          output,
          [...writer.outputs.keys()].map((one) => one.slice("output.".length)),
        );
        problems.push({
          kind: "unresolved-reference",
          file,
          line: reference.line,
          message: `The root in ${writer.module.folder}, whose state this reads, has no output "${output}".`,
          remedy: guess === undefined ? `Declare output "${output}" there.` : `Did you mean "${guess}"?`,
        });
      }
  return problems;
}

function settingProblems({ file, block, line }: Declared): TerraformProblem[] {
  const config = attributeOf(block.body, "config");
  const schema = Object.hasOwn(backends, backendOf(block)) ? backends[backendOf(block)] : undefined;
  if (schema === undefined || config?.kind !== "object") return [];
  const problems: TerraformProblem[] = [];
  const attributes = config.items.map((item) => ({
    name: keyOf(item.key),
    value: item.value,
    line: item.line,
  }));
  checkBody(
    { attributes, blocks: [] },
    {
      schema,
      meta: { arguments: new Set(), blocks: new Set() },
      what: `backend "${backendOf(block)}"`,
      line,
    },
    (problem) => problems.push({ file, ...problem }),
  );
  return problems;
}

const backendOf = (block: HclBlock): string => {
  const backend = attributeOf(block.body, "backend");
  return backend === undefined ? "" : String(valueOf(backend));
};

/** What tells one state from all others. */
const identity: Readonly<Record<string, readonly string[]>> = {
  gcs: ["bucket", "prefix"],
  s3: ["bucket", "key"],
};

/** The module whose backend keeps the state that is read; only where both say so in constants. */
function writerOf({ block }: Declared, modules: readonly TerraformModule[]): TerraformModule | undefined {
  const backend = backendOf(block);
  const names = Object.hasOwn(identity, backend) ? identity[backend] : undefined;
  const config = attributeOf(block.body, "config");
  if (names === undefined || config?.kind !== "object") return undefined;
  const read = new Map(config.items.map(({ key, value }) => [keyOf(key), valueOf(value)]));
  const wanted = names.map((name) => read.get(name));
  if (!wanted.every((value) => typeof value === "string" && !value.includes("${"))) return undefined;
  return modules.find((module) =>
    backendsOf(module, backend).some((body) =>
      names.every((name, at) => constant(body, name) === wanted[at]),
    ),
  );
}

const backendsOf = (module: TerraformModule, backend: string): HclBody[] =>
  module.excerpt
    ? []
    : module.files
        .flatMap(({ body }) => blocksOf(body, "terraform"))
        .flatMap(({ body }) => blocksOf(body, "backend"))
        .filter(({ labels }) => labels[0] === backend)
        .map(({ body }) => body);

function constant(body: HclBody, name: string): unknown {
  const value = attributeOf(body, name);
  return value === undefined ? undefined : valueOf(value);
}
