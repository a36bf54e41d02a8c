import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { MODELS, newModel, newVersion, VERSIONS } from "../../../test/registry.ts";
import { accepted, API, newRun } from "../../../test/runs.ts";
import { bytesOf, openStorage } from "../../modules/storage/storage-fixture.ts";
import { ARTIFACT_BUCKET, storedArtifactPath } from "../../protocols/mlflow/artifacts-paths.ts";
import { copyArtifacts } from "./artifacts.ts";
import { rowsOf, runsOf } from "./file-store-fixture.ts";
import type { SourceProblem } from "./problem.ts";
import { openRestSource } from "./rest.ts";
import type { ImportSource, SourceArtifacts } from "./source.ts";

let server: TestServer;
let source: ImportSource;
let experiment: string;
let deletedExperiment: string;
const problems: SourceProblem[] = [];
const onProblem = (problem: SourceProblem): number => problems.push(problem);

/** Points of the long metric: two answers of MLflow, and more than its request for many runs gives. */
const LONG = 26_000;

beforeAll(async () => {
  server = await startTestServer();
  const create = async (name: string): Promise<string> =>
    accepted(await server.post(`${API}/experiments/create`, { name, tags: [{ key: "team", value: "a ü" }] }))
      .experiment_id;
  experiment = await create("kept");
  deletedExperiment = await create("deleted");
  source = await openRestSource({ url: server.url, onProblem });
});
afterAll(async () => {
  await source.close();
  await server[Symbol.asyncDispose]();
});

const log = async (run: string, fields: Record<string, unknown>): Promise<void> =>
  void accepted(await server.post(`${API}/runs/log-batch`, { run_id: run, ...fields }));

const textOf = async (artifacts: SourceArtifacts, ...[location, path]: [string, string]): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await artifacts.open(location, path)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
};

const pathsOf = async (artifacts: SourceArtifacts, location: string): Promise<string[]> =>
  (await Array.fromAsync(artifacts.list(location, undefined))).map(({ path, size }) => `${path} ${size}`);

