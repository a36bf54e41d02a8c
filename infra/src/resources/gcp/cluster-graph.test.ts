import { expect, test } from "vitest";
import { Expression, type TerraformResource } from "../resource.ts";
import { disaster, planFor, situations, stageOf } from "./situations.ts";

test.each(situations)("no resource waits for itself, across all modules: %s", (_, name, change) => {
  expect(ringIn(graphOf(stageOf(planFor(name, change))))).toBeUndefined();
});

test("the search for rings finds one", () => {
  const ring: Graph = new Map([
    ["a", new Set(["b"])],
    ["b", new Set(["c", "d"])],
    ["d", new Set(["a"])],
  ]);
  expect(ringIn(ring)).toEqual(["a", "b", "d", "a"]);
  const graph = graphOf(stageOf(planFor("prod", disaster)));
  expect(graph.get("security:google_secret_manager_secret_version.tracking_database_ca")).toContain(
    "security:var.tracking_database_ca",
  );
  expect(graph.get("security:var.tracking_database_ca")).toContain("database:output.tracking_server_ca");
  expect(graph.get("database:google_sql_user.tracking")).toContain("vpc:google_compute_network.main");
});

type Graph = Map<string, Set<string>>;

/** What waits for what: blocks, variables and outputs of all modules, as Terraform's own graph has them. */
function graphOf(resources: readonly TerraformResource[]): Graph {
  const graph: Graph = new Map();
  const node = (name: string): Set<string> => {
    const edges = graph.get(name) ?? new Set<string>();
    graph.set(name, edges);
    return edges;
  };
  const moduleOf = (file: string): string => /modules\/([^/]+)\//.exec(file)?.[1] ?? "root";
  const whole: [string, string][] = [];
  for (const { file, block } of resources) {
    const module = moduleOf(file);
    const [type, name] = block.labels;
    if (block.type === "module") {
      for (const [input, value] of Object.entries(block.body)) {
        const found = referencesIn(value, module);
        if (input !== "depends_on") for (const to of found) node(`${type}:var.${input}`).add(to);
        else for (const to of found) whole.push([type ?? "", to]);
      }
      continue;
    }
    const own =
      block.type === "variable"
        ? `var.${type}`
        : block.type === "output"
          ? `output.${type}`
          : `${type}.${name}`;
    const edges = node(`${module}:${own}`);
    for (const to of referencesIn(block.body, module)) edges.add(to);
    // A validation looks at its own variable.
    edges.delete(`${module}:${own}`);
  }
  for (const [from, to] of whole) {
    const wanted = to.startsWith("module:") ? `${to.slice("module:".length)}:` : to;
    const all = [...graph.keys()];
    for (const one of all.filter((key) => key.startsWith(`${from}:`))) {
      for (const other of all.filter((key) =>
        wanted.endsWith(":") ? key.startsWith(wanted) : key === wanted,
      )) {
        node(one).add(other);
      }
    }
  }
  return graph;
}

function referencesIn(value: unknown, module: string): string[] {
  const text = shown(value);
  return [
    ...[...text.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => `${module}:var.${name}`),
    ...[...text.matchAll(/\bmodule\.(\w+)\.(\w+)/g)].map(([, of, output]) => `${of}:output.${output}`),
    ...[...text.matchAll(/"module\.(\w+)"/g)].map(([, of]) => `module:${of}`),
    ...[...text.matchAll(/\b((?:google|random)_\w+)\.(\w+)/g)].map(
      ([, type, name]) => `${module}:${type}.${name}`,
    ),
  ];
}

function ringIn(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const ring = visit(next, [...path, node]);
      if (ring !== undefined) return ring;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const ring = visit(node, []);
    if (ring !== undefined) return ring;
  }
  return undefined;
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (part instanceof Expression ? part.text : part)) ?? "";
