import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { pipelineRunLineage, type LineageNode, type PipelineRunLineage } from "@plinth/contract";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { newArtifactVersion, newRun, newSnapshot, newStep, projectIdOf } from "../../../test/pipelines.ts";
import { machine, person } from "../../../test/principals.ts";
import { newModel, newVersion } from "../../../test/registry.ts";
import { accepted, API, fresh } from "../../../test/runs.ts";
import { newWorkspace, withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer({ login: "required" });
const root = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
const project = await projectIdOf(root);

afterAll(() => server[Symbol.asyncDispose]());

/** An account that may do this in the workspace `default`. */
async function caller(
  ...grants: ["workspace" | "experiment", string, "READ" | "DENY"][]
): Promise<TestServer> {
  const { row, headers } = await machine(server, fresh("caller").replace(" ", "-"));
  for (const [resource_type, pattern, permission] of grants) {
    const place = { principalId: row.principal_id };
    await server.app.identity.roles.grantDirectly(place, 1, {
      resource_type,
      pattern,
      permission,
      replace: true,
    });
  }
  return withHeaders(server, headers);
}

const ask = (on: TestServer, run: string, workspace = "default"): Promise<Answer> =>
  on.get(`/console/api/lineage/pipeline-run?workspace=${workspace}&run_id=${run}`);
const lineage = async (on: TestServer, run: string): Promise<PipelineRunLineage> =>
  pipelineRunLineage.parse(accepted(await ask(on, run)));

const zenml = async (method: string, path: string, body: unknown): Promise<Answer["json"]> =>
  accepted(await root.call(method, `/api/v1/${path}`, body));

const logged = (step: string, mlflowRun: string): Promise<unknown> =>
  zenml("POST", "run-metadata", {
    project,
    resources: [{ id: step, type: "step_run" }],
    values: { mlflow_run_id: mlflowRun, experiment_tracker_url: "http://plinth" },
    types: { mlflow_run_id: "str", experiment_tracker_url: "Uri" },
  });

/**
 * A run of two steps: the first takes data that another run made, and makes a model, which it logs to a run of MLflow
 * and registers; the second takes the model, and fails without saying where it logged.
 */
async function train() {
  const name = fresh("training");
  const { snapshot } = await newSnapshot(root, project, {
    name,
    steps: { fit: {}, check: { upstream: ["fit"] } },
  });
  const before = await newSnapshot(root, project, { steps: { load: {} } });
  const earlier = await newRun(root, project, before.snapshot);
  const load = await newStep(root, project, earlier.id, "load");
  const data = await newArtifactVersion(root, project, fresh("data"));
  await zenml("PUT", `steps/${load.id}`, { status: "completed", outputs: { data: [data] } });

  const run = await newRun(root, project, snapshot);
  const fit = await newStep(root, project, run.id, "fit", {
    inputs: { data: [data] },
  });
  const model = await newArtifactVersion(root, project, fresh("model"));
  await zenml("PUT", `steps/${fit.id}`, { status: "completed", outputs: { model: [model] } });
  const check = await newStep(root, project, run.id, "check", {
    inputs: { model: [model] },
  });

  const { experiment_id: experiment } = accepted(await root.post(`${API}/experiments/create`, { name }));
  const started = async (run_name: string, tags: object[] = []): Promise<string> =>
    accepted(await root.post(`${API}/runs/create`, { experiment_id: experiment, run_name, tags })).run.info
      .run_id;
  const named = await started("by its id");
  const tagged = await started(run.name, [{ key: "zenml", value: "0.98.0" }]);
  await started(run.name);
  await logged(fit.id, named);
  const registered = await newModel(root);
  await newVersion(root, registered, { run_id: named });

  const zenmlModel = await zenml("POST", "models", { project, name: fresh("model") });
  const version = await zenml("POST", "model_versions", { project, model: zenmlModel.id, name: fresh("v") });
  await zenml("POST", "model_version_artifacts", { model_version: version.id, artifact_version: model });
  return { run, earlier, load, fit, check, data, model, experiment, named, tagged, registered, version };
}

const idsOf = ({ nodes }: PipelineRunLineage, kind: LineageNode["kind"]): string[] =>
  nodes.filter((node) => node.kind === kind).map(({ id }) => id);

describe("the lineage of a pipeline run", () => {
  test("goes from its steps over what they made to runs of MLflow and models", async () => {
    const made = await train();
    const graph = await lineage(root, made.run.id);
    const [run, fit, check] = [`pipeline_run:${made.run.id}`, `step:${made.fit.id}`, `step:${made.check.id}`];
    const [data, model] = [`artifact_version:${made.data}`, `artifact_version:${made.model}`];
    const [earlier, named] = [`pipeline_run:${made.earlier.id}`, `mlflow_run:${made.named}`];
    const registered = `registered_model_version:1:${made.registered}`;
    expect(graph.truncated).toBe(false);
    expect(new Set(graph.nodes.map(({ id }) => id))).toStrictEqual(
      new Set([
        run,
        fit,
        check,
        data,
        model,
        earlier,
        named,
        registered,
        `mlflow_run:${made.tagged}`,
        `model_version:${made.version.id}`,
      ]),
    );
    expect(graph.nodes.find(({ id }) => id === named)).toMatchObject({
      details: { run_name: "by its id", experiment_id: made.experiment },
    });
    const edges = new Set(graph.edges.map(({ from, to, kind, name }) => [from, kind, to, name].join(" ")));
    expect(edges).toStrictEqual(
      new Set([
        `${run} has ${fit} `,
        `${run} has ${check} `,
        `${fit} then ${check} `,
        `${data} input ${fit} data`,
        `${fit} output ${model} model`,
        `${model} input ${check} model`,
        `${earlier} output ${data} `,
        `${fit} logged_to ${named} `,
        `${run} logged_to mlflow_run:${made.tagged} `,
        `${named} registered_as ${registered} `,
        `${model} linked model_version:${made.version.id} `,
      ]),
    );
    const back = await lineage(root, made.earlier.id);
    expect(idsOf(back, "pipeline_run")).toContain(run);
  });

  test("shows no details of runs in experiments that the caller may not read", async () => {
    const made = await train();
    const blind = await caller(["workspace", "*", "READ"], ["experiment", made.experiment, "DENY"]);
    const graph = await lineage(blind, made.run.id);
    expect(graph.nodes.filter(({ kind }) => kind === "mlflow_run")).toStrictEqual([
      { kind: "mlflow_run", id: `mlflow_run:${made.named}`, run_id: made.named, details: null },
    ]);
    expect(idsOf(graph, "registered_model_version")).toStrictEqual([]);
    expect(idsOf(graph, "step")).toHaveLength(2);
  });

  test("keeps to its workspace", async () => {
    await newWorkspace(root, "elsewhere");
    const made = await train();
    const unknown = randomUUID();
    const [hidden, missing] = [
      await ask(root, made.run.id, "elsewhere"),
      await ask(root, unknown, "elsewhere"),
    ];
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(made.run.id, unknown)).toBe(missing.text);
    const stranger = await person(server, fresh("stranger").replace(" ", "-"), {
      workspace: "elsewhere",
      role: "admin",
    });
    expect((await ask(withHeaders(server, stranger.headers), made.run.id)).status).toBe(403);
    expect((await ask(await caller(["experiment", "*", "READ"]), made.run.id)).status).toBe(403);
    expect((await ask(root, "no-id")).status).toBe(400);
  });

  test("of a run of MLflow that is not here is its id", async () => {
    const made = await train();
    const elsewhere = "0".repeat(32);
    await logged(made.check.id, elsewhere);
    const graph = await lineage(root, made.run.id);
    expect(graph.nodes).toContainEqual({
      kind: "mlflow_run",
      id: `mlflow_run:${elsewhere}`,
      run_id: elsewhere,
      details: null,
    });
  });
});
