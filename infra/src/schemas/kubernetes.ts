import type { Path } from "../lint/workspace.ts";
import { checkKubernetesSyntax } from "./kubernetes-syntax.ts";
import {
  announcedEnd,
  groupsWith,
  isAlsoServed,
  isWholeGroup,
  kindOf,
  kindsOfGroup,
  removedIn,
  splitApiVersion,
  type Kind,
} from "./kubernetes-kinds.ts";
import { violationsOf, type JsonSchema, type JsonSchemaObject, type Violation } from "./json-schema.ts";
import { distance } from "fastest-levenshtein";
import { nearest } from "./nearest.ts";
import { isTemplated } from "./templated.ts";

export type ManifestProblem = {
  code:
    | "unknown-kind"
    | "unknown-version"
    | "deprecated-version"
    | "unknown-field"
    | "missing-field"
    | "invalid-value"
    | "duplicate"
    | "cluster-scoped"
    | "syntax";
  path: Path;
  message: string;
  /** The name that was most likely meant. */
  nearest?: string;
};

type Fields = Readonly<Record<string, unknown>>;

/** What the API server, with strict validation, would refuse in a manifest; and versions whose end is near. */
export function checkManifest(object: Fields): ManifestProblem[] {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
  if (isTemplated(apiVersion) || isTemplated(kind)) return [];
  const { group, version } = splitApiVersion(apiVersion);
  const known = kindOf(group, kind);
  const removed = removedIn(apiVersion, kind);
  if (removed !== undefined) {
    const instead = known === undefined ? "" : `; use ${group === "" ? "" : `${group}/`}${known.version}`;
    return [
      problem(
        "unknown-version",
        ["apiVersion"],
        `${kind} ${apiVersion} is gone since Kubernetes ${removed}${instead}`,
      ),
    ];
  }
  if (known === undefined) return unknownKind(apiVersion, kind);
  const problems = versionProblems(known, apiVersion);
  if (version !== known.version) return problems;
  for (const violation of violationsOf(known.schema, withoutServerFields(object, group)))
    problems.push(describe(known, violation, object));
  problems.push(
    ...checkKubernetesSyntax(object, group).map(({ path, message, missing }) =>
      problem(missing === true ? "missing-field" : "syntax", path, `${message}, in ${kind} ${apiVersion}`),
    ),
  );
  return problems;
}

/** Whether objects of the kind live in a namespace; undefined when the kind is not known. */
export const scopeOf = (apiVersion: string, kind: string): Kind["scope"] | undefined =>
  kindOf(splitApiVersion(apiVersion).group, kind)?.scope;

/** What the server writes and people leave in files that they had read from it, or that `kubectl create --dry-run` printed. */
function withoutServerFields(object: Fields, group: string): Fields {
  const { status: _status, ...rest } = object;
  // Decoders of built-in kinds take null for a field that is not there: `annotations:` with nothing behind it.
  return withoutTimestamps(isBuiltIn(group) ? withoutNulls(rest) : rest);
}

/** Groups of Kubernetes itself have no dot, or end in k8s.io; those with a definition of their own end in x-k8s.io or have a domain. */
const isBuiltIn = (group: string): boolean =>
  !group.includes(".") ||
  (/^(?:[a-z]+\.)+k8s\.io$/.test(group) && !/gateway\.networking|x-k8s|snapshot/.test(group));

/** Elements of lists stay: they would shift the places of those behind them. */
function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, cleaned(value)]),
  );
}

const cleaned = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(cleaned) : isFields(value) ? withoutNulls(value) : value;

/** `metadata.creationTimestamp`, of the object and of the pod template in it. */
function withoutTimestamps(object: Fields): Fields {
  const { metadata, spec } = object;
  const template = isFields(spec) ? spec["template"] : undefined;
  const inner = isFields(template) && isFields(template["metadata"]) ? template["metadata"] : undefined;
  return {
    ...object,
    ...(isFields(metadata) ? { metadata: withoutTimestamp(metadata) } : {}),
    ...(isFields(spec) && isFields(template) && inner !== undefined
      ? { spec: { ...spec, template: { ...template, metadata: withoutTimestamp(inner) } } }
      : {}),
  };
}

function withoutTimestamp(metadata: Fields): Fields {
  const { creationTimestamp: _creationTimestamp, ...rest } = metadata;
  return rest;
}

