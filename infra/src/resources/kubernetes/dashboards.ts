import type { Plan } from "../../plan.ts";
import { isServedByMlServer } from "./model-metrics.ts";

/** Dashboards for Grafana, as JSON. Like the alerts they use metrics of `data/metrics` only. */

export type Dashboard = { name: string; title: string; panels: Panel[] };

type Panel = { title: string; unit: Unit; queries: { expr: string; legend: string }[] };

/** Units as Grafana calls them. */
type Unit = "bytes" | "percentunit" | "reqps" | "s" | "short";

const panel = (title: string, unit: Unit, ...queries: [expr: string, legend: string][]): Panel => ({
  title,
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});

export function dashboardsOf(plan: Plan): Dashboard[] {
  const { environment, tracking } = plan;
  const dashboards: Dashboard[] = [
    {
      name: "tracking",
      title: "Experiment tracking",
      panels:
        tracking.name === "plinth" ? plinthPanels(tracking.namespace) : mlflowPanels(tracking.namespace),
    },
  ];
  const postgres = postgresNamespaces(plan);
  if (postgres.length > 0) {
    dashboards.push({
      name: "databases",
      title: "Databases",
      panels: postgresPanels(postgres, environment.backup.enabled),
    });
  }
  const { serving } = environment;
  if (serving.engine === "kserve" && serving.models.some(({ format }) => isServedByMlServer(format))) {
    dashboards.push({ name: "models", title: "Models", panels: modelPanels(serving.namespace) });
  }
  dashboards.push({ name: "platform", title: "Platform", panels: platformPanels });
  return dashboards;
}

function postgresNamespaces({ environment, tracking, pipelines }: Plan): string[] {
  return [
    ...(environment.tracking.database.engine === "cloudnative-pg" ? [tracking.namespace] : []),
    ...(pipelines !== undefined &&
    environment.pipelines.engine === "zenml" &&
    environment.pipelines.database.engine === "cloudnative-pg"
      ? [pipelines.namespace]
      : []),
  ];
}

function plinthPanels(namespace: string): Panel[] {
  const of = `namespace="${namespace}"`;
  const requests = `plinth_http_request_duration_seconds`;
  return [
    panel("Requests", "reqps", [
      `sum by (protocol) (rate(${requests}_count{${of}}[$__rate_interval]))`,
      "{{protocol}}",
    ]),
    panel("Requests that failed", "percentunit", [
      `sum(rate(${requests}_count{${of}, status=~"5.."}[$__rate_interval])) / sum(rate(${requests}_count{${of}}[$__rate_interval]))`,
      "errors",
    ]),
    panel(
      "Time of a request",
      "s",
      [
        `histogram_quantile(0.5, sum by (le) (rate(${requests}_bucket{${of}, protocol!="ops"}[$__rate_interval])))`,
        "half",
      ],
      [
        `histogram_quantile(0.95, sum by (le) (rate(${requests}_bucket{${of}, protocol!="ops"}[$__rate_interval])))`,
        "19 of 20",
      ],
    ),
    panel("Requests being answered", "short", [`plinth_http_requests_in_flight{${of}}`, "{{pod}}"]),
    panel(
      "Connections to the database",
      "short",
      [`plinth_database_connections{${of}}`, "open, {{pod}}"],
      [`plinth_database_waiting{${of}}`, "waiting, {{pod}}"],
    ),
    panel("Lag of the event loop", "s", [`plinth_nodejs_eventloop_lag_p99_seconds{${of}}`, "{{pod}}"]),
    panel("Memory", "bytes", [`plinth_process_resident_memory_bytes{${of}}`, "{{pod}}"]),
    panel("Deliveries of webhooks", "reqps", [
      `sum by (outcome) (rate(plinth_webhook_deliveries_total{${of}}[$__rate_interval]))`,
      "{{outcome}}",
    ]),
  ];
}

