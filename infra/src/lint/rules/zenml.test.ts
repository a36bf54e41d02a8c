import { expect, test } from "vitest";
import { seenIn, type Files } from "./rule-harness.ts";
import { zenmlRules as rules } from "./zenml.ts";

const ids = (files: Files | string): string[] => seenIn(rules, files).map((id) => id.replace("zenml/", ""));

const NO_INGRESS = "      ingress: { enabled: false }\n";
const release = (settings: string, more = "", version = "0.98.0"): Files => ({
  "kustomization.yaml": `helmCharts:
  - name: zenml
    repo: oci://public.ecr.aws/zenml
    version: ${version}
    releaseName: zenml
    namespace: zenml
    valuesInline:
      server:
${settings.replaceAll(/^ {6}/gm, "        ")}`,
  ...(more === "" ? {} : { "more.yaml": more }),
});

const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ui, namespace: zenml }
spec:
  rules:
    - backendRefs:
        - name: zenml
          port: 80
`;

const ACTIVE = `      serverURL: https://zenml.example.com
      environment: { ZENML_SERVER_AUTO_ACTIVATE: "true" }
      environmentSecretKeyRefs: [{ name: ZENML_DEFAULT_USER_PASSWORD, secretName: admin, secretKey: password }]
`;

test("a public server is activated with a secret password", () => {
  expect(ids(release(NO_INGRESS))).toEqual([]);
  expect(ids(release("      replicaCount: 1\n"))).toEqual(["claimable-server:8"]);
  expect(ids(release(NO_INGRESS, route))).toEqual(["claimable-server:8", "no-server-url:8"]);
  expect(ids(release(NO_INGRESS + ACTIVE, route))).toEqual([]);
  expect(ids(release(NO_INGRESS + ACTIVE.replace("PASSWORD, secret", "NAME, secret"), route))).toEqual([
    "claimable-server:8",
  ]);
});

test("a route beside the chart's ingress is one too many", () => {
  expect(ids(release(ACTIVE, route))).toEqual(["two-ways-in:7"]);
  expect(ids(release(`${NO_INGRESS}${ACTIVE}      gateway: { enabled: true }\n`, route))).toEqual([
    "two-ways-in:7",
  ]);
});

test("the other settings of the server", () => {
  expect(ids(release(`${NO_INGRESS}      debug: true\n`))).toEqual(["debug:10"]);
  expect(
    ids(release(`${NO_INGRESS}      database: { url: 'mysql://a@b/c', poolSize: 10, maxOverflow: 20 }\n`)),
  ).toEqual(["few-connections:10"]);
  expect(
    ids(release(`${NO_INGRESS}      database: { url: 'mysql://a@b/c', poolSize: 20, maxOverflow: 30 }\n`)),
  ).toEqual([]);
  expect(ids(release(`${NO_INGRESS}      replicaCount: 2\n`))).toEqual(["replicas-without-database:8"]);
});

test("Argo CD renders a random key anew", () => {
  const application = (auth: string): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: zenml }
spec:
  source:
    repoURL: public.ecr.aws/zenml
    chart: zenml
    targetRevision: 0.98.0
    helm:
      valuesObject:
        server:
          ingress: { enabled: false }
${auth}`;
  expect(ids(application(""))).toEqual(["random-jwt-secret:11"]);
  expect(ids(application("          auth: { jwtSecretKey: '<path:kv#jwt>' }\n"))).toEqual([]);
});

const monitor = (name: string): string => `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: { name: m, namespace: zenml }
spec:
  selector: { matchLabels: { app.kubernetes.io/name: ${name} } }
  endpoints: [{ port: http }]
`;

test("there is nothing to scrape", () => {
  expect(ids(monitor("zenml-server"))).toEqual(["no-metrics:2"]);
  expect(ids(release(NO_INGRESS, monitor("zenml")))).toEqual(["no-metrics:2"]);
  expect(ids(release(NO_INGRESS, monitor("mlflow")))).toEqual([]);
});

test("there is no deployer for KServe", () => {
  const component = (flavor: string): Files => ({
    "main.tf": `resource "zenml_stack_component" "d" {\n  name   = "d"\n  type   = "model_deployer"\n  flavor = "${flavor}"\n}\n`,
  });
  expect(ids(component("kserve"))).toEqual(["no-kserve-deployer:1"]);
  expect(ids(component("seldon"))).toEqual([]);
  expect(ids({ "setup.sh": "zenml model-deployer register k --flavor=kserve\n" })).toEqual([
    "no-kserve-deployer:1",
  ]);
  expect(ids({ "setup.sh": "zenml model-deployer register k --flavor=seldon\n" })).toEqual([]);
});
