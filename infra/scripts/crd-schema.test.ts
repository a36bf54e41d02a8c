import { expect, test } from "vitest";
import { parse } from "yaml";
import { schemaOfDefinition, schemasOfOpenapi } from "./crd-schema.ts";
import { violationsOf, type JsonSchemaObject } from "../src/schemas/json-schema.ts";

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: { kind: Thing, plural: things }
  scope: Namespaced
  versions:
    - name: v1beta1
      served: false
      storage: false
      deprecated: true
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema:
        openAPIV3Schema:
          description: prose
          type: object
          required: [spec]
          properties:
            apiVersion: { type: string }
            kind: { type: string }
            metadata: { type: object }
            status: { type: object, properties: { ready: { type: boolean } } }
            spec:
              type: object
              required: [port]
              x-kubernetes-validations: [{ rule: "true" }]
              properties:
                port: { x-kubernetes-int-or-string: true, anyOf: [{ type: integer }, { type: string }] }
                count: { type: integer, format: int32, minimum: 1, nullable: true }
                free: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { a: { type: string } } }
                labels: { type: object, additionalProperties: { type: string } }
                items:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items: { type: object, required: [name], properties: { name: { type: string }, mode: { type: string, enum: [A, B], pattern: "(?i)^a" } } }
`;

const schema = (): JsonSchemaObject =>
  schemaOfDefinition(parse(DEFINITION) as Record<string, unknown>, "Example 1.0").schema;

const kinds = (spec: unknown, more: Record<string, unknown> = {}): string[] =>
  violationsOf(schema(), {
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "a" },
    spec,
    ...more,
  }).map(({ kind, path }) => `${kind} ${path.join(".")}`);

test("a definition becomes a closed schema of its newest served version", () => {
  const { name, schema: file } = schemaOfDefinition(
    parse(DEFINITION) as Record<string, unknown>,
    "Example 1.0",
  );
  expect(name).toBe("thing.example.com");
  expect(file).toMatchObject({
    "x-source": "Example 1.0",
    "x-version": "v1",
    "x-versions": [
      { name: "v1beta1", served: false, storage: false, deprecated: true },
      { name: "v1", served: true, storage: true },
    ],
    "x-subresources": ["status"],
    "x-cel-rules": 1,
  });
  expect(JSON.stringify(file)).not.toMatch(/prose|int32|\(\?i\)/);
});

test("it refuses what the API server would refuse or drop", () => {
  expect(kinds({ port: 80 })).toEqual([]);
  expect(
    kinds({
      port: "http",
      count: null,
      free: { b: 1 },
      labels: { x: "y" },
      items: [{ name: "a", mode: "A" }],
    }),
  ).toEqual([]);
  expect(kinds({})).toEqual(["missing spec"]);
  expect(kinds({ port: 80, prot: 1 })).toEqual(["unknown spec.prot"]);
  expect(kinds({ port: 80, count: 0 })).toEqual(["value spec.count"]);
  expect(kinds({ port: 80, items: [{ name: "a" }, { name: "a" }] })).toEqual(["duplicate spec.items.1"]);
  expect(kinds({ port: 80 }, { status: {} })).toEqual(["unknown status"]);
});

test("built-in kinds come from the server's OpenAPI, references put in place", () => {
  const document = {
    paths: {
      "/apis/apps/v1/namespaces/{namespace}/boxes": {
        get: { "x-kubernetes-group-version-kind": { group: "apps", version: "v1", kind: "Box" } },
      },
    },
    components: {
      schemas: {
        "io.k8s.Box": {
          type: "object",
          properties: {
            apiVersion: { type: "string" },
            kind: { type: "string" },
            metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.ObjectMeta" }], default: {} },
            spec: { $ref: "#/components/schemas/io.k8s.BoxSpec" },
          },
          "x-kubernetes-group-version-kind": [{ group: "apps", version: "v1", kind: "Box" }],
        },
        "io.k8s.BoxSpec": {
          type: "object",
          properties: {
            size: { oneOf: [{ type: "string" }, { type: "number" }] },
            inner: { $ref: "#/components/schemas/io.k8s.BoxSpec" },
          },
        },
        "io.k8s.ObjectMeta": { type: "object", properties: { name: { type: "string" } } },
      },
    },
  };
  const [file] = schemasOfOpenapi(document, "Kubernetes 1.0");
  expect(file?.name).toBe("box.apps");
  const box = file?.schema as JsonSchemaObject;
  const found = (spec: unknown): string[] =>
    violationsOf(box, { apiVersion: "apps/v1", kind: "Box", metadata: { name: "a" }, spec }).map(
      ({ kind, path }) => `${kind} ${path.join(".")}`,
    );
  expect(found({ size: "1Gi", inner: { anything: 1 } })).toEqual([]);
  expect(found({ size: true })).toEqual(["value spec.size"]);
  expect(found({ sise: 1 })).toEqual(["unknown spec.sise"]);
});
