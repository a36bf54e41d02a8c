import { componentLabels } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { KubernetesObject } from "../resource.ts";
import { metricsPortOf } from "./model-metrics.ts";
import { workloadsOf } from "./network-policies.ts";
import type { Metrics, Workload } from "./part.ts";

/** What is scraped, and how the monitoring of this environment is told so. */

type Monitoring = Plan["environment"]["monitoring"];

export type Monitored = { object: KubernetesObject; workload: Pick<Workload, "name" | "namespace"> };

/** One monitor for each workload that has metrics. */
export function monitorsOf(plan: Plan): Monitored[] {
  const { monitoring } = plan.environment;
  if (monitoring.engine === "none") return [];
  const monitored = workloadsOf(plan).flatMap((workload) => {
    const { metrics, name, namespace } = workload;
    return metrics === undefined
      ? []
      : [{ object: monitorOf(plan, monitoring, { workload, metrics }), workload: { name, namespace } }];
  });
  return [...monitored, ...modelMonitors(plan, monitoring)];
}

const INTERVAL = "30s";

/** Prometheus looks for monitors of its release only; Google's looks at all. */
const metadataOf = (
  plan: Plan,
  monitoring: Monitoring,
  workload: Pick<Workload, "name" | "namespace">,
): KubernetesObject["metadata"] => ({
  name: workload.name,
  namespace: workload.namespace,
  labels: {
    ...componentLabels(plan.environment, workload.name),
    ...(monitoring.engine === "prometheus-operator" ? { release: monitoring.release } : {}),
  },
});

type Scraped = { workload: Workload; metrics: Metrics };

function monitorOf(plan: Plan, monitoring: Monitoring, { workload, metrics }: Scraped): KubernetesObject {
  const metadata = metadataOf(plan, monitoring, workload);
  const selector = { matchLabels: metrics.selector };
  const endpoint = { port: metrics.port, path: metrics.path, interval: INTERVAL };
  if (monitoring.engine === "managed") {
    return podMonitoring(metadata, { selector, endpoints: [endpoint] });
  }
  return metrics.by === "service"
    ? {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "ServiceMonitor",
        metadata,
        spec: { selector, endpoints: [endpoint] },
      }
    : {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PodMonitor",
        metadata,
        spec: { selector, podMetricsEndpoints: [endpoint] },
      };
}

/** Google's own kind. There is no schema of it in `data/crds`: the fields are those of its documentation. */
const podMonitoring = (metadata: KubernetesObject["metadata"], spec: object): KubernetesObject => ({
  apiVersion: "monitoring.googleapis.com/v1",
  kind: "PodMonitoring",
  metadata,
  spec,
});

/** Models: each runtime has its metrics at another port, which its pods do not declare. */
function modelMonitors(plan: Plan, monitoring: Monitoring): Monitored[] {
  const { serving } = plan.environment;
  if (serving.engine !== "kserve") return [];
  return serving.models.flatMap(({ name, format }) => {
    const port = metricsPortOf(format);
    if (port === undefined) return [];
    const workload = { name: `model-${name}`, namespace: serving.namespace };
    const metadata = metadataOf(plan, monitoring, workload);
    const selector = { matchLabels: { "serving.kserve.io/inferenceservice": name } };
    const object =
      monitoring.engine === "managed"
        ? podMonitoring(metadata, { selector, endpoints: [{ port, path: "/metrics", interval: INTERVAL }] })
        : {
            apiVersion: "monitoring.coreos.com/v1",
            kind: "PodMonitor",
            metadata,
            spec: {
              selector,
              podMetricsEndpoints: [
                {
                  path: "/metrics",
                  interval: INTERVAL,
                  relabelings: [
                    {
                      action: "keep",
                      sourceLabels: ["__meta_kubernetes_pod_container_name"],
                      regex: "kserve-container",
                    },
                    {
                      sourceLabels: ["__meta_kubernetes_pod_ip"],
                      targetLabel: "__address__",
                      replacement: `$1:${port}`,
                    },
                  ],
                },
              ],
            },
          };
    return [{ object, workload }];
  });
}
