import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lineageVersions, modelLineage, type LineageVersions, type ModelLineage } from "@plinth/contract";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { newModel, newVersion, query } from "../../../test/registry.ts";
import { accepted, API, fresh, newExperiment, newRun } from "../../../test/runs.ts";
import { consoleRefusal as refusal } from "../../../test/console.ts";
import { inWorkspace, newWorkspace } from "../../../test/workspaces.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const post = async (on: TestServer, path: string, body: unknown): Promise<unknown> =>
  accepted(await on.post(`${API}/${path}`, body));

const lineage = async (fields: Record<string, string>): Promise<ModelLineage> =>
  modelLineage
    .strict()
    .parse(accepted(await server.get(`/console/api/lineage/model-version?${query(fields)}`)));

const back = (fields: Record<string, string>): Promise<Answer> =>
  server.get(`/console/api/lineage/model-versions?${query(fields)}`);

const versionsOf = async (fields: Record<string, string>): Promise<LineageVersions> =>
  lineageVersions.strict().parse(accepted(await back(fields)));

const named = ({ model_versions }: LineageVersions): string[] =>
  model_versions.map((one) => `${one.name}/${one.version}`);

const dataset = (name: string, digest = "1") => ({
  name,
  digest,
  source_type: "local",
  source: "s".repeat(2000),
});

async function newLoggedModel(on: TestServer, fields: Record<string, unknown>): Promise<string> {
  const { model } = accepted(await on.post(`${API}/logged-models`, fields)) as {
    model: { info: { model_id: string } };
  };
  return model.info.model_id;
}

/** A run with a parent and a dataset, the model it made, and a version of that. */
async function train(on: TestServer) {
  const experiment_id = await newExperiment(on);
  const parent = await newRun(on, { experiment_id, run_name: "parent" });
  const run_id = await newRun(on, {
    experiment_id,
    run_name: "child",
    start_time: 1000,
    user_id: "u",
    tags: [{ key: "mlflow.parentRunId", value: parent }],
  });
  const data = fresh("data");
  const tags = [{ key: "mlflow.data.context", value: "training" }];
  await post(on, "runs/log-inputs", {
    run_id,
    datasets: [{ dataset: dataset(data), tags }, { dataset: dataset(`${data} too`) }],
    models: [{ model_id: "m-elsewhere" }],
  });
  const model_id = await newLoggedModel(on, { experiment_id, name: "made", source_run_id: run_id });
  await post(on, "runs/outputs", { run_id, models: [{ model_id, step: 3 }] });
  const name = await newModel(on);
  return { experiment_id, parent, run_id, data, model_id, name };
}

