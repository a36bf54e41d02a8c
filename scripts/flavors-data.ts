// `node scripts/flavors-data.ts ANSWER.json...`: writes `server/data/zenml-flavors.json`, what is known of the flavors
// that come with ZenML: names, types, Python classes, schemas of configurations, addresses of logos and manuals.
//
// Each ANSWER is what a ZenML server says to `GET /api/v1/flavors?size=1000&hydrate=true`, the newest version first. A
// flavor is taken from the first answer that has it. Descriptions are left out, and defaults that are paths on the
// machine of the answer.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Answer = {
  items: { name: string; body: Record<string, Json>; metadata: Record<string, Json> }[];
};

const fields = {
  body: ["type", "display_name", "integration", "source", "logo_url"],
  metadata: [
    "connector_type",
    "connector_resource_type",
    "connector_resource_id_attr",
    "docs_url",
    "sdk_docs_url",
  ],
} as const;

const flavors = new Map<string, Record<string, Json>>();
for (const path of process.argv.slice(2)) {
  const { items } = JSON.parse(readFileSync(path, "utf8")) as Answer;
  for (const { name, body, metadata } of items) {
    const key = `${String(body["type"])} ${name}`;
    if (flavors.has(key) || body["is_custom"] === true) continue;
    const told = [
      ...fields.body.map((field) => [field, body[field] ?? null] as const),
      ...fields.metadata.map((field) => [field, metadata[field] ?? null] as const),
    ];
    flavors.set(key, {
      name,
      ...Object.fromEntries(told),
      config_schema: withoutTexts(metadata["config_schema"] ?? {}),
    });
  }
}
if (flavors.size === 0) throw new Error("usage: node scripts/flavors-data.ts ANSWER.json...");
const lines = [...flavors.values()].map((flavor) => JSON.stringify(flavor));
writeFileSync(
  join(import.meta.dirname, "..", "server", "data", "zenml-flavors.json"),
  `[\n${lines.join(",\n")}\n]\n`,
);

/** Of a schema; the names below `properties` and `$defs` are no keywords. */
function withoutTexts(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withoutTexts);
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([keyword, value]) =>
      keyword !== "description" &&
      keyword !== "examples" &&
      !(
        keyword === "default" &&
        typeof value === "string" &&
        /^\/(home|root|tmp|var|opt|Users)\//.test(value)
      ),
  );
  return Object.fromEntries(
    kept.map(([keyword, value]): [string, Json] => {
      const isNamed = keyword === "properties" || keyword === "$defs";
      if (!isNamed || typeof value !== "object" || value === null) return [keyword, withoutTexts(value)];
      return [
        keyword,
        Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutTexts(one)])),
      ];
    }),
  );
}