function mlflowPanels(namespace: string): Panel[] {
  const of = `namespace="${namespace}"`;
  return [
    panel("Requests", "reqps", [
      `sum by (method) (rate(mlflow_http_request_total{${of}}[$__rate_interval]))`,
      "{{method}}",
    ]),
    panel("Requests that failed", "percentunit", [
      `sum(rate(mlflow_http_request_total{${of}, status=~"5.."}[$__rate_interval])) / sum(rate(mlflow_http_request_total{${of}}[$__rate_interval]))`,
      "errors",
    ]),
    panel("Time of a request", "s", [
      `histogram_quantile(0.95, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket{${of}}[$__rate_interval])))`,
      "19 of 20",
    ]),
  ];
}

function postgresPanels(spaces: readonly string[], isBackedUp: boolean): Panel[] {
  const of = `namespace=~"${spaces.join("|")}"`;
  return [
    panel("Instances that answer", "short", [`cnpg_collector_up{${of}}`, "{{pod}}"]),
    panel("Transactions", "reqps", [
      `sum by (pod) (rate(cnpg_pg_stat_database_xact_commit{${of}}[$__rate_interval]))`,
      "{{pod}}",
    ]),
    panel("Connections", "short", [`sum by (pod) (cnpg_backends_total{${of}})`, "{{pod}}"]),
    panel("Replicas are behind by", "s", [`cnpg_pg_replication_lag{${of}}`, "{{pod}}"]),
    panel("Size", "bytes", [`max by (datname) (cnpg_pg_database_size_bytes{${of}})`, "{{datname}}"]),
    ...(isBackedUp
      ? [
          panel("Age of the last backup", "s", [
            `time() - max by (namespace) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${of}})`,
            "{{namespace}}",
          ]),
          panel("Segments that wait for the archive", "short", [
            `max by (pod) (cnpg_collector_pg_wal_archive_status{${of}, value="ready"})`,
            "{{pod}}",
          ]),
        ]
      : []),
  ];
}

function modelPanels(namespace: string): Panel[] {
  const of = `namespace="${namespace}"`;
  return [
    panel("Predictions", "reqps", [
      `sum by (model) (rate(model_infer_request_success_total{${of}}[$__rate_interval]))`,
      "{{model}}",
    ]),
    panel("Predictions that failed", "reqps", [
      `sum by (model) (rate(model_infer_request_failure_total{${of}}[$__rate_interval]))`,
      "{{model}}",
    ]),
    panel("Mean time of a prediction", "s", [
      `sum by (model) (rate(model_infer_request_duration_sum{${of}}[$__rate_interval])) / sum by (model) (rate(model_infer_request_duration_count{${of}}[$__rate_interval]))`,
      "{{model}}",
    ]),
  ];
}

const platformPanels: Panel[] = [
  panel("Applications by health", "short", [
    `count by (health_status) (argocd_app_info)`,
    "{{health_status}}",
  ]),
  panel("Applications by synchronisation", "short", [
    `count by (sync_status) (argocd_app_info)`,
    "{{sync_status}}",
  ]),
  panel("What tells no metrics", "short", [`sum by (namespace) (up == bool 0)`, "{{namespace}}"]),
];

const WIDTH = 12;
const HEIGHT = 8;

/** As Grafana reads it. Ids and places follow from the order, so that the text stays the same. */
export function dashboardJson({ name, title, panels }: Dashboard, platform: string): string {
  const datasource = { type: "prometheus", uid: "${datasource}" };
  return `${JSON.stringify(
    {
      uid: `${platform}-${name}`,
      title: `${title} (${platform})`,
      tags: [platform],
      schemaVersion: 39,
      editable: false,
      refresh: "1m",
      time: { from: "now-6h", to: "now" },
      templating: {
        list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" }],
      },
      panels: panels.map(({ title: heading, unit, queries }, at) => ({
        id: at + 1,
        type: "timeseries",
        title: heading,
        datasource,
        gridPos: { x: (at % 2) * WIDTH, y: Math.floor(at / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        targets: queries.map(({ expr, legend }, query) => ({
          refId: String.fromCodePoint(65 + query),
          datasource,
          expr,
          legendFormat: legend,
        })),
      })),
    },
    null,
    2,
  )}\n`;
}
