import { artifactVersionBody, bodyOf, runBody, stepBody, type ZenmlIds } from "./zenml-world.ts";

export type ZenmlRequest = {
  query?(ids: ZenmlIds): string;
  body?(ids: ZenmlIds): unknown;
  /** Anybody who may create somewhere makes one of these. */
  makes?: true;
  /** Changes nothing, though it is no GET. */
  asks?: true;
  /** Tells something about a project, though it is no GET. */
  isRead?: true;
  /** A list of whatever the caller may see, wherever that is. */
  isFiltered?: true;
  /** The status for a viewer, where that is not the usual one. */
  forViewer?: number;
};

/** What a part of a path stands for. */
export function idsOfPath(key: string, name: string, ids: ZenmlIds): string {
  if (key.includes("/pipeline_deployments/")) return ids["snapshot"] ?? "";
  const kind = name.replace(/(?:_name)?(?:_or)?_id$/, "");
  const aliases: Readonly<Record<string, string>> = {
    step_run: "step",
    logs: "logs",
    link: key.includes("/runs/") ? "run_link" : "artifact_link",
    visualization: "curated_visualization",
  };
  if (name === "connector_type") return "docker";
  return ids[aliases[kind] ?? kind] ?? `no-${kind}`;
}

/** Deprecated addresses ask for the same as those that they stand for. */
export const requestOf = (key: string): ZenmlRequest | undefined =>
  bodies[
    key
      .replace("/workspaces/:project_name_or_id/models/:model_id/", "/")
      .replace("/workspaces/:project_name_or_id/resources", "/service_connectors/resources")
      .replace("/workspaces/:project_name_or_id/", "/")
  ];

export const knownRequests = (): string[] => Object.keys(bodies);

/** Lists of what belongs to no project. */
export const sharedLists = ["/stacks", "/components", "/flavors", "/secrets", "/service_connectors", "/tags"];

const renamed = (): unknown => ({ name: "renamed-by-somebody" });
const described = (): unknown => ({ description: "changed by somebody" });
const logRecord = (ids: ZenmlIds): unknown => ({
  resource_logs: [
    {
      resource: { attributes: [] },
      scope_logs: [
        {
          scope: {},
          log_records: [
            {
              time_unix_nano: 1_700_000_000_000_000_000,
              body: { string_value: "a line of somebody" },
              attributes: [{ key: "zenml.log.id", value: { string_value: ids["logs"] } }],
            },
          ],
        },
      ],
    },
  ],
});
const nothing = (): unknown => ({});
const tagLink = (ids: ZenmlIds): unknown => ({
  tag_id: ids["tag"],
  resource_id: ids["artifact"],
  resource_type: "artifact",
});
const make = (kind: string): ZenmlRequest => ({ makes: true, body: (ids) => bodyOf(kind, ids) });

