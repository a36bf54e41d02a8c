import { componentLabels, namespaces } from "../../names.ts";
import type { Plan } from "../../plan.ts";
import type { DocumentResource, KubernetesObject, ManifestResource, Reason, Resource } from "../resource.ts";
import { alertsOf, type AlertGroup } from "./alerts.ts";
import { dashboardJson, dashboardsOf } from "./dashboards.ts";
import { monitorsOf } from "./monitors.ts";
import { platformBase, platformOverlay } from "./platform-folders.ts";

/** What is watched, when somebody is called, and what there is to look at. */
export function monitoring(plan: Plan): Resource[] {
  const settings = plan.environment.monitoring;
  if (settings.engine === "none") return [];
  const part = "monitoring";
  const because: Reason[] = [
    { setting: "monitoring.engine", why: `metrics are collected by ${settings.engine}` },
  ];
  const monitored = monitorsOf(plan);
  const groups = alertsOf(plan, monitored);
  const manifest = (file: string, object: KubernetesObject, comment?: string): ManifestResource => ({
    kind: "manifest",
    file: `${platformBase(part)}/${file}`,
    because,
    object,
    ...(comment === undefined ? {} : { comment }),
  });
  const dashboards = settings.engine === "prometheus-operator" ? dashboardsOf(plan) : [];
  const base = ["monitors.yaml", "alerts.yaml"];
  return [
    ...monitored.map(({ object }) => manifest("monitors.yaml", object)),
    manifest("alerts.yaml", rules(plan, groups)),
    ...dashboards.map((dashboard): Resource => ({
      kind: "text",
      file: `${platformBase(part)}/dashboards/${dashboard.name}.json`,
      because,
      text: dashboardJson(dashboard, plan.environment.platform),
    })),
    ...(dashboards.length === 0
      ? platformOverlay(plan, { part, base, because })
      : withDashboards(
          platformOverlay(plan, { part, base, because }),
          dashboards.map(({ name }) => name),
        )),
  ];
}

function rules(plan: Plan, groups: readonly AlertGroup[]): KubernetesObject {
  const { environment } = plan;
  const labels = componentLabels(environment, "alerts");
  return environment.monitoring.engine === "prometheus-operator"
    ? {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: {
          name: environment.platform,
          namespace: namespaces.monitoring,
          labels: { ...labels, release: environment.monitoring.release },
        },
        spec: { groups },
      }
    : {
        apiVersion: "monitoring.googleapis.com/v1",
        kind: "ClusterRules",
        metadata: { name: environment.platform, labels },
        spec: { groups },
      };
}

/** Grafana's sidecar picks up ConfigMaps with this label, in any namespace. */
const DASHBOARD_LABEL = { grafana_dashboard: "1" };

/** Dashboards stay JSON files, which Grafana exports and imports; kustomize makes ConfigMaps of them. */
const withDashboards = (
  kustomizations: readonly DocumentResource[],
  names: readonly string[],
): DocumentResource[] =>
  kustomizations.map((kustomization) =>
    kustomization.file.startsWith(platformBase("monitoring"))
      ? {
          ...kustomization,
          value: {
            ...(kustomization.value as object),
            configMapGenerator: names.map((name) => ({
              name: `dashboard-${name}`,
              namespace: namespaces.monitoring,
              files: [`dashboards/${name}.json`],
            })),
            generatorOptions: { labels: DASHBOARD_LABEL, disableNameSuffixHash: true },
          },
        }
      : kustomization,
  );
