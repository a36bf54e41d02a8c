import { expect, test } from "vitest";
import { namespaceRules } from "./namespaces.ts";
import { seenIn } from "./rule-harness.ts";

const object = (kind: string, name: string, namespace?: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace === undefined ? "" : `  namespace: ${namespace}\n`}---\n`;

test("a namespace that is used and not made, beside one that is made and not used", () => {
  expect(seenIn(namespaceRules, object("Namespace", "tracking") + object("Secret", "a", "traking"))).toEqual([
    "kubernetes/missing-namespace:10",
  ]);
});

test.each([
  ["one that is made elsewhere", object("Namespace", "tracking") + object("Secret", "a", "kube-system")],
  [
    "one of two with like names, the other in use",
    object("Namespace", "team-a") + object("Secret", "a", "team-a") + object("Secret", "a", "team-b"),
  ],
  ["any, where the files make none", object("Secret", "a", "traking")],
  ["one of a template", object("Namespace", "tracking") + object("Secret", "a", '"{{ ns }}"')],
])("is not said of %s", (_, text) => {
  expect(seenIn(namespaceRules, text)).toEqual([]);
});
