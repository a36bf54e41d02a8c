import { componentLabels, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { ManifestResource, Reason, Resource } from "../resource.ts";
import { hasRoutes, platformParts } from "./platform.ts";
import { partsOf } from "./parts.ts";
import { platformBase, platformOverlay } from "./platform-folders.ts";
import { proxyPeer } from "./platform-workloads.ts";

/** Level of Kubernetes' pod security: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
type Level = "privileged" | "baseline" | "restricted";

export type NamespaceSpec = {
  name: string;
  level: Level;
  /** Why the level is not `restricted`. */
  why?: string;
  /** Whether the platform's own components run in it, rather than operators and controllers. */
  isComponent: boolean;
  because: readonly Reason[];
};

/** Namespaces of an environment: those of its parts, and where the proxies run. */
export function namespacesOf(plan: Plan): NamespaceSpec[] {
  const { environment } = plan;
  const specs = new Map<string, NamespaceSpec>();
  const add = (name: string, isComponent: boolean, because: readonly Reason[]): void => {
    const known = specs.get(name);
    if (known !== undefined) return;
    specs.set(name, { name, ...levelOf(plan, name), isComponent, because: because.slice(0, 1) });
  };
  for (const part of partsOf(plan)) {
    add(part.namespace, true, [{ setting: settingOf(plan, part.namespace), why: `${part.title} run here` }]);
  }
  for (const part of platformParts(plan)) add(part.namespace, false, part.because);
  const proxies = hasRoutes(plan) ? proxyPeer(plan) : undefined;
  if (proxies !== undefined) {
    add(proxies.namespace, false, [
      { setting: "gateway.engine", why: "the proxies of the Gateway run here" },
    ]);
  }
  if (environment.monitoring.engine === "prometheus-operator") {
    add(namespaces.monitoring, false, [{ setting: "monitoring.engine", why: "Prometheus runs here" }]);
  }
  return [...specs.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function settingOf({ tracking, pipelines, environment }: Plan, namespace: string): string {
  if (namespace === tracking.namespace) return "tracking.engine";
  if (namespace === pipelines?.namespace) return "pipelines.engine";
  return namespace === namespaces.objectStore && environment.objectStore.engine === "minio"
    ? "objectStore.engine"
    : "serving.engine";
}

function levelOf({ environment, tracking, pipelines }: Plan, name: string): { level: Level; why?: string } {
  const baseline = (why: string): { level: Level; why: string } => ({ level: "baseline", why });
  const { serving, target } = environment;
  if (serving.engine === "kserve" && serving.mode === "knative" && name === serving.namespace) {
    return baseline(
      "Knative hands on no seccomp profile of a pod, and KServe's runtimes name none of their own.",
    );
  }
  const blocks =
    (name === tracking.namespace && environment.tracking.database.engine === "kubeblocks") ||
    (name === pipelines?.namespace &&
      environment.pipelines.engine === "zenml" &&
      environment.pipelines.database.engine === "kubeblocks");
  if (blocks) return baseline("KubeBlocks' database pods start as root, to hand their volume over.");
  switch (name) {
    case namespaces.kubeBlocks:
      return baseline("KubeBlocks' controller and the Jobs of its addons name no seccomp profile.");
    case namespaces.kgateway:
    case environment.gateway.namespace:
      return environment.gateway.engine === "kgateway"
        ? baseline("kgateway's proxies name no seccomp profile.")
        : { level: "restricted" };
    case namespaces.knative:
    case namespaces.knativeOperator:
      return baseline("the operator that makes these pods names no seccomp profile for all of them.");
    case namespaces.sealedSecrets:
      return baseline("the chart's pods name no seccomp profile.");
    case namespaces.monitoring:
      return target.kind === "gcp"
        ? baseline("Grafana's chart names no seccomp profile for its set-up containers.")
        : {
            level: "privileged",
            why: "node-exporter reads the node: its network, its processes and its file systems.",
          };
    default:
      return { level: "restricted" };
  }
}

/** Namespaces with pod security, defaults and limits. */
export function namespaceResources(plan: Plan): Resource[] {
  const part = "namespaces";
  const specs = namespacesOf(plan);
  const file = `${platformBase(part)}/namespaces.yaml`;
  const limits = `${platformBase(part)}/limits.yaml`;
  return [
    ...specs.map((spec) => namespaceObject(plan, spec, file)),
    ...specs.filter(({ isComponent }) => isComponent).flatMap((spec) => limitObjects(plan, spec, limits)),
    ...platformOverlay(plan, { part, base: ["namespaces.yaml", "limits.yaml"], because: becauseOf(specs) }),
  ];
}

const becauseOf = (specs: readonly NamespaceSpec[]): Reason[] => specs.flatMap(({ because }) => because);

function namespaceObject(plan: Plan, spec: NamespaceSpec, file: string): ManifestResource {
  const { name, level, why, because } = spec;
  return {
    kind: "manifest",
    file,
    because,
    ...(why === undefined ? {} : { comment: `${level}, not restricted: ${why}` }),
    object: {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name,
        labels: {
          ...componentLabels(plan.environment, name),
          "pod-security.kubernetes.io/enforce": level,
          "pod-security.kubernetes.io/warn": "restricted",
          "pod-security.kubernetes.io/audit": "restricted",
        },
        annotations: { "argocd.argoproj.io/sync-options": "Prune=false,Delete=false" },
      },
    },
  };
}

function limitObjects(plan: Plan, { name, because }: NamespaceSpec, file: string): ManifestResource[] {
  const metadata = (object: string): ManifestResource["object"]["metadata"] => ({
    name: object,
    namespace: name,
    labels: componentLabels(plan.environment, name),
  });
  return [
    {
      kind: "manifest",
      file,
      because,
      comment: "What a container gets that asks for nothing: those that operators add to pods.",
      object: {
        apiVersion: "v1",
        kind: "LimitRange",
        metadata: metadata("defaults"),
        spec: {
          limits: [
            {
              type: "Container",
              defaultRequest: { cpu: "50m", memory: "128Mi" },
              default: { memory: "1Gi" },
            },
          ],
        },
      },
    },
    {
      kind: "manifest",
      file,
      because,
      comment: "There is one way in, the Gateway: nothing of a component gets an address of its own.",
      object: {
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: metadata("no-way-around-the-gateway"),
        spec: { hard: { "services.loadbalancers": 0, "services.nodeports": 0 } },
      },
    },
  ];
}