describe("a tracking server", () => {
  it("gives experiments of every stage", async () => {
    accepted(await server.post(`${API}/experiments/delete`, { experiment_id: deletedExperiment }));
    expect(source.description).toMatchObject({ kind: "rest", place: server.url, snapshot: false });
    expect(await source.count()).toMatchObject({ experiments: 3, runs: undefined, not_imported: {} });
    expect(await rowsOf(source.experiments(undefined))).toMatchObject([
      { experiment_id: "0", name: "Default", workspace: "default", lifecycle_stage: "active" },
      {
        experiment_id: experiment,
        name: "kept",
        artifact_location: `mlflow-artifacts:/${experiment}`,
        tags: [{ key: "team", value: "a ü" }],
        creation_time: expect.any(Number),
      },
      { experiment_id: deletedExperiment, lifecycle_stage: "deleted" },
    ]);
  });

  it("gives runs with parameters, tags, inputs and outputs, deleted ones too", async () => {
    const dataset = { name: "d", digest: "1", source_type: "local", source: "{}", schema: "{}" };
    const run = await newRun(server, {
      experiment_id: experiment,
      run_name: "all",
      start_time: 5,
      user_id: "u",
    });
    await log(run, { params: [{ key: "lr", value: "0.1" }], tags: [{ key: "a/b", value: "line\nü" }] });
    accepted(
      await server.post(`${API}/runs/log-inputs`, {
        run_id: run,
        datasets: [{ dataset, tags: [{ key: "mlflow.data.context", value: "training" }] }],
        models: [{ model_id: "m-in" }],
      }),
    );
    accepted(
      await server.post(`${API}/runs/outputs`, { run_id: run, models: [{ model_id: "m-out", step: 3 }] }),
    );
    const deleted = await newRun(server, { experiment_id: experiment, start_time: 6 });
    accepted(await server.post(`${API}/runs/delete`, { run_id: deleted }));
    const { runs } = await runsOf(source);
    const mine = runs.filter((row) => row.experiment_id === experiment);
    expect(mine).toMatchObject([
      {
        run_uuid: run,
        name: "all",
        user_id: "u",
        status: "RUNNING",
        start_time: 5,
        end_time: null,
        lifecycle_stage: "active",
        artifact_uri: `mlflow-artifacts:/${experiment}/${run}/artifacts`,
        params: [{ key: "lr", value: "0.1" }],
        tags: expect.arrayContaining([{ key: "a/b", value: "line\nü" }]),
        datasets: [
          {
            name: "d",
            digest: "1",
            tags: [{ key: "mlflow.data.context", value: "training" }],
            dataset: { source_type: "local", source: "{}", schema: "{}", profile: null },
          },
        ],
        model_inputs: [{ model_id: "m-in" }],
        model_outputs: [{ model_id: "m-out", step: 3 }],
      },
      { run_uuid: deleted, lifecycle_stage: "deleted" },
    ]);
  });

  it("gives every point of every run: odd values, large steps, histories of several answers", async () => {
    const odd = await newRun(server, { experiment_id: experiment, start_time: 10 });
    const long = await newRun(server, { experiment_id: experiment, start_time: 11 });
    const expected: string[] = [];
    const values = [
      ["NaN", 1, 0],
      ["-Infinity", 2, 1],
      [0.1, 3, "9223372036854775807"],
      [-0.5, 4, -7],
    ] as const;
    await log(odd, {
      metrics: values.map(([value, timestamp, step]) => ({ key: "odd/m", value, timestamp, step })),
    });
    expected.push(
      `${odd}/odd/m 1 NaN 0`,
      `${odd}/odd/m 2 -1.7976931348623157e+308 1`,
      `${odd}/odd/m 3 0.1 9223372036854775807`,
      `${odd}/odd/m 4 -0.5 -7`,
    );
    for (const run of [odd, long]) {
      const count = run === long ? LONG : 3;
      for (let from = 0; from < count; from += 1000) {
        const metrics = Array.from({ length: Math.min(1000, count - from) }, (_none, index) => ({
          key: "loss",
          value: (from + index) / 4,
          timestamp: from + index,
          step: from + index,
        }));
        await log(run, { metrics });
        for (const { value, timestamp, step } of metrics)
          expected.push(`${run}/loss ${timestamp} ${value} ${step}`);
      }
    }
    const { points, runs } = await runsOf(source);
    expect(points.toSorted()).toEqual(expected.toSorted());
    const newest = runs.find(({ run_uuid }) => run_uuid === long)?.latest_metrics;
    expect(newest).toEqual([{ key: "loss", value: (LONG - 1) / 4, timestamp: LONG - 1, step: LONG - 1 }]);
  });

  it("goes on behind any page, and pages many runs", async () => {
    const many = accepted(await server.post(`${API}/experiments/create`, { name: "many" }))
      .experiment_id as string;
    for (let index = 0; index < 260; index += 1) {
      await newRun(server, { experiment_id: many, start_time: index });
    }
    const { runs, cursors } = await runsOf(source);
    const ids = runs.map(({ run_uuid }) => run_uuid);
    expect(new Set(ids).size).toBe(ids.length);
    expect(runs.filter((row) => row.experiment_id === many)).toHaveLength(260);
    for (const cursor of cursors) {
      const rest = (await runsOf(source, cursor)).runs.map(({ run_uuid }) => run_uuid);
      expect(ids.slice(ids.length - rest.length)).toEqual(rest);
    }
    expect((await runsOf(source, cursors.at(-1))).runs).toEqual([]);
    await expect(runsOf(source, '[0,"4711","x"]')).rejects.toThrow(/experiment 4711 is gone/);
  });

  it("gives logged models and their metrics", async () => {
    const run = await newRun(server, { experiment_id: experiment, start_time: 20 });
    const { model_id: id } = accepted(
      await server.post(`${API}/logged-models`, {
        experiment_id: experiment,
        name: "net",
        source_run_id: run,
        model_type: "t",
        params: [{ key: "depth", value: "3" }],
        tags: [{ key: "a", value: "b" }],
      }),
    ).model.info as { model_id: string };
    const metric = { key: "acc", value: 0.5, timestamp: 1, step: 2 };
    await log(run, { metrics: [{ ...metric, model_id: id, dataset_name: "d", dataset_digest: "1" }] });
    expect(await rowsOf(source.loggedModels(undefined))).toMatchObject([
      {
        model_id: id,
        experiment_id: experiment,
        name: "net",
        status: 1,
        model_type: "t",
        source_run_id: run,
        lifecycle_stage: "active",
        artifact_location: `mlflow-artifacts:/${experiment}/models/${id}/artifacts`,
        params: [{ key: "depth", value: "3" }],
        tags: [{ key: "a", value: "b" }],
        metrics: [{ ...metric, run_id: run, dataset_name: "d", dataset_digest: "1" }],
      },
    ]);
  });

  it("gives registered models, aliases and versions, with where a version's files are", async () => {
    const run = await newRun(server, { experiment_id: experiment, start_time: 30 });
    const name = await newModel(server, { description: "words", tags: [{ key: "k", value: "v" }] });
    const files = `mlflow-artifacts:/${experiment}/${run}/artifacts/model`;
    await newVersion(server, name, { source: files, run_id: run, tags: [{ key: "q", value: "w" }] });
    await newVersion(server, name, { source: `models:/${name}/1` });
    accepted(await server.post(`${MODELS}/alias`, { name, alias: "champion", version: "2" }));
    accepted(await server.post(`${VERSIONS}/transition-stage`, { name, version: "1", stage: "Production" }));
    expect(await rowsOf(source.registeredModels(undefined))).toMatchObject([
      { workspace: "default", name, description: "words", aliases: [{ alias: "champion", version: 2 }] },
    ]);
    expect(await rowsOf(source.modelVersions(undefined))).toMatchObject([
      { name, version: 1, source: files, storage_location: null, current_stage: "Production", run_id: run },
      { name, version: 2, source: `models:/${name}/1`, storage_location: files, run_id: run },
    ]);
  });

  it("gives the files of runs, whatever they are called", async () => {
    const run = await newRun(server, { experiment_id: experiment, start_time: 40 });
    const location = `mlflow-artifacts:/${experiment}/${run}/artifacts`;
    const proxy = `/api/2.0/mlflow-artifacts/artifacts/${experiment}/${run}/artifacts`;
    const files = { "a b/ü?&.txt": "one", "a b/c/d": "two", "z+%25": "" };
    for (const [path, text] of Object.entries(files)) {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      const answer = await server.call("PUT", `${proxy}/${encoded}`, text, { "content-type": "text/plain" });
      expect(answer.status).toBe(200);
    }
    const artifacts = source.artifacts as SourceArtifacts;
    expect(await pathsOf(artifacts, location)).toEqual(["a b/c/d 3", "a b/ü?&.txt 3", "z+% undefined"]);
    expect(await textOf(artifacts, location, "a b/ü?&.txt")).toBe("one");
    expect(await pathsOf(artifacts, `${location}/a b`)).toEqual(["c/d 3", "ü?&.txt 3"]);
    // A location as others than this server know it: read by what the server answers about the run.
    const local = `file:///home/someone/mlruns/1/${run}/artifacts`;
    expect(artifacts.unreadable(local)).toBeUndefined();
    expect(await pathsOf(artifacts, local)).toEqual(["a b/c/d 3", "a b/ü?&.txt 3", "z+% undefined"]);
    expect(await textOf(artifacts, local, "a b/c/d")).toBe("two");
    expect(artifacts.unreadable(`s3://bucket/1/${run}/artifacts`)).toMatch(/left where they are/);
    expect(artifacts.unreadable("mlflow-artifacts://another:5000/1")).toMatch(/another server/);
    expect(artifacts.unreadable("/etc")).toMatch(/names none/);
    expect(problems).toEqual([]);
  });

  it("copies files into Plinth, and says of one that is gone that it is", async () => {
    await using ground = await openStorage();
    await ground.storage.ensureBucket(ARTIFACT_BUCKET);
    const run = await newRun(server, { experiment_id: experiment, start_time: 50 });
    const folder = `${experiment}/${run}/artifacts`;
    const proxy = `/api/2.0/mlflow-artifacts/artifacts/${folder}`;
    for (const name of ["a", "b/c"]) {
      await server.call("PUT", `${proxy}/${name}`, name, { "content-type": "text/plain" });
    }
    const artifacts = source.artifacts as SourceArtifacts;
    const report = await copyArtifacts(
      {
        storage: ground.storage,
        bucket: ARTIFACT_BUCKET,
        storedPath: storedArtifactPath,
        artifacts,
        onProblem,
      },
      [{ from: `mlflow-artifacts:/${folder}`, to: folder, owner: `run ${run}` }],
    );
    expect(report).toMatchObject({ files: 2, bytes: 4, missing: { count: 0 } });
    const found = await ground.storage.getObject({ bucket: ARTIFACT_BUCKET, key: `${folder}/b/c` });
    expect((await bytesOf(found)).toString()).toBe("b/c");
    await expect(artifacts.open(`mlflow-artifacts:/${folder}`, "gone")).rejects.toThrow(
      /was answered with 404/,
    );
    expect(problems).toEqual([]);
  });
});
