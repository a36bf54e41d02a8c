import type { Environment } from "./spec/platform.ts";

/** All naming rules. What two parts of the output must agree on is made here, once. */

/** `acme-prod`: begins the name of everything that shares a project, a region or an account with others. */
export const prefixOf = ({ platform, name }: Environment): string => `${platform}-${name}`;

export const namespaces = {
  tracking: "tracking",
  pipelines: "zenml",
  objectStore: "object-store",
  argoCd: "argocd",
  certManager: "cert-manager",
  externalSecrets: "external-secrets",
  sealedSecrets: "sealed-secrets",
  kyverno: "kyverno",
  cloudNativePg: "cnpg-system",
  kubeBlocks: "kb-system",
  kserve: "kserve",
  knative: "knative-serving",
  knativeOperator: "knative-operator",
  monitoring: "monitoring",
  envoyGateway: "envoy-gateway-system",
  kgateway: "kgateway-system",
} as const;

/** Names of the Gateway that all routes attach to. */
export const gatewayName = "platform";

export const hostsOf = ({
  domain,
}: Environment): { tracking: string; pipelines: string; models: string } => ({
  tracking: `tracking.${domain}`,
  pipelines: `zenml.${domain}`,
  models: `models.${domain}`,
});

export type Buckets = { artifacts: string; models: string; backups: string };

/** Bucket names. Google's are global, so the project's id, which is too, stands in front. */
export function bucketsOf(environment: Environment): Buckets {
  const { objectStore, target } = environment;
  if (objectStore.engine === "s3") return objectStore.buckets;
  if (objectStore.engine === "minio") return { artifacts: "artifacts", models: "models", backups: "backups" };
  const prefix = target.kind === "gcp" ? `${target.project}-${prefixOf(environment)}` : prefixOf(environment);
  return { artifacts: `${prefix}-artifacts`, models: `${prefix}-models`, backups: `${prefix}-backups` };
}

/** Labels that everything carries: who answers for it and where it comes from. */
export const commonLabels = ({ platform, name, owner, labels }: Environment): Record<string, string> => ({
  ...labels,
  platform,
  environment: name,
  owner,
});

/** The selector of a component's pods. */
export const podSelector = (component: string): Record<string, string> => ({
  "app.kubernetes.io/name": component,
});

/** Labels of a component's objects, as Kubernetes recommends them. */
export const componentLabels = (environment: Environment, component: string): Record<string, string> => ({
  ...podSelector(component),
  "app.kubernetes.io/part-of": environment.platform,
  "app.kubernetes.io/managed-by": "plinth",
});

/** The label that lets the pods of a namespace reach a component: who sets it gives them access. */
export const clientLabel = (component: "models" | "pipelines" | "tracking"): Record<string, string> => ({
  [`plinth/${component}-client`]: "true",
});

/** Name of the address that Civo keeps for the Gateway. The load balancer's Service asks for it by this name. */
export const reservedIpName = (environment: Environment): string => `${prefixOf(environment)}-gateway`;

/** Argo CD's project that all Applications of the platform belong to. */
export const argoProjectName = ({ platform }: Environment): string => platform;

/** Folder of this environment's output in the repository that Argo CD reads. */
export const repositoryFolder = ({ gitOps, name }: Environment): string =>
  gitOps.path.replaceAll("{environment}", name);

/** Service account of Kubernetes that External Secrets reads Secret Manager as: one in each namespace with secrets. */
export const secretReaderAccount = "secret-reader";

/** Service account of Kubernetes that the pods of models run as, in the namespace of the models. */
export const modelReaderAccount = "model-reader";

/** Name of the address that Google Cloud keeps for the Gateway. GKE's Gateway asks for it by name, Envoy's Service too. */
export const gatewayAddressName = (environment: Environment): string => `${prefixOf(environment)}-gateway`;

/** Who acts in Google Cloud: nodes, the components by Workload Identity, the database clusters that write backups. */
export type GoogleUser = "nodes" | "tracking" | "zenml" | "models" | "backups";

/** Id of a service account, which Google limits to 30 characters. */
export const googleAccountId = (environment: Environment, user: GoogleUser): string =>
  `${prefixOf(environment)}-${user}`;

/** Its address, for the annotation `iam.gke.io/gcp-service-account`; undefined outside of Google Cloud. */
export const googleServiceAccount = (environment: Environment, user: GoogleUser): string | undefined =>
  environment.target.kind === "gcp"
    ? `${googleAccountId(environment, user)}@${environment.target.project}.iam.gserviceaccount.com`
    : undefined;

/** Label of the nodes of a pool with accelerators; its value is the name of the pool. */
export const gpuPoolLabel = "plinth/gpu-pool";
