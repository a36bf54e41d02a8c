import { expect, test } from "vitest";
import { jsonPatch, mergePatch, strategicPatch } from "./kustomize-patch.ts";
import { snippetsOfText } from "./sources.ts";
import { buildWorkspace } from "./workspace-builder.ts";
import type { Manifest } from "./workspace.ts";

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: web:1
          env:
            - name: A
              value: a
          ports:
            - containerPort: 80
`;

const manifestsOf = (files: Readonly<Record<string, string>>): Manifest[] =>
  buildWorkspace(Object.entries(files).flatMap(([path, text]) => snippetsOfText(path, text))).manifests;

test("an overlay's replicas, images, namespace and patches are laid over its base", () => {
  const manifests = manifestsOf({
    "base/web.yaml": deployment,
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "prod/kustomization.yaml": `resources: [../base]
namespace: shop
replicas: [{ name: web, count: 3 }]
images: [{ name: web, newName: registry.example.com/web, newTag: "2" }]
patches:
  - path: env.yaml
  - target: { kind: Deployment }
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: { name: C, value: c }
`,
    "prod/env.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { template: { spec: { containers: [{ name: web, env: [{ name: A, value: changed }, { name: B, value: b }] }] } } }
`,
  });
  expect(manifests).toHaveLength(1);
  expect(manifests[0]).toMatchObject({
    file: "base/web.yaml",
    namespace: "shop",
    value: {
      metadata: { name: "web", namespace: "shop" },
      spec: {
        replicas: 3,
        template: {
          spec: {
            containers: [
              {
                name: "web",
                image: "registry.example.com/web:2",
                env: [
                  { name: "A", value: "changed" },
                  { name: "B", value: "b" },
                  { name: "C", value: "c" },
                ],
                ports: [{ containerPort: 80 }],
              },
            ],
          },
        },
      },
    },
  });
});

test("a base of two overlays stands there once for each, and once where they do not differ", () => {
  const files = {
    "base/web.yaml": deployment,
    "base/service.yaml":
      "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n",
    "base/kustomization.yaml": "resources: [web.yaml, service.yaml]\n",
    "dev/kustomization.yaml": "resources: [../base]\n",
    "prod/kustomization.yaml": "resources: [../base]\nreplicas: [{ name: web, count: 3 }]\n",
  };
  expect(
    manifestsOf(files).map(({ kind, value }) => [kind, (value["spec"] as { replicas?: number }).replicas]),
  ).toEqual([
    ["Deployment", 1],
    ["Service", undefined],
    ["Deployment", 3],
  ]);
});

test("what no kustomization names stays as it is, and so does a patch whose base is elsewhere", () => {
  const manifests = manifestsOf({
    "alone.yaml": deployment,
    "prod/kustomization.yaml": "resources: [../elsewhere]\npatches: [{ path: patch.yaml }]\n",
    "prod/patch.yaml": deployment,
  });
  expect(manifests.map(({ file }) => file).sort()).toEqual(["alone.yaml", "prod/patch.yaml"]);
});

test("kustomizations that lead to themselves end", () => {
  const manifests = manifestsOf({
    "a/kustomization.yaml": "resources: [../b, web.yaml]\n",
    "b/kustomization.yaml": "resources: [../a]\n",
    "a/web.yaml": deployment,
    "c/kustomization.yaml": "resources: [../a]\n",
  });
  expect(manifests.length).toBeGreaterThan(0);
});

test("a namespace is not set on what belongs to none", () => {
  const [role] = manifestsOf({
    "kustomization.yaml": "namespace: shop\nresources: [role.yaml]\n",
    "role.yaml":
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: r }\nrules: []\n",
  });
  expect(role?.namespace).toBeUndefined();
});

test("patches of each kind", () => {
  const list = [{ name: "a", x: 1 }, { name: "b" }];
  expect(
    strategicPatch(
      { containers: list },
      {
        containers: [
          { name: "a", y: 2 },
          { name: "b", $patch: "delete" },
        ],
      },
    ),
  ).toEqual({ containers: [{ name: "a", x: 1, y: 2 }] });
  expect(strategicPatch({ args: ["a"], gone: 1 }, { args: ["b"], gone: null })).toEqual({ args: ["b"] });
  expect(mergePatch({ list, kept: 1 }, { list: [{ name: "c" }] })).toEqual({
    list: [{ name: "c" }],
    kept: 1,
  });
  const before = { metadata: { annotations: { "a/b": "1" } }, list: [1, 2] };
  expect(
    jsonPatch(before, [
      { op: "replace", path: "/metadata/annotations/a~1b", value: "2" },
      { op: "remove", path: "/list/0" },
      { op: "add", path: "/nowhere/at/all", value: 1 },
    ]),
  ).toEqual({ metadata: { annotations: { "a/b": "2" } }, list: [2] });
  expect(before.list).toEqual([1, 2]);
});
