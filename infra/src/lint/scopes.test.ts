import { expect, test } from "vitest";
import { scopesOf } from "./scopes.ts";
import { snippetsIn } from "./sources.ts";

const object = (kind: string, name: string): string =>
  `apiVersion: v1\nkind: ${kind}\nmetadata:\n  labels: { a: b }\n  name: ${name}\n`;
const platform = ["a", "b", "c"].map((name) => object("Service", name)).join("---\n");

const scopes = (files: Record<string, string>): string[][] =>
  scopesOf(Object.entries(files).flatMap(([file, text]) => snippetsIn(file, text)))
    .map((scope) => scope.map(({ file }) => file).sort())
    .sort((a, b) => ((a[0] ?? "") < (b[0] ?? "") ? -1 : 1));

test("environments with the same objects, each in a folder of its own, are looked at apart", () => {
  expect(
    scopes({
      "/w/Makefile": "all:\n",
      "/w/deploy/dev/k8s/base/a.yaml": platform,
      "/w/deploy/dev/k8s/overlays/dev/kustomization.yaml": "resources:\n  - ../../base\n",
      "/w/deploy/prod/k8s/base/a.yaml": platform,
      "/w/deploy/prod/terraform/main.tf": "locals {}\n",
    }),
  ).toEqual([
    ["/w/Makefile"],
    ["/w/deploy/dev/k8s/base/a.yaml", "/w/deploy/dev/k8s/overlays/dev/kustomization.yaml"],
    ["/w/deploy/prod/k8s/base/a.yaml", "/w/deploy/prod/terraform/main.tf"],
  ]);
});

test("folders that lead to a common base belong together", () => {
  const overlay = `${platform}---\nresources: [../../base]\n`;
  expect(
    scopes({ "base/a.yaml": platform, "overlays/dev/a.yaml": overlay, "overlays/prod/a.yaml": overlay }),
  ).toHaveLength(1);
});

test("parts of one platform belong together, however many there are", () => {
  const part = (name: string): string =>
    ["Service", "Deployment", "ServiceAccount", "Namespace"].map((kind) => object(kind, name)).join("---\n");
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, n) => [`apps/app-${n}/all.yaml`, part(`app-${n}`)]),
  );
  expect(scopes(files)).toHaveLength(1);
  expect(scopes({})).toEqual([]);
});
