import { podSelector } from "../../names.ts";
import type { Autoscaling, Resources } from "../../spec/values.ts";
import type { KubernetesObject } from "../resource.ts";

/** What the pods of all components have in common. */

/** What the strictest profile of Pod Security asks for. */
export const podSecurity = (user: number): Record<string, unknown> => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
});

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
} as const;

/** CPU has no limit: it would throttle while the node has time to give. */
export const containerResources = ({ cpu, memory, memoryLimit }: Resources): Record<string, unknown> => ({
  requests: { cpu, memory },
  limits: { memory: memoryLimit },
});

/** Copies go to other zones and nodes where there are some. */
export const spread = (component: string): Record<string, unknown>[] =>
  ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: podSelector(component) },
  }));

export const httpProbe = (
  path: string,
  timing: { periodSeconds: number; failureThreshold: number; timeoutSeconds?: number },
): Record<string, unknown> => ({ httpGet: { path, port: "http" }, timeoutSeconds: 5, ...timing });

type Named = { name: string; namespace: string };

/** Service account that no pod gets a token of: the components do not talk to Kubernetes. */
export const serviceAccount = (
  { name, namespace }: Named,
  annotations?: Record<string, string>,
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: {
    name,
    namespace,
    labels: podSelector(name),
    ...(annotations === undefined ? {} : { annotations }),
  },
  automountServiceAccountToken: false,
});

export const service = (
  { name, namespace }: Named,
  ports: readonly { name: string; port: number }[],
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels: podSelector(name) },
  spec: {
    type: "ClusterIP",
    selector: podSelector(name),
    ports: ports.map(({ name: port, port: number }) => ({
      name: port,
      port: number,
      targetPort: port,
      protocol: "TCP",
      ...(port === "http" ? { appProtocol: "http" } : {}),
    })),
  },
});

/** Only for two copies and more: with one it would keep nodes from being emptied. */
export const disruptionBudget = (
  { name, namespace }: Named,
  matchLabels: Record<string, string>,
): KubernetesObject => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name, namespace, labels: podSelector(name) },
  spec: {
    maxUnavailable: 1,
    // A pod that is not ready protects nothing by staying.
    unhealthyPodEvictionPolicy: "AlwaysAllow",
    selector: { matchLabels },
  },
});

export const autoscaler = (
  { name, namespace }: Named,
  { minReplicas, maxReplicas, cpuPercent }: Autoscaling,
): KubernetesObject => ({
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name, namespace, labels: podSelector(name) },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
    minReplicas,
    maxReplicas,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
      },
    ],
    behavior: {
      scaleDown: {
        stabilizationWindowSeconds: 300,
        policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
      },
    },
  },
});

/** How many copies run at least. */
export const leastReplicas = (component: {
  replicas: number;
  autoscaling?: Autoscaling | undefined;
}): number => component.autoscaling?.minReplicas ?? component.replicas;

export type EnvironmentVariable =
  | { name: string; value: string }
  | { name: string; valueFrom: { secretKeyRef: { name: string; key: string } } };

export const variable = (name: string, value: string): EnvironmentVariable => ({ name, value });

export const secretVariable = (name: string, secret: string, key: string): EnvironmentVariable => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});
