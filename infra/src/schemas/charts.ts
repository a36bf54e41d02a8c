import type { Path } from "../lint/workspace.ts";
import { chartFiles } from "./chart-repositories.ts";
import { violationsOf, type JsonSchemaObject, type Violation } from "./json-schema.ts";
import { pathText } from "./kubernetes.ts";
import { nearest } from "./nearest.ts";
import { dataFile } from "./schema-files.ts";
import { isTemplated } from "./templated.ts";
import { compareVersions, sameLine } from "./versions.ts";

/** A declared value of a chart; the letters are explained in `infra/data/charts/README.md`. */
export type ValueNode = {
  t?: string;
  d?: string | number | boolean;
  k?: Readonly<Record<string, ValueNode>>;
  open?: boolean;
  items?: string;
  from?: string;
  itemKeys?: readonly string[];
  each?: Readonly<Record<string, ValueNode>>;
  yaml?: boolean;
  k8s?: string;
  subchart?: string;
  enum?: readonly unknown[];
  after?: string;
};

export type ChartFile = {
  chart: string;
  version: string;
  repository: string;
  transport: string;
  values: Readonly<Record<string, ValueNode>>;
  schema?: JsonSchemaObject;
  exclusive?: readonly (readonly string[])[];
  deprecatedAlias?: Readonly<Record<string, string>>;
};

export type ValuesProblem = {
  code: "unknown-value" | "invalid-value" | "exclusive" | "moved";
  path: Path;
  message: string;
  nearest?: string;
  /** False when the chart's version is far from the one that is known: its values may be others. */
  certain: boolean;
};

export type ChartRelease = { chart: string; repository: string | undefined; version: string | undefined };

type Fields = Readonly<Record<string, unknown>>;
type Visit = { file: ChartFile; version: string | undefined; found: Omit<ValuesProblem, "certain">[] };

/** The data of the chart that fits the release best; undefined when the chart is not known. */
export function chartOf(release: ChartRelease, values: unknown): ChartFile | undefined {
  const files = [...chartFiles(release)].sort((a, b) => compareVersions(b.version, a.version) ?? 0);
  const { version } = release;
  if (files.length < 2) return files[0];
  // Where the version is not told, the main key tells.
  const keys = Object.keys(fields(values) ?? {});
  const byKeys = (): ChartFile | undefined =>
    files.find((file) => keys.every((key) => Object.hasOwn(file.values, key))) ??
    files.find((file) => keys.some((key) => isMainKey(file, key)));
  if (version === undefined || compareVersions(version, "0.0") === undefined) return byKeys() ?? files[0];
  const fitting = files.find((file) => (compareVersions(file.version, version) ?? 1) <= 0);
  return fitting ?? files.at(-1);
}

const isMainKey = (file: ChartFile, key: string): boolean =>
  file.values[key]?.k !== undefined && Object.keys(file.values[key].k).length > 10;

/** What a chart would ignore in its values, or refuse. Nothing for charts that are not known. */
export function checkValues(release: ChartRelease, values: unknown): ValuesProblem[] {
  const file = chartOf(release, values);
  const given = fields(values);
  if (file === undefined || given === undefined) return [];
  const visit: Visit = { file, version: release.version, found: [] };
  checkKeys(visit, { k: file.values }, { value: given, path: [] });
  checkExclusive(visit, given);
  if (file.schema !== undefined) checkOwnSchema(visit, file.schema, given);
  const certain =
    release.version === undefined ||
    sameLine(release.version, file.version) ||
    olderThanAll(file, release.version);
  return visit.found.map((one) => Object.assign(one, { certain }));
}

/** Charts before 1.0 mostly gain keys: one that the newest does not have, an older one does not have either. */
const olderThanAll = (file: ChartFile, version: string): boolean =>
  file.version.startsWith("0.") && (compareVersions(version, file.version) ?? 1) < 0;

type Place = { value: unknown; path: Path };

function checkNode(visit: Visit, node: ValueNode, place: Place): void {
  const { value, path } = place;
  if (value === null || value === undefined || isTemplated(value)) return;
  if (node.enum !== undefined && !node.enum.includes(value)) {
    add(visit, "invalid-value", {
      path,
      message: `${pathText(path)} of the chart ${name(visit)} may be ${node.enum.map((one) => JSON.stringify(one)).join(", ")}`,
    });
    return;
  }
  if (node.k8s !== undefined) return checkKubernetesType(visit, node.k8s, place);
  if (node.yaml === true) return;
  if (!checkType(visit, node, place)) return;
  if (Array.isArray(value)) return checkItems(visit, node, { value, path });
  if (fields(value) !== undefined && (node.k !== undefined || node.each !== undefined))
    checkKeys(visit, node, place);
}

