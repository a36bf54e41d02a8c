import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { send } from "../../../test/raw-http.ts";

let server: TestServer;
let experiment: string;
let run: string;

const post = async (path: string, body: object): Promise<Answer["json"]> =>
  (await server.post(`/api/2.0/mlflow/${path}`, body)).json;

const ask = async (query: string, variables?: object, operationName?: string): Promise<Answer> =>
  server.post("/graphql", { query, variables, operationName });

beforeAll(async () => {
  server = await startTestServer();
  experiment = (await post("experiments/create", { name: "asked", tags: [{ key: "team", value: "red" }] }))
    .experiment_id;
  const made = await post("runs/create", {
    experiment_id: experiment,
    run_name: "first",
    start_time: 1700000000000,
  });
  run = made.run.info.run_id;
  await post("runs/log-batch", {
    run_id: run,
    metrics: [
      { key: "loss", value: 0.5, timestamp: 1, step: "9007199254740993" },
      { key: "nan", value: "NaN", timestamp: 2, step: 3 },
      { key: "endless", value: "Infinity", timestamp: 2, step: 3 },
    ],
    params: [{ key: "lr", value: "0.1" }],
  });
  await post("runs/log-inputs", {
    run_id: run,
    datasets: [
      {
        dataset: { name: "iris", digest: "abc", source_type: "local", source: "{}" },
        tags: [{ key: "mlflow.data.context", value: "train" }],
      },
    ],
  });
  await post("registered-models/create", { name: "classifier" });
  await post("model-versions/create", { name: "classifier", source: "s3://bucket/model", run_id: run });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("what MLflow's web UI asks", () => {
  test("an experiment", async () => {
    const query = `query MlflowGetExperimentQuery($input: MlflowGetExperimentInput!)
      @component(name: "MLflow.ExperimentRunTracking") {
      mlflowGetExperiment(input: $input) {
        apiError { code message __typename }
        experiment {
          artifactLocation creationTime effectiveTraceArchivalRetention experimentId lastUpdateTime lifecycleStage name
          tags { key value __typename } __typename
        }
        __typename
      }
    }`;
    const answer = await ask(query, { input: { experimentId: experiment } }, "MlflowGetExperimentQuery");
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      data: {
        mlflowGetExperiment: {
          __typename: "MlflowGetExperimentResponse",
          apiError: null,
          experiment: {
            __typename: "MlflowExperiment",
            artifactLocation: `mlflow-artifacts:/${experiment}`,
            creationTime: expect.stringMatching(/^\d{13}$/),
            lastUpdateTime: expect.stringMatching(/^\d{13}$/),
            effectiveTraceArchivalRetention: "",
            experimentId: experiment,
            lifecycleStage: "active",
            name: "asked",
            tags: [{ __typename: "MlflowExperimentTag", key: "team", value: "red" }],
          },
        },
      },
      errors: null,
    });
  });

  test("a run with its experiment, versions, data and inputs; 64-bit integers are texts, NaN is null", async () => {
    const query = `query GetRun($data: MlflowGetRunInput!) @component(name: "MLflow.ExperimentRunTracking") {
      mlflowGetRun(input: $data) {
        apiError { helpUrl code message }
        run {
          info { runName status runUuid experimentId artifactUri endTime lifecycleStage startTime userId }
          experiment { experimentId name tags { key value } artifactLocation lifecycleStage lastUpdateTime }
          modelVersions { status version name source }
          data { metrics { key value step timestamp } params { key value } tags { key value } }
          inputs {
            datasetInputs {
              dataset { digest name profile schema source sourceType }
              tags { key value }
            }
            modelInputs { modelId }
          }
          outputs { modelOutputs { modelId step } }
        }
      }
    }`;
    const { json } = await ask(query, { data: { runId: run } }, "GetRun");
    expect(json.errors).toBe(null);
    const found = json.data.mlflowGetRun.run;
    expect(found.info).toMatchObject({
      runName: "first",
      status: "RUNNING",
      runUuid: run,
      startTime: "1700000000000",
      endTime: "0",
      lifecycleStage: "active",
      userId: "",
    });
    expect(found.experiment).toMatchObject({ experimentId: experiment, name: "asked" });
    expect(found.modelVersions).toEqual([
      { status: "READY", version: "1", name: "classifier", source: "s3://bucket/model" },
    ]);
    expect(found.data.metrics).toEqual(
      expect.arrayContaining([
        { key: "loss", value: 0.5, step: "9007199254740993", timestamp: "1" },
        { key: "nan", value: null, step: "3", timestamp: "2" },
        { key: "endless", value: Number.MAX_VALUE, step: "3", timestamp: "2" },
      ]),
    );
    expect(found.data.params).toEqual([{ key: "lr", value: "0.1" }]);
    expect(found.inputs.datasetInputs).toEqual([
      {
        dataset: { digest: "abc", name: "iris", profile: "", schema: "", source: "{}", sourceType: "local" },
        tags: [{ key: "mlflow.data.context", value: "train" }],
      },
    ]);
    expect(found.outputs).toEqual({ modelOutputs: [] });
  });

  test("the other fields: searches, histories, files, versions, datasets", async () => {
    const query = `{
      mlflowSearchRuns(input: { experimentIds: ["${experiment}"], maxResults: 5, runViewType: ALL }) {
        runs { info { runId } experiment { name } modelVersions { name } } nextPageToken
      }
      mlflowGetMetricHistoryBulkInterval(input: { runIds: ["${run}"], metricKey: "nan" }) {
        metrics { key value step timestamp runId }
      }
      mlflowListArtifacts(input: { runId: "${run}" }) { rootUri files { path isDir fileSize } nextPageToken }
      mlflowSearchModelVersions(input: { filter: "name = 'classifier'", maxResults: 5 }) {
        modelVersions { name aliases tags { key } currentStage }
      }
      test(inputString: "echo") { output }
    }`;
    const { json } = await ask(query);
    expect(json).toEqual({
      data: {
        mlflowSearchRuns: {
          runs: [
            { info: { runId: run }, experiment: { name: "asked" }, modelVersions: [{ name: "classifier" }] },
          ],
          nextPageToken: "",
        },
        mlflowGetMetricHistoryBulkInterval: {
          metrics: [{ key: "nan", value: null, step: "3", timestamp: "2", runId: run }],
        },
        mlflowListArtifacts: {
          rootUri: `mlflow-artifacts:/${experiment}/${run}/artifacts`,
          files: [],
          nextPageToken: "",
        },
        mlflowSearchModelVersions: {
          modelVersions: [{ name: "classifier", aliases: [], tags: [], currentStage: "None" }],
        },
        test: { output: "echo" },
      },
      errors: null,
    });
    const mutation = `mutation ($ids: [String]) @component(name: "x") {
      mlflowSearchDatasets(input: { experimentIds: $ids }) { datasetSummaries { experimentId name digest context } }
      mlflowSearchRuns(input: { experimentIds: $ids }) { runs { info { runName } } }
    }`;
    expect((await ask(mutation, { ids: [experiment] })).json.data).toEqual({
      mlflowSearchDatasets: {
        datasetSummaries: [{ experimentId: experiment, name: "iris", digest: "abc", context: "train" }],
      },
      mlflowSearchRuns: { runs: [{ info: { runName: "first" } }] },
    });
  });

  test("by GET, which never runs a mutation", async () => {
    const query = `query ($i: MlflowGetExperimentInput) { mlflowGetExperiment(input: $i) { experiment { name } } }`;
    const variables = JSON.stringify({ i: { experimentId: experiment } });
    const { json } = await server.get(`/graphql?${new URLSearchParams({ query, variables }).toString()}`);
    expect(json).toEqual({ data: { mlflowGetExperiment: { experiment: { name: "asked" } } }, errors: null });
    const mutation = new URLSearchParams({ query: "mutation { testMutation { output } }" }).toString();
    expect((await server.get(`/graphql?${mutation}`)).status).toBe(405);
  });

  test("how the schema looks", async () => {
    const { json } = await ask(
      `{ look: __schema { queryType { name } types { name } directives { name } } }`,
    );
    expect(json.data.look.queryType).toEqual({ name: "Query" });
    expect(json.data.look.types).toContainEqual({ name: "LongString" });
    expect(json.data.look.directives).toContainEqual({ name: "component" });
  });
});

