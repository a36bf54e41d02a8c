import { expect, test } from "vitest";
import { databaseOperatorRules } from "./database-operators.ts";
import { ownershipRules } from "./ownership.ts";
import { seenIn, type Files } from "./rule-harness.ts";
import { workloadRules } from "./workloads.ts";

const ids = (files: Files | string): string[] =>
  seenIn([...databaseOperatorRules, ...workloadRules, ...ownershipRules], files).map((id) =>
    id.replace(/^(?:database|workload)\//, ""),
  );

const kubeblocks = (engine: string, version: string, more = ""): string => `apiVersion: apps.kubeblocks.io/v1
kind: Cluster
metadata: { name: db, namespace: zenml }
spec:
  terminationPolicy: DoNotTerminate
  backup: { enabled: true, method: m }
  componentSpecs:
    - name: ${engine}
      componentDef: ${engine}-x
      serviceVersion: ${version}
      replicas: 2
      resources: { limits: { memory: 1Gi } }
${more}---
`;

test("versions of databases are those that KubeBlocks lists", () => {
  expect(ids(kubeblocks("postgresql", "16.2.0"))).toEqual(["unlisted-version:10"]);
  expect(ids(kubeblocks("postgresql", "16.4.0"))).toEqual([]);
  expect(ids(kubeblocks("mysql", "8.0.30"))).toEqual(["unlisted-version:10"]);
  expect(ids(kubeblocks("mysql", "8.0.35"))).toEqual([]);
  expect(ids(kubeblocks("postgresql", "15.2.0"))).toEqual([]);
});

const url = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c, namespace: zenml }\ndata:\n  ZENML_STORE_URL: ${value}\n---\n`;

test("hosts and users are those that the operator makes", () => {
  const mysql = kubeblocks("mysql", "8.0.35");
  expect(ids(url("mysql://root@db-mysql:3306/zenml") + mysql)).toEqual([]);
  expect(ids(url("mysql://root@db-mysql-postgresql.zenml.svc:3306/zenml") + mysql)).toEqual(["wrong-host:5"]);
  expect(ids(url("mysql://zenml@db-mysql:3306/zenml") + mysql)).toEqual(["unknown-account:5"]);
  const users =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: init, namespace: zenml }\ndata: { init.sql: 'CREATE USER zenml' }\n";
  expect(ids(url("mysql://zenml@db-mysql:3306/zenml") + mysql + users)).toEqual([]);
  expect(ids(url("mysql://root@elsewhere:3306/zenml") + mysql)).toEqual([]);
});

test("databases are not wiped out, and have a second copy", () => {
  const good = kubeblocks("mysql", "8.0.35");
  expect(ids(good.replace("DoNotTerminate", "WipeOut"))).toEqual(["wipe-out:5"]);
  expect(ids(good.replace("replicas: 2", "replicas: 1"))).toEqual(["single-copy:11"]);
  expect(ids(good.replace("enabled: true", "enabled: false"))).toEqual(["single-copy:11"]);
  expect(ids(good.replace("limits", "requests"))).toEqual(["single-copy:12"]);
});

const postgres = (spec: string): string =>
  `apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: { name: pg, namespace: m }\nspec: ${spec}\n---\n`;
const backup = (schedule: string): string =>
  `apiVersion: postgresql.cnpg.io/v1\nkind: ScheduledBackup\nmetadata: { name: b, namespace: m }\nspec:\n  schedule: "${schedule}"\n  cluster: { name: pg }\n`;

test("PostgreSQL has backups of the new kind, six fields each", () => {
  const plugins = "{ plugins: [{ name: barman-cloud.cloudnative-pg.io }] }";
  expect(ids(postgres(plugins) + backup("0 0 2 * * *"))).toEqual([]);
  expect(ids(postgres(plugins))).toEqual(["no-way-back:3"]);
  expect(ids(postgres("{ instances: 3 }") + backup("0 0 2 * * *"))).toEqual(["no-way-back:3"]);
  expect(ids(postgres("{ backup: { barmanObjectStore: {} } }") + backup("0 0 2 * * *"))).toEqual([
    "no-way-back:4",
  ]);
  expect(ids(postgres(plugins) + backup("0 2 * * *"))).toEqual(["schedule:10"]);
});

const workload = (
  kind: string,
  spec: string,
  { pod = "", image = "web:1" } = {},
): string => `apiVersion: apps/v1
kind: ${kind}
metadata: { name: web, namespace: a }
spec:
${spec}  template:
    metadata: { labels: { app: web } }
    spec:
