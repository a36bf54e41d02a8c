import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { checkManifest } from "./kubernetes.ts";

const SAMPLES = new URL("../../samples/", import.meta.url);

const parsed = (text: string): Record<string, unknown>[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);

const messages = (text: string): string[] =>
  parsed(text)
    .flatMap(checkManifest)
    .map(({ message }) => message);

test("the correct samples have no problems", () => {
  const files = readdirSync(SAMPLES).filter((file) => file.endsWith(".yaml") && !file.includes("values"));
  expect(files.length).toBeGreaterThan(3);
  for (const file of files)
    expect([file, ...messages(readFileSync(new URL(file, SAMPLES), "utf8"))]).toEqual([file]);
});

test("old fields of KubeBlocks are unknown to its v1", () => {
  const problems = parsed(`apiVersion: apps.kubeblocks.io/v1
kind: Cluster
metadata: { name: pg, namespace: zenml }
spec:
  clusterDefinitionRef: postgresql
  clusterVersionRef: postgresql-16.2.0
  terminationPolicy: WipeOut
  componentSpecs:
    - name: postgresql
      componentDefRef: postgresql
      replicas: 1
      userPasswordSecret: { name: x }
      storage: 20Gi
`).flatMap(checkManifest);
  expect(problems.filter(({ code }) => code === "unknown-field").map(({ path }) => path.at(-1))).toEqual([
    "clusterDefinitionRef",
    "clusterVersionRef",
    "componentDefRef",
    "userPasswordSecret",
    "storage",
  ]);
  expect(problems.find(({ path }) => path.at(-1) === "componentDefRef")).toMatchObject({
    nearest: "componentDef",
  });
  expect(problems[0]?.message).toMatch(
    /^unknown field spec.clusterDefinitionRef of Cluster apps.kubeblocks.io\/v1/,
  );
});

const deployment = (more: string, container = ""): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: apps }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
${more}      containers:
        - name: web
          image: nginx
