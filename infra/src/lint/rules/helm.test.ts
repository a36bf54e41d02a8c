import { expect, test } from "vitest";
import { helmRules as rules } from "./helm.ts";
import { findingsIn, seenIn } from "./rule-harness.ts";

const release = (values: string, more = ""): string => `resource "helm_release" "zenml" {
  name       = "zenml"
  repository = "oci://public.ecr.aws/zenml"
  chart      = "zenml"
  version    = "0.98.0"
${more}  values = [yamlencode({
${values}
  })]
}
`;

const ids = (text: string): string[] => seenIn(rules, { "main.tf": text });

test.each([
  [
    "helm/unknown-chart:1",
    release("")
      .replace("oci://public.ecr.aws/zenml", "https://zenml-io.github.io/zenml-helm")
      .replace('"zenml"\n  version', '"zenml-server"\n  version'),
  ],
  ["helm/unknown-value:7", release("    image = { tag = var.tag }")],
  ["helm/unknown-value:7", release("    securityContext = { fsGroup = 1000 }")],
  ["helm/invalid-value:7", release('    server = { analyticsOptIn = "false" }')],
  ["helm/exclusive-values:7", release("    server = { gateway = { enabled = true } }")],
  ["helm/moved-value:7", release("    zenml = { replicaCount = 2 }")],
])("%s", (expected, text) => {
  expect(ids(text)).toEqual([expected]);
});

test("correct values, and values that Terraform alone knows", () => {
  expect(
    ids(
      release(
        "    server = { image = { tag = var.tag }, ingress = { enabled = false }, gateway = { enabled = var.public } }\n    podSecurityContext = { fsGroup = 1000 }",
      ),
    ),
  ).toEqual([]);
});

test("values of an Argo CD application and of a kustomization are judged, too", () => {
  const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: zenml, namespace: argocd }
spec:
  project: default
  source:
    repoURL: public.ecr.aws/zenml
    chart: zenml
    targetRevision: 0.98.0
    helm:
      valuesObject:
        server:
          serverUrl: https://zenml.example.com
  destination: { server: https://kubernetes.default.svc, namespace: zenml }
`;
  const [finding] = findingsIn(rules, application);
  expect(finding).toMatchObject({ rule: "helm/unknown-value", line: 13 });
  expect(finding?.message).toMatch(/nearest value is server.serverURL/);
  const kustomization =
    "helmCharts:\n  - name: cert-manager\n    repo: https://charts.jetstack.io\n    version: v1.21.1\n    valuesInline:\n      crd:\n        enabled: true\n";
  expect(seenIn(rules, { "kustomization.yaml": kustomization })).toEqual(["helm/unknown-value:6"]);
});