describe("the lineage of a model version", () => {
  test("is its logged model, run, parents, datasets and experiment", async () => {
    const { experiment_id, parent, run_id, data, model_id, name } = await train(server);
    const version = await newVersion(server, name, { run_id, model_id, source: "s3://bucket/made" });
    await post(server, "registered-models/alias", { name, alias: "best", version });
    const found = await lineage({ name, version });
    expect(found).toEqual({
      model_version: {
        name,
        version: Number(version),
        aliases: ["best"],
        stage: "None",
        creation_time: expect.any(Number),
        run_id,
        model_id,
        source: "s3://bucket/made",
      },
      logged_model: {
        model_id,
        name: "made",
        experiment_id,
        source_run_id: run_id,
        lifecycle_stage: "active",
        creation_time: expect.any(Number),
      },
      run: {
        run_id,
        run_name: "child",
        user_id: "u",
        status: "RUNNING",
        lifecycle_stage: "active",
        start_time: 1000,
        end_time: null,
      },
      experiment: { experiment_id, name: expect.any(String), lifecycle_stage: "active" },
      parent_runs: [{ run_id: parent, run_name: "parent" }],
      datasets: [
        { name: data, digest: "1", source_type: "local", source: "s".repeat(1000), context: "training" },
        { name: `${data} too`, digest: "1", source_type: "local", source: "s".repeat(1000), context: null },
      ],
      input_models: [{ model_id: "m-elsewhere", name: null }],
      output_models: [{ model_id, name: "made" }],
      truncated: false,
    });
    expect(await lineage({ name, alias: "best" })).toEqual(found);
    await post(server, "runs/delete", { run_id });
    await post(server, "experiments/delete", { experiment_id });
    expect(await lineage({ name, version })).toMatchObject({
      run: { lifecycle_stage: "deleted" },
      experiment: { lifecycle_stage: "deleted" },
    });
  });

  test("finds the run by the logged model where the version names one that is not there", async () => {
    const { experiment_id, run_id, model_id, name } = await train(server);
    const version = await newVersion(server, name, { run_id: "unknown", model_id });
    const found = await lineage({ name, version });
    expect(found.model_version.run_id).toBe("unknown");
    expect([found.run?.run_id, found.experiment?.experiment_id]).toEqual([run_id, experiment_id]);
    const outside = await newLoggedModel(server, { experiment_id, name: "made elsewhere" });
    const other = await newVersion(server, name, { model_id: outside });
    expect(await lineage({ name, version: other })).toMatchObject({
      run: null,
      experiment: { experiment_id },
      datasets: [],
    });
  });

  test("shows nothing of what was never there or is purged", async () => {
    const { experiment_id, run_id, name } = await train(server);
    const nowhere = await newVersion(server, name, { source: "s3://b/x" });
    const nothing = { logged_model: null, run: null, experiment: null, parent_runs: [], datasets: [] };
    expect(await lineage({ name, version: nowhere })).toMatchObject(nothing);
    const version = await newVersion(server, name, { run_id, source: "s3://b/x" });
    await post(server, "runs/delete", { run_id });
    await post(server, "experiments/delete", { experiment_id });
    accepted(await server.post("/console/api/purge", {}));
    const found = await lineage({ name, version });
    expect(found).toMatchObject(nothing);
    expect(found.model_version.run_id).toBe(run_id);
    expect(named(await versionsOf({ run_id }))).toEqual([]);
  });

  test("ends where runs are each other's parents", async () => {
    const one = await newRun(server);
    const other = await newRun(server, { tags: [{ key: "mlflow.parentRunId", value: one }] });
    await post(server, "runs/set-tag", { run_id: one, key: "mlflow.parentRunId", value: other });
    const name = await newModel(server);
    const version = await newVersion(server, name, { run_id: one, source: "s3://b/x" });
    expect((await lineage({ name, version })).parent_runs).toHaveLength(10);
  });

  test("cuts long lists and says so", async () => {
    const run_id = await newRun(server);
    for (const part of [0, 600]) {
      const datasets = Array.from({ length: 600 }, (_, index) => ({ dataset: dataset(`d${part + index}`) }));
      await post(server, "runs/log-inputs", { run_id, datasets });
    }
    const name = await newModel(server);
    const found = await lineage({
      name,
      version: await newVersion(server, name, { run_id, source: "s3://b/x" }),
    });
    expect([found.datasets.length, found.truncated]).toEqual([1000, true]);
  });

  test("stays in its workspace, whatever a version names", async () => {
    const theirs = inWorkspace(server, await newWorkspace(server, "lineage-a"));
    const { run_id, model_id, experiment_id, data, name } = await train(theirs);
    const version = await newVersion(theirs, name, { run_id, model_id });
    expect(await lineage({ workspace: "lineage-a", name, version })).toMatchObject({
      run: { run_id },
      logged_model: { model_id },
      output_models: [{ name: "made" }],
    });
    const missing = await server.get(`/console/api/lineage/model-version?${query({ name, version })}`);
    expect(missing.status).toBe(404);
    // One of the default workspace that names their run.
    const own = await newModel(server);
    const thief = await newVersion(server, own, { run_id, source: "s3://b/x" });
    expect(await lineage({ name: own, version: thief })).toMatchObject({
      logged_model: null,
      run: null,
      experiment: null,
      datasets: [],
      parent_runs: [],
    });
    for (const origin of [{ run_id }, { experiment_id }, { dataset_name: data, dataset_digest: "1" }]) {
      expect(named(await versionsOf(origin))).toEqual([]);
      expect(named(await versionsOf({ workspace: "lineage-a", ...origin }))).toEqual([`${name}/${version}`]);
    }
    expect(named(await versionsOf({ model_id }))).toEqual([]);
    expect(named(await versionsOf({ workspace: "lineage-a", model_id }))).toEqual([`${name}/${version}`]);
  });
});