${container}`;

test("a field of the pod in a container says where it belongs", () => {
  expect(messages(deployment("", "          securityContext: { fsGroup: 1000 }\n"))).toEqual([
    "unknown field spec.template.spec.containers[0].securityContext.fsGroup of Deployment apps/v1; there is one at spec.template.spec.securityContext.fsGroup",
  ]);
});

test.each([
  ["a correct deployment", deployment(""), []],
  [
    "templates in scalars",
    deployment(
      "",
      "          imagePullPolicy: ${var.pull}\n          ports: [{ containerPort: '{{ port }}' }]\n",
    ),
    [],
  ],
  [
    "what the server writes",
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: a, creationTimestamp: null }\nstatus: {}\n`,
    [],
  ],
  [
    "what kubectl prints and people leave empty",
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  annotations:\nspec:\n  selector: { matchLabels: { app: a } }\n  strategy: {}\n  template:\n    metadata: { creationTimestamp: null, labels: { app: a } }\n    spec:\n      volumes:\n      containers: [{ name: a, image: a:1, resources: {} }]\nstatus: {}\n`,
    [],
  ],
  [
    "what the reader of a document fills in",
    `apiVersion: v1\nkind: Service\nmetadata: { name: a, namespace: <namespace> }\nspec: { ports: [{ port: 80 }] }\n`,
    [],
  ],
  [
    "a kind of a group that is kept in part",
    `apiVersion: policies.kyverno.io/v1\nkind: DeletingPolicy\nmetadata: { name: a }\n`,
    [],
  ],
  [
    "a misspelt field",
    deployment("      nodeselector: { a: b }\n"),
    [/unknown field .*nodeselector.*nearest field is nodeSelector/],
  ],
  [
    "a wrong type",
    deployment("", "          ports: [{ containerPort: http }]\n"),
    [/containerPort of Deployment apps\/v1 is "http", but must be a whole number/],
  ],
  [
    "an annotation that is no string",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, annotations: { x: true } }\n",
    [/must be a string: quote it/],
  ],
  [
    "a missing field",
    deployment("", "          ports: [{ name: http }]\n"),
    [/lacks the required field containerPort/],
  ],
  [
    "a wrong choice",
    "apiVersion: apps.kubeblocks.io/v1\nkind: Cluster\nmetadata: { name: a }\nspec: { terminationPolicy: Wipe }\n",
    [/it may be "DoNotTerminate", "Delete", "WipeOut"/],
  ],
  [
    "the same port twice",
    deployment("", "          env: [{ name: A, value: x }, { name: A, value: y }]\n"),
    [/has the same name/],
  ],
  [
    "a selector that does not match",
    deployment("").replace("{ labels: { app: web } }", "{ labels: { app: www } }"),
    [/selector wants app=web/],
  ],
  [
    "a mount without volume",
    deployment("", "          volumeMounts: [{ name: tmp, mountPath: /tmp }]\n"),
    [/no volume "tmp"/],
  ],
  [
    "a quantity that is none",
    deployment("", "          resources: { requests: { memory: 1GB } }\n"),
    [/"1GB" is no quantity/],
  ],
  [
    "a request above the limit",
    deployment("", "          resources: { requests: { cpu: 2 }, limits: { cpu: 500m } }\n"),
    [/request of cpu \(2\) is above its limit/],
  ],
  [
    "a name with capitals",
    deployment("").replace("name: web, namespace", "name: Web, namespace"),
    [/metadata.name "Web"/],
  ],
  [
    "a label that is none",
    deployment("").replace("{ labels: { app: web } }", "{ labels: { app: web, v: a b } }"),
    [/label v must be/],
  ],
  [
    "a namespace on a cluster-scoped kind",
    "apiVersion: v1\nkind: Namespace\nmetadata: { name: a, namespace: b }\n",
    [/cluster-scoped/],
  ],
  [
    "a kind that does not exist",
    "apiVersion: apps/v1\nkind: Deploymnt\nmetadata: { name: a }\n",
    [/no kind Deploymnt; the nearest kind is Deployment/],
  ],
  [
    "a kind of another group",
    "apiVersion: v1\nkind: Deployment\nmetadata: { name: a }\n",
    [/v1 has no kind Deployment; it is of apps\/v1/],
  ],
  ["a file of another tool", "apiVersion: v1\nkind: Config\nclusters: []\n", []],
  [
    "a misspelt kustomization",
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomisation\n",
    [/nearest kind is Kustomization/],
  ],
  [
    "a kind nobody here knows",
    "apiVersion: example.com/v1\nkind: Thing\nmetadata: { name: a }\nspec: { x: 1 }\n",
    [],
  ],
  [
    "a version not served",
    "apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\nmetadata: { name: a }\n",
    [/no longer serves ExternalSecret external-secrets.io\/v1beta1; it serves v1/],
  ],
  [
    "a version that is gone",
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: { name: a }\n",
    [/gone since Kubernetes 1.25; use policy\/v1/],
  ],
  [
    "an older version still served",
    "apiVersion: apps.kubeblocks.io/v1alpha1\nkind: Cluster\nmetadata: { name: a }\nspec: { clusterDefinitionRef: x }\n",
    [],
  ],
  [
    "a deprecated version",
    "apiVersion: policies.kyverno.io/v1alpha1\nkind: ValidatingPolicy\nmetadata: { name: a }\n",
    [/is deprecated; use v1/],
  ],
  [
    "a version never known",
    "apiVersion: serving.kserve.io/v1\nkind: InferenceService\nmetadata: { name: a }\n",
    [/has no version v1/],
  ],
  [
    "a job without restart policy",
    deployment("")
      .replace("apps/v1", "batch/v1")
      .replace("Deployment", "Job")
      .replace("  replicas: 2\n", "")
      .replace("  selector: { matchLabels: { app: web } }\n", ""),
    [/Never or OnFailure/],
  ],
  [
    "a deployment without spec",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\n",
    [/spec is required/],
  ],
])("%s", (_, text, expected) => {
  const found = messages(text);
  expect(found).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(found[at]).toMatch(pattern);
});
