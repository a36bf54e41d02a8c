import { expect, test } from "vitest";
import { mlflowRules } from "./mlflow.ts";
import { probeRules } from "./probes.ts";
import { seenIn, type Files } from "./rule-harness.ts";

const ids = (files: Files | string): string[] => seenIn([...mlflowRules, ...probeRules], files);

const server = (container = "", replicas = "1"): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: mlflow, namespace: mlops }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: mlflow } }
  template:
    metadata: { labels: { app: mlflow } }
    spec:
      containers:
        - name: mlflow
          image: ghcr.io/mlflow/mlflow:v3.12.0-full
${container}`;
const args = (...words: string[]): string => `          args: [mlflow, server, ${words.join(", ")}]\n`;

const job = `---
apiVersion: batch/v1
kind: Job
metadata: { name: upgrade, namespace: mlops }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: u, image: "x/mlflow:3", command: [sh, -c, 'mlflow db upgrade "$URI"'] }]
`;

test("several replicas need a migration job", () => {
  expect(ids(server("", "2"))).toEqual(["mlflow/concurrent-upgrade:5"]);
  expect(ids(server("", "1"))).toEqual([]);
  expect(ids(server("", "2") + job)).toEqual([]);
  const templated = server("", "{{ mlflow_replicas }}");
  expect(ids({ "d.yaml.j2": templated, "main.yml": "mlflow_replicas: 2\n" })).toEqual([
    "mlflow/concurrent-upgrade:5",
  ]);
  expect(ids({ "d.yaml.j2": templated, "main.yml": "mlflow_replicas: 1\n" })).toEqual([]);
});

test("artifacts go through the server", () => {
  expect(ids(server(args("--default-artifact-root", "s3://b")))).toEqual(["mlflow/artifacts-by-clients:13"]);
  expect(ids(server(args("--artifacts-destination", "s3://b")))).toEqual([]);
  const variable = "          env: [{ name: MLFLOW_DEFAULT_ARTIFACT_ROOT, value: 's3://b' }]\n";
  expect(ids(server(variable))).toEqual(["mlflow/artifacts-by-clients:13"]);
  expect(ids(server(args("--default-artifact-root", "$(MLFLOW_DEFAULT_ARTIFACT_ROOT)") + variable))).toEqual([
    "mlflow/artifacts-by-clients:13",
  ]);
  expect(ids(server(args("--default-artifact-root", "mlflow-artifacts:/")))).toEqual([]);
});

const service =
  "---\napiVersion: v1\nkind: Service\nmetadata: { name: tracking, namespace: mlops, labels: { app: mlflow } }\nspec: { selector: { app: mlflow }, ports: [{ port: 80 }] }\n";
const ingress = (more = "", annotations = "{}"): string => `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: mlflow, namespace: mlops, annotations: ${annotations} }
spec:
${more}  rules:
    - host: mlflow.example.com
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: tracking, port: { number: 80 } } } }] }
`;
const TLS = "  tls: [{ hosts: [mlflow.example.com], secretName: tls }]\n";
const HOSTS = args("--allowed-hosts", "mlflow.example.com");

test("a way in has authentication, TLS and a host that MLflow knows", () => {
  expect(ids(server() + service)).toEqual([]);
  expect(ids(server() + service + ingress())).toEqual([
    "mlflow/open-to-the-public:21",
    "mlflow/unknown-host:11",
    "mlflow/no-tls:22",
  ]);
  const guarded = ingress(TLS, "{ nginx.ingress.kubernetes.io/auth-url: 'https://auth.example.com' }");
  expect(ids(server(HOSTS) + service + guarded)).toEqual([]);
  expect(ids(server().replace("v3.12.0-full", "v3.4.0") + service + guarded)).toEqual([]);
  expect(ids({ "m.yaml": server(), "main.yml": "mlflow_ingress_enabled: true\n" })).toEqual([
    "mlflow/open-to-the-public:1",
  ]);
});

test("basic-auth is not left as it comes", () => {
  expect(ids(server(args("--app-name", "basic-auth")))).toEqual(["mlflow/basic-auth-defaults:11"]);
  const own =
    "          env: [{ name: MLFLOW_FLASK_SERVER_SECRET_KEY, valueFrom: {} }, { name: MLFLOW_AUTH_CONFIG_PATH, value: /etc/auth.ini }]\n";
  expect(ids(server(args("--app-name", "basic-auth") + own))).toEqual([]);
});

const monitor = (path: string): string => `---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: { name: mlflow, namespace: mlops }
spec: { selector: { matchLabels: { app: mlflow } }, endpoints: [{ port: http, path: ${path} }] }
`;

test("metrics are on where they are scraped, and are not health", () => {
  expect(ids(server() + service + monitor("/metrics"))).toEqual(["mlflow/metrics-off:21"]);
  expect(ids(server(args("--expose-prometheus", "/tmp/m")) + service + monitor("/metrics"))).toEqual([]);
  expect(ids(server(args("--expose-prometheus", "/tmp/m")) + service + monitor("/api/v1/health"))).toEqual([
    "health/scraped-as-metrics:23",
  ]);
});

test("probes ask what the server answers, at a port that is there", () => {
  const probe = (path: string, port: string): string =>
    `          ports: [{ name: http, containerPort: 5000 }]\n          readinessProbe: { httpGet: { path: ${path}, port: ${port} } }\n`;
  expect(ids(server(probe("/health", "http")))).toEqual([]);
  expect(ids(server(probe("/healthz", "http")))).toEqual(["health/unknown-path:14"]);
  expect(ids(server(probe("/health", "htp")))).toEqual(["health/unknown-port:14"]);
  expect(ids(server(probe("/health", "5000")))).toEqual([]);
  const other = (path: string, image: string): string =>
    server(probe(path, "http")).replace("ghcr.io/mlflow/mlflow", image);
  expect(ids(other("/ready", "zenmldocker/zenml-server"))).toEqual([]);
  expect(ids(other("/api/v1/health", "zenmldocker/zenml-server"))).toEqual(["health/unknown-path:14"]);
  expect(ids(other("/metrics", "registry.example.com/plinth"))).toEqual(["health/unknown-path:14"]);
  expect(ids(other("/ready", "registry.example.com/plinth"))).toEqual([]);
});
