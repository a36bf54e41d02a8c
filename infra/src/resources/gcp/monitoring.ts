import { ref, template, type Reason, type TerraformBody } from "../resource.ts";
import { resourceBlock, type Block, type TerraformModule } from "../terraform-module.ts";
import { because, publicHosts, type CloudSqlUse, type Scope } from "./scope.ts";

/** `modules/monitoring`: what nobody inside of the cluster can notice. Metrics of the components are Prometheus' part. */
export function monitoringModule(scope: Scope): TerraformModule | undefined {
  const blocks = [...scope.databases.flatMap((use) => databaseAlerts(scope, use)), ...hostChecks(scope)];
  const recipients = recipientsOf(scope);
  // What is developed on may be down without anybody being called.
  if ((scope.development || blocks.length === 0) && !hasBudgetMail(scope)) return undefined;
  return {
    name: "monitoring",
    comment: "Who is told, and of what: databases and hosts, seen from outside of the cluster.",
    because: [because("tier", "What is not development calls somebody.")],
    providers: ["google"],
    inputs: [],
    outputs: [
      {
        name: "notification_channels",
        description: "Names of the channels that alerts go to",
        value: recipients.map((_, at) =>
          ref(`google_monitoring_notification_channel.${channelName(at)}.name`),
        ),
      },
    ],
    files: {
      "main.tf": [
        ...recipients.map((email, at) => channel(scope, { email, at })),
        ...(scope.development ? [] : blocks),
      ],
    },
    dependsOn: [ref("google_project_service.enabled")],
  };
}

export const hasBudgetMail = ({ target }: Scope): boolean => (target.budget?.notify.length ?? 0) > 0;

const recipientsOf = ({ target, environment }: Scope): string[] => {
  const notify = target.budget?.notify ?? [];
  return notify.length > 0 ? notify : [environment.gateway.contact];
};

const channelName = (at: number): string => (at === 0 ? "email" : `email_${at + 1}`);

const channel = ({ prefix, target }: Scope, { email, at }: { email: string; at: number }): Block =>
  resourceBlock(
    `google_monitoring_notification_channel.${channelName(at)}`,
    { display_name: `${prefix}: ${email}`, type: "email", labels: { email_address: email } },
    {
      because: [
        hasNotify(target.budget?.notify)
          ? because("target.budget.notify", "Who is told.")
          : because("gateway.contact", "Who is told, as nobody else is named."),
      ],
    },
  );

const hasNotify = (notify: readonly string[] | undefined): boolean => (notify?.length ?? 0) > 0;

type Alert = {
  id: string;
  title: string;
  severity: "CRITICAL" | "WARNING";
  filter: string;
  threshold: number;
  comparison: "COMPARISON_GT" | "COMPARISON_LT";
  duration: string;
  aggregation: TerraformBody;
  text: string;
  reasons: readonly Reason[];
};

const alertBlock = (scope: Scope, alert: Alert): Block =>
  resourceBlock(
    `google_monitoring_alert_policy.${alert.id}`,
    {
      display_name: `${scope.prefix}: ${alert.title}`,
      combiner: "OR",
      severity: alert.severity,
      notification_channels: recipientsOf(scope).map((_, at) =>
        ref(`google_monitoring_notification_channel.${channelName(at)}.name`),
      ),
      user_labels: scope.labels,
      conditions: {
        display_name: alert.title,
        condition_threshold: {
          filter: alert.filter,
          comparison: alert.comparison,
          threshold_value: alert.threshold,
          duration: alert.duration,
          aggregations: alert.aggregation,
        },
      },
      documentation: { content: alert.text, mime_type: "text/markdown" },
    },
    { because: alert.reasons },
  );

