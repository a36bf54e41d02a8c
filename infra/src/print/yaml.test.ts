import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllDocuments, parse } from "yaml";
import type { DocumentResource, ManifestResource } from "../resources/resource.ts";
import { printYaml, printYamlValue } from "./yaml.ts";

const documentOf = (value: unknown, more: Partial<DocumentResource> = {}): DocumentResource => ({
  kind: "document",
  file: "values.yaml",
  because: [],
  value,
  ...more,
});

const deployment: ManifestResource = {
  kind: "manifest",
  file: "deployment.yaml",
  because: [],
  comment: "One process per replica.\nState is in PostgreSQL.",
  notes: {
    "spec.replicas": "Two, so that a drained node leaves one.",
    "spec.template.spec.containers[0].args": "Flags.",
  },
  object: {
    spec: {
      replicas: 2,
      template: {
        spec: {
          containers: [
            { name: "plinth", args: ["up", "--port=5000", "-v"], env: [{ name: "DEBUG", value: "no" }] },
          ],
          volumes: [],
          nodeSelector: {},
        },
      },
    },
    kind: "Deployment",
    metadata: {
      annotations: { "argocd.argoproj.io/sync-wave": "2" },
      labels: { "app.kubernetes.io/name": "plinth" },
      namespace: "mlops",
      name: "plinth",
    },
    apiVersion: "apps/v1",
  },
};

test("a manifest is written as a person would", () => {
  expect(
    printYaml([
      deployment,
      { ...deployment, object: { ...deployment.object, spec: undefined }, notes: {}, comment: "" },
    ]),
  ).toBe(
    `# One process per replica.
# State is in PostgreSQL.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: plinth
  namespace: mlops
  labels:
    app.kubernetes.io/name: plinth
  annotations:
    argocd.argoproj.io/sync-wave: "2"
spec:
  # Two, so that a drained node leaves one.
  replicas: 2
  template:
    spec:
      containers:
        - name: plinth
          # Flags.
          args:
            - up
            - --port=5000
            - -v
          env:
            - name: DEBUG
              value: "no"
      volumes: []
      nodeSelector: {}
---
#
apiVersion: apps/v1
kind: Deployment
metadata:
  name: plinth
  namespace: mlops
  labels:
    app.kubernetes.io/name: plinth
  annotations:
    argocd.argoproj.io/sync-wave: "2"
`,
  );
});

test("notes at an item and at its first key stand above the dash", () => {
  const value = { list: [{ a: 1, b: 2 }, { a: 3 }] };
  expect(printYamlValue(value, { "list.0": "First.", 'list[1]["a"]': "Three." })).toBe(
    "list:\n  # First.\n  - a: 1\n    b: 2\n  # Three.\n  - a: 3\n",
  );
});

test("a note without a place is refused", () => {
  expect(() => printYamlValue({ spec: { replica: 1 } }, { "spec.replicas": "Two." })).toThrow(
    /spec.replicas|nothing there/,
  );
});

test("long comments are wrapped, long values are not", () => {
  const words = Array.from({ length: 40 }, () => "abcdefgh").join(" ");
  const lines = printYaml([documentOf({ command: words }, { comment: words })]).split("\n");
  expect(lines.filter((line) => line.startsWith("# ")).length).toBe(4);
  expect(lines.at(-2)).toBe(`command: ${words}`);
});

test("what YAML 1.1 or 1.2 would take for another type is quoted, the rest is not", () => {
  const quoted = [
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "true",
    "null",
    "~",
    "",
    "1",
    "007",
    "0o17",
    "0x1f",
    "1e3",
    "1.5",
    "12:30",
    "2024-01-02",
    "1_000",
    ".5",
    "-1",
    "=",
    "<<",
    "- a",
    "a: b",
    "a #b",
    "{{ x }}",
    "*",
    "@x",
    "key:",
    " a",
    "12e45",
  ];
  for (const text of quoted) expect(printYamlValue({ k: text })).toBe(`k: "${text}"\n`);
  const plain = [
    "v1",
    "10.0.0.0/8",
    "1.2.3",
    "100m",
    "1Gi",
    "a:b",
    "http://x:80/y#z",
    "$(VAR)",
    "${var.x}",
    "-c",
    "--flag=1",
    "a{b}",
    "it's",
    "s3://b/k",
    "Größe",
  ];
  for (const text of plain) expect(printYamlValue({ k: text })).toBe(`k: ${text}\n`);
  expect(printYamlValue({ on: { "1": '"x" \\' } })).toBe(`"on":\n  "1": '"x" \\'\n`);
});

test("texts of several lines are blocks", () => {
  expect(printYamlValue({ a: "x\ny\n", b: "x\n\ny", c: "x\n\n", d: "  x\ny\n", e: ["p\n q\n"] })).toBe(
    "a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\nd: |2\n    x\n  y\ne:\n  - |\n    p\n     q\n",
  );
});

test("what YAML cannot hold is refused", () => {
  expect(() => printYamlValue({ a: Number.NaN })).toThrow(/not a number/);
  expect(() => printYamlValue({ a: () => 1 })).toThrow(/function/);
});

const traps = fc.constantFrom(
  "yes",
  "on",
  "0x1",
  "1e3",
  "-",
  "- ",
  "?",
  ":",
  "#",
  "---",
  "...",
  "|",
  "a\n",
  "\n",
  " \n",
  "\ta\n",
  "\u0085",
  "\u2028",
  "\ufeff",
  "12:30:45",
  "2001-01-01 10:00:00",
  "null",
  "<<",
  "%TAG",
  "+1",
  "_1",
  "0b1",
  ".nan",
  "+.inf",
  "{{ x }}",
  "\r\n",
  "a\\b\"c'd",
  "a\n  b\n\n",
  "\n\n  a",
  "a \nb",
  "\u00a0",
  "1__2",
  "0.",
  "e5",
  "+",
  "-.",
  "._",
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", " ", "\n", "\t", "#", ":", "-", "'", '"', "1", "e", ".", "_") }),
  traps,
  fc.array(traps).map((parts) => parts.join("")),
);
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== "__proto__"),
      tie("tree"),
      { maxKeys: 4 },
    ),
  ),
}));

test("any value reads back the same, in both YAML versions", () => {
  fc.assert(
    fc.property(tree, (value) => {
      const printed = printYamlValue(value);
      expect(parse(printed, { version: "1.2" })).toEqual(value);
      // The parser reads timestamps of 1.1 as dates; a date would not equal the string.
      expect(parse(printed, { version: "1.1" })).toEqual(value);
      expect(printYamlValue(value)).toBe(printed);
    }),
    { numRuns: 1000 },
  );
});

test("several documents read back as such", () => {
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (values) => {
      const printed = printYaml(values.map((value) => documentOf(value, { comment: "Why: # not yaml" })));
      expect(parseAllDocuments(printed).map((document) => document.toJS() as unknown)).toEqual(values);
    }),
  );
});
