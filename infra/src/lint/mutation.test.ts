import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finding } from "../finding.ts";
import { rules } from "./rules.ts";
import { lintSnippets } from "./run.ts";
import { snippetsIn } from "./sources.ts";

const folder = join(import.meta.dirname, "..", "..", "test", "corrected");
const names = readdirSync(folder);

/** Each mistake of the catalogue that can be put back into a document that is right, by one small change. */
const mutations: readonly (readonly [mistake: string, document: string, from: string, to: string])[] = [
  ["E01", "000", "mysql://${civo_database", "postgresql://${civo_database"],
  ["E02", "000", 'chart      = "zenml"', 'chart      = "zenml-server"'],
  ["E02", "000", "oci://public.ecr.aws/zenml", "https://zenml-io.github.io/zenml-helm"],
  ["E03", "000", "      resources = {", '      image = { tag = "0.98.0" }\n      resources = {'],
  ["E04", "000", "        replicaCount = 2", '        replicaCount = 2\n        admin_token  = "x"'],
  [
    "E05",
    "000",
    "zenml login https://zenml.${var.domain_name}",
    "zenml connect --url https://zenml.${var.domain_name} --token abc",
  ],
  ["E06", "000", "--path=s3://${civo_object_store.zenml_artifacts.name}", "--type=artifact-store"],
  ["E13", "000", "  access_key_id = civo_object_store_credential.zenml.access_key_id\n", ""],
  ["E14", "000", "https://objectstore.${var.region}", "https://object-store.${var.region}"],
  [
    "E15",
    "000",
    "        runAsUser                = 1000\n",
    "        runAsUser                = 1000\n        fsGroup = 1000\n",
  ],
  ["E16", "000", "(<<-EOT", "true ? <<-EOT"],
  [
    "E17",
    "000",
    '    name      = "zenml-database"\n    namespace = kubernetes_namespace_v1.zenml.metadata[0].name',
    '    name      = "zenml-database"\n    namespace = var.zenml_namespace',
  ],
  [
    "E19",
    "000",
    'passwordSecretRef = { name = kubernetes_secret_v1.zenml_database.metadata[0].name, key = "password" }',
    "password = civo_database.zenml.password",
  ],
  ["E20", "000", "ingress = { enabled = false }", "ingress = { enabled = true }"],
  ["E22", "000", 'resource "kubernetes_namespace_v1"', 'resource "kubernetes_namespace"'],
  [
    "E09",
    "000",
    "kind: Probe\n    metadata:\n      name: zenml\n",
    "kind: ServiceMonitor\n    metadata:\n      name: zenml\n    spec:\n      selector:\n        matchLabels:\n          app.kubernetes.io/name: zenml\n      endpoints:\n        - port: http\n          path: /api/v1/health\n    ---\n    apiVersion: monitoring.coreos.com/v1\n    kind: Probe\n    metadata:\n      name: zenml\n",
  ],
  [
    "E23",
    "001",
    "ghcr.io/mlflow/mlflow:v3.12.0-full\n          args",
    "quay.io/minio/minio:RELEASE.2024-10-02T17-50-41Z\n          args",
  ],
  [
    "E24",
    "001",
    "              value: /etc/mlflow/auth.ini",
    "              value: /etc/mlflow/auth.ini\n            - name: DB_PASSWORD\n              value: hunter22",
  ],
  ["E25", "001", "apiVersion: batch/v1\nkind: Job", "apiVersion: batch/v1\n- kind: Job"],
  [
    "E27",
    "001",
    "    argocd.argoproj.io/hook: Sync\n    argocd.argoproj.io/hook-delete-policy: BeforeHookCreation\n",
    "",
  ],
  ["E28", "001", "mlflow:v3.12.0-full\n          args", "mlflow:v3.12.0\n          args"],
  ["E29", "001", "experiments/search", "experiments/list"],
  [
    "E31",
    "001",
    "            - --allowed-hosts=mlflow.example.com,mlflow.mlflow.svc:5000\n            - --app-name=basic-auth\n",
    "",
  ],
  ["E32", "001", "--artifacts-destination=", "--default-artifact-root="],
  ["E33", "001", "kubectl get pods -n kserve\n", "kubectl get pods -n kserve-system\n"],
  [
    "E36",
    "001",
    "    serving.kserve.io/deploymentMode: Standard\n    serving.kserve.io/autoscalerClass: hpa\n",
    "",
  ],
  [
    "E37",
    "001",
    "    serving.kserve.io/deploymentMode: Standard\n    serving.kserve.io/autoscalerClass: hpa\n",
    "",
  ],
  ["E38", "001", "    serviceAccountName: model-reader\n    minReplicas", "    minReplicas"],
  ["E42", "002", 'project_name  = "mlops-prod"', 'project_name  = "mlops-prod"\nproject_name  = "mlops-dev"'],
  [
    "E43",
    "002",
    "      binary_log_enabled             = true",
    "      point_in_time_recovery_enabled = true",
  ],
  ["E46", "002", '"${var.project_name}-artifacts-${random_id.suffix.hex}"', '"artifacts"'],
  [
    "E48",
    "003",
    "apiVersion: external-secrets.io/v1\nkind: ExternalSecret",
    "apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret",
  ],
  ["E52", "004", "/api/v1/stacks \\", "/api/v1/service_connectors \\"],
  ["E51", "004", "/api/v1/stacks \\", "/api/v1/service-connectors \\"],
  [
    "E53",
    "004",
    '"artifact_store": [{"flavor": "gcp", "configuration": {"path": "gs://b"}}]',
    '"artifact_store": {"flavor": "gcp"}',
  ],
  ["E54", "004", 'auth_method   = "external-account"', 'auth_method   = "workload-identity"'],
  ["E55", "004", "  name = var.environment\n", '  name        = var.environment\n  description = "x"\n'],
  ["E56", "004", '    cpu_limit    = "8"', '    machine_type = "n1-standard-8"'],
  [
    "E58",
    "004",
    'resource "zenml_stack_component" "orchestrator"',
    'resource "zenml_stack_component" "artifact_store"',
  ],
  [
    "E59",
    "004",
    "    environment = var.environment\n  }\n}",
    "    environment = var.environment\n    stack_id    = zenml_stack.main.id\n  }\n}",
  ],
];

describe("a mistake put back into documents that are right is found", () => {
  test.for(mutations)("%s in %s: %s", ([mistake, document, from, to]) => {
    const name = names.find((one) => one.startsWith(document)) ?? "";
    const text = readFileSync(join(folder, name), "utf8");
    expect(text.split(from).length, "the text to change is not there").toBeGreaterThan(1);
    expect(coveredBy(lint(name, text), mistake)).toEqual([]);
    const { found, all } = {
      found: lint(
        name,
        text.replace(from, () => to),
      ),
      all: mistake,
    };
    expect(coveredBy(found, all), JSON.stringify(found)).not.toEqual([]);
  });
});

const lint = (name: string, text: string): Finding[] => lintSnippets(snippetsIn(name, text)).findings;

function coveredBy(findings: readonly Finding[], mistake: string): string[] {
  const covering = new Set(rules.filter(({ covers }) => covers.includes(mistake)).map(({ id }) => id));
  return findings.map(({ rule }) => rule).filter((rule) => covering.has(rule));
}
