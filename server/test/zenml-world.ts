import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { TestServer } from "./harness.ts";

/** Stands in the name of everything in the world, so that an answer that shows some of it is seen. */
export const MARK = "kept-from-others";

/** By what they are called in paths, without `_id`. */
export type ZenmlIds = Readonly<Record<string, string>>;

const API = "/api/v1";
const source = { module: "train", attribute: "one", type: "user" };

/** What makes each thing, in an order in which everything is there that the next one needs. */
const makers: Readonly<Record<string, { path: string; body(ids: ZenmlIds): unknown }>> = {
  artifact_store: {
    path: "/components",
    body: () => ({
      name: named("store"),
      type: "artifact_store",
      flavor: "s3",
      configuration: { path: "s3://bucket" },
    }),
  },
  component: {
    path: "/components",
    body: () => ({
      name: named("orchestrator"),
      type: "orchestrator",
      flavor: "kubernetes",
      configuration: {},
    }),
  },
  stack: {
    path: "/stacks",
    body: (ids) => ({
      name: named("stack"),
      components: { orchestrator: [ids["component"]], artifact_store: [ids["artifact_store"]] },
    }),
  },
  flavor: {
    path: "/flavors",
    body: () => ({
      name: named("flavor"),
      type: "orchestrator",
      config_schema: {},
      source: "train.Flavor",
      integration: null,
      is_custom: true,
    }),
  },
  secret: {
    path: "/secrets",
    body: () => ({ name: named("secret"), private: false, values: { key: MARK } }),
  },
  connector: {
    path: "/service_connectors",
    body: () => ({
      name: named("connector"),
      connector_type: "docker",
      auth_method: "password",
      configuration: { username: "u", password: "p" },
      resource_types: ["docker-registry"],
    }),
  },
  tag: { path: "/tags", body: () => ({ name: named("tag"), color: "blue" }) },
  code_repository: {
    path: "/code_repositories",
    body: (ids) => ({ project: ids["project"], name: named("repository"), config: {}, source }),
  },
  pipeline: { path: "/pipelines", body: (ids) => ({ project: ids["project"], name: named("pipeline") }) },
  build: {
    path: "/pipeline_builds",
    body: (ids) => ({
      project: ids["project"],
      images: {},
      is_local: false,
      contains_code: false,
      pipeline: ids["pipeline"],
      stack: ids["stack"],
    }),
  },
  schedule: {
    path: "/schedules",
    body: (ids) => ({
      project: ids["project"],
      name: named("schedule"),
      active: true,
      cron_expression: "0 * * * *",
      orchestrator_id: ids["component"],
      pipeline_id: ids["pipeline"],
    }),
  },
  snapshot: { path: "/pipeline_snapshots", body: snapshotBody },
  deployer: {
    path: "/components",
    body: () => ({ name: named("deployer"), type: "deployer", flavor: "docker", configuration: {} }),
  },
  deployment: {
    path: "/deployments",
    body: (ids) => ({
      project: ids["project"],
      name: named("deployment"),
      snapshot_id: ids["snapshot"],
      deployer_id: ids["deployer"],
    }),
  },
  template: {
    path: "/run_templates",
    body: (ids) => ({
      project: ids["project"],
      name: named("template"),
      source_snapshot_id: ids["snapshot"],
    }),
  },
  run: { path: "/runs", body: runBody },
  step: { path: "/steps", body: stepBody },
  trigger: {
    path: "/triggers",
    body: (ids) => ({
      project: ids["project"],
      name: named("trigger"),
      type: "schedule",
      flavor: "native schedule",
      cron_expression: "0 * * * *",
    }),
  },
  webhook: {
    path: "/webhooks",
    body: (ids) => ({ project: ids["project"], name: named("webhook"), webhook_type: "custom" }),
  },
  hook_invocation: {
    path: "/hook_invocations",
    body: (ids) => ({
      project: ids["project"],
      hook_type: "step_success",
      name: named("hook"),
      status: "completed",
      start_time: "2026-01-01T00:00:00",
      pipeline_run_id: ids["run"],
    }),
  },
  dynamic_snapshot: {
    path: "/pipeline_snapshots",
    body: (ids) => ({ ...snapshotBody(ids), is_dynamic: true, step_configurations: {} }),
  },
  dynamic_run: {
    path: "/runs",
    body: (ids) => ({ ...runBody(ids), snapshot: ids["dynamic_snapshot"] }),
  },
  run_wait_condition: {
    path: "/run_wait_conditions",
    body: (ids) => ({
      project: ids["project"],
      run: ids["dynamic_run"],
      name: named("condition"),
      type: "external_input",
    }),
  },
  artifact: {
    path: "/artifacts",
    body: (ids) => ({ project: ids["project"], name: named("artifact"), has_custom_name: true }),
  },
  artifact_version: { path: "/artifact_versions", body: artifactVersionBody },
  service: {
    path: "/services",
    body: (ids) => ({
      project: ids["project"],
      name: named("service"),
      service_type: { type: "model-serving", flavor: "bentoml", name: "bentoml" },
      config: { name: named("config") },
      labels: {},
    }),
  },
  model: { path: "/models", body: (ids) => ({ project: ids["project"], name: named("model") }) },
  model_version: {
    path: "/model_versions",
    body: (ids) => ({ project: ids["project"], model: ids["model"], name: named("version") }),
  },
  logs: {
    path: "/logs",
    body: (ids) => ({
      project: ids["project"],
      uri: `s3://bucket/${MARK}.log`,
      source: named("source"),
      artifact_store_id: ids["artifact_store"],
      pipeline_run_id: ids["run"],
    }),
  },
};