describe("what became of", () => {
  test("a run, an experiment, a logged model or a dataset is its versions, the newest first", async () => {
    const { experiment_id, run_id, data, model_id, name } = await train(server);
    const second = await newModel(server);
    const made = [
      `${name}/${await newVersion(server, name, { run_id, model_id })}`,
      `${second}/${await newVersion(server, second, { model_id })}`,
      `${second}/${await newVersion(server, second, { run_id, source: "s3://b/x" })}`,
    ].toReversed();
    expect(named(await versionsOf({ run_id }))).toEqual(made);
    expect(named(await versionsOf({ experiment_id }))).toEqual(made);
    expect(named(await versionsOf({ dataset_name: data, dataset_digest: "1" }))).toEqual(made);
    expect(named(await versionsOf({ dataset_name: data, dataset_digest: "2" }))).toEqual([]);
    expect(named(await versionsOf({ model_id }))).toEqual(made.slice(1));
    // Renamed, it is still where it came from.
    await post(server, "registered-models/rename", { name: second, new_name: `${second} new` });
    expect(named(await versionsOf({ run_id }))[0]).toBe(`${second} new/2`);
  });

  test("a dataset that several runs of several experiments used comes page by page, each version once", async () => {
    const data = fresh("shared");
    const name = await newModel(server);
    const made = new Set<string>();
    for (let experiment = 0; experiment < 3; experiment += 1) {
      const experiment_id = await newExperiment(server);
      for (let run = 0; run < 4; run += 1) {
        const run_id = await newRun(server, { experiment_id });
        await post(server, "runs/log-inputs", { run_id, datasets: [{ dataset: dataset(data) }] });
        for (let version = 0; version < run; version += 1)
          made.add(`${name}/${await newVersion(server, name, { run_id, source: "s3://b/x" })}`);
      }
    }
    for (const [max_results, wanted] of [
      ["1", 18],
      ["4", 5],
      ["18", 1],
      ["1000", 1],
    ] as const) {
      const seen: string[] = [];
      let pages = 0;
      for (let page_token: string | undefined, more = true; more; more = page_token !== undefined) {
        const page = await versionsOf({
          dataset_name: data,
          dataset_digest: "1",
          max_results,
          ...(page_token === undefined ? {} : { page_token }),
        });
        seen.push(...named(page));
        page_token = page.next_page_token;
        pages += 1;
      }
      expect([max_results, pages, seen.length, new Set(seen)]).toEqual([max_results, wanted, 18, made]);
    }
  });

  test("an experiment comes page by page, without one that is deleted meanwhile", async () => {
    const run_id = await newRun(server, { experiment_id: await newExperiment(server) });
    const name = await newModel(server);
    for (let version = 0; version < 5; version += 1)
      await newVersion(server, name, { run_id, source: "s3://b/x" });
    const first = await versionsOf({ run_id, max_results: "2" });
    expect(named(first)).toEqual([`${name}/5`, `${name}/4`]);
    accepted(await server.call("DELETE", `${API}/model-versions/delete`, { name, version: "3" }));
    const rest = await versionsOf({ run_id, max_results: "2", page_token: first.next_page_token ?? "" });
    expect(named(rest)).toEqual([`${name}/2`, `${name}/1`]);
    expect(rest.next_page_token).toBe(undefined);
  });
});

describe("a request for lineage", () => {
  const get = (path: string, fields: Record<string, string>): Promise<Answer> =>
    server.get(`/console/api/lineage/${path}?${query(fields)}`);

  test("is refused where it is not clear what is asked", async () => {
    const refused: [string, Record<string, string>][] = [
      ["model-version", {}],
      ["model-version", { name: "x" }],
      ["model-version", { name: "x", version: "1", alias: "a" }],
      ["model-version", { name: "x", version: "0" }],
      ["model-version", { name: "x", version: "4294967296" }],
      ["model-version", { name: "x", version: "1", other: "1" }],
      ["model-versions", {}],
      ["model-versions", { run_id: "r", model_id: "m" }],
      ["model-versions", { dataset_name: "d" }],
      ["model-versions", { run_id: "r", max_results: "1001" }],
      ["model-versions", { run_id: "r", page_token: "x" }],
      ["model-versions", { run_id: "r", page_token: Buffer.from("[1,2,3]").toString("base64url") }],
      ["model-versions", { run_id: "r", page_token: Buffer.from("[1e99]").toString("base64url") }],
    ];
    for (const [path, fields] of refused) {
      const answer = await get(path, fields);
      expect([fields, refusal(answer)]).toEqual([
        fields,
        [400, "invalid_parameter", expect.stringMatching(/lineage|page token/)],
      ]);
    }
  });

  test("for what is not there is 404 forwards, and no versions backwards", async () => {
    const name = await newModel(server);
    const notFound = [404, "not_found", expect.any(String)];
    expect(refusal(await get("model-version", { name, version: "1" }))).toEqual(notFound);
    expect(refusal(await get("model-version", { name, alias: "best" }))).toEqual(notFound);
    expect(refusal(await get("model-version", { workspace: "nobody", name, version: "1" }))).toMatchObject(
      notFound,
    );
    expect(refusal(await back({ workspace: "nobody", run_id: "r" }))).toEqual(notFound);
    for (const experiment_id of ["987654321", "99999999999", "x", "-1"])
      expect(await versionsOf({ experiment_id })).toEqual({ model_versions: [] });
    expect(await versionsOf({ run_id: "r" })).toEqual({ model_versions: [] });
  });
});