describe("what it refuses", () => {
  test.each([
    ["an unknown run", `{ mlflowGetRun(input: { runId: "nobody" }) { run { info { runId } } } }`, "nobody"],
    [
      "an unknown experiment",
      `{ mlflowGetExperiment(input: { experimentId: "999" }) { apiError { code } } }`,
      "No Experiment with id=999 exists",
    ],
    [
      "a missing input",
      `{ mlflowGetExperiment { apiError { code } } }`,
      "Missing value for required parameter 'experiment_id'",
    ],
    [
      "a bad filter",
      `{ mlflowSearchRuns(input: { experimentIds: ["0"], filter: "!" }) { nextPageToken } }`,
      "filter",
    ],
  ])("%s stands beside the data, as a text", async (_name, query, message) => {
    const { status, json } = await ask(query);
    expect(status).toBe(200);
    expect(Object.values(json.data)).toEqual([null]);
    expect(json.errors).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    ["a field that is not there", "{ nothing }", "Cannot query field"],
    ["a directive in the wrong place", `{ test @component(name: "x") { output } }`, "@component"],
    [
      "a wrong type",
      "{ mlflowGetRun(input: { runId: 5 }) { apiError { code } } }",
      "String cannot represent",
    ],
    ["two operations and no name", "query A { __typename } query B { __typename }", "operation name"],
    ["too deep", `${"{ run ".repeat(11)}{ __typename }${" }".repeat(11)}`, "maximum depth of 10"],
    ["too many root fields", `{ ${"__typename ".repeat(11)} }`, "at most 10 root fields, got 11"],
    [
      "too many aliases",
      `{ mlflowGetRun { ${Array.from({ length: 11 }, (_, i) => `a${i}: run { __typename }`).join(" ")} } }`,
      "at most 10 aliases, got 11",
    ],
    [
      "aliases spread over fragments",
      `{ mlflowGetRun { ...A ...B } } fragment A on MlflowGetRunResponse { ${aliases("a", 6)} } fragment B on MlflowGetRunResponse { ${aliases("b", 6)} }`,
      "at most 10 aliases, got 12",
    ],
    [
      "too many selections",
      `{ mlflowGetRun { ${"__typename ".repeat(1000)} } }`,
      "maximum total selections of 1000",
    ],
    [
      "fragments in a circle",
      "{ mlflowGetRun { ...A } } fragment A on MlflowGetRunResponse { run { experiment { __typename } } ...A }",
      "Cannot spread fragment",
    ],
    ["fragments that grow", `{ ...F0 } ${growing(20)}`, "maximum"],
    [
      "a missing variable",
      "query ($i: MlflowGetRunInput!) { mlflowGetRun(input: $i) { apiError { code } } }",
      "Expected a value of non-null type",
    ],
  ])("%s, before anything is looked up", async (_name, query, message) => {
    const { status, json } = await ask(query);
    expect(status).toBe(200);
    expect(json.data).toBe(null);
    expect(json.errors[0]).toContain(message);
  });

  test.each([
    ["no query", {}],
    ["an empty query", { query: "" }],
    ["a query that is no text", { query: ["{ __typename }"] }],
    ["no GraphQL", { query: "{ mlflowGetRun(" }],
    ["more words than any query has", { query: `{ ${"a ".repeat(20_000)} }` }],
    ["variables that are no object", { query: "{ __typename }", variables: [1] }],
    ["variables that are no JSON", { query: "{ __typename }", variables: "{" }],
    ["a list of queries", [{ query: "{ __typename }" }]],
    ["no JSON", "{"],
  ])("%s: 400 in MLflow's shape", async (_name, body) => {
    const { status, json } = await server.post("/graphql", body);
    expect([status, json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  });

  test("what another site can send without asking", async () => {
    const form = { "content-type": "text/plain" };
    expect((await server.call("POST", "/graphql", `{"query":"{__typename}"}`, form)).status).toBe(400);
    const headers = { "content-type": "application/json", origin: "https://evil.example" };
    const path = "/graphql";
    expect(
      (await send(server.url, { method: "POST", path, headers, body: `{"query":"{__typename}"}` })).status,
    ).toBe(403);
  });
});

function aliases(prefix: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}: run { __typename }`).join(" ");
}

/** Each fragment spreads the next one twice, below a field: 2^n selections. */
function growing(count: number): string {
  const fragments = Array.from(
    { length: count },
    (_, i) => `fragment F${i} on Query { a: test { ...F${i + 1} } b: test { ...F${i + 1} } }`,
  );
  return `${fragments.join("\n")} fragment F${count} on Query { __typename }`;
}
