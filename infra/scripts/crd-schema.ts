/** Makes the strict schemas of infra/data/crds from custom resource definitions, or from a server's OpenAPI document. */

type Json = { [key: string]: unknown };

export type SchemaFile = { name: string; schema: Json };

type Version = {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  schema?: { openAPIV3Schema?: Json };
  subresources?: Json;
};

type Head = {
  source: string;
  group: string;
  kind: string;
  plural?: string;
  scope: string;
  version: string;
  versions: readonly Json[];
  subresources?: readonly string[];
};

const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The schema of the newest served version of a definition: `v1` before `v1beta1` before `v1alpha1`. */
export function schemaOfDefinition(definition: Json, source: string): SchemaFile {
  const spec = definition["spec"] as {
    group: string;
    names: { kind: string; plural: string };
    scope: string;
    versions: Version[];
  };
  const newest = spec.versions
    .filter((version) => version.served)
    .sort((a, b) => rank(b.name) - rank(a.name))[0];
  const openapi = newest?.schema?.openAPIV3Schema;
  if (newest === undefined || openapi === undefined)
    throw new Error(`${spec.names.kind}.${spec.group} serves no version with a schema.`);
  return schemaFile(openapi, {
    source,
    group: spec.group,
    kind: spec.names.kind,
    plural: spec.names.plural,
    scope: spec.scope,
    version: newest.name,
    versions: spec.versions.map(({ name, served, storage, deprecated }) => ({
      name,
      served,
      storage,
      ...(deprecated === true ? { deprecated } : {}),
    })),
    subresources: Object.keys(newest.subresources ?? {}),
  });
}

/** `v2` over `v1`, `v1` over `v1beta2`, beta over alpha: the order Kubernetes itself prefers versions in. */
function rank(version: string): number {
  const [, major = "0", stage = "", minor = "0"] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
  return (stage === "" ? 2e6 : stage === "beta" ? 1e6 : 0) + Number(major) * 1000 + Number(minor);
}

/** Schemas of the kinds of one group and version, from `/openapi/v3/apis/GROUP/VERSION` of a server. */
export function schemasOfOpenapi(document: Json, source: string): SchemaFile[] {
  const schemas = ((document["components"] as Json | undefined)?.["schemas"] ?? {}) as Record<string, Json>;
  const paths = Object.keys(document["paths"] ?? {});
  return Object.values(schemas).flatMap((schema) => {
    const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as {
      group: string;
      version: string;
      kind: string;
    }[];
    const [own] = kinds;
    const properties = (schema["properties"] ?? {}) as Json;
    if (
      own === undefined ||
      kinds.length !== 1 ||
      properties["metadata"] === undefined ||
      own.kind.endsWith("List")
    )
      return [];
    const served = paths.filter((path) => hasKind(document, path, own.kind));
    // Kinds that others only hold, such as the claims of a StatefulSet, are described in the document of their own group.
    if (served.length === 0) return [];
    const namespaced = served.some((path) => path.includes("/namespaces/{namespace}/"));
    const head = {
      source,
      ...own,
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: [{ name: own.version, served: true, storage: true }],
    };
    return [schemaFile(inlined(schema, schemas), head)];
  });
}

function hasKind(document: Json, path: string, kind: string): boolean {
  const operations = Object.values((document["paths"] as Json)[path] as Json).filter(isJson);
  return operations.some(
    (operation) => (operation["x-kubernetes-group-version-kind"] as Json | undefined)?.["kind"] === kind,
  );
}

/** References put in place. Schemas that hold themselves stay open where they come round again. */
function inlined(
  schema: Json,
  schemas: Readonly<Record<string, Json>>,
  within: readonly string[] = [],
): Json {
  const reference = schema["$ref"] ?? (schema["allOf"] as Json[] | undefined)?.[0]?.["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").at(-1) ?? "";
    if (name.endsWith(".ObjectMeta")) return METADATA;
    const target = schemas[name];
    if (target === undefined || within.includes(name)) return { type: "object" };
    const { $ref: _reference, allOf: _all, default: _default, ...rest } = schema;
    return { ...inlined(target, schemas, [...within, name]), ...rest };
  }
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === "properties")
        return [
          key,
          Object.fromEntries(
            Object.entries(value as Json).map(([name, part]) => [
              name,
              inlined(part as Json, schemas, within),
            ]),
          ),
        ];
      return [
        key,
        (key === "items" || key === "additionalProperties") && isJson(value)
          ? inlined(value, schemas, within)
          : value,
      ];
    }),
  );
}

const METADATA: Json = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", maxLength: 253 },
    generateName: { type: "string" },
    namespace: { type: "string", maxLength: 63 },
    labels: { type: "object", additionalProperties: { type: "string" } },
    annotations: { type: "object", additionalProperties: { type: "string" } },
    finalizers: { type: "array", items: { type: "string" } },
    ownerReferences: {
      type: "array",
      items: {
        type: "object",
        required: ["apiVersion", "kind", "name", "uid"],
        additionalProperties: false,
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          name: { type: "string" },
          uid: { type: "string" },
          controller: { type: "boolean" },
          blockOwnerDeletion: { type: "boolean" },
        },
      },
    },
  },
};

