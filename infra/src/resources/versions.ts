/** Versions of everything the output names. Each is one that the schemas in `data/` describe. */

/** Write-only arguments and ephemeral values came with Terraform 1.11. */
export const terraformVersion = ">= 1.11.0";

/** Terraform providers by their local name. `~>` lets patch releases in; the lock file holds the one that is used. */
export const terraformProviders = {
  civo: { source: "civo/civo", version: "~> 1.2.6" },
  google: { source: "hashicorp/google", version: "~> 7.45.0" },
  helm: { source: "hashicorp/helm", version: "~> 3.1.2" },
  kubectl: { source: "alekc/kubectl", version: "~> 2.4.1" },
  kubernetes: { source: "hashicorp/kubernetes", version: "~> 3.2.1" },
  random: { source: "hashicorp/random", version: "~> 3.9.0" },
  zenml: { source: "zenml-io/zenml", version: "~> 3.0.6" },
} as const;
export type ProviderName = keyof typeof terraformProviders;

export type Chart = {
  /** Address of the repository; OCI registries without their scheme, as Argo CD wants them. */
  repository: string;
  name: string;
  version: string;
};

/** Helm charts. */
export const charts = {
  "argo-cd": { repository: "https://argoproj.github.io/argo-helm", name: "argo-cd", version: "10.1.1" },
  "cert-manager": { repository: "quay.io/jetstack/charts", name: "cert-manager", version: "v1.21.1" },
  "cloudnative-pg": {
    repository: "https://cloudnative-pg.github.io/charts",
    name: "cloudnative-pg",
    version: "0.29.0",
  },
  "envoy-gateway": { repository: "docker.io/envoyproxy", name: "gateway-helm", version: "v1.9.0" },
  "external-secrets": {
    repository: "https://charts.external-secrets.io",
    name: "external-secrets",
    version: "2.9.0",
  },
  kgateway: { repository: "cr.kgateway.dev/kgateway-dev/charts", name: "kgateway", version: "v2.3.0" },
  "kgateway-crds": {
    repository: "cr.kgateway.dev/kgateway-dev/charts",
    name: "kgateway-crds",
    version: "v2.3.0",
  },
  "knative-operator": {
    repository: "https://knative.github.io/operator",
    name: "knative-operator",
    version: "v1.21.1",
  },
  "kserve-crd": { repository: "ghcr.io/kserve/charts", name: "kserve-crd", version: "v0.20.0" },
  "kserve-resources": { repository: "ghcr.io/kserve/charts", name: "kserve-resources", version: "v0.20.0" },
  "kserve-runtime-configs": {
    repository: "ghcr.io/kserve/charts",
    name: "kserve-runtime-configs",
    version: "v0.20.0",
  },
  "kube-prometheus-stack": {
    repository: "https://prometheus-community.github.io/helm-charts",
    name: "kube-prometheus-stack",
    version: "88.5.3",
  },
  kubeblocks: { repository: "https://apecloud.github.io/helm-charts", name: "kubeblocks", version: "1.0.2" },
  kyverno: { repository: "https://kyverno.github.io/kyverno", name: "kyverno", version: "3.9.0" },
  "plugin-barman-cloud": {
    repository: "https://cloudnative-pg.github.io/charts",
    name: "plugin-barman-cloud",
    version: "0.7.0",
  },
  "sealed-secrets": {
    repository: "https://bitnami-labs.github.io/sealed-secrets",
    name: "sealed-secrets",
    version: "2.20.0",
  },
  zenml: { repository: "public.ecr.aws/zenml", name: "zenml", version: "0.98.0" },
} as const satisfies Record<string, Chart>;

/** Custom resources that no chart brings: plain files of a project's repository, at a tag. */
export const customResources = {
  "gateway-api-crds": {
    repository: "https://github.com/kubernetes-sigs/gateway-api",
    revision: "v1.6.1",
    path: "config/crd/standard",
  },
  "envoy-gateway-crds": {
    repository: "https://github.com/envoyproxy/gateway",
    revision: "v1.9.0",
    path: "charts/gateway-helm/charts/crds/crds/generated",
  },
  "kubeblocks-crds": {
    repository: "https://github.com/apecloud/kubeblocks",
    revision: "v1.0.2",
    path: "deploy/helm/crds",
  },
  "volume-snapshot-crds": {
    repository: "https://github.com/kubernetes-csi/external-snapshotter",
    revision: "v8.2.0",
    path: "client/config/crd",
  },
} as const;

/** Exceptions from policies end here, so that each is looked at again; every release moves it. */
export const exceptionsExpire = "2027-11-30T00:00:00Z";

/** Images of database servers, and of their clients. */
export const databaseImages = {
  postgresql: {
    16: "ghcr.io/cloudnative-pg/postgresql:16.15-system-trixie",
    17: "ghcr.io/cloudnative-pg/postgresql:17.11-system-trixie",
    18: "ghcr.io/cloudnative-pg/postgresql:18.6-system-trixie",
  },
  mysqlClient: "docker.io/library/mysql:8.0.44",
} as const;

/** Versions that KubeBlocks offers of each server, by its definition of the component. */
export const kubeBlocksVersions = { mysql: "8.0.35", postgresql: "16.9.0" } as const;

/** Knative Serving, as its operator of the same line installs it. */
export const knativeVersion = "1.21.1";