function checkKeys(visit: Visit, node: ValueNode, { value, path }: Place): void {
  for (const [key, child] of Object.entries(fields(value) ?? {})) {
    if (isTemplated(key)) continue;
    const place = { value: child, path: [...path, key] };
    const moved =
      path.length === 0 && !Object.hasOwn(visit.file.values, key)
        ? visit.file.deprecatedAlias?.[key]
        : undefined;
    const declared = moved === undefined ? own(node.k, key) : visit.file.values[moved];
    if (moved !== undefined)
      add(visit, "moved", {
        path: place.path,
        message: `the chart ${name(visit)} calls this ${moved}; ${key} is deprecated and wins where both are set`,
      });
    if (declared !== undefined) {
      if (declared.after !== undefined && isNotNewerThan(visit.version, declared.after))
        add(visit, "unknown-value", {
          path: place.path,
          message: `${pathText(place.path)} came after version ${declared.after} of the chart ${visit.file.chart}`,
        });
      else checkNode(visit, declared, place);
    } else if (node.each !== undefined) {
      checkKeys(visit, { k: node.each }, place);
    } else if (node.subchart !== undefined && hasSubchart(node.subchart)) {
      checkSubchartKey(visit, node.subchart, place);
    } else if (node.open !== true) {
      unknown(visit, { k: node.k ?? {} }, place.path);
    }
  }
}

const isNotNewerThan = (version: string | undefined, other: string): boolean =>
  version !== undefined && (compareVersions(version, other) ?? 1) <= 0;

const own = (nodes: Readonly<Record<string, ValueNode>> | undefined, key: string): ValueNode | undefined =>
  nodes !== undefined && Object.hasOwn(nodes, key) ? nodes[key] : undefined;

const hasSubchart = (chart: string): boolean => dataFile("charts", chart) !== undefined;

/** Values that any subchart takes beside its own. */
const OF_ANY_SUBCHART = new Set(["enabled", "global"]);

function checkSubchartKey(visit: Visit, subchart: string, place: Place): void {
  const { values } = dataFile("charts", subchart) as ChartFile;
  const key = String(place.path.at(-1));
  const declared = own(values, key);
  if (declared !== undefined) checkNode(visit, declared, place);
  else if (!OF_ANY_SUBCHART.has(key)) unknown(visit, { k: values }, place.path);
}

function unknown(visit: Visit, node: ValueNode, path: Path): void {
  const key = String(path.at(-1));
  const siblings = Object.keys(node.k ?? {});
  const deeper = placeOf(visit.file, key);
  const near = nearest(key, siblings);
  const suggestion = near === undefined ? deeper : pathText([...path.slice(0, -1), near]);
  const hint =
    suggestion === undefined
      ? ""
      : near === undefined
        ? `; there is ${suggestion}`
        : `; the nearest value is ${suggestion}`;
  const message = `the chart ${name(visit)} has no value ${pathText(path)}: it would be ignored${hint}`;
  visit.found.push({
    code: "unknown-value",
    path,
    message,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}

/** Where a chart has a value of this name, when there is one such place below a main key: `image` is `server.image`. */
function placeOf(file: ChartFile, key: string): string | undefined {
  const top = Object.hasOwn(file.values, key) ? [key] : [];
  const below = Object.entries(file.values).flatMap(([main, node]) =>
    own(node.k, key) === undefined ? [] : [`${main}.${key}`],
  );
  const places = [...top, ...below];
  return places.length === 1 ? places[0] : undefined;
}

/** `fsGroup` is no field of a container's context, but the chart has a place for the pod's. */
function placeOfField(file: ChartFile, field: string): string | undefined {
  const types = (dataFile("charts", "k8s-types") as { $defs: Record<string, JsonSchemaObject> }).$defs;
  const place = Object.entries(file.values).find(
    ([, node]) => types[node.k8s ?? ""]?.properties?.[field] !== undefined,
  );
  return place === undefined ? undefined : `${place[0]}.${field}`;
}

function checkType(visit: Visit, node: ValueNode, { value, path }: Place): boolean {
  const map = fields(value) !== undefined;
  const wrong =
    node.t === "boolean" && typeof value !== "boolean"
      ? "true or false"
      : (node.t === "integer" || node.t === "number") &&
          (typeof value === "object" || (typeof value === "string" && !/^\d/.test(value)))
        ? "a number"
        : node.t === "string" && typeof value === "object"
          ? "a string"
          : node.k !== undefined && node.t === "object" && !map
            ? "a map"
            : undefined;
  if (wrong === undefined) return true;
  const shown = typeof value === "object" ? (map ? "a map" : "a list") : JSON.stringify(value);
  // "false" in quotes is true to every template.
  add(visit, "invalid-value", {
    path,
    message: `${pathText(path)} of the chart ${name(visit)} is ${shown}, but must be ${wrong}`,
  });
  return false;
}

function checkItems(visit: Visit, node: ValueNode, { value, path }: { value: unknown[]; path: Path }): void {
  const keys = node.itemKeys;
  if (keys === undefined) return;
  const known: ValueNode = { k: Object.fromEntries(keys.map((key) => [key, {}])) };
  for (const [at, item] of value.entries())
    if (fields(item) !== undefined) checkKeys(visit, known, { value: item, path: [...path, at] });
}

function checkKubernetesType(visit: Visit, type: string, { value, path }: Place): void {
  const types = dataFile("charts", "k8s-types") as JsonSchemaObject;
  const schemas = type.split("|").map((one) => {
    const item = { $ref: `#/$defs/${one.replace("[]", "")}` };
    return one.endsWith("[]") ? { type: "array", items: item } : item;
  });
  const results = schemas.map((schema) => violationsOf({ ...types, ...schema }, value));
  const [first] = [...results].sort((a, b) => a.length - b.length);
  for (const violation of first ?? []) describe(visit, violation, path);
}

/** What the chart's own schema refuses. It is meant for the values with their defaults, so the ones known are put in. */
function checkOwnSchema(visit: Visit, schema: JsonSchemaObject, values: Fields): void {
  const merged = withDefaults(visit.file.values, values);
  for (const violation of violationsOf(schema, merged)) {
    if (violation.kind === "missing" || !isGiven(values, violation.path)) continue;
    const known = visit.found.some((one) => pathText(one.path) === pathText(violation.path));
    if (!known) describe(visit, violation, []);
  }
}

function withDefaults(nodes: Readonly<Record<string, ValueNode>>, values: Fields): Fields {
  const merged: Record<string, unknown> = { ...values };
  for (const [key, node] of Object.entries(nodes)) {
    const value = merged[key];
    if (value === undefined && node.d !== undefined) merged[key] = node.d;
    else if (
      node.k !== undefined &&
      node.t === "object" &&
      (value === undefined || fields(value) !== undefined)
    )
      merged[key] = withDefaults(node.k, fields(value) ?? {});
  }
  return merged;
}

function isGiven(values: Fields, path: Path): boolean {
  let value: unknown = values;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !(step in value)) return false;
    value = (value as Record<string | number, unknown>)[step];
  }
  return true;
}

