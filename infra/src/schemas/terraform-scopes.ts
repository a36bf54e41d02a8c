import { referencesIn, type HclReference } from "../hcl/references.ts";
import type { HclBlock, HclBody } from "../hcl/syntax.ts";

/** A reference, the block of the module it stands in, and whether it names a whole resource, as in `depends_on`. */
export type PlacedReference = { reference: HclReference; wholeOnly: boolean; block: HclBlock };

/** Arguments whose words are no references to values. */
const wordsOf: Readonly<Record<string, ReadonlySet<string>>> = {
  variable: new Set(["type"]),
  resource: new Set(["provider"]),
  data: new Set(["provider"]),
  ephemeral: new Set(["provider"]),
  module: new Set(["providers", "source", "version"]),
  lifecycle: new Set(["ignore_changes"]),
  import: new Set(["to", "provider"]),
  removed: new Set(["from"]),
  provisioner: new Set(["when", "on_failure"]),
};

/** Blocks without references to values: settings of Terraform itself, and names of what was or shall be. */
const withoutReferences = new Set(["terraform", "moved"]);

/** References of a block of a module to its other declarations; iterators of `dynamic` are none. */
export function placedReferences(block: HclBlock): PlacedReference[] {
  if (withoutReferences.has(block.type)) return [];
  return referencesOfBody(block.body, { type: block.type, iterators: [] }).map(
    ({ reference, wholeOnly }) => ({
      reference,
      wholeOnly,
      block,
    }),
  );
}

function referencesOfBody(
  body: HclBody,
  { type, iterators }: { type: string; iterators: readonly string[] },
): Omit<PlacedReference, "block">[] {
  const words = Object.hasOwn(wordsOf, type) ? wordsOf[type] : undefined;
  const own = body.attributes.flatMap(({ name, value }) => {
    if (words?.has(name) || (type === "dynamic" && name === "iterator")) return [];
    const wholeOnly = name === "depends_on" || name === "replace_triggered_by";
    return referencesIn(value).map((reference) => ({ reference, wholeOnly }));
  });
  const inner = body.blocks.flatMap((block) => {
    const iterator = block.type === "dynamic" ? [iteratorOf(block)] : [];
    return referencesOfBody(block.body, { type: block.type, iterators: [...iterators, ...iterator] });
  });
  return [...own, ...inner].filter(({ reference }) => !iterators.includes(reference.root));
}

function iteratorOf(block: HclBlock): string {
  const named = block.body.attributes.find(({ name }) => name === "iterator")?.value;
  return named?.kind === "reference" ? named.root : (block.labels[0] ?? "");
}
