import type { HclReference } from "../hcl/references.ts";
import { referencesIn } from "../hcl/references.ts";
import type { Declared, DeclaredLocal, ModuleIndex } from "./terraform-index.ts";
import type { TerraformProblem } from "./terraform-problem.ts";
import { placedReferences } from "./terraform-scopes.ts";

/** Everything that is declared twice. In a document the second may be a later state of the first. */
export function duplicates({ all, module }: ModuleIndex): TerraformProblem[] {
  const first = new Map<string, Declared | DeclaredLocal>();
  return all.flatMap((declared): TerraformProblem[] => {
    const before = first.get(declared.address);
    if (before === undefined) {
      first.set(declared.address, declared);
      return [];
    }
    const place =
      before.file === declared.file ? `on line ${before.line}` : `in ${before.file}:${before.line}`;
    return [
      {
        kind: "duplicate",
        file: declared.file,
        line: declared.line,
        message: `"${declared.address}" is already declared ${place}: a module may declare it once.`,
        remedy: "Give one of them another name, or make one of the two.",
        ...(module.excerpt ? { severity: "warning" as const } : {}),
      },
    ];
  });
}

type Node = { declared: Declared | DeclaredLocal; edges: { to: string; line: number }[] };

/** Rings of resources, data sources and locals that each need the next one first. */
export function cycles(index: ModuleIndex): TerraformProblem[] {
  const nodes = new Map<string, Node>();
  for (const declared of [...index.objects.values(), ...index.locals.values()])
    nodes.set(declared.address, { declared, edges: edgesOf(index, declared) });
  return ringsOf(nodes).map((ring) => problemOf(ring, nodes));
}

/** Whether `from` is made after `to`: by a reference or depends_on, directly or through others. */
export function isMadeAfter(index: ModuleIndex, { from, to }: { from: string; to: string }): boolean {
  const seen = new Set([from]);
  const queue = [from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    const declared = index.objects.get(at) ?? index.locals.get(at);
    if (declared === undefined) continue;
    for (const edge of edgesOf(index, declared)) {
      if (edge.to === to) return true;
      if (seen.has(edge.to)) continue;
      seen.add(edge.to);
      queue.push(edge.to);
    }
  }
  return false;
}

function edgesOf(index: ModuleIndex, declared: Declared | DeclaredLocal): { to: string; line: number }[] {
  const references =
    "block" in declared
      ? placedReferences(declared.block).map(({ reference }) => reference)
      : referencesIn(declared.value);
  return references.flatMap((reference) => {
    const to = addressOf(reference);
    return index.objects.has(to) || index.locals.has(to) ? [{ to, line: reference.line }] : [];
  });
}

/** Address of what a reference leads to. */
export function addressOf({ root, steps }: HclReference): string {
  const names = root === "data" || root === "ephemeral" ? steps.slice(0, 2) : steps.slice(0, 1);
  return [root, ...names.map(String)].join(".");
}

/** One ring for each knot: the shortest way from its first node back to it. */
function ringsOf(nodes: ReadonlyMap<string, Node>): string[][] {
  const rings: string[][] = [];
  const inRing = new Set<string>();
  for (const start of nodes.keys()) {
    if (inRing.has(start)) continue;
    const ring = wayBack(nodes, start);
    if (ring === undefined) continue;
    rings.push(ring);
    for (const address of ring) inRing.add(address);
  }
  return rings;
}

function wayBack(nodes: ReadonlyMap<string, Node>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let at = queue.shift(); at !== undefined; at = queue.shift())
    for (const { to } of nodes.get(at)?.edges ?? []) {
      if (to === start) {
        const way = [at];
        for (let back = at; back !== start; way.unshift(back)) back = cameFrom.get(back) ?? start;
        return way;
      }
      if (!cameFrom.has(to)) {
        cameFrom.set(to, at);
        queue.push(to);
      }
    }
  return undefined;
}

function problemOf(ring: readonly string[], nodes: ReadonlyMap<string, Node>): TerraformProblem {
  const [first = ""] = ring;
  const node = nodes.get(first);
  const next = ring[1] ?? first;
  return {
    kind: "cycle",
    file: node?.declared.file ?? "",
    line: node?.edges.find(({ to }) => to === next)?.line ?? node?.declared.line ?? 1,
    message:
      ring.length === 1
        ? `"${first}" refers to itself.`
        : `Cycle: ${[...ring, first].join(" needs ")}. Terraform cannot tell which to create first.`,
    remedy:
      ring.length === 1
        ? "Use `self` where it is allowed, or a local value."
        : "Take one of these references out.",
  };
}
