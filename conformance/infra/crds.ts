// Custom resource definitions from the schemas in infra/data/crds, which say what the real ones say but for their CEL rules.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..", "..", "infra", "data", "crds");

type Schema = { readonly [key: string]: unknown };

/** Groups that the API server serves by itself. */
const isBuiltIn = (group: string): boolean =>
  !group.includes(".") || (group.endsWith(".k8s.io") && group !== "gateway.networking.k8s.io");

/** Kinds whose projects publish their fields in no file that infra/data was made from: of these only the names are checked. */
const openKinds = [
  { group: "monitoring.googleapis.com", version: "v1", kind: "PodMonitoring", plural: "podmonitorings" },
  { group: "monitoring.googleapis.com", version: "v1", kind: "Rules", plural: "rules" },
  {
    group: "monitoring.googleapis.com",
    version: "v1",
    kind: "ClusterRules",
    plural: "clusterrules",
    scope: "Cluster",
  },
  { group: "networking.gke.io", version: "v1", kind: "GCPBackendPolicy", plural: "gcpbackendpolicies" },
  { group: "networking.gke.io", version: "v1", kind: "HealthCheckPolicy", plural: "healthcheckpolicies" },
  { group: "operator.knative.dev", version: "v1beta1", kind: "KnativeServing", plural: "knativeservings" },
].map(({ group, version, kind, plural, scope = "Namespaced" }) => ({
  "x-group": group,
  "x-kind": kind,
  "x-plural": plural,
  "x-scope": scope,
  "x-version": version,
  properties: { spec: { type: "object" } },
}));

export const openKindNames: ReadonlySet<string> = new Set(openKinds.map((one) => one["x-kind"]));

/** The definitions of the kinds named, as in `Certificate.cert-manager.io`. Every one costs the server a second at its start. */
export function customResourceDefinitions(kinds: ReadonlySet<string>): object[] {
  const schemas = globSync("*.json", { cwd: folder })
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Schema);
  const custom = schemas.filter((schema) => !isBuiltIn(String(schema["x-group"])));
  return [...custom, ...openKinds]
    .filter((schema) => kinds.has(`${String(schema["x-kind"])}.${String(schema["x-group"])}`))
    .map(definition);
}

function definition(schema: Schema): object {
  const group = String(schema["x-group"]);
  const plural = String(schema["x-plural"]);
  const kind = String(schema["x-kind"]);
  const properties = schema["properties"] as Schema;
  const definitions = (schema["$defs"] ?? {}) as Schema;
  const own = Object.entries(properties).filter(
    ([name]) => !["apiVersion", "kind", "metadata"].includes(name),
  );
  const subresources = (schema["x-subresources"] ?? []) as string[];
  const openAPIV3Schema = {
    type: "object",
    required: ((schema["required"] ?? []) as string[]).filter((name) => own.some(([one]) => one === name)),
    properties: {
      ...Object.fromEntries(own.map(([name, value]) => [name, structural(value as Schema, definitions)])),
      status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // Only Kubernetes' own groups need it; it names the review of the API, here of the original.
      ...(group.endsWith(".k8s.io")
        ? { annotations: { "api-approved.kubernetes.io": "unapproved, a copy" } }
        : {}),
    },
    spec: {
      group,
      scope: schema["x-scope"],
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: schema["x-version"],
          served: true,
          storage: true,
          schema: { openAPIV3Schema },
          ...(subresources.includes("status") ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}

/** What a structural schema may hold beside its structure. */
const kept = [
  "default",
  "enum",
  "format",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "pattern",
  "required",
];

/** Definitions put in place, types that are one, and free-form places marked as such. */
function structural(schema: Schema, definitions: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const found = definitions[reference.replace("#/$defs/", "")] as Schema;
    const { $ref: _, ...beside } = schema;
    return structural({ ...found, ...beside }, definitions);
  }
  const out: Record<string, unknown> = {};
  for (const key of kept) if (schema[key] !== undefined) out[key] = schema[key];
  if (schema["const"] !== undefined) out["enum"] = [schema["const"]];

  const types = [schema["type"] ?? []].flat() as string[];
  const [type, ...others] = types.filter((name) => name !== "null");
  if (types.includes("null")) {
    out["nullable"] = true;
    if (Array.isArray(out["enum"])) out["enum"] = out["enum"].filter((value) => value !== null);
    if (out["default"] === null) delete out["default"];
  }
  if (others.length > 0) return { ...out, "x-kubernetes-int-or-string": true };
  if (type === undefined) return { ...out, "x-kubernetes-preserve-unknown-fields": true };
  out["type"] = type;
  if (type === "array") {
    out["items"] = structural((schema["items"] ?? {}) as Schema, definitions);
    if (schema["x-unique"] === true) out["x-kubernetes-list-type"] = "set";
  }
  if (type !== "object") return out;

  const properties = Object.entries((schema["properties"] ?? {}) as Schema);
  const additional = schema["additionalProperties"];
  if (properties.length > 0) {
    const inner = properties.map(([name, value]) => [name, structural(value as Schema, definitions)]);
    out["properties"] = Object.fromEntries(inner);
    if (additional !== false) out["x-kubernetes-preserve-unknown-fields"] = true;
  } else if (typeof additional === "object") {
    out["additionalProperties"] = structural(additional as Schema, definitions);
  } else if (additional !== false) {
    out["x-kubernetes-preserve-unknown-fields"] = true;
  }
  return out;
}