${pod}      containers: [{ name: c, image: "${image}" }]
---
`;
const budget = (spec: string): string =>
  `apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: b, namespace: a }\nspec:\n  ${spec}\n  selector: { matchLabels: { app: web } }\n`;

test("budgets leave room for drains", () => {
  expect(ids(workload("Deployment", "  replicas: 2\n") + budget("minAvailable: 1"))).toEqual([]);
  expect(ids(workload("Deployment", "  replicas: 1\n") + budget("minAvailable: 1"))).toEqual([
    "blocking-budget:15",
  ]);
  expect(ids(workload("Deployment", "  replicas: 2\n") + budget("maxUnavailable: 0"))).toEqual([
    "blocking-budget:15",
  ]);
  expect(ids(workload("Deployment", "  replicas: 1\n") + budget("maxUnavailable: 1"))).toEqual([]);
});

const scaler = (bounds = "minReplicas: 2, maxReplicas: 5"): string => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web, namespace: a }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  metrics:
    - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 80 } } }
  ${bounds.replace(", ", "\n  ")}
`;

test("autoscalers have requests to measure by, and replicas to themselves", () => {
  const requests = (spec: string): string =>
    workload("Deployment", spec).replace(
      'image: "web:1"',
      'image: "web:1", resources: { requests: { cpu: 1 } }',
    );
  expect(ids(requests("") + scaler())).toEqual([]);
  expect(ids(workload("Deployment", "") + scaler())).toEqual(["utilization-without-request:16"]);
  expect(ids(requests("  replicas: 2\n") + scaler())).toEqual(["replicas-and-autoscaler:5"]);
  expect(ids(requests("") + scaler("minReplicas: 6, maxReplicas: 5"))).toEqual(["autoscaler-bounds:17"]);
});

const claim = (mode: string, storage = "fast"): string =>
  `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data, namespace: a }\nspec: { accessModes: [${mode}], storageClassName: ${storage} }\n`;
const VOLUME = "      volumes: [{ name: d, persistentVolumeClaim: { claimName: data } }]\n";

test("a volume of one writer is not rolled over", () => {
  expect(ids(workload("Deployment", "", { pod: VOLUME }) + claim("ReadWriteOnce"))).toEqual([
    "rolling-single-writer:5",
  ]);
  expect(
    ids(workload("Deployment", "  strategy: { type: Recreate }\n", { pod: VOLUME }) + claim("ReadWriteOnce")),
  ).toEqual([]);
  expect(ids(workload("Deployment", "", { pod: VOLUME }) + claim("ReadWriteMany"))).toEqual([]);
});

test("a database on one node has a backup", () => {
  const database =
    workload("StatefulSet", "  replicas: 1\n", { pod: VOLUME, image: "postgres:17.6" }) +
    claim("ReadWriteOnce", "local-path");
  expect(ids(database)).toEqual(["single-copy:5"]);
  const dump =
    "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: { name: dump, namespace: a }\nspec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: d, image: postgres, command: [pg_dump] }] } } } } }\n";
  expect(ids(database + dump)).toEqual([]);
  expect(
    ids({
      "excerpt:guide.yaml":
        "image: postgres:15.4\nreplicas: 1 (StatefulSet)\nstorage: 20Gi (local-path storage class)\n# more\n- a\n",
    }),
  ).toEqual(["single-copy:2"]);
});

test("pg_stat_statements has its library", () => {
  const map = (data: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: init }\ndata:\n  init.sql: CREATE EXTENSION IF NOT EXISTS pg_stat_statements;\n${data}`;
  expect(ids(map(""))).toEqual(["extension-not-loaded:5"]);
  expect(ids(map("  postgresql.conf: shared_preload_libraries = 'pg_stat_statements'\n"))).toEqual([]);
});

test("one tool owns the cluster, and tasks do what they say", () => {
  const tasks = (name: string): string =>
    `- name: ${name}\n  kubernetes.core.k8s:\n    state: present\n    definition: "{{ lookup('template', 'serving-runtime.yaml.j2') }}"\n`;
  expect(ids({ "main.yml": tasks("Create the ServingRuntime") })).toEqual([]);
  expect(ids({ "main.yml": tasks("Create InferenceService") })).toEqual(["gitops/misnamed-task:1"]);
  expect(
    ids({
      "main.yml": tasks("Create the ServingRuntime"),
      "check.sh": "kubectl get application minio -n argocd\n",
    }),
  ).toEqual(["gitops/mixed-ownership:1"]);
});
