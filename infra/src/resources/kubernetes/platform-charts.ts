import { gatewayName, namespaces } from "../../names.ts";
import { grafanaSecretName } from "../../plan-secrets.ts";
import type { Plan } from "../../plan.ts";

/** Values of the charts that the platform brings. Each key is one that the chart has: unknown ones would change nothing, silently. */

const sized = (cpu: string, memory: string, memoryLimit = memory): object => ({
  requests: { cpu, memory },
  limits: { memory: memoryLimit },
});

const isProduction = (plan: Plan): boolean => plan.environment.tier === "production";

/** More than one only where somebody would be woken: a webhook that does not answer stops every deployment. */
const webhookReplicas = (plan: Plan): number => (isProduction(plan) ? 2 : 1);

/** No more than one away at a time; with one replica a budget would stop every node from being drained. */
const budget = (plan: Plan): { podDisruptionBudget?: object } =>
  isProduction(plan) ? { podDisruptionBudget: { enabled: true, minAvailable: 1 } } : {};

export const certManagerValues = (plan: Plan, withGateway: boolean): object => ({
  crds: { enabled: true, keep: true },
  global: { leaderElection: { namespace: namespaces.certManager } },
  ...(withGateway ? { config: { gatewayAPI: { enabled: true } } } : {}),
  replicaCount: webhookReplicas(plan),
  resources: sized("25m", "64Mi", "256Mi"),
  ...budget(plan),
  webhook: { replicaCount: webhookReplicas(plan), resources: sized("25m", "32Mi", "128Mi"), ...budget(plan) },
  cainjector: { replicaCount: 1, resources: sized("25m", "128Mi", "512Mi") },
  startupapicheck: { resources: sized("25m", "32Mi", "128Mi") },
});

export const externalSecretsValues = (plan: Plan): object => ({
  installCRDs: true,
  replicaCount: webhookReplicas(plan),
  leaderElect: isProduction(plan),
  // Secrets are pulled into the cluster, never pushed out of it, and each namespace asks for its own.
  processClusterExternalSecret: false,
  processClusterPushSecret: false,
  processPushSecret: false,
  resources: sized("25m", "128Mi", "512Mi"),
  ...budget(plan),
  webhook: { replicaCount: webhookReplicas(plan), resources: sized("25m", "64Mi", "128Mi"), ...budget(plan) },
  certController: { resources: sized("25m", "128Mi", "256Mi") },
});

export const sealedSecretsValues = (): object => ({
  // The name that kubeseal looks for.
  fullnameOverride: "sealed-secrets-controller",
  resources: sized("50m", "64Mi", "128Mi"),
});

export const envoyGatewayValues = (plan: Plan): object => ({
  // Other Applications bring them: the Gateway API's standard channel, and Envoy Gateway's own.
  crds: { enabled: false },
  // Zone-aware routing needs a webhook on every pod that starts; nobody uses it here.
  topologyInjector: { enabled: false },
  deployment: {
    replicas: webhookReplicas(plan),
    envoyGateway: { resources: sized("100m", "256Mi", "1Gi") },
    pod: { annotations: {} },
  },
  certgen: { job: { resources: sized("25m", "64Mi", "128Mi") } },
});

export const kgatewayValues = (plan: Plan): object => ({
  controller: { replicaCount: webhookReplicas(plan) },
  resources: sized("100m", "256Mi", "1Gi"),
});

export const kyvernoValues = (plan: Plan): object => ({
  features: { policyExceptions: { enabled: true, namespace: namespaces.kyverno } },
  admissionController: {
    // Three, as upstream asks for high availability: policies that cannot be asked stop every deployment.
    replicas: isProduction(plan) ? 3 : 1,
    ...(isProduction(plan) ? { podDisruptionBudget: { enabled: true, minAvailable: 2 } } : {}),
    container: { resources: sized("100m", "128Mi", "512Mi") },
  },
  backgroundController: { replicas: 1 },
  cleanupController: { replicas: 1 },
  reportsController: { replicas: 1, resources: sized("100m", "128Mi", "512Mi") },
});

export const cloudNativePgValues = (plan: Plan): object => ({
  replicaCount: webhookReplicas(plan),
  resources: sized("50m", "128Mi", "256Mi"),
});

export const barmanCloudValues = (): object => ({ resources: sized("50m", "64Mi", "256Mi") });

export const kubeBlocksValues = (addons: readonly string[]): object => ({
  // The chart's own registry is in one region of one cloud.
  image: { registry: "docker.io" },
  dataProtection: { image: { registry: "docker.io" } },
  addonChartsImage: { registry: "docker.io" },
  autoInstalledAddons: addons,
  // Volumes have the class that the settings name.
  storageClass: { create: false },
});

export const kserveValues = (plan: Plan): object => ({
  kserve: {
    controller: {
      deploymentMode: deploymentMode(plan),
      gateway: {
        // Routes are made here, one for each model that is exposed.
        disableIngressCreation: true,
        disableIstioVirtualHost: true,
        ingressGateway: { kserveGateway: `${plan.environment.gateway.namespace}/${gatewayName}` },
      },
      resources: sized("100m", "300Mi", "512Mi"),
    },
    storage: { resources: sized("100m", "256Mi", "2Gi") },
  },
});

const deploymentMode = ({ environment: { serving } }: Plan): "Standard" | "Knative" =>
  serving.engine === "kserve" && serving.mode === "knative" ? "Knative" : "Standard";

export const kserveRuntimeValues = (): object => ({ kserve: { servingruntime: { enabled: true } } });

export const prometheusValues = (plan: Plan): object => {
  const { monitoring, target } = plan.environment;
  if (monitoring.engine !== "prometheus-operator") return {};
  const storageClass =
    target.kind === "kubernetes"
      ? target.storageClass
      : target.kind === "civo"
        ? "civo-volume"
        : "standard-rwo";
  const volume = (storage: string): object => ({
    volumeClaimTemplate: {
      spec: {
        storageClassName: storageClass,
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage } },
      },
    },
  });
  // Whoever runs the control plane does not let it be scraped: its alerts would fire for ever.
  const unseen = { enabled: false };
  return {
    grafana: {
      // A password that the chart makes itself would be another one at every synchronisation.
      admin: { existingSecret: grafanaSecretName, userKey: "admin-user", passwordKey: "admin-password" },
      sidecar: { dashboards: { searchNamespace: "ALL" } },
      resources: sized("50m", "128Mi", "512Mi"),
    },
    prometheus: {
      prometheusSpec: {
        retention: `${monitoring.retentionDays}d`,
        storageSpec: volume(monitoring.storage),
        resources: sized("250m", "1Gi", "3Gi"),
        // Monitors of this platform carry the release's label, which is what the default looks for.
        serviceMonitorSelectorNilUsesHelmValues: true,
        podMonitorSelectorNilUsesHelmValues: true,
        ruleSelectorNilUsesHelmValues: true,
      },
    },
    prometheusOperator: { resources: sized("50m", "128Mi", "256Mi") },
    alertmanager: {
      alertmanagerSpec: { storage: volume("2Gi"), resources: sized("25m", "64Mi", "128Mi") },
    },
    "kube-state-metrics": { resources: sized("25m", "64Mi", "256Mi") },
    ...(target.kind === "gcp"
      ? { nodeExporter: { enabled: false } }
      : { "prometheus-node-exporter": { resources: sized("25m", "32Mi", "64Mi") } }),
    kubeControllerManager: unseen,
    kubeEtcd: unseen,
    kubeProxy: unseen,
    kubeScheduler: unseen,
  };
};
