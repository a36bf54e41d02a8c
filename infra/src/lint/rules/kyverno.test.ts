import { expect, test } from "vitest";
import { kyvernoRules } from "./kyverno.ts";
import { rbacRules } from "./rbac.ts";
import { seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] =>
  seenIn([...kyvernoRules, ...rbacRules], files).map((id) => id.replace("kyverno/", ""));

const policy = (name: string, rule: string, spec = ""): string => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: ${name} }
spec:
${spec}  rules:
    - name: check
      match: { any: [{ resources: { kinds: [Pod] } }] }
${rule}---
`;
const PATTERN = "      validate: { failureAction: Enforce, message: m, pattern: { spec: { x: 1 } } }\n";

test("the failure action stands in the rule", () => {
  expect(ids(policy("a", PATTERN))).toEqual([]);
  expect(ids(policy("a", PATTERN, "  validationFailureAction: enforce\n"))).toEqual(["failure-action:5"]);
});

test("nobody exempts himself", () => {
  const annotated = (key: string): string =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: a, annotations: { ${key}: 'true' } }\n`;
  expect(ids(annotated("kyverno.io/policy-exempt"))).toEqual(["invented-annotation:3"]);
  expect(ids(annotated("policies.kyverno.io/title"))).toEqual([]);
  const any = (second: string): string =>
    policy("a", `      validate:\n        anyPattern:\n          - spec: { x: 1 }\n          - ${second}\n`);
  expect(ids(any("metadata: { annotations: { exempt: 'true' } }"))).toEqual(["self-exemption:11"]);
  expect(ids(any("spec: { y: 1 }"))).toEqual([]);
});

const exclude = (resources: string): string =>
  `      exclude: { any: [{ resources: ${resources} }] }\n${PATTERN}`;

test("exclusions are neither wide nor by label", () => {
  expect(ids(policy("a", exclude("{ namespaces: [kube-system, kyverno, gateway-system] }")))).toEqual([]);
  expect(ids(policy("a", exclude("{ namespaces: [kube-system, shop] }")))).toEqual(["wide-exemption:8"]);
  expect(ids(policy("a", exclude("{ selector: { matchLabels: { a: b } } }")))).toEqual(["autogen-off:8"]);
  expect(
    ids({ "terraform.tfvars": 'kyverno_policy_exclusions = ["kube-system", "zenml-system"]\n' }),
  ).toEqual(["wide-exemption:1"]);
  expect(ids({ "terraform.tfvars": 'kyverno_policy_exclusions = ["kube-system"]\n' })).toEqual([]);
});

test("a second policy does not relax the first", () => {
  const first = policy("requests", PATTERN);
  expect(ids(first + policy("requests-2", exclude("{ namespaces: [kube-system] }")))).toEqual([
    "second-policy:12",
  ]);
  expect(
    ids(
      first +
        policy("limits", exclude("{ namespaces: [kube-system] }"))
          .replace("name: check", "name: other")
          .replace("x: 1", "y: 1"),
    ),
  ).toEqual([]);
  expect(ids(policy("requests-updated", exclude("{ namespaces: [kube-system] }")))).toEqual([
    "second-policy:3",
  ]);
});

const role = (account: string, rule: string): string => `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: r, namespace: a }
rules:
  - ${rule}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: b, namespace: a }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: r }
subjects: [{ kind: ServiceAccount, name: ${account}, namespace: a }]
`;

test("servers do not read secrets through the API, and nobody may do everything", () => {
  const secrets = "{ apiGroups: [''], resources: [secrets], verbs: [get, list] }";
  expect(ids(role("mlflow", secrets))).toEqual(["rbac/needless-secret-access:5"]);
  expect(ids(role("external-secrets", secrets))).toEqual([]);
  expect(ids(role("mlflow", "{ apiGroups: [''], resources: [configmaps], verbs: [get] }"))).toEqual([]);
  expect(ids(role("ci", "{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }"))).toEqual([
    "rbac/wildcard:5",
  ]);
});
