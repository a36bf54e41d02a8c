import { expect, test } from "vitest";
import { kustomizeRules } from "./kustomize.ts";
import { policyTargetRules } from "./policy-targets.ts";
import { seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] => seenIn([...kustomizeRules, ...policyTargetRules], files);

const map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";

test("a kustomization takes in what is there", () => {
  const files = (resource: string): Files => ({
    "base/kustomization.yaml": "resources:\n  - a.yaml\n",
    "base/a.yaml": map,
    "prod/kustomization.yaml": `resources:\n  - ../base\n  - ${resource}\n  - https://example.com/x.yaml\n`,
    "prod/b.yaml": map,
  });
  expect(ids(files("b.yaml"))).toEqual([]);
  expect(ids(files("c.yaml"))).toEqual(["kustomize/missing-file:3"]);
  expect(ids({ "prod/kustomization.yaml": "resources:\n  - ../base\n" })).toEqual([]);
});

test("an Application has a folder that is there", () => {
  const application = (path: string): string =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: a }\nspec:\n  source:\n    repoURL: https://git.example.com/x\n    path: ${path}\n`;
  const files = (path: string): Files => ({
    "repo/deploy/base/tracking/a.yaml": map,
    "repo/deploy/apps/a.yaml": application(path),
  });
  expect(ids(files("deploy/base/tracking"))).toEqual([]);
  expect(ids(files("x/deploy/base/tracking"))).toEqual([]);
  expect(ids(files("deploy/base/trackin"))).toEqual(["argocd/missing-folder:7"]);
  expect(ids(files("elsewhere/base"))).toEqual([]);
});

const policy = (gateway: string): string => `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: p, namespace: g }
spec:
  targetRefs:
    - { group: gateway.networking.k8s.io, kind: Gateway, name: ${gateway} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: platform, namespace: g }
`;

test("a traffic policy has its gateway", () => {
  expect(ids(policy("platform"))).toEqual([]);
  expect(ids(policy("other"))).toEqual(["reference/policy-target:6"]);
});

test("a store has its account, an issuer its gateway", () => {
  const store = (account: string): string => `apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: { name: s, namespace: a }
spec:
  provider:
    gcpsm:
      auth:
        workloadIdentity:
          serviceAccountRef: { name: ${account} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: a }
`;
  expect(ids(store("reader"))).toEqual([]);
  expect(ids(store("writer"))).toEqual(["reference/reader:9"]);
  const issuer = (gateway: string): string => `apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: { name: i }
spec:
  acme:
    solvers:
      - http01:
          gatewayHTTPRoute:
            parentRefs:
              - { name: ${gateway}, namespace: g }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: platform, namespace: g }
`;
  expect(ids(issuer("platform"))).toEqual([]);
  expect(ids(issuer("other"))).toEqual(["reference/reader:10"]);
});

test("a policy of a cloud has its Service", () => {
  const health = (service: string): string =>
    `apiVersion: networking.gke.io/v1\nkind: HealthCheckPolicy\nmetadata: { name: h, namespace: a }\nspec:\n  targetRef: { group: "", kind: Service, name: ${service} }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: a }\nspec: { ports: [{ port: 80 }] }\n`;
  expect(ids(health("web"))).toEqual([]);
  expect(ids(health("wab"))).toEqual(["reference/policy-target:5"]);
});

const exception = (kind: string, name: string): string => `apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: { name: e, namespace: kyverno }
spec:
  policyRefs:
    - kind: ${kind}
      name: ${name}
---
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: limits }
`;

test("an exception has its policy", () => {
  expect(ids(exception("ValidatingPolicy", "limits"))).toEqual([]);
  expect(ids(exception("ValidatingPolicy", "requests"))).toEqual(["kyverno/exception-without-policy:7"]);
  expect(ids(exception("ValidatingPolic", "limits"))).toEqual(["kyverno/exception-without-policy:6"]);
});

test("a project names kinds that exist", () => {
  const project = (kind: string): string =>
    `apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: { name: p }\nspec:\n  clusterResourceWhitelist:\n    - { group: "", kind: ${kind} }\n    - { group: example.com, kind: Thing }\n`;
  expect(ids(project("Namespace"))).toEqual([]);
  expect(ids(project("Namespaces"))).toEqual(["argocd/unknown-kind:6"]);
});

test("namespaces are chosen by a name that one has", () => {
  const network = (name: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: monitoring }\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: n, namespace: a }\nspec:\n  podSelector: {}\n  ingress:\n    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${name} } } }]\n`;
  expect(ids(network("monitoring"))).toEqual([]);
  expect(ids(network("kube-system"))).toEqual([]);
  expect(ids(network("monitorin"))).toEqual(["reference/namespace:11"]);
});