function describe(visit: Visit, violation: Violation, at: Path): void {
  const path = [...at, ...violation.path];
  const place = path.length === 0 ? "the whole" : pathText(path);
  switch (violation.kind) {
    case "unknown": {
      const near = nearest(violation.field, violation.fields) ?? placeOfField(visit.file, violation.field);
      const hint = near === undefined ? "" : `; there is ${near}`;
      const message = `${place} is unknown in the chart ${name(visit)}${hint}`;
      visit.found.push({
        code: "unknown-value",
        path,
        message,
        ...(near === undefined ? {} : { nearest: near }),
      });
      return;
    }
    case "missing":
      return add(visit, "invalid-value", {
        path,
        message: `${place} of the chart ${name(visit)} lacks ${violation.field}`,
      });
    case "choice":
      return add(visit, "invalid-value", {
        path,
        message: `${place} of the chart ${name(visit)} may be ${violation.choices.map((one) => JSON.stringify(one)).join(", ")}`,
      });
    case "duplicate":
      return add(visit, "invalid-value", {
        path,
        message: `${place} of the chart ${name(visit)} is there twice`,
      });
    case "value":
      return add(visit, "invalid-value", {
        path,
        message: `${place} of the chart ${name(visit)} must be ${violation.expected}`,
      });
  }
}

function checkExclusive(visit: Visit, values: Fields): void {
  for (const group of visit.file.exclusive ?? []) {
    const on = group.filter((path) => settingOf(visit.file, values, path.split(".")) === true);
    if (on.length < 2) continue;
    const given = on.map((path) => path.split(".")).find((path) => isGiven(values, path)) ?? [];
    add(visit, "exclusive", {
      path: given,
      message: `${on.join(" and ")} of the chart ${name(visit)} exclude each other; the one not set is on by default`,
    });
  }
}

/** A value with its default where it is not given. */
export function settingOf(file: ChartFile, values: unknown, path: readonly string[]): unknown {
  let node: ValueNode | undefined = { k: file.values };
  let value: unknown = values;
  for (const step of path) {
    node = own(node?.k, step);
    value = fields(value)?.[step];
  }
  return value ?? node?.d;
}

const add = (visit: Visit, code: ValuesProblem["code"], seen: { path: Path; message: string }): void => {
  visit.found.push({ code, ...seen });
};

const name = ({ file }: Visit): string => `${file.chart} ${file.version}`;

const fields = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isTemplated(value)
    ? (value as Fields)
    : undefined;
