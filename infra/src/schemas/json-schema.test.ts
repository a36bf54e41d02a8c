import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { kindOf, splitApiVersion } from "./kubernetes-kinds.ts";
import { violationsOf, type JsonSchemaObject } from "./json-schema.ts";

const SAMPLES = new URL("../../samples/", import.meta.url);

type Fields = Record<string, unknown>;

const KINDS = new Set([
  "Deployment",
  "InferenceService",
  "HTTPRoute",
  "Gateway",
  "Cluster",
  "ExternalSecret",
  "ServiceMonitor",
  "Secret",
]);

const samples = readdirSync(SAMPLES)
  .filter((file) => file.endsWith(".yaml"))
  .flatMap((file) => parseAllDocuments(readFileSync(new URL(file, SAMPLES), "utf8")))
  .map((document) => document.toJS() as Fields)
  .filter((object) => KINDS.has(String(object["kind"])));

const policy: Fields = {
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: "p" },
  spec: {
    rules: [
      {
        name: "r",
        context: [{ name: "c", configMap: { name: "x", namespace: "y" } }],
        match: { any: [{ resources: { kinds: ["Pod"] } }] },
        validate: { failureAction: "Enforce", message: "m", pattern: { a: 1 } },
      },
    ],
  },
};

const ajv = new Ajv2020({ strict: false, validateFormats: true });
formats.default(ajv);

/** Changes one place of an object: takes it away, puts another value there, or adds a field beside it. */
function corrupted(object: Fields, at: number, change: unknown): unknown {
  const places: { parent: Fields | unknown[]; key: string }[] = [];
  const copy = structuredClone(object);
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      places.push({ parent: value as Fields | unknown[], key });
      collect(item);
    }
  };
  collect(copy);
  const { parent, key } = places[at % places.length] ?? { parent: copy, key: "spec" };
  if (Array.isArray(parent)) parent[Number(key)] = change;
  else if (change === undefined) delete parent[key];
  else if (at % 2 === 0) parent[`${key}x`] = change;
  else parent[key] = change;
  return copy;
}

test("agrees with Ajv on samples and on what becomes of them when one place is corrupted", () => {
  const change = fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    "x",
    "Enforce",
    "10.0.0.1",
    0,
    3,
    -1,
    1.5,
    true,
    [],
    {},
    ["a"],
    { name: "a" },
    "A B",
    [{}],
  );
  for (const sample of [...samples, policy]) {
    const { group } = splitApiVersion(String(sample["apiVersion"]));
    const schema = kindOf(group, String(sample["kind"]))?.schema as JsonSchemaObject;
    const validate = ajv.compile(schema);
    const agrees = (value: unknown): void => {
      const ours = violationsOf(schema, value).filter(({ kind }) => kind !== "duplicate");
      expect({ value, valid: ours.length === 0, ours }).toEqual({ value, valid: validate(value), ours });
    };
    agrees(sample);
    fc.assert(
      fc.property(fc.nat(), change, (at, value) => agrees(corrupted(sample, at, value))),
      { numRuns: 200 },
    );
  }
});

test("lists with keys and sets refuse the same twice", () => {
  const schema: JsonSchemaObject = {
    properties: {
      keyed: { type: "array", "x-unique-by": ["port", "protocol"], items: {} },
      set: { type: "array", "x-unique": true, items: {} },
    },
  };
  expect(
    violationsOf(schema, { keyed: [{ port: 1 }, { port: 1, protocol: "UDP" }], set: ["a", "b"] }),
  ).toEqual([]);
  expect(violationsOf(schema, { keyed: [{ port: 1 }, { port: 1 }], set: ["a", "a"] })).toEqual([
    { kind: "duplicate", path: ["keyed", 1], keys: ["port", "protocol"] },
    { kind: "duplicate", path: ["set", 1], keys: [] },
  ]);
});

test("nothing is said about what a template may become", () => {
  const schema: JsonSchemaObject = {
    type: "object",
    required: ["a"],
    properties: { a: { type: "integer" }, b: { enum: ["x"] } },
    additionalProperties: false,
  };
  expect(violationsOf(schema, { a: "${var.a}", b: "{{ b }}" })).toEqual([]);
  expect(violationsOf(schema, { "{{ key }}": 1 })).toEqual([]);
  expect(violationsOf(schema, { a: { unresolved: "local.a" } })).toEqual([]);
  expect(violationsOf(schema, { unresolved: "merge(a, b)" })).toEqual([]);
  expect(violationsOf(schema, { a: "$(A)" })).toHaveLength(1);
});
