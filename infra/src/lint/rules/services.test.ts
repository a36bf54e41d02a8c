import { expect, test } from "vitest";
import { findingsIn, seenIn, type Files } from "./rule-harness.ts";
import { serviceRules as rules } from "./services.ts";

const ids = (files: Files | string): string[] =>
  seenIn(rules, files).map((id) => id.replace("reference/", ""));

const web = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: apps }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx, ports: [{ name: http, containerPort: 80 }] }] }
---
`;
const service = (selector = "web", target = "http"): string => `apiVersion: v1
kind: Service
metadata: { name: web, namespace: apps, labels: { app: web } }
spec:
  selector: { app: ${selector} }
  ports:
    - { name: http, port: 80, targetPort: ${target} }
---
`;
const route = (
  backend: string,
  port = 80,
  namespace = "apps",
): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: ${namespace} }
spec:
  rules:
    - backendRefs:
        - name: ${backend}
          port: ${port}
---
`;

test("routes and ingresses lead to a Service and a port of it", () => {
  expect(ids(web + service() + route("web"))).toEqual([]);
  expect(ids(web + service() + route("www"))).toEqual(["service:24"]);
  expect(ids(web + service() + route("web", 8080))).toEqual(["service:25"]);
  expect(ids(route("www"))).toEqual([]);
  expect(ids(web + service() + route("www", 80, "other"))).toEqual([]);
  const ingress = (name: string): string =>
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: i, namespace: apps }\nspec:\n  defaultBackend:\n    service: { name: ${name}, port: { name: http } }\n`;
  expect(ids(web + service() + ingress("web"))).toEqual([]);
  expect(ids(web + service() + ingress("webb"))).toEqual(["service:23"]);
});

const release = `resource "helm_release" "zenml" {
  name       = "zenml"
  repository = "oci://public.ecr.aws/zenml"
  chart      = "zenml"
  namespace  = var.namespace
}
resource "kubectl_manifest" "route" {
  yaml_body = <<-YAML
    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata: { name: ui, namespace: default }
    spec:
      rules:
        - backendRefs:
            - name: zenml-server
              namespace: \${var.namespace}
              port: 80
    ---
    apiVersion: gateway.networking.k8s.io/v1
    kind: ReferenceGrant
    metadata: { name: ui, namespace: "\${var.namespace}" }
    spec:
      from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default }]
      to:
        - group: ""
          kind: Service
          name: zenml-server
    ---
    apiVersion: monitoring.coreos.com/v1
    kind: ServiceMonitor
    metadata: { name: zenml, namespace: monitoring }
    spec:
      selector:
        matchLabels: { app.kubernetes.io/name: zenml-server }
      namespaceSelector: { matchNames: ["\${var.namespace}"] }
      endpoints: [{ port: http }]
  YAML
}
`;

test("the Services of known charts are known", () => {
  const found = findingsIn(rules, { "main.tf": release });
  expect(found.map(({ rule, line }) => `${rule}:${line}`)).toEqual([
    "reference/service:15",
    "reference/service:27",
    "reference/monitor:34",
  ]);
  expect(found[0]?.message).toMatch(/makes the Service zenml, port 80/);
  expect(ids({ "main.tf": release.replaceAll("zenml-server", "zenml") })).toEqual([]);
});

test("selectors find pods", () => {
  expect(ids(web + service("www"))).toEqual(["selector:14"]);
  expect(ids(service("www"))).toEqual([]);
  const budget = (app: string): string =>
    `apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: b, namespace: apps }\nspec:\n  maxUnavailable: 1\n  selector: { matchLabels: { app: ${app} } }\n`;
  expect(ids(web + budget("web"))).toEqual([]);
  expect(ids(web + budget("wbe"))).toEqual(["selector:15"]);
  expect(ids(web + budget("x").replace("app: x", "cnpg.io/cluster: pg"))).toEqual([]);
});

test("pods of known charts have the chart's labels", () => {
  const budget = (name: string): Files => ({
    "kustomization.yaml":
      "helmCharts: [{ name: zenml, repo: 'oci://public.ecr.aws/zenml', releaseName: zenml, namespace: zenml }]\n",
    "pdb.yaml": `apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: b, namespace: zenml }\nspec:\n  maxUnavailable: 1\n  selector: { matchLabels: { app.kubernetes.io/name: ${name} } }\n`,
  });
  expect(ids(budget("zenml"))).toEqual([]);
  expect(ids(budget("zenml-server"))).toEqual(["selector:6"]);
});

test("a target port has its name in a container", () => {
  expect(ids(web + service("web", "https"))).toEqual(["target-port:16"]);
  expect(ids(web + service("web", "8080"))).toEqual([]);
});

test("a monitor finds a Service and its port", () => {
  const monitor = (app: string, port: string): string =>
    `apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: { name: m, namespace: apps }\nspec:\n  selector: { matchLabels: { app: ${app} } }\n  endpoints:\n    - port: ${port}\n`;
  expect(ids(web + service() + monitor("web", "http"))).toEqual([]);
  expect(ids(web + service() + monitor("web", "metrics"))).toEqual(["monitor:24"]);
  expect(ids(web + service() + monitor("wen", "http"))).toEqual(["monitor:22"]);
  expect(ids(monitor("web", "http"))).toEqual([]);
});
