import { expect, test } from "vitest";
import { isUnresolved } from "../lint/workspace.ts";
import { parseHcl } from "./parse.ts";
import { locate, valueOf } from "./value.ts";

const valueIn = (text: string): unknown => {
  const value = parseHcl(`a = ${text}`).attributes[0]?.value;
  return value === undefined ? undefined : valueOf(value);
};

test.each([
  ['yamlencode({ a = "x-${var.y}", b = [1, true, null] })', { a: "x-${var.y}", b: [1, true, null] }],
  ["merge({ a = 1, b = 1 }, { b = 2 })", { a: 1, b: 2 }],
  ['toset(["a"])', ["a"]],
  ["concat([1], [2, 3])", [1, 2, 3]],
  ["true ? 1 : 2", 1],
  ["-3", -3],
  ["{ (local.k) = 1 }", { "${local.k}": 1 }],
  ['sensitive("x")', "x"],
  ["{ __proto__ = 1 }", JSON.parse('{"__proto__": 1}')],
])("%s", (text, value) => {
  expect(valueIn(text)).toEqual(value);
});

test.each(["var.x", "merge(local.a, { b = 1 })", "f(1)", "1 + 1", "[for x in y : x]", "var.on ? 1 : 2"])(
  "%s is for Terraform to know",
  (text) => {
    expect(isUnresolved(valueIn(text))).toBe(true);
    expect(valueIn(text)).toEqual({ unresolved: text });
  },
);

test("parts know their line, through functions and merges", () => {
  const body = parseHcl(
    'values = [\n  yamlencode({\n    server = merge({\n      a = 1\n    }, {\n      b = { c = 2 }\n    })\n    list = [\n      "x",\n    ]\n  }),\n]',
    20,
  );
  const value = body.attributes[0]?.value;
  if (value === undefined) throw new Error("not read");
  const located = locate("main.tf", value);
  expect(located.value).toEqual([{ server: { a: 1, b: { c: 2 } }, list: ["x"] }]);
  expect(located.lineOf([])).toBe(20);
  expect(located.lineOf([0, "server", "a"])).toBe(23);
  expect(located.lineOf([0, "server", "b", "c"])).toBe(25);
  expect(located.lineOf([0, "list", 0])).toBe(28);
  expect(located.lineOf([0, "list", "missing"])).toBe(27);
});