function unknownKind(apiVersion: string, kind: string): ManifestProblem[] {
  const { group } = splitApiVersion(apiVersion);
  const kinds = kindsOfGroup(group);
  if (kinds.length === 0 || kinds.includes(kind)) return [];
  const near = nearest(kind, kinds);
  const elsewhere =
    group === "" ? groupsWith(kind).filter((one) => /^(?:[a-z]+|[a-z.]+\.k8s\.io)\//.test(one)) : [];
  if (elsewhere.length > 0) {
    const message = `${apiVersion} has no kind ${kind}; it is of ${elsewhere.join(" or ")}`;
    return [problem("unknown-kind", ["kind"], message)];
  }
  // Of groups that are kept in part, only a slip of the pen is told: DeletingPolicy is near to GeneratingPolicy, and a kind of its own.
  if (!isWholeGroup(group) && (near === undefined || distance(near, kind) > 2)) return [];
  const hint = near === undefined ? "" : `; the nearest kind is ${near}`;
  const message = `${apiVersion} has no kind ${kind}${hint}`;
  return [
    { ...problem("unknown-kind", ["kind"], message), ...(near === undefined ? {} : { nearest: near }) },
  ];
}

function versionProblems(known: Kind, apiVersion: string): ManifestProblem[] {
  const { version } = splitApiVersion(apiVersion);
  const served = known.versions.filter((one) => one.served).map((one) => one.name);
  const found = known.versions.find((one) => one.name === version);
  const source = (known.schema as Record<string, unknown>)["x-source"] as string;
  if (found === undefined && !isAlsoServed(apiVersion, known.kind)) {
    const message = `${known.kind} has no version ${version} in ${source}; it serves ${served.join(", ")}`;
    return [{ ...problem("unknown-version", ["apiVersion"], message), nearest: known.version }];
  }
  if (found !== undefined && !found.served) {
    const message = `${source} no longer serves ${known.kind} ${apiVersion}; it serves ${served.join(", ")}`;
    return [{ ...problem("unknown-version", ["apiVersion"], message), nearest: known.version }];
  }
  const end = announcedEnd(known.group, known.kind);
  if (found?.deprecated === true)
    return [
      problem(
        "deprecated-version",
        ["apiVersion"],
        `${known.kind} ${apiVersion} is deprecated; use ${known.version}`,
      ),
    ];
  if (end !== undefined)
    return [problem("deprecated-version", ["apiVersion"], `${known.kind} ${apiVersion}: ${end}`)];
  return [];
}

function describe(known: Kind, violation: Violation, object: Fields): ManifestProblem {
  const what = `${known.kind} ${known.group === "" ? "" : `${known.group}/`}${known.version}`;
  const { path } = violation;
  const place = pathText(path);
  switch (violation.kind) {
    case "unknown":
      if (place === "metadata.namespace")
        return problem(
          "cluster-scoped",
          path,
          `${known.kind} is cluster-scoped: it has no metadata.namespace`,
        );
      return unknownField(known, violation, what);
    case "missing":
      return problem(
        "missing-field",
        path,
        `${place === "" ? "" : `${place} of `}${what} lacks the required field ${violation.field}`,
      );
    case "choice":
      return problem(
        "invalid-value",
        path,
        `${place} of ${what} is ${show(valueAt(object, path))}; it may be ${violation.choices.map(show).join(", ")}`,
      );
    case "duplicate": {
      const keys =
        violation.keys.length === 0
          ? "is listed twice"
          : `has the same ${violation.keys.join(" and ")} as an item before it`;
      return problem("duplicate", path, `${place} of ${what} ${keys}`);
    }
    case "value": {
      const value = valueAt(object, path);
      const quoted = violation.expected === "a string" && typeof value !== "object" ? ": quote it" : "";
      return problem(
        "invalid-value",
        path,
        `${place} of ${what} is ${show(value)}, but must be ${violation.expected}${quoted}`,
      );
    }
  }
}

function unknownField(
  known: Kind,
  violation: Violation & { kind: "unknown" },
  what: string,
): ManifestProblem {
  const near = nearest(violation.field, violation.fields);
  const elsewhere = near === undefined ? otherPlace(known.schema, violation) : undefined;
  const hint =
    near !== undefined
      ? `; the nearest field is ${near}`
      : elsewhere !== undefined
        ? `; there is one at ${elsewhere}`
        : violation.fields.length > 0 && violation.fields.length <= 20
          ? `; it has ${[...violation.fields].sort().join(", ")}`
          : "";
  const message = `unknown field ${pathText(violation.path)} of ${what}${hint}`;
  const suggested = near ?? elsewhere;
  return {
    ...problem("unknown-field", violation.path, message),
    ...(suggested === undefined ? {} : { nearest: suggested }),
  };
}

/** A place higher up in the same object that has a field of this name: `fsGroup` belongs to the pod, not to the container. */
function otherPlace(
  schema: JsonSchemaObject,
  violation: Violation & { kind: "unknown" },
): string | undefined {
  const parents = violation.path.slice(0, -1);
  for (let length = parents.length - 1; length >= 1; length -= 1) {
    const start = parents.slice(0, length);
    const node = schemaAt(schema, start);
    for (const [name, child] of Object.entries(node?.properties ?? {})) {
      if (resolve(schema, child)?.properties?.[violation.field] !== undefined)
        return pathText([...start, name, violation.field]);
    }
  }
  return undefined;
}

function schemaAt(root: JsonSchemaObject, path: Path): JsonSchemaObject | undefined {
  let node = resolve(root, root);
  for (const step of path) {
    const next =
      typeof step === "number" ? node?.items : (node?.properties?.[step] ?? node?.additionalProperties);
    node = resolve(root, next);
    if (node === undefined) return undefined;
  }
  return node;
}

function resolve(root: JsonSchemaObject, schema: JsonSchema | undefined): JsonSchemaObject | undefined {
  if (typeof schema !== "object") return undefined;
  const name = schema.$ref?.replace("#/$defs/", "");
  return name === undefined ? schema : resolve(root, root.$defs?.[name]);
}

const problem = (code: ManifestProblem["code"], path: Path, message: string): ManifestProblem => ({
  code,
  path,
  message,
});

/** `spec.containers[0].image`; keys with dots are quoted. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `["${step}"]`;
  }
  return text;
}

function valueAt(object: unknown, path: Path): unknown {
  let value = object;
  for (const step of path) value = (value as Record<string | number, unknown> | null | undefined)?.[step];
  return value;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  if (value === undefined) return "not set";
  return typeof value === "string"
    ? `"${value.length > 60 ? `${value.slice(0, 57)}...` : value}"`
    : String(value);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
