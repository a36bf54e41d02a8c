import type { Plan } from "../../plan.ts";
import { isServedByMlServer } from "./model-metrics.ts";
import { routesOf } from "./routes.ts";
import type { Monitored } from "./monitors.ts";

/** When somebody is called, and what they are told. Only metrics of `data/metrics` are used: others would never fire. */

export type AlertGroup = { name: string; rules: Alert[] };

type Alert = {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: "critical" | "warning" };
  annotations: { summary: string; description: string };
};

type Told = { for: string; severity?: "critical" | "warning"; summary: string; description: string };

const alert = (name: string, expr: string, told: Told): Alert => ({
  alert: name,
  expr,
  for: told.for,
  labels: { severity: told.severity ?? "warning" },
  annotations: { summary: told.summary, description: told.description },
});

/** Groups that are empty are left out: there is nothing of theirs in this environment. */
export function alertsOf(plan: Plan, monitored: readonly Monitored[]): AlertGroup[] {
  const { environment } = plan;
  const { monitoring } = environment;
  const groups: AlertGroup[] = [
    { name: "tracking", rules: trackingAlerts(plan) },
    { name: "pipelines", rules: pipelineAlerts(plan) },
    { name: "databases", rules: databaseAlerts(plan) },
    { name: "models", rules: modelAlerts(plan) },
    {
      name: "platform",
      rules: [
        ...scrapeAlerts(monitored),
        ...argoCdAlerts,
        ...(monitored.some(({ workload }) => workload.name === "cert-manager") && routesOf(plan).length > 0
          ? certificateAlerts
          : []),
        ...(monitored.some(({ workload }) => workload.name === "external-secrets") ? secretAlerts : []),
      ],
    },
  ];
  return monitoring.engine === "none" ? [] : groups.filter(({ rules }) => rules.length > 0);
}

function trackingAlerts({ tracking }: Plan): Alert[] {
  const { name, namespace } = tracking;
  const down = alert("TrackingDown", `absent(up{namespace="${namespace}", pod=~"${name}-.*"} == 1)`, {
    for: "5m",
    severity: "critical",
    summary: "No server of experiment tracking answers",
    description: `Nothing of ${name} in the namespace ${namespace} has answered for five minutes: runs cannot be logged.`,
  });
  return name === "plinth" ? [down, ...plinthAlerts(namespace)] : [down, ...mlflowAlerts(namespace)];
}

const plinthAlerts = (namespace: string): Alert[] => {
  const requests = `plinth_http_request_duration_seconds_count{namespace="${namespace}"}`;
  return [
    alert(
      "PlinthErrors",
      `sum(rate(plinth_http_request_duration_seconds_count{namespace="${namespace}", status=~"5.."}[5m])) / sum(rate(${requests}[5m])) > 0.05`,
      {
        for: "10m",
        severity: "critical",
        summary: "Plinth answers with errors",
        description: "{{ $value | humanizePercentage }} of the requests fail. The server's log says why.",
      },
    ),
    alert(
      "PlinthSlow",
      `histogram_quantile(0.95, sum by (le) (rate(plinth_http_request_duration_seconds_bucket{namespace="${namespace}", protocol!="ops"}[10m]))) > 2.5`,
      {
        for: "15m",
        summary: "Plinth is slow",
        description: "One request in twenty takes more than {{ $value | humanizeDuration }}.",
      },
    ),
    alert(
      "PlinthWaitsForDatabase",
      `max_over_time(plinth_database_waiting{namespace="${namespace}"}[5m]) > 10`,
      {
        for: "10m",
        summary: "Plinth waits for connections of its database",
        description:
          "{{ $value }} requests of {{ $labels.pod }} wait: the database is slow, or the pool too small.",
      },
    ),
    alert(
      "PlinthEventLoopBlocked",
      `plinth_nodejs_eventloop_lag_p99_seconds{namespace="${namespace}"} > 0.5`,
      {
        for: "10m",
        summary: "A server of Plinth has more to do than it can",
        description: "The event loop of {{ $labels.pod }} is {{ $value | humanizeDuration }} late.",
      },
    ),
  ];
};

const mlflowAlerts = (namespace: string): Alert[] => [
  alert(
    "MlflowErrors",
    `sum(rate(mlflow_http_request_total{namespace="${namespace}", status=~"5.."}[5m])) / sum(rate(mlflow_http_request_total{namespace="${namespace}"}[5m])) > 0.05`,
    {
      for: "10m",
      severity: "critical",
      summary: "MLflow answers with errors",
      description: "{{ $value | humanizePercentage }} of the requests fail. The server's log says why.",
    },
  ),
  alert(
    "MlflowSlow",
    `histogram_quantile(0.95, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket{namespace="${namespace}"}[10m]))) > 5`,
    {
      for: "15m",
      summary: "MLflow is slow",
      description: "One request in twenty takes more than {{ $value | humanizeDuration }}.",
    },
  ),
];

/** ZenML has no metrics of its own: what is seen is whether its pods are ready, and what the proxies get from it. */
function pipelineAlerts({ environment, pipelines }: Plan): Alert[] {
  if (pipelines === undefined || environment.monitoring.engine !== "prometheus-operator") return [];
  const { name, namespace } = pipelines;
  const isRouted =
    environment.gateway.engine === "envoy-gateway" &&
    environment.pipelines.engine === "zenml" &&
    environment.pipelines.exposure.kind !== "cluster";
  const cluster = `httproute/${namespace}/${name}/.*`;
  return [
    alert(
      "ZenmlDown",
      `kube_deployment_status_replicas_available{namespace="${namespace}", deployment="${name}"} == 0`,
      {
        for: "5m",
        severity: "critical",
        summary: "No server of ZenML is ready",
        description: "Pipelines can neither be started nor report. Its readiness asks the database too.",
      },
    ),
    ...(isRouted
      ? [
          alert(
            "ZenmlErrors",
            `sum(rate(envoy_cluster_upstream_rq_xx{envoy_response_code_class="5", envoy_cluster_name=~"${cluster}"}[5m])) / sum(rate(envoy_cluster_upstream_rq_xx{envoy_cluster_name=~"${cluster}"}[5m])) > 0.05`,
            {
              for: "10m",
              summary: "ZenML answers with errors",
              description: "The proxies get errors for {{ $value | humanizePercentage }} of the requests.",
            },
          ),
        ]
      : []),
  ];
}

