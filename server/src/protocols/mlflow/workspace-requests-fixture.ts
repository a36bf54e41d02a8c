import type { Answer, TestServer } from "../../../test/harness.ts";
import { newModel, newVersion } from "../../../test/registry.ts";
import { accepted, API, fresh } from "../../../test/runs.ts";

/** What a caller may name. */
export type Ids = {
  workspace: string;
  experiment: string;
  experimentName: string;
  deletedExperiment: string;
  run: string;
  deletedRun: string;
  /** A logged model. */
  model: string;
  /** A registered model, with version 1 made from the run and version 2 from the logged model. */
  registered: string;
  /** Below `mlflow-artifacts:/`. */
  runArtifacts: string;
  upload: string;
  webhook: string;
};

/** Stands in every text of a world that no request repeats. */
export const SECRET = "not for strangers";

/** One of everything, in the workspace of `server`. */
export async function makeWorld(server: TestServer, workspace: string): Promise<Ids> {
  const experimentName = fresh("experiment of the owner");
  const create = async (name: string): Promise<string> =>
    accepted(await server.post(`${API}/experiments/create`, { name, tags: [secret("note")] })).experiment_id;
  const experiment = await create(experimentName);
  const deletedExperiment = await create(fresh("deleted"));
  await server.post(`${API}/experiments/delete`, { experiment_id: deletedExperiment });
  const newRun = async (): Promise<{ run_id: string; artifact_uri: string }> =>
    accepted(await server.post(`${API}/runs/create`, { experiment_id: experiment, tags: [secret("note")] }))
      .run.info;
  const { run_id: run, artifact_uri } = await newRun();
  const { run_id: deletedRun } = await newRun();
  const model = accepted(
    await server.post(`${API}/logged-models`, {
      experiment_id: experiment,
      name: "classifier",
      source_run_id: run,
      params: [secret("note")],
      tags: [secret("note")],
    }),
  ).model.info.model_id as string;
  accepted(
    await server.post(`${API}/runs/log-batch`, {
      run_id: run,
      metrics: [{ key: "loss", value: 0.5, timestamp: 1, step: 1, model_id: model }],
      params: [secret("depth")],
      tags: [secret("other")],
    }),
  );
  accepted(await server.post(`${API}/runs/log-inputs`, { run_id: run, datasets: [dataset] }));
  await server.post(`${API}/runs/delete`, { run_id: deletedRun });
  const runArtifacts = artifact_uri.replace("mlflow-artifacts:/", "");
  for (const root of [runArtifacts, runArtifacts.replace(`${run}/`, `models/${model}/`)]) {
    const put = await server.call("PUT", `/api/2.0/mlflow-artifacts/artifacts/${root}/model/MLmodel`, SECRET);
    if (put.status !== 200) throw new Error(put.text);
  }
  const registered = await newModel(server, { name: fresh("registered"), tags: [secret("note")] });
  await newVersion(server, registered, {
    source: `${artifact_uri}/model`,
    run_id: run,
    tags: [secret("note")],
  });
  await newVersion(server, registered, { source: `models:/${model}`, model_id: model });
  accepted(
    await server.post(`${API}/registered-models/alias`, { name: registered, alias: "best", version: "1" }),
  );
  const upload = accepted(
    await server.post(`/api/2.0/mlflow-artifacts/mpu/create/${runArtifacts}`, { path: "big", num_parts: 0 }),
  ).upload_id as string;
  const hook = {
    name: "hook",
    url: "http://127.0.0.1:1/x",
    events: [created],
    description: SECRET,
  };
  const webhook = accepted(await server.post(`${API}/webhooks`, hook)).webhook.webhook_id as string;
  return {
    workspace,
    experiment,
    experimentName,
    deletedExperiment,
    run,
    deletedRun,
    model,
    registered,
    runArtifacts,
    upload,
    webhook,
  };
}

const created = { entity: "PROMPT", action: "CREATED" };

const secret = (key: string): { key: string; value: string } => ({ key, value: SECRET });

const dataset = {
  dataset: { name: "rows", digest: "d1", source_type: "local", source: SECRET },
  tags: [{ key: "mlflow.data.context", value: SECRET }],
};

/** Ids of the right form that nothing has. */
export const nothing: Ids = {
  workspace: "nowhere",
  experiment: "2147480001",
  experimentName: "experiment that is not there",
  deletedExperiment: "2147480002",
  run: "0123456789abcdef0123456789abcdef",
  deletedRun: "fedcba9876543210fedcba9876543210",
  model: "m-0123456789abcdef0123456789abcdef",
  registered: "registered model that is not there",
  runArtifacts: "workspaces/nowhere/2147480001/0123456789abcdef0123456789abcdef/artifacts",
  upload: "01234567-89ab-cdef-0123-456789abcdef",
  webhook: "01234567-89ab-cdef-0123-456789abcdee",
};

/** A request that names something: `path` takes the place of the parameters in the route's address. */
export type Asked = { path?: string[]; query?: Record<string, string>; body?: unknown };

export async function ask(server: TestServer, route: Route, asked: Asked): Promise<Answer> {
  const parameters = [...(asked.path ?? [])];
  const path = route.url.replaceAll(/:\w+|\*/g, () => parameters.shift() ?? "x");
  const query = asked.query === undefined ? "" : `?${new URLSearchParams(asked.query).toString()}`;
  return server.call(route.method, path + query, asked.body);
}

export type Route = { method: string; url: string };

/** An answer with all that the request repeats taken out. */
export function withoutIds({ status, text }: Answer, ids: Ids): string {
  const longestFirst = Object.entries(ids).toSorted(([, a], [, b]) => b.length - a.length);
  return `${status} ${longestFirst.reduce((rest, [name, id]) => rest.replaceAll(id, `<${name}>`), text)}`;
}