let count = 0;
const named = (kind: string): string => `${MARK}-${kind}-${(count += 1)}`;

function snapshotBody(ids: ZenmlIds): object {
  const config = { name: "one", outputs: {}, parameters: {} };
  return {
    project: ids["project"],
    run_name_template: "run",
    pipeline_configuration: { name: MARK },
    step_configurations: {
      one: {
        spec: { source, upstream_steps: [], inputs: {}, invocation_id: "one" },
        config,
        step_config_overrides: config,
      },
    },
    client_environment: {},
    client_version: "0.98.0",
    server_version: "0.98.0",
    stack: ids["stack"],
    build: ids["build"],
    pipeline: ids["pipeline"],
  };
}

export function runBody(ids: ZenmlIds): object {
  return {
    project: ids["project"],
    name: named("run"),
    snapshot: ids["snapshot"],
    orchestrator_run_id: randomUUID(),
    start_time: "2026-01-01T00:00:00",
    status: "running",
  };
}

export function stepBody(ids: ZenmlIds): object {
  return {
    project: ids["project"],
    name: "one",
    start_time: "2026-01-01T00:00:00",
    status: "running",
    pipeline_run_id: ids["run"],
  };
}

export function artifactVersionBody(ids: ZenmlIds): object {
  const type = { module: "builtins", attribute: "int", type: "builtin" };
  return {
    project: ids["project"],
    artifact_id: ids["artifact"],
    type: "DataArtifact",
    artifact_store_id: ids["artifact_store"],
    uri: `s3://bucket/${named("artifact")}`,
    materializer: type,
    data_type: type,
    save_type: "manual",
    visualizations: [{ type: "json", uri: `s3://bucket/${MARK}/data.json` }],
    tags: [],
  };
}

/** What makes another one of a kind, for requests that make something. */
export const bodyOf = (kind: string, ids: ZenmlIds): unknown => makers[kind]?.body(ids);

/** One of everything in a project, made by who may. */
export async function makeZenmlWorld(root: TestServer, project: string): Promise<ZenmlIds> {
  const found = await root.get(`${API}/projects/${project}`);
  const ids: Record<string, string> = { project: found.json.id, project_name: project };
  for (const [kind, { path, body }] of Object.entries(makers)) {
    const answer = await root.post(API + path, body(ids));
    expect([kind, answer.status, answer.text]).toEqual([kind, 200, expect.any(String)]);
    ids[kind] = (path === "/runs" ? answer.json[0] : answer.json).id;
  }
  const version = await root.get(`${API}/artifact_versions/${ids["artifact_version"]}`);
  ids["artifact_visualization"] = version.json.metadata.visualizations[0].id;
  const curated = await root.post(`${API}/curated_visualizations`, {
    project: ids["project"],
    artifact_visualization_id: ids["artifact_visualization"],
    resource_id: ids["project"],
    resource_type: "project",
  });
  expect([curated.status, curated.text]).toEqual([200, expect.any(String)]);
  const links = {
    artifact_link: ["artifacts", { artifact_version: ids["artifact_version"] }],
    run_link: ["pipeline_runs", { pipeline_run: ids["run"] }],
  } as const;
  for (const [kind, [path, linked]] of Object.entries(links)) {
    const body = { model_version: ids["model_version"], ...linked };
    const answer = await root.post(`${API}/model_version_${path}`, body);
    expect([kind, answer.status, answer.text]).toEqual([kind, 200, expect.any(String)]);
    ids[kind] = answer.json.id;
  }
  const attached = await root.call(
    "PUT",
    `${API}/triggers/${ids["trigger"]}/pipeline_snapshots/${ids["snapshot"]}`,
  );
  expect([attached.status, attached.text]).toEqual([200, expect.any(String)]);
  return { ...ids, curated_visualization: curated.json.id };
}