function schemaFile(openapi: Json, head: Head): SchemaFile {
  const { source, group, kind, plural, scope, version, versions, subresources = [] } = head;
  const properties = (openapi["properties"] ?? {}) as Json;
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, status: _status, ...own } = properties;
  const { namespace: _namespace, ...clusterScoped } = METADATA["properties"] as Json;
  const metadata = scope === "Namespaced" ? METADATA : { ...METADATA, properties: clusterScoped };
  const required = ((openapi["required"] ?? []) as string[]).filter(
    (name) => !["apiVersion", "kind", "metadata", "status"].includes(name),
  );
  const schema: Json = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    "x-source": source,
    "x-group": group,
    "x-kind": kind,
    ...(plural === undefined ? {} : { "x-plural": plural }),
    "x-scope": scope,
    "x-version": version,
    "x-versions": versions,
    ...(subresources.length === 0 ? {} : { "x-subresources": subresources }),
    "x-cel-rules": celRules(openapi),
    type: "object",
    required: ["apiVersion", "kind", "metadata", ...required],
    properties: {
      apiVersion: { const: group === "" ? version : `${group}/${version}` },
      kind: { const: kind },
      metadata,
      ...Object.fromEntries(Object.entries(own).map(([name, part]) => [name, strict(part as Json)])),
    },
    additionalProperties: false,
  };
  return { name: `${kind}.${group === "" ? "core" : group}`.toLowerCase(), schema: withDefinitions(schema) };
}

const celRules = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + celRules(item), 0);
  if (!isJson(value)) return 0;
  const own = value["x-kubernetes-validations"];
  const rest = Object.entries(value).filter(([key]) => key !== "x-kubernetes-validations");
  return (Array.isArray(own) ? own.length : 0) + rest.reduce((sum, [, item]) => sum + celRules(item), 0);
};

const KEPT = new Set([
  "type",
  "enum",
  "pattern",
  "format",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
  "default",
]);
const NUMERIC = new Set(["int32", "int64", "float", "double", "int-or-string", "quantity"]);
const COMBINED = ["allOf", "anyOf", "oneOf"];

/** One node: prose and what only Kubernetes reads taken out, closed where it declares its fields. */
function strict(node: Json, close = true): Json {
  const result: Json = {};
  for (const [key, value] of Object.entries(node)) {
    if (!KEPT.has(key)) continue;
    if (key === "format" && NUMERIC.has(String(value))) continue;
    if (key === "pattern" && !compiles(String(value))) continue;
    result[key] = value;
  }
  const intOrString = node["x-kubernetes-int-or-string"] === true || node["format"] === "int-or-string";
  if (intOrString) result["type"] = ["integer", "string"];
  else
    for (const key of COMBINED)
      if (Array.isArray(node[key])) Object.assign(result, combined(key, node[key] as Json[]));
  if (isJson(node["not"])) result["not"] = strict(node["not"], false);
  if (node["nullable"] === true && result["type"] !== undefined)
    result["type"] = [result["type"], "null"].flat();
  if (isJson(node["items"])) result["items"] = strict(node["items"]);
  if (isJson(node["additionalProperties"]))
    result["additionalProperties"] = strict(node["additionalProperties"]);
  if (isJson(node["properties"]))
    result["properties"] = Object.fromEntries(
      Object.entries(node["properties"]).map(([name, part]) => [name, strict(part as Json, close)]),
    );
  const open =
    node["x-kubernetes-preserve-unknown-fields"] === true || node["x-kubernetes-embedded-resource"] === true;
  if (close && !open && result["properties"] !== undefined && result["additionalProperties"] === undefined)
    result["additionalProperties"] = false;
  if (node["x-kubernetes-list-type"] === "map") result["x-unique-by"] = node["x-kubernetes-list-map-keys"];
  if (node["x-kubernetes-list-type"] === "set") result["x-unique"] = true;
  return result;
}

/** Alternatives that differ in nothing but their type are one type: so a quantity is written in OpenAPI. */
function combined(key: string, parts: readonly Json[]): Json {
  const types = parts.map((part) => (Object.keys(part).length === 1 ? part["type"] : undefined));
  if (key !== "allOf" && types.every((type) => typeof type === "string")) return { type: types };
  return { [key]: parts.map((part) => strict(part, false)) };
}

/** Go's expressions have inline flags, which those of JavaScript do not. */
function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    return false;
  }
}

/** Short parts are not worth a name. */
const WORTH_A_NAME = 150;

/** Parts that stand more than once are moved to `$defs`. */
function withDefinitions(schema: Json): Json {
  const counts = new Map<string, number>();
  const isSchema = (key: string, value: unknown): value is Json =>
    isJson(value) && key !== "default" && (value["properties"] !== undefined || value["items"] !== undefined);
  const count = (value: unknown, key = ""): void => {
    if (Array.isArray(value)) for (const item of value) count(item, key);
    if (!isJson(value)) return;
    const text = isSchema(key, value) ? JSON.stringify(value) : "";
    if (text.length > WORTH_A_NAME) {
      const times = (counts.get(text) ?? 0) + 1;
      counts.set(text, times);
      // What is within a repeated part has been counted with its first appearance.
      if (times > 1) return;
    }
    for (const [name, item] of Object.entries(value)) count(item, name);
  };
  count(schema["properties"]);
  const names = new Map<string, string>();
  const definitions: Json = {};
  const replace = (value: unknown, key = ""): unknown => {
    if (Array.isArray(value)) return value.map((item) => replace(item, key));
    if (!isJson(value)) return value;
    const text = isSchema(key, value) ? JSON.stringify(value) : "";
    const inside = (): Json =>
      Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, name)]));
    if ((counts.get(text) ?? 0) < 2) return inside();
    let name = names.get(text);
    if (name === undefined) {
      names.set(text, (name = `d${names.size + 1}`));
      definitions[name] = inside();
    }
    return { $ref: `#/$defs/${name}` };
  };
  const properties = replace(schema["properties"]);
  return Object.keys(definitions).length === 0 ? schema : { ...schema, properties, $defs: definitions };
}
