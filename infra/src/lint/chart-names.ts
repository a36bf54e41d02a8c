import { basename } from "node:path";

/** Charts whose values files are known by their name: `values-<chart>.yaml`, `<chart>-values.yaml`, `<chart>.values.yaml`. */
const CHARTS = new Set([
  "argo-cd",
  "cert-manager",
  "cloudnative-pg",
  "external-secrets",
  "kgateway",
  "kserve-crd",
  "kserve-resources",
  "kserve-runtime-configs",
  "kube-prometheus-stack",
  "kubeblocks",
  "kyverno",
  "kyverno-policies",
  "plugin-barman-cloud",
  "traefik",
  "zenml",
]);

/** `mlflow` is not among them: two charts of that name exist, with different values. */
export function chartOfValuesFile(file: string): string | undefined {
  const name = basename(file).replace(/\.ya?ml$/, "");
  const chart = /^values[-.](?<chart>.+)$|^(?<before>.+)[-.]values$/.exec(name)?.groups;
  const found = chart?.["chart"] ?? chart?.["before"];
  return found !== undefined && CHARTS.has(found) ? found : undefined;
}
