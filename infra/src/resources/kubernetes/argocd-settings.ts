import type { Plan } from "../../plan.ts";

/** What Argo CD is installed with. */
export function argoCdValues(plan: Plan): object {
  const production = plan.environment.tier === "production";
  const sized = (cpu: string, memory: string, limit: string): object => ({
    resources: { requests: { cpu, memory }, limits: { memory: limit } },
  });
  return {
    configs: {
      cm: {
        "resource.customizations.health.argoproj.io_Application": APPLICATION_HEALTH,
        ...(usesKubeBlocks(plan)
          ? { "resource.customizations.health.apps.kubeblocks.io_Cluster": KUBEBLOCKS_HEALTH }
          : {}),
        "resource.compareoptions": "ignoreAggregatedRoles: true\n",
        // Every pod's shell would be one click away.
        "exec.enabled": false,
      },
      // TLS up to the pod: nobody reaches it but by port-forward.
      params: { "server.insecure": false },
    },
    controller: { ...sized("250m", "512Mi", "2Gi"), metrics: { enabled: true } },
    server: { replicas: production ? 2 : 1, ...sized("50m", "128Mi", "512Mi"), metrics: { enabled: true } },
    repoServer: {
      replicas: production ? 2 : 1,
      ...sized("100m", "256Mi", "1Gi"),
      metrics: { enabled: true },
    },
    applicationSet: { replicas: 1, ...sized("25m", "64Mi", "256Mi") },
    redis: sized("50m", "64Mi", "256Mi"),
    redisSecretInit: sized("25m", "64Mi", "128Mi"),
    // Nobody logs in by single sign-on and nothing is announced, until somebody sets them up.
    dex: { enabled: false },
    notifications: { enabled: false },
  };
}

/** An Application is as healthy as what it applied. */
const APPLICATION_HEALTH = `hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil then
  if obj.status.health ~= nil then
    hs.status = obj.status.health.status
    if obj.status.health.message ~= nil then
      hs.message = obj.status.health.message
    end
  end
end
return hs
`;

const usesKubeBlocks = ({ environment: { tracking, pipelines } }: Plan): boolean =>
  tracking.database.engine === "kubeblocks" ||
  (pipelines.engine === "zenml" && pipelines.database.engine === "kubeblocks");

/** Argo CD knows no health of KubeBlocks' clusters: without this, whoever needs the database would not wait for it. */
const KUBEBLOCKS_HEALTH = `hs = {}
hs.status = "Progressing"
hs.message = ""
if obj.status ~= nil and obj.status.phase ~= nil then
  hs.message = obj.status.phase
  if obj.status.phase == "Running" then
    hs.status = "Healthy"
  elseif obj.status.phase == "Failed" or obj.status.phase == "Abnormal" then
    hs.status = "Degraded"
  elseif obj.status.phase == "Stopped" then
    hs.status = "Suspended"
  end
end
return hs
`;

type ClusterKind = { group: string; kind: string };

/** Kinds without a namespace that the parts of this environment consist of. */
export function clusterKinds({ environment }: Plan): ClusterKind[] {
  const { gateway, policies, serving, tracking, pipelines, monitoring } = environment;
  const databases = [tracking.database, ...(pipelines.engine === "zenml" ? [pipelines.database] : [])];
  const kinds: ClusterKind[] = [
    { group: "", kind: "Namespace" },
    { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition" },
    { group: "rbac.authorization.k8s.io", kind: "ClusterRole" },
    { group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding" },
    { group: "admissionregistration.k8s.io", kind: "MutatingWebhookConfiguration" },
    { group: "admissionregistration.k8s.io", kind: "ValidatingWebhookConfiguration" },
    { group: "cert-manager.io", kind: "ClusterIssuer" },
  ];
  if (gateway.engine !== "gke") {
    kinds.push(
      { group: "gateway.networking.k8s.io", kind: "GatewayClass" },
      // The Gateway API's guard against going back to an older channel.
      { group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy" },
      { group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding" },
    );
  }
  if (policies.engine === "kyverno") kinds.push({ group: "policies.kyverno.io", kind: "ValidatingPolicy" });
  if (serving.engine === "kserve") {
    kinds.push(
      { group: "serving.kserve.io", kind: "ClusterServingRuntime" },
      { group: "serving.kserve.io", kind: "ClusterStorageContainer" },
    );
  }
  if (databases.some(({ engine }) => engine === "kubeblocks")) {
    kinds.push(
      { group: "dataprotection.kubeblocks.io", kind: "BackupRepo" },
      { group: "dataprotection.kubeblocks.io", kind: "StorageProvider" },
      { group: "dataprotection.kubeblocks.io", kind: "ActionSet" },
      { group: "extensions.kubeblocks.io", kind: "Addon" },
    );
  }
  if (monitoring.engine === "managed")
    kinds.push({ group: "monitoring.googleapis.com", kind: "ClusterRules" });
  return kinds.sort((a, b) => (`${a.group}/${a.kind}` < `${b.group}/${b.kind}` ? -1 : 1));
}
