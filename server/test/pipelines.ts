import { randomUUID } from "node:crypto";
import type { Answer, Json, TestServer } from "./harness.ts";

/** What runs need to be there, made as ZenML's clients make it. */

const API = "/api/v1";

export async function projectIdOf(server: TestServer, workspace = "default"): Promise<string> {
  const [row] = await server.database.prepared<{ uuid: string }>(
    { name: "test_project_id_of", text: "select uuid from identity.workspaces where name = $1" },
    [workspace],
  );
  if (row === undefined) throw new Error(`there is no workspace ${workspace}`);
  return row.uuid;
}

export type TestStep = {
  upstream?: readonly string[];
  inputs?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  config?: Record<string, unknown>;
};

export type TestPipeline = {
  name?: string;
  steps?: Record<string, TestStep>;
  configuration?: Record<string, unknown>;
  isDynamic?: boolean;
};

const done = (answer: Answer): Json => {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json;
};

export const source = (attribute: string): object => ({ module: "run", attribute, type: "user" });

export const stepOf = (
  name: string,
  { upstream = [], inputs = {}, spec, config }: TestStep = {},
): object => ({
  spec: { source: source(name), upstream_steps: upstream, inputs, invocation_id: name, ...spec },
  config: { name, ...config },
  step_config_overrides: { name, ...config },
});

/** A snapshot of a pipeline with these steps, and its pipeline. */
export async function newSnapshot(
  server: TestServer,
  project: string,
  {
    name = `pipeline-${randomUUID()}`,
    steps = { one: {} },
    configuration = {},
    isDynamic = false,
  }: TestPipeline = {},
): Promise<{ snapshot: string; pipeline: string; stack: string }> {
  const found = done(await server.get(`${API}/pipelines?project=${project}&name=${name}`));
  const pipeline =
    found.items[0]?.id ??
    done(await server.post(`${API}/pipelines`, { project, name, description: null })).id;
  const [stack] = done(await server.get(`${API}/stacks?name=default`)).items;
  const configured = Object.entries(steps).map(([key, step]) => [key, stepOf(key, step)]);
  const snapshot = done(
    await server.post(`${API}/pipeline_snapshots`, {
      project,
      pipeline,
      stack: stack.id,
      run_name_template: `${name}-{date}-{time}`,
      pipeline_configuration: { name, ...configuration },
      step_configurations: Object.fromEntries(configured),
      client_environment: { os: "linux", python_packages: ["zenml==0.98.0"] },
      client_version: "0.98.0",
      server_version: "0.98.0",
      is_dynamic: isDynamic,
      pipeline_spec: {
        version: "0.5",
        steps: Object.entries(steps).map(([key, step]) => (stepOf(key, step) as { spec: object }).spec),
      },
    }),
  );
  return { snapshot: snapshot.id, pipeline, stack: stack.id };
}

export const runRequest = (project: string, snapshot: string, more: object = {}): object => ({
  project,
  snapshot,
  name: `run-${randomUUID()}`,
  status: "running",
  start_time: "2026-11-21T05:29:59.487996",
  orchestrator_run_id: randomUUID(),
  ...more,
});

export async function newRun(
  server: TestServer,
  project: string,
  ...[snapshot, more]: [snapshot: string, more?: object]
): Promise<Json> {
  return done(await server.post(`${API}/runs`, runRequest(project, snapshot, more)))[0];
}

export const stepRequest = (
  project: string,
  run: string,
  ...[name, more]: [name: string, more?: object]
): object => ({
  project,
  name,
  pipeline_run_id: run,
  start_time: "2026-11-21T05:30:00.5",
  status: "running",
  ...more,
});

export async function newStep(
  server: TestServer,
  project: string,
  ...[run, name, more]: [run: string, name: string, more?: object]
): Promise<Json> {
  return done(await server.post(`${API}/steps`, stepRequest(project, run, name, more)));
}

export async function newArtifactVersion(
  server: TestServer,
  project: string,
  name = "artifact",
): Promise<string> {
  const made = await server.post(`${API}/artifact_versions`, {
    project,
    artifact_name: name,
    type: "DataArtifact",
    uri: `/store/${randomUUID()}`,
    materializer: source("Materializer"),
    data_type: { module: "builtins", attribute: "int", type: "builtin" },
    save_type: "step_output",
  });
  return done(made).id;
}

export async function endStep(server: TestServer, id: string, more: object = {}): Promise<Json> {
  return done(
    await server.call("PUT", `${API}/steps/${id}`, {
      status: "completed",
      end_time: "2026-11-21T05:31:00",
      ...more,
    }),
  );
}

export const getRun = async (server: TestServer, id: string): Promise<Json> =>
  done(await server.get(`${API}/runs/${id}`));