/** What requests have with them, and what is peculiar to them. */
const bodies: Readonly<Record<string, ZenmlRequest>> = {
  "POST /code_repositories": make("code_repository"),
  "PUT /code_repositories/:code_repository_id": { body: renamed },
  "POST /pipelines": make("pipeline"),
  "PUT /pipelines/:pipeline_id": { body: () => ({ description: "changed" }) },
  "POST /pipeline_snapshots": make("snapshot"),
  "POST /pipeline_deployments": make("snapshot"),
  "PUT /pipeline_snapshots/:snapshot_id": { body: () => ({ description: "changed" }) },
  "POST /pipeline_snapshots/prune": {
    body: (ids) => ({ project: ids["project"], older_than: "2020-01-01T00:00:00", apply: true }),
  },
  "POST /pipeline_builds": make("build"),
  "POST /schedules": make("schedule"),
  "PUT /schedules/:schedule_id": { body: renamed },
  "POST /run_templates": make("template"),
  "PUT /run_templates/:template_id": { body: renamed },
  "POST /deployments": {
    body: (ids) => ({
      project: ids["project"],
      name: "served",
      snapshot_id: ids["snapshot"],
      deployer_id: ids["component"],
    }),
  },
  "POST /runs": { makes: true, body: runBody },
  "PUT /runs/:run_id": { body: () => ({ status: "running" }) },
  "PUT /runs/:run_id/disable_heartbeat": {},
  "POST /runs/:run_id/events": { body: () => ({ events: [] }) },
  "POST /runs/:run_id/refresh": {},
  "POST /runs/:run_id/stop": {},
  "POST /steps": { makes: true, body: stepBody },
  "PUT /steps/:step_id": { body: () => ({ end_time: "2026-01-01T00:00:00", status: "completed" }) },
  "PUT /steps/:step_run_id/heartbeat": { body: nothing },
  "POST /artifacts": make("artifact"),
  "PUT /artifacts/:artifact_id": { body: renamed },
  "POST /artifact_versions": { makes: true, body: artifactVersionBody },
  "POST /artifact_versions/batch": { makes: true, body: (ids) => [artifactVersionBody(ids)] },
  "PUT /artifact_versions/:artifact_version_id": { body: () => ({ add_tags: ["changed"] }) },
  "DELETE /artifact_versions": { query: (ids) => `?project_name_or_id=${ids["project"] ?? ""}` },
  "POST /runs/statistics": {
    isRead: true,
    body: (ids) => ({ filter: { project: ids["project"] }, groupings: [], metrics: [] }),
  },
  "POST /hook_invocations": make("hook_invocation"),
  "POST /run_wait_conditions": make("run_wait_condition"),
  "PUT /run_wait_conditions/:run_wait_condition_id": {
    body: () => ({ poller_instance_id: "poller", poller_lease_expires_at: "2100-01-01T00:00:00" }),
  },
  "PUT /run_wait_conditions/:run_wait_condition_id/resolve": { body: () => ({ resolution: "continue" }) },
  "POST /triggers": make("trigger"),
  "PUT /triggers/:trigger_id": {
    body: () => ({
      type: "schedule",
      name: "renamed-by-somebody",
      flavor: "native schedule",
      cron_expression: "0 1 * * *",
    }),
  },
  "PUT /triggers/:trigger_id/pipeline_snapshots/:snapshot_id": {},
  "POST /webhooks": make("webhook"),
  "PUT /webhooks/:webhook": { body: renamed },
  "PUT /webhooks/:webhook/secret": { body: nothing },
  "POST /models": make("model"),
  "PUT /models/:model_name_or_id": { body: described },
  "POST /model_versions": make("model_version"),
  "PUT /model_versions/:model_version_id": { body: described },
  "POST /model_version_artifacts": {
    body: (ids) => ({ model_version: ids["model_version"], artifact_version: ids["artifact_version"] }),
  },
  "POST /model_version_pipeline_runs": {
    body: (ids) => ({ model_version: ids["model_version"], pipeline_run: ids["run"] }),
  },
  "POST /services": make("service"),
  "PUT /services/:service_id": { body: () => ({ labels: { a: "b" } }) },
  "POST /pipeline_snapshots/:snapshot_id/runs": {},
  "POST /run_templates/:template_id/runs": {},
  "PUT /deployments/:deployment_id": { body: () => ({ url: "http://localhost:1" }) },
  "POST /curated_visualizations": {
    body: (ids) => ({
      project: ids["project"],
      artifact_visualization_id: ids["artifact_visualization"],
      resource_id: ids["pipeline"],
      resource_type: "pipeline",
    }),
  },
  "PUT /curated_visualizations/:visualization_id": { body: () => ({ display_name: "changed" }) },
  "POST /run-metadata": {
    body: (ids) => ({
      project: ids["project"],
      resources: [{ id: ids["run"], type: "pipeline_run" }],
      values: { accuracy: 1 },
      types: { accuracy: "int" },
    }),
  },
  "POST /tag_resources": { body: tagLink },
  "POST /tag_resources/batch": { body: (ids) => [tagLink(ids)] },
  "DELETE /tag_resources": { body: tagLink },
  "DELETE /tag_resources/batch": { body: (ids) => [tagLink(ids)] },
  "POST /service_connectors/verify": { asks: true, body: (ids) => bodyOf("connector", ids) },
  "PUT /service_connectors/:connector_id/verify": { asks: true },
  "GET /service_connectors/resources": { forViewer: 403 },
  "GET /service_connectors/:connector_id/client": { forViewer: 403 },
  "GET /stack-deployment/config": { forViewer: 403 },
  // These lists name no project: they show what is in those that the caller has a part in.
  "GET /model_version_artifacts": { isFiltered: true },
  "GET /model_version_pipeline_runs": { isFiltered: true },
  "POST /otlp/v1/logs": { body: logRecord },
  "POST /service_connectors/full_stack_resources": { asks: true, body: (ids) => bodyOf("connector", ids) },
  "POST /logs": make("logs"),
  "PUT /logs/:logs_id": { body: (ids) => ({ pipeline_run_id: ids["run"] }) },
  "POST /stacks": make("stack"),
  "PUT /stacks/:stack_id": { body: renamed },
  "POST /components": make("component"),
  "PUT /components/:component_id": { body: renamed },
  "POST /flavors": make("flavor"),
  "PUT /flavors/:flavor_id": { body: () => ({ display_name: "changed" }) },
  "PATCH /flavors/sync": { makes: true },
  "POST /secrets": make("secret"),
  "PUT /secrets/:secret_id": { body: renamed },
  "POST /service_connectors": make("connector"),
  "PUT /service_connectors/:connector_id": { body: renamed },
  "POST /tags": make("tag"),
  "PUT /tags/:tag_name_or_id": { body: renamed },
};
