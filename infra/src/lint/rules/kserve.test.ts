import { expect, test } from "vitest";
import { kserveRuntimeRules } from "./kserve-runtimes.ts";
import { kserveRules } from "./kserve.ts";
import { findingsIn, seenIn, type Files } from "./rule-harness.ts";

const rules = [...kserveRules, ...kserveRuntimeRules];
const ids = (files: Files | string): string[] => seenIn(rules, files).map((id) => id.replace("kserve/", ""));

const service = (predictor: string, annotations = "{}"): string => `apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: { name: m, namespace: models, annotations: ${annotations} }
spec:
  predictor:
${predictor}
    model:
      modelFormat: { name: mlflow }
      storageUri: gs://models/m
`;
const STANDARD = "{ serving.kserve.io/deploymentMode: Standard }";

test("cpu scales in Standard mode only, concurrency in Knative mode only", () => {
  expect(ids(service("    scaleMetric: cpu"))).toEqual(["scale-metric:6"]);
  expect(ids(service("    scaleMetric: cpu", STANDARD))).toEqual([]);
  expect(ids(service("    scaleMetric: cpu", "{ serving.kserve.io/deploymentMode: RawDeployment }"))).toEqual(
    [],
  );
  expect(
    ids(service("    scaleMetric: cpu", "{ autoscaling.knative.dev/class: hpa.autoscaling.knative.dev }")),
  ).toEqual([]);
  expect(ids(service("    scaleMetric: concurrency"))).toEqual([]);
  expect(ids(service("    scaleMetric: rps", STANDARD))).toEqual(["scale-metric:6"]);
  expect(ids(service("    scaleMetric: cpu", "{ serving.kserve.io/autoscalerClass: keda }"))).toEqual([
    "scale-metric:6",
  ]);
});

test("the mode of the cluster counts where the service has none", () => {
  const release =
    "helmCharts:\n  - name: kserve-resources\n    valuesInline: { kserve: { controller: { deploymentMode: Standard } } }\n";
  expect(ids({ "m.yaml": service("    scaleMetric: cpu"), "kustomization.yaml": release })).toEqual([]);
});

test("zero replicas need Knative or KEDA", () => {
  expect(ids(service("    minReplicas: 0", STANDARD))).toEqual(["scale-to-zero:6"]);
  expect(ids(service("    minReplicas: 0"))).toEqual([]);
  expect(ids(service("    minReplicas: 3\n    maxReplicas: 2"))).toEqual(["replica-bounds:6"]);
  expect(ids(service("    minReplicas: 2\n    maxReplicas: 2"))).toEqual([]);
});

test("node selection needs Standard mode or Knative's feature flags", () => {
  const placed = "    nodeSelector: { a: b }\n    tolerations: []";
  expect(ids(service(placed))).toEqual(["placement-in-knative:6"]);
  expect(ids(service(placed, STANDARD))).toEqual([]);
  const flags =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: config-features, namespace: knative-serving }\ndata: { kubernetes.podspec-nodeselector: enabled, kubernetes.podspec-tolerations: enabled }\n";
  expect(ids(`${service(placed)}---\n${flags}`)).toEqual([]);
});

test("a model in S3 needs an account with a secret", () => {
  const s3 = (predictor: string): string => service(predictor).replace("gs://", "s3://");
  expect(ids(s3("    minReplicas: 1"))).toEqual(["no-storage-credentials:9"]);
  expect(ids(s3("    serviceAccountName: reader"))).toEqual([]);
  const account =
    "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: { name: reader, namespace: models }\n";
  expect(ids(s3("    serviceAccountName: reader") + account)).toEqual(["no-storage-credentials:6"]);
  expect(ids(`${s3("    serviceAccountName: reader")}${account}secrets: [{ name: s3 }]\n`)).toEqual([]);
});

test("annotations are spelt as KServe reads them", () => {
  expect(ids(service("    minReplicas: 1", "{ serving.kserve.io/deploymentmode: Standard }"))).toEqual([
    "unknown-annotation:3",
  ]);
  expect(ids(service("    minReplicas: 1", "{ serving.kserve.io/deploymentMode: Raw }"))).toEqual([
    "unknown-annotation:3",
  ]);
});