function databaseAlerts(scope: Scope, { id, component, setting, settings }: CloudSqlUse): Block[] {
  const { server } = component.database;
  const filter = (metric: string, instance: string): string =>
    [
      'resource.type = "cloudsql_database"',
      `resource.labels.database_id = "${scope.target.project}:${instance}"`,
      `metric.type = "cloudsql.googleapis.com/database/${metric}"`,
    ].join(" AND ");
  const common = {
    comparison: "COMPARISON_GT" as const,
    aggregation: { alignment_period: "300s", per_series_aligner: "ALIGN_MEAN" },
  };
  const alerts: Alert[] = [
    {
      ...common,
      id: `${id}_database_cpu`,
      title: `${server} is short of CPU`,
      severity: "WARNING",
      filter: filter("cpu/utilization", server),
      threshold: 0.85,
      duration: "900s",
      text: `For 15 minutes ${server} has used more than 85 % of its CPU. Look at its slow queries (Query Insights), or raise ${setting}.tier.`,
      reasons: [because(`${setting}.tier`, "Too small a machine shows here first.")],
    },
    {
      ...common,
      id: `${id}_database_disk`,
      title: `The disk of ${server} is nearly full`,
      severity: "CRITICAL",
      filter: filter("disk/utilization", server),
      threshold: 0.9,
      duration: "900s",
      text: `The disk of ${server} grows by itself. When this fires, it does not: look at the quota of the project, or raise ${setting}.diskGb.`,
      reasons: [because(`${setting}.diskGb`, "A full disk stops the database.")],
    },
  ];
  if (settings.replica && scope.target.backupRegion !== undefined) {
    alerts.push({
      ...common,
      id: `${id}_database_replica`,
      title: `The copy of ${server} is behind`,
      severity: "WARNING",
      filter: filter("replication/replica_lag", `${server}-replica`),
      threshold: 300,
      duration: "600s",
      text: `${server}-replica is more than 5 minutes behind: that much would be lost with the region.`,
      reasons: [because(`${setting}.replica`, "A copy that is behind is no copy.")],
    });
  }
  return alerts.map((alert) => alertBlock(scope, alert));
}

const hostChecks = (scope: Scope): Block[] =>
  publicHosts(scope).flatMap(({ id, host, setting, healthPath }) => {
    if (healthPath === undefined) return [];
    const reasons = [because(setting, "People use it from outside.")];
    return [
      resourceBlock(
        `google_monitoring_uptime_check_config.${id}`,
        {
          display_name: host,
          period: "60s",
          timeout: "10s",
          http_check: { path: healthPath, port: 443, use_ssl: true, validate_ssl: true },
          monitored_resource: {
            type: "uptime_url",
            labels: { project_id: scope.target.project, host },
          },
        },
        { because: reasons },
      ),
      alertBlock(scope, {
        id: `${id}_down`,
        title: `${host} does not answer`,
        severity: "CRITICAL",
        filter: [
          'resource.type = "uptime_url"',
          'metric.type = "monitoring.googleapis.com/uptime_check/check_passed"',
          `resource.labels.host = "${host}"`,
        ].join(" AND "),
        comparison: "COMPARISON_LT",
        threshold: 0.5,
        duration: "300s",
        aggregation: {
          alignment_period: "60s",
          per_series_aligner: "ALIGN_FRACTION_TRUE",
          cross_series_reducer: "REDUCE_MEAN",
        },
        text: `For 5 minutes https://${host}${healthPath} has not answered most of Google's checkers: name, certificate, gateway, pods, database.`,
        reasons,
      }),
    ];
  });

/** What the environment may cost in a month, and who hears of it before it does. */
export function budgetBlock(scope: Scope): Block | undefined {
  const { target, prefix } = scope;
  const { budget } = target;
  if (budget === undefined) return undefined;
  return resourceBlock(
    "google_billing_budget.main",
    {
      provider: ref("google.billing"),
      billing_account: budget.billingAccount,
      display_name: prefix,
      budget_filter: {
        projects: [template`projects/${ref("data.google_project.current.number")}`],
        calendar_period: "MONTH",
      },
      amount: { specified_amount: { currency_code: budget.currency, units: String(budget.monthly) } },
      threshold_rules: [
        { threshold_percent: 0.5 },
        { threshold_percent: 0.9 },
        { threshold_percent: 1, spend_basis: "FORECASTED_SPEND" },
        { threshold_percent: 1 },
      ],
      ...(hasBudgetMail(scope)
        ? {
            all_updates_rule: {
              monitoring_notification_channels: ref("module.monitoring.notification_channels"),
            },
          }
        : {}),
      depends_on: [ref("google_project_service.enabled")],
    },
    {
      because: [
        because("target.budget.monthly", "The project's costs of a month."),
        because(
          "target.budget.notify",
          "Who hears of it, besides the administrators of the billing account.",
        ),
      ],
      notes: {
        "amount.specified_amount.currency_code":
          "The currency of the billing account: Google refuses any other.",
      },
    },
  );
}
