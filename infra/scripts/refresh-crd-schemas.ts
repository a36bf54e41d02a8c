// Writes schemas of infra/data/crds again:
//   node infra/scripts/refresh-crd-schemas.ts --source "cert-manager 1.21.2" FILE...        from YAML of custom resource definitions
//   node infra/scripts/refresh-crd-schemas.ts --source "Kubernetes 1.36.4" --cluster apps/v1  from the cluster of the current context
// Files may be YAML of definitions or a server's OpenAPI document (JSON). Only kinds that have a schema already are written;
// --all writes every kind that is found.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseAllDocuments } from "yaml";
import { schemaOfDefinition, schemasOfOpenapi, type SchemaFile } from "./crd-schema.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    source: { type: "string" },
    cluster: { type: "string", multiple: true },
    all: { type: "boolean", default: false },
    out: { type: "string", default: join(import.meta.dirname, "..", "data", "crds") },
  },
});
const { source, cluster = [], out, all } = values;
if (source === undefined || (positionals.length === 0 && cluster.length === 0)) {
  process.stderr.write(
    'usage: refresh-crd-schemas.ts --source "NAME VERSION" [--all] [--out FOLDER] FILE... | --cluster GROUP/VERSION\n',
  );
  process.exit(2);
}

const origin = source;
const found = [...positionals.flatMap(fromFile), ...cluster.flatMap(fromCluster)];
for (const { name, schema } of found) {
  const path = join(out, `${name}.json`);
  if (!all && !existsSync(path)) continue;
  writeFileSync(path, JSON.stringify(schema));
  process.stdout.write(`${path}: ${String(schema["x-kind"])} ${String(schema["x-version"])}\n`);
}

function fromFile(file: string): SchemaFile[] {
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".json")) return schemasOfOpenapi(JSON.parse(text) as Record<string, unknown>, origin);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Record<string, unknown> | null)
    .filter((document) => document?.["kind"] === "CustomResourceDefinition")
    .map((document) => schemaOfDefinition(document ?? {}, origin));
}

/** A group and version as in `kubectl api-versions`: the definitions of custom kinds, or OpenAPI for built-in ones. */
function fromCluster(groupVersion: string): SchemaFile[] {
  const kubectl = (...args: readonly string[]): Record<string, unknown> =>
    JSON.parse(execFileSync("kubectl", args, { encoding: "utf8", maxBuffer: 2 ** 30 })) as Record<
      string,
      unknown
    >;
  const [group = "", version] = groupVersion.split("/");
  const definitions = (
    kubectl("get", "customresourcedefinitions", "--output=json")["items"] as Record<string, unknown>[]
  ).filter((definition) => (definition["spec"] as { group: string }).group === group);
  if (definitions.length > 0) return definitions.map((definition) => schemaOfDefinition(definition, origin));
  return schemasOfOpenapi(
    kubectl(
      "get",
      "--raw",
      version === undefined ? `/openapi/v3/api/${group}` : `/openapi/v3/apis/${group}/${version}`,
    ),
    origin,
  );
}
