import type { ChartFile, ValueNode } from "../src/schemas/charts.ts";

/** Makes the files of infra/data/charts from what an unpacked chart holds. The letters are explained in the README there. */

type Json = Readonly<Record<string, unknown>>;

export type Dependency = {
  name: string;
  version: string;
  alias?: string;
  condition?: string;
  repository?: string;
};

export type UnpackedChart = {
  /** Chart.yaml. */
  about: {
    name: string;
    version: string;
    appVersion?: string;
    kubeVersion?: string;
    type?: string;
    dependencies?: readonly Dependency[];
  };
  values: unknown;
  /** Texts of the templates: what they read beyond values.yaml. */
  templates: readonly string[];
  /** values.schema.json. */
  schema?: unknown;
};

/** What the chart itself does not tell: it is kept from the file before. */
type Known = Partial<ChartFile> | undefined;

export type MadeChart = ChartFile & {
  appVersion: string;
  dependencies: readonly Dependency[];
  kubeVersion?: string;
};

const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Longer defaults are prose or scripts: their value says nothing about the key. */
const SHORT = 60;

export function chartFile(
  chart: UnpackedChart,
  { repository, transport, before }: { repository: string; transport: string; before: Known },
): MadeChart {
  const { about, schema } = chart;
  const dependencies = about.dependencies ?? [];
  const tree = { k: children(isJson(chart.values) ? chart.values : {}) };
  for (const { name, alias } of dependencies) {
    const key = alias ?? name;
    tree.k[key] = { t: "object", ...tree.k[key], open: true, subchart: name };
  }
  for (const path of readBy(chart.templates)) add(tree, path);
  // Helm itself hands these to every chart.
  tree.k["global"] ??= { t: "object", open: true };
  return {
    chart: about.name,
    version: about.version,
    appVersion: about.appVersion ?? "",
    repository,
    transport,
    dependencies,
    ...(about.kubeVersion === undefined ? {} : { kubeVersion: about.kubeVersion }),
    values: withNotes(tree.k, before?.values),
    ...(isJson(schema) ? { schema: withoutProse(schema) as NonNullable<ChartFile["schema"]> } : {}),
    ...(before?.exclusive === undefined ? {} : { exclusive: before.exclusive }),
    ...(before?.deprecatedAlias === undefined ? {} : { deprecatedAlias: before.deprecatedAlias }),
  };
}

type Tree = Record<string, ValueNode>;

const children = (values: Json): Tree =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, nodeOf(value)]));

function nodeOf(value: unknown): ValueNode {
  if (Array.isArray(value)) return { t: "array" };
  if (isJson(value))
    return Object.keys(value).length === 0
      ? { t: "object", open: true }
      : { t: "object", k: children(value) };
  if (value === null || value === undefined) return { t: "null" };
  const type = typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : typeof value;
  const short = typeof value !== "string" || value.length <= SHORT;
  return { t: type, ...(short ? { d: value as string | number | boolean } : {}) };
}

/** Paths below `.Values` that templates read. */
const readBy = (templates: readonly string[]): string[][] => {
  const found = new Set(
    templates.flatMap((text) =>
      [...text.matchAll(/\.Values((?:\.[A-Za-z_]\w*)+)/g)].map((match) => match[1] ?? ""),
    ),
  );
  return [...found].sort().map((path) => path.slice(1).split("."));
};

/** A key that only a template knows. Free maps, lists and scalars end the way: what is below them is not a key of the chart. */
function add(tree: { k: Tree }, path: readonly string[]): void {
  let parent: { k?: Tree } = tree;
  for (const [index, key] of path.entries()) {
    const nodes: Tree = (parent.k ??= {});
    const node = nodes[key];
    if (node === undefined) {
      nodes[key] = { t: "any", from: "template", ...(index < path.length - 1 ? { k: {} } : {}) };
    } else if (node.open === true || !["object", "null", "any"].includes(node.t ?? "any")) return;
    parent = nodes[key] as { k?: Tree };
    if (index === path.length - 1 && parent.k !== undefined && Object.keys(parent.k).length === 0)
      delete parent.k;
  }
}

/** What people found out about a value stays with it, as long as the value is there. */
function withNotes(tree: Readonly<Tree>, before: Readonly<Record<string, ValueNode>> | undefined): Tree {
  const result: Tree = {};
  for (const [key, node] of Object.entries(tree)) {
    const old = before?.[key];
    const { k8s, yaml, each, itemKeys, items, open, enum: choices } = old ?? {};
    const notes = Object.fromEntries(
      Object.entries({ k8s, yaml, each, itemKeys, items, open, enum: choices }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const inner = node.k === undefined ? {} : { k: withNotes(node.k, old?.k) };
    result[key] = { ...node, ...inner, ...notes };
  }
  // Keys that only comments of values.yaml told of are not found again: they stay.
  for (const [key, old] of Object.entries(before ?? {}))
    if (result[key] === undefined && old.from === "comment") result[key] = old;
  return result;
}

const PROSE = new Set(["description", "title", "examples", "$comment", "markdownDescription"]);

/** Keys below `properties` are names, also when they are called like prose. */
function withoutProse(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutProse(item));
  if (!isJson(value)) return value;
  const kept = Object.entries(value).filter(([key]) => names || !PROSE.has(key));
  return Object.fromEntries(
    kept.map(([key, item]) => [
      key,
      withoutProse(item, !names && (key === "properties" || key === "$defs" || key === "definitions")),
    ]),
  );
}