test("the namespace is kserve, in variables and in commands", () => {
  expect(ids("kserve_namespace: kserve-system\n")).toEqual(["wrong-namespace:1"]);
  expect(ids("kserve_namespace: kserve\n")).toEqual([]);
  expect(ids({ "check.sh": "kubectl get pods -n kserve-system\n" })).toEqual(["wrong-namespace:1"]);
  expect(ids({ "check.sh": "kubectl get pods -n kserve\n" })).toEqual([]);
});

test("KServe's definitions are applied on the server's side", () => {
  const apply = "kubectl apply -f https://github.com/kserve/kserve/releases/download/v0.20.0/kserve.yaml";
  expect(ids({ "install.sh": `${apply}\n` })).toEqual(["client-side-apply:1"]);
  expect(ids({ "install.sh": `${apply} --server-side\n` })).toEqual([]);
});

test("raw deployments and Istio exclude each other", () => {
  expect(ids("kserve_enable_raw_deployment: true\nkserve_enable_istio: true\n")).toEqual([
    "contradicting-modes:1",
  ]);
  expect(ids("kserve_enable_raw_deployment: true\nkserve_enable_istio: false\n")).toEqual([]);
});

const runtime = (kind: string, more = ""): string => `apiVersion: serving.kserve.io/v1alpha1
kind: ${kind}
metadata: { name: r, namespace: "{{ kserve_namespace }}", annotations: { serving.kserve.io/server-type: mlserver } }
spec:
  protocolVersions: [v2]
  supportedModelFormats: [{ name: mlflow, autoSelect: true }]
  containers:
    - name: kserve-container
      image: docker.io/seldonio/mlserver:1.7.1
      env:
        - { name: MLSERVER_MODEL_IMPLEMENTATION, value: "{{.Labels.modelClass}}" }
        - { name: MLSERVER_HTTP_PORT, value: "8080" }
        - { name: MLSERVER_GRPC_PORT, value: "9000" }
${more}`;

test("a runtime of one namespace does not serve another, also when a variable names it", () => {
  const variables = "kserve_namespace: serving\n";
  expect(
    ids({
      "r.yaml.j2": runtime("ServingRuntime"),
      "m.yaml": service("    minReplicas: 1"),
      "main.yml": variables,
    }),
  ).toEqual(["runtime-out-of-reach:2"]);
  expect(
    ids({
      "r.yaml.j2": runtime("ServingRuntime"),
      "m.yaml": service("    minReplicas: 1"),
      "main.yml": "kserve_namespace: models\n",
    }),
  ).toEqual([]);
  expect(
    ids({ "r.yaml.j2": runtime("ClusterServingRuntime"), "m.yaml": service("    minReplicas: 1") }),
  ).toEqual([]);
});

test("MLServer's image and settings", () => {
  const found = findingsIn(
    rules,
    runtime("ClusterServingRuntime")
      .replace("docker.io/seldonio", "ghcr.io/kserve")
      .replace("  protocolVersions: [v2]\n", "")
      .replace("HTTP_PORT", "PORT"),
  );
  expect(found.map(({ rule, line }) => `${rule}:${line}`)).toEqual([
    "kserve/unpublished-image:8",
    "kserve/incomplete-mlserver:4",
  ]);
  expect(found[1]?.message).toMatch(/lacks protocolVersions: \[v2\], the variable MLSERVER_HTTP_PORT=8080$/);
  expect(ids(runtime("ClusterServingRuntime"))).toEqual([]);
});

test("what does not belong into a runtime", () => {
  const more =
    '        - { name: MLFLOW_TRACKING_URI, value: "http://mlflow" }\n      resources: { limits: { nvidia.com/gpu: "1" } }\n';
  expect(ids(runtime("ClusterServingRuntime", more))).toEqual([
    "tracking-uri-in-runtime:14",
    "gpu-in-runtime:15",
  ]);
});
