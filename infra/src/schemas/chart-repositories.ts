import { dataFile, dataFiles } from "./schema-files.ts";
import type { ChartFile } from "./charts.ts";
import { isTemplated } from "./templated.ts";

/** Names that people give to charts which are called otherwise. */
const MISNAMED: Readonly<Record<string, string>> = {
  "zenml-server": "zenml",
  "zenml-helm": "zenml",
  "kserve-controller": "kserve-resources",
  "external-secrets-operator": "external-secrets",
  "prometheus-stack": "kube-prometheus-stack",
  "prometheus-operator": "kube-prometheus-stack",
  argocd: "argo-cd",
  cnpg: "cloudnative-pg",
};

/** Further repositories of the same charts. */
const ALSO_AT: Readonly<Record<string, readonly string[]>> = {
  "argo-cd": ["ghcr.io/argoproj/argo-helm"],
  "cert-manager": ["charts.jetstack.io"],
  "cloudnative-pg": ["ghcr.io/cloudnative-pg/charts"],
  "plugin-barman-cloud": ["ghcr.io/cloudnative-pg/charts"],
  "external-secrets": ["ghcr.io/external-secrets/charts"],
  "kube-prometheus-stack": ["ghcr.io/prometheus-community/charts"],
  "kube-state-metrics": ["ghcr.io/prometheus-community/charts"],
  "prometheus-node-exporter": ["ghcr.io/prometheus-community/charts"],
  kyverno: ["ghcr.io/kyverno/charts", "kyverno.github.io/kyverno"],
  "kyverno-policies": ["ghcr.io/kyverno/charts", "kyverno.github.io/kyverno"],
  traefik: ["ghcr.io/traefik/helm", "helm.traefik.io/traefik"],
  "gateway-helm": ["registry-1.docker.io/envoyproxy"],
};

/** Other publishers that have charts of the same names with other values: nothing here is about those. */
const OTHER_PUBLISHERS = /bitnami|community\.stackgres|rancher|truecharts|k8s-at-home/i;

/** Hosts on which projects publish. Any other host may be a mirror, which has what its owner put there. */
const PUBLIC_HOST = /(?:^|\.)(?:github\.io|ghcr\.io|quay\.io|docker\.io|public\.ecr\.aws)(?:$|\/)/;

export type ChartPlace = { chart: string; repository: string | undefined };

/** Without scheme and slash at the end; the last part of an OCI address is cut off when it is the chart. */
function normalised(repository: string): string {
  return repository
    .replace(/^[a-z][a-z+.-]*:\/\//i, "")
    .replace(/\/+$/, "")
    .toLowerCase();
}

const files = (): ChartFile[] =>
  [...dataFiles("charts")]
    .filter((name) => name !== "k8s-types")
    .map((name) => dataFile("charts", name) as ChartFile);

function repositoriesOf(file: ChartFile): string[] {
  const address = normalised(file.repository);
  const own = file.transport.startsWith("OCI") ? address.slice(0, address.lastIndexOf("/")) : address;
  return [own, ...(ALSO_AT[file.chart] ?? [])];
}

/** The data of a chart by name and repository; several when it changed its keys between versions. */
export function chartFiles({ chart, repository }: ChartPlace): ChartFile[] {
  const name = MISNAMED[chart] ?? chart;
  const named = files().filter((file) => file.chart === name);
  if (repository === undefined || isTemplated(repository)) return name === "mlflow" ? [] : named;
  const place = normalised(repository);
  if (OTHER_PUBLISHERS.test(place)) return [];
  // Two charts are called mlflow: only the one whose repository is said is known.
  return name === "mlflow" ? named.filter((file) => repositoriesOf(file).includes(place)) : named;
}

/** Why a chart cannot be had from where it is said to be; undefined when it can, or when nothing is known of the place. */
export function misplacedChart({
  chart,
  repository,
}: ChartPlace): { message: string; remedy: string } | undefined {
  const actual = MISNAMED[chart];
  const file = files().find((one) => one.chart === (actual ?? chart));
  if (file === undefined || isTemplated(chart)) return undefined;
  const [home = ""] = repositoriesOf(file);
  const helm = file.transport.startsWith("OCI") ? `oci://${home}` : `https://${home}`;
  const argo = file.transport.startsWith("OCI") ? home : helm;
  const remedy = `Helm and Terraform: repository ${helm}, chart ${file.chart}. Argo CD: repoURL ${argo}, chart ${file.chart}.`;
  if (repository !== undefined && OTHER_PUBLISHERS.test(repository)) return undefined;
  if (actual !== undefined && (repository === undefined || !isMirror(repository)))
    return { message: `There is no chart ${chart}; the chart is called ${actual}`, remedy };
  if (chart === "mlflow" || repository === undefined || isMirror(repository)) return undefined;
  if (repositoriesOf(file).includes(normalised(repository))) return undefined;
  return { message: `The chart ${chart} is not published at ${repository}`, remedy };
}

const isMirror = (repository: string): boolean =>
  isTemplated(repository) || !PUBLIC_HOST.test(normalised(repository).split("/")[0] ?? "");
