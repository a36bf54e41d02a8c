import { expect, test } from "vitest";
import { fitsSchema } from "./wait-schema.ts";

test.each<[unknown, object, boolean]>([
  [1, { type: "integer" }, true],
  [1.5, { type: "integer" }, false],
  ["1", { type: ["integer", "null"] }, false],
  [null, { type: ["integer", "null"] }, true],
  ["a", { enum: ["a", "b"] }, true],
  ["c", { enum: ["a", "b"] }, false],
  [{ a: 1 }, { const: { a: 1 } }, true],
  [5, { minimum: 1, exclusiveMaximum: 5 }, false],
  [0.3, { multipleOf: 0.1, maximum: 0.2 }, false],
  ["abc", { minLength: 2, pattern: "^a" }, true],
  ["bcd", { pattern: "^a" }, false],
  [`${"a".repeat(40)}!`, { pattern: "^(a+)+$" }, false],
  [[1, "x"], { prefixItems: [{ type: "integer" }], items: { type: "string" } }, true],
  [[1, 1], { uniqueItems: true }, false],
  [[1, 2, 3], { maxItems: 2 }, false],
  [{ a: 1 }, { properties: { a: { $ref: "#/$defs/n" } }, $defs: { n: { type: "string" } } }, false],
  [{ a: 1, b: 2 }, { properties: { a: {} }, additionalProperties: false }, false],
  [{}, { required: ["a"] }, false],
  [1, { anyOf: [{ type: "string" }, { type: "integer" }] }, true],
  [1, { oneOf: [{ type: "number" }, { type: "integer" }] }, false],
  [1, { allOf: [{ minimum: 0 }, { maximum: 0 }] }, false],
  [1, { not: { type: "integer" } }, false],
])("%j in %j: %s", (value, schema, expected) => {
  expect(fitsSchema(value, schema)).toBe(expected);
});
