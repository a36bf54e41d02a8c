import { expect, test } from "vitest";
import { gatewayRules } from "./gateways.ts";
import { referenceRules } from "./references.ts";
import { seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] =>
  seenIn([...referenceRules, ...gatewayRules], files).map((id) => id.replace("reference/", ""));

const object = (kind: string, name: string, more = ""): string => {
  const apis: Readonly<Record<string, string>> = {
    Secret: "v1",
    ConfigMap: "v1",
    ServiceAccount: "v1",
    PersistentVolumeClaim: "v1",
    Namespace: "v1",
    Role: "rbac.authorization.k8s.io/v1",
    RoleBinding: "rbac.authorization.k8s.io/v1",
    Deployment: "apps/v1",
    HorizontalPodAutoscaler: "autoscaling/v2",
    ScheduledBackup: "postgresql.cnpg.io/v1",
    Cluster: "postgresql.cnpg.io/v1",
    Certificate: "cert-manager.io/v1",
    ClusterIssuer: "cert-manager.io/v1",
    Gateway: "gateway.networking.k8s.io/v1",
    HTTPRoute: "gateway.networking.k8s.io/v1",
    ReferenceGrant: "gateway.networking.k8s.io/v1",
  };
  return `apiVersion: ${apis[kind] ?? "external-secrets.io/v1"}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: apps }\n${more}---\n`;
};

const pod = (spec: string): string => `apiVersion: v1
kind: Pod
metadata: { name: p, namespace: apps }
spec:
  ${spec}
  containers: [{ name: c, image: c }]
---
`;
const env = (kind: string, name: string, key: string): string => `apiVersion: v1
kind: Pod
metadata: { name: p, namespace: apps }
spec:
  containers:
    - name: c
      env: [{ name: A, valueFrom: { ${kind}KeyRef: { name: ${name}, key: ${key} } } }]
---
`;

const external = object(
  "ExternalSecret",
  "db",
  "spec: { secretStoreRef: { name: s }, target: { name: app-db }, data: [{ secretKey: password }] }\n",
);

test.each<[string, string, string, string]>([
  [
    "secret:7",
    env("secret", "other", "password") + external,
    env("secret", "app-db", "password") + external,
    "secrets",
  ],
  [
    "secret:7",
    env("secret", "app-db", "pasword") + external,
    env("secret", "app-db", "password") + external,
    "entries of secrets",
  ],
  [
    "config-map:7",
    env("configMap", "x", "a") + object("ConfigMap", "m", "data: { a: b }\n"),
    env("configMap", "m", "a") + object("ConfigMap", "m", "data: { a: b }\n"),
    "maps",
  ],
  [
    "config-map:7",
    env("configMap", "m", "c") + object("ConfigMap", "m", "data: { a: b }\n"),
    env("configMap", "m", "a") + object("ConfigMap", "m", "data: { a: b }\n"),
    "entries of maps",
  ],
  [
    "service-account:5",
    pod("serviceAccountName: x") + object("ServiceAccount", "web"),
    pod("serviceAccountName: web") + object("ServiceAccount", "web"),
    "accounts",
  ],
  [
    "claim:5",
    pod("volumes: [{ name: v, persistentVolumeClaim: { claimName: x } }]") +
      object("PersistentVolumeClaim", "data"),
    pod("volumes: [{ name: v, persistentVolumeClaim: { claimName: data } }]") +
      object("PersistentVolumeClaim", "data"),
    "claims",
  ],
  [
    "role:4",
    object("RoleBinding", "b", "roleRef: { kind: Role, name: x }\n") + object("Role", "r"),
    object("RoleBinding", "b", "roleRef: { kind: Role, name: r }\n") + object("Role", "r"),
    "roles",
  ],
  [
    "scale-target:4",
    object("HorizontalPodAutoscaler", "h", "spec: { scaleTargetRef: { kind: Deployment, name: x } }\n") +
      object("Deployment", "web"),
    object("HorizontalPodAutoscaler", "h", "spec: { scaleTargetRef: { kind: Deployment, name: web } }\n") +
      object("Deployment", "web"),
    "scale targets",
  ],
  [
    "object:4",
    object("ScheduledBackup", "b", "spec: { cluster: { name: x } }\n") + object("Cluster", "pg"),
    object("ScheduledBackup", "b", "spec: { cluster: { name: pg } }\n") + object("Cluster", "pg"),
    "clusters",
  ],
  [
    "secret-store:4",
    object("ExternalSecret", "e", "spec: { secretStoreRef: { name: x } }\n") + object("SecretStore", "s"),
    object("ExternalSecret", "e", "spec: { secretStoreRef: { name: s } }\n") + object("SecretStore", "s"),
    "stores",
  ],
  [
    "secret-store:4",
    object("ExternalSecret", "e", "spec: { secretStoreRef: { name: s } }\n") +
      object("ClusterSecretStore", "s"),
    object("ExternalSecret", "e", "spec: { secretStoreRef: { name: s, kind: ClusterSecretStore } }\n") +
      object("ClusterSecretStore", "s"),
    "kinds of stores",
  ],
  [
    "issuer:4",
    object("Certificate", "c", "spec: { issuerRef: { kind: ClusterIssuer, name: x } }\n") +
      object("ClusterIssuer", "le"),
    object("Certificate", "c", "spec: { issuerRef: { kind: ClusterIssuer, name: le } }\n") +
      object("ClusterIssuer", "le"),
    "issuers",
  ],
])("reference/%s is found: %#", (...[expected, wrong, right]) => {
  expect(ids(wrong)).toEqual([expected]);
  expect(ids(right)).toEqual([]);
});

