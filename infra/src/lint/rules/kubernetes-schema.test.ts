import { expect, test } from "vitest";
import { kubernetesSchemaRules as rules } from "./kubernetes-schema.ts";
import { findingsIn, seenIn } from "./rule-harness.ts";

const ids = (text: string): string[] => seenIn(rules, text);

test.each([
  [
    "unknown-field:5",
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  port: 80\n",
    "  ports: [{ port: 80 }]",
  ],
  [
    "invalid-value:5",
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  ports: [{ port: http }]\n",
    "  ports: [{ port: 80 }]",
  ],
  [
    "missing-field:5",
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  ports: [{ name: http }]\n",
    "  ports: [{ port: 80 }]",
  ],
  ["unknown-kind:2", "apiVersion: v1\nkind: ServiceAcount\nmetadata: { name: a }\n", "kind: ServiceAccount"],
  [
    "version-not-served:1",
    "apiVersion: external-secrets.io/v1beta1\nkind: SecretStore\nmetadata: { name: a }\n",
    "apiVersion: external-secrets.io/v1",
  ],
  [
    "deprecated-version:1",
    "apiVersion: policies.kyverno.io/v1alpha1\nkind: ValidatingPolicy\nmetadata: { name: a }\nspec: { validations: [{ expression: 'true' }] }\n",
    "apiVersion: policies.kyverno.io/v1",
  ],
  [
    "duplicate-item:5",
    "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec:\n  ports: [{ port: 80, name: a }, { port: 80, name: a }]\n",
    "  ports: [{ port: 80, name: a }, { port: 81, name: b }]",
  ],
  [
    "cluster-scoped:3",
    "apiVersion: v1\nkind: Namespace\nmetadata: { name: a, namespace: b }\n",
    "metadata: { name: a }",
  ],
  ["syntax:3", "apiVersion: v1\nkind: Namespace\nmetadata: { name: A_b }\n", "metadata: { name: ab }"],
])("kubernetes/%s", (expected, text, corrected) => {
  const line = Number(expected.split(":")[1]);
  expect(ids(text).map((id) => id.replace("kubernetes/", ""))).toContain(expected);
  const lines = text.split("\n");
  lines[line - 1] = corrected;
  expect(ids(lines.join("\n"))).toEqual([]);
});

test("patches of a kustomization are parts of objects", () => {
  const patch =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  $patch: merge\n  paused: nope\n";
  const kustomization = "resources: [../base]\npatches:\n  - path: replicas.yaml\n";
  expect(seenIn(rules, { "prod/kustomization.yaml": kustomization, "prod/replicas.yaml": patch })).toEqual([
    "kubernetes/invalid-value:8",
  ]);
  expect(seenIn(rules, { "prod/replicas.yaml": patch }).length).toBeGreaterThan(1);
  expect(seenIn(rules, { "prod/manager_auth_patch.yaml": patch })).toEqual(["kubernetes/invalid-value:8"]);
});

test("what an excerpt of a document leaves out is not missed, what it has wrong is seen", () => {
  const text =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selectr: {}\n";
  expect(seenIn(rules, { "excerpt:guide.yaml": text })).toEqual(["kubernetes/unknown-field:7"]);
  expect(
    seenIn(rules, { "excerpt:guide.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {}\n" }),
  ).toEqual([]);
});

test("manifests within Terraform have the lines of the file", () => {
  const text = `resource "kubectl_manifest" "route" {
  yaml_body = <<-YAML
    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata:
      name: ui
      namespace: \${var.namespace}
    spec:
      hostname: zenml.\${var.domain}
  YAML
}
`;
  expect(findingsIn(rules, { "main.tf": text })).toEqual([
    {
      rule: "kubernetes/unknown-field",
      line: 9,
      message:
        "unknown field spec.hostname of HTTPRoute gateway.networking.k8s.io/v1; the nearest field is hostnames",
    },
  ]);
});