function databaseAlerts({ environment, tracking, pipelines }: Plan): Alert[] {
  const postgres = [
    ...(environment.tracking.database.engine === "cloudnative-pg" ? [tracking] : []),
    ...(pipelines !== undefined &&
    environment.pipelines.engine === "zenml" &&
    environment.pipelines.database.engine === "cloudnative-pg"
      ? [pipelines]
      : []),
  ];
  return postgres.flatMap(({ namespace, database }) => {
    const pods = `namespace="${namespace}", pod=~"${database.server}-[0-9]+"`;
    const about = `the database ${database.server}`;
    return [
      alert("PostgresDown", `cnpg_collector_up{${pods}} == 0 or absent(cnpg_collector_up{${pods}})`, {
        for: "5m",
        severity: "critical",
        summary: `An instance of ${about} does not answer`,
        description: "kubectl describe its Cluster: the operator says there what it waits for.",
      }),
      alert("PostgresReplicationLag", `cnpg_pg_replication_lag{${pods}} > 60`, {
        for: "10m",
        summary: `A replica of ${about} falls behind`,
        description:
          "{{ $labels.pod }} is {{ $value | humanizeDuration }} behind: a fail-over to it would lose that much.",
      }),
      ...(environment.backup.enabled
        ? [
            alert(
              "PostgresArchivingFails",
              `cnpg_collector_pg_wal_archive_status{${pods}, value="ready"} > 10`,
              {
                for: "15m",
                severity: "critical" as const,
                summary: `The write-ahead log of ${about} is not archived`,
                description: "{{ $value }} segments wait: restores would lose them, and the volume fills up.",
              },
            ),
            alert(
              "PostgresBackupTooOld",
              `time() - max(barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${pods}}) > ${oldestBackup(environment.backup.schedule)}`,
              {
                for: "1h",
                severity: "critical" as const,
                summary: `The last backup of ${about} is too old`,
                description:
                  "It is {{ $value | humanizeDuration }} old. kubectl get backups says what failed.",
              },
            ),
          ]
        : []),
    ];
  });
}

/** One backup may be missed, seconds: daily ones are 36 hours apart at most, weekly ones eight days. */
const oldestBackup = (schedule: string): number => (schedule.endsWith("*") ? 36 : 8 * 24) * 3600;

function modelAlerts({ environment: { serving } }: Plan): Alert[] {
  if (serving.engine !== "kserve") return [];
  const names = serving.models.filter(({ format }) => isServedByMlServer(format)).map(({ name }) => name);
  if (names.length === 0) return [];
  const of = `namespace="${serving.namespace}"`;
  return [
    alert(
      "ModelErrors",
      `sum by (model) (rate(model_infer_request_failure_total{${of}}[5m])) / (sum by (model) (rate(model_infer_request_failure_total{${of}}[5m])) + sum by (model) (rate(model_infer_request_success_total{${of}}[5m]))) > 0.05`,
      {
        for: "10m",
        summary: "A model fails",
        description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.model }} fail.",
      },
    ),
  ];
}

const scrapeAlerts = (monitored: readonly Monitored[]): Alert[] => {
  const spaces = [...new Set(monitored.map(({ workload }) => workload.namespace))].sort();
  return [
    alert("MetricsMissing", `up{namespace=~"${spaces.join("|")}"} == 0`, {
      for: "15m",
      summary: "Metrics are missing",
      description:
        "{{ $labels.pod }} in {{ $labels.namespace }} runs, but tells no metrics: other alerts are blind.",
    }),
  ];
};

const argoCdAlerts: Alert[] = [
  alert("ApplicationUnhealthy", `argocd_app_info{health_status=~"Degraded|Missing"} == 1`, {
    for: "15m",
    summary: "A part of the platform is not healthy",
    description: "The Application {{ $labels.name }} is {{ $labels.health_status }}.",
  }),
  alert("ApplicationOutOfSync", `argocd_app_info{sync_status="OutOfSync"} == 1`, {
    for: "1h",
    summary: "The cluster is not what Git says",
    description: "The Application {{ $labels.name }} has been out of sync for an hour.",
  }),
];

const certificateAlerts: Alert[] = [
  alert("CertificateEnds", "certmanager_certificate_expiration_timestamp_seconds - time() < 14 * 86400", {
    for: "1h",
    severity: "critical",
    summary: "A certificate was not renewed",
    description:
      "{{ $labels.name }} ends in {{ $value | humanizeDuration }}; it should have been renewed long ago.",
  }),
  alert("CertificateNotReady", `certmanager_certificate_ready_status{condition="False"} == 1`, {
    for: "30m",
    summary: "A certificate is not issued",
    description: "kubectl describe challenges: Let's Encrypt may not reach {{ $labels.name }}.",
  }),
];

const secretAlerts: Alert[] = [
  alert("SecretNotCopied", `externalsecret_status_condition{condition="Ready", status="False"} == 1`, {
    for: "15m",
    summary: "A secret is not copied from the secret store",
    description: "kubectl describe externalsecret {{ $labels.name }}: an entry or a right may be missing.",
  }),
];