test("what may be elsewhere is not missed", () => {
  expect(ids(env("secret", "other", "password"))).toEqual([]);
  expect(
    ids(env("secret", "other", "password") + external.replace("namespace: apps", "namespace: b")),
  ).toEqual([]);
  expect(ids({ "excerpt:a.yaml": env("secret", "other", "password") + external })).toEqual([]);
  expect(ids({ "excerpt:a.yaml": env("secret", "app-dv", "password") + external })).toEqual(["secret:7"]);
  const apart = {
    "a/pod.yaml": env("secret", "other", "password").replace(", namespace: apps", ""),
    "b/secret.yaml": external.replace(", namespace: apps", ""),
  };
  expect(ids(apart)).toEqual([]);
  expect(ids({ "a/pod.yaml": apart["a/pod.yaml"], "a/secret.yaml": apart["b/secret.yaml"] })).toEqual([
    "secret:7",
  ]);
  expect(ids(env("secret", "other", "password, optional: true") + external)).toEqual([]);
  expect(
    ids({
      "a.yaml": env("secret", "gen", "a") + external,
      "kustomization.yaml": "secretGenerator: [{ name: gen }]\n",
    }),
  ).toEqual([]);
});

const gateway = (allowed: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: g, namespace: gateways }\nspec: { listeners: [{ name: https, hostname: '*.example.com', allowedRoutes: { namespaces: ${allowed} } }] }\n---\n`;
const route = (section: string, host: string): string =>
  object(
    "HTTPRoute",
    "r",
    `spec:\n  parentRefs:\n    - name: g\n      namespace: gateways\n      sectionName: ${section}\n  hostnames: [${host}]\n`,
  );

test("a listener takes a route by namespace and host", () => {
  expect(ids(gateway("{ from: All }") + route("https", "a.example.com"))).toEqual([]);
  expect(ids(gateway("{ from: Same }") + route("https", "a.example.com"))).toEqual([
    "gateway/route-not-admitted:11",
  ]);
  expect(ids(gateway("{ from: All }") + route("http", "a.example.com"))).toEqual([
    "gateway/route-not-admitted:13",
  ]);
  expect(ids(gateway("{ from: All }") + route("https", "a.example.org"))).toEqual([
    "gateway/route-not-admitted:14",
  ]);
  const selector =
    gateway("{ from: Selector, selector: { matchLabels: { routes: 'yes' } } }") +
    route("https", "a.example.com");
  const namespace = (labels: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: apps, labels: ${labels} }\n`;
  expect(ids(selector)).toEqual([]);
  expect(ids(selector + namespace("{ routes: 'yes' }"))).toEqual([]);
  expect(ids(selector + namespace("{}"))).toEqual(["gateway/route-not-admitted:11"]);
});

test("a gateway is named with its namespace", () => {
  const elsewhere = route("https", "a.example.com").replace("namespace: gateways", "namespace: gateway");
  expect(ids(gateway("{ from: All }") + elsewhere)).toEqual(["gateway/route-not-admitted:12"]);
});

test("a route into another namespace needs a grant there", () => {
  const crossing = object(
    "HTTPRoute",
    "r",
    "spec:\n  rules:\n    - backendRefs: [{ name: web, namespace: other, port: 80 }]\n",
  );
  const grant = object(
    "ReferenceGrant",
    "g",
    "spec: { from: [{ kind: HTTPRoute, namespace: apps }], to: [{ kind: Service, name: web }] }\n",
  ).replace("namespace: apps }\n", "namespace: other }\n");
  expect(ids(crossing)).toEqual(["gateway/no-grant:6"]);
  expect(ids(crossing + grant)).toEqual(["gateway/distant-route:11"]);
});
