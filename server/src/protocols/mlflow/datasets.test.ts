import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";

const API = "/api/2.0/mlflow";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: unknown): Promise<Answer> => server.post(`${API}/${path}`, body);

let count = 0;
async function newExperiment(): Promise<string> {
  return (await post("experiments/create", { name: `e${(count += 1)}` })).json.experiment_id as string;
}

async function newRun(experiment_id = "0"): Promise<string> {
  return (await post("runs/create", { experiment_id, start_time: 1 })).json.run.info.run_id as string;
}

const getRun = async (run: string): Promise<Json> =>
  (await server.get(`${API}/runs/get?run_id=${run}`)).json.run;

const dataset = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name,
  digest: "d1",
  source_type: "local",
  source: "s",
  ...more,
});

const context = (value: string): unknown => [{ key: "mlflow.data.context", value }];

const refusal = ({ status, json }: Answer): unknown[] => [status, json.error_code, json.message];

describe("inputs of a run", () => {
  test("are datasets with their tags, in the order of logging, and models", async () => {
    const run_id = await newRun();
    const answer = await post("runs/log-inputs", {
      run_id,
      datasets: [
        {
          dataset: dataset("z"),
          tags: [
            { key: "z", value: "1" },
            { key: "a", value: "" },
          ],
        },
        { dataset: dataset("a", { schema: '{"x":1}', profile: "p" }) },
      ],
      models: [{ model_id: "m-b" }, { model_id: "m-a" }],
    });
    expect(answer.text).toBe("{}");
    await post("runs/log-inputs", {
      run_id,
      datasets: [{ dataset: dataset("later") }],
      models: [{ model_id: "m-b" }],
    });
    expect((await getRun(run_id)).inputs).toEqual({
      dataset_inputs: [
        {
          tags: [
            { key: "a", value: "" },
            { key: "z", value: "1" },
          ],
          dataset: dataset("z"),
        },
        { dataset: dataset("a", { schema: '{"x":1}', profile: "p" }) },
        { dataset: dataset("later") },
      ],
      model_inputs: [{ model_id: "m-a" }, { model_id: "m-b" }],
    });
    expect((await getRun(await newRun())).inputs).toEqual({});
  });

  test("stay as they were logged first", async () => {
    const run_id = await newRun();
    const one = { dataset: dataset("same"), tags: context("train") };
    const other = { dataset: dataset("same", { source: "elsewhere" }), tags: context("test") };
    await post("runs/log-inputs", { run_id, datasets: [one, other] });
    await post("runs/log-inputs", { run_id, datasets: [other] });
    expect((await getRun(run_id)).inputs.dataset_inputs).toEqual([one]);
  });

  test("of many runs logged at once are all there, and share one dataset", async () => {
    const experiment = await newExperiment();
    const runs = await Promise.all(Array.from({ length: 20 }, () => newRun(experiment)));
    const answers = await Promise.all(
      runs.map((run_id, index) =>
        post("runs/log-inputs", {
          run_id,
          datasets: [
            { dataset: dataset("shared"), tags: context("train") },
            { dataset: dataset(`own ${index}`), tags: context("eval") },
          ],
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(runs.map(() => 200));
    const search = await post("runs/search", { experiment_ids: [experiment] });
    const found = (search.json.runs as Json[]).map((run) => run.inputs.dataset_inputs.length as number);
    expect(found).toEqual(runs.map(() => 2));
    const { json } = await post("experiments/search-datasets", { experiment_ids: [experiment] });
    expect(json.dataset_summaries).toHaveLength(21);
  });

  test("are refused for runs that are not there or not active", async () => {
    expect(refusal(await post("runs/log-inputs", { run_id: "nope", datasets: [] }))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      "Run with id=nope not found",
    ]);
    expect(refusal(await post("runs/log-inputs", { run_id: "no pe" }))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      `Invalid value "no pe" for parameter 'run_id' supplied.`,
    ]);
    const run_id = await newRun();
    await post("runs/delete", { run_id });
    for (const path of ["runs/log-inputs", "runs/outputs"]) {
      const body = { run_id, datasets: [{ dataset: dataset("x") }], models: [{ model_id: "m-1", step: 1 }] };
      expect(refusal(await post(path, body))).toEqual([
        400,
        "INVALID_PARAMETER_VALUE",
        `The run ${run_id} must be in the 'active' state. Current state is deleted.`,
      ]);
    }
  });

  test.each([
    ["name", 500],
    ["digest", 36],
    ["source", 65_535],
    ["schema", 1_048_575],
  ])("hold a %s of %i characters and no more", async (field, size) => {
    const run_id = await newRun();
    const of = (length: number): unknown => ({
      run_id,
      datasets: [{ dataset: dataset(`long ${field}`, { [field]: "é".repeat(length) }) }],
    });
    expect((await post("runs/log-inputs", of(size))).text).toBe("{}");
    expect(refusal(await post("runs/log-inputs", of(size + 1)))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      `'${field}' exceeds the maximum length of ${size} characters`,
    ]);
    expect((await getRun(run_id)).inputs.dataset_inputs[0].dataset[field]).toHaveLength(size);
  });

  test.each([
    [[{ key: "k".repeat(256), value: "" }], "INVALID_PARAMETER_VALUE"],
    [[{ key: "k", value: "v".repeat(501) }], "INVALID_PARAMETER_VALUE"],
    [
      [
        { key: "k", value: "1" },
        { key: "k", value: "2" },
      ],
      "BAD_REQUEST",
    ],
    [[{ key: "k", value: "null\0byte" }], "INVALID_PARAMETER_VALUE"],
  ])("refuse the tags %j", async (tags, code) => {
    const run_id = await newRun();
    const answer = await post("runs/log-inputs", { run_id, datasets: [{ dataset: dataset("t"), tags }] });
    expect([answer.status, answer.json.error_code]).toEqual([400, code]);
    expect((await getRun(run_id)).inputs).toEqual({});
  });
});

describe("outputs of a run", () => {
  test("are models with the step they were made at", async () => {
    const run_id = await newRun();
    const body = `{"run_id":"${run_id}","models":[{"model_id":"m-b","step":9007199254740993},{"model_id":"m-a"}]}`;
    expect((await server.call("POST", `${API}/runs/outputs`, body)).text).toBe("{}");
    const { text } = await server.get(`${API}/runs/get?run_id=${run_id}`);
    expect(text).toContain(
      '"outputs":{"model_outputs":[{"model_id":"m-a","step":0},{"model_id":"m-b","step":9007199254740993}]}',
    );
  });

  test("may be logged again as they are, but not at another step", async () => {
    const run_id = await newRun();
    const models = [{ model_id: "m-1", step: 3 }];
    await post("runs/outputs", { run_id, models });
    expect((await post("runs/outputs", { run_id, models })).status).toBe(200);
    const changed = [
      { model_id: "m-2", step: 1 },
      { model_id: "m-1", step: 4 },
    ];
    expect(refusal(await post("runs/outputs", { run_id, models: changed }))).toEqual([
      400,
      "BAD_REQUEST",
      `Model 'm-1' is already an output of run '${run_id}', at step 3.`,
    ]);
    // All of them or none.
    expect((await getRun(run_id)).outputs).toEqual({ model_outputs: models });
  });

  test.each([
    [
      {},
      400,
      "Missing value for required parameter 'run_id'. See the API docs for more information about request parameters.",
    ],
    [
      { run_id: "nope" },
      400,
      "Missing value for required parameter 'models'. See the API docs for more information about request parameters.",
    ],
    [{ run_id: "nope", models: [] }, 404, "Run with id=nope not found"],
  ])("refuse %j", async (body, status, message) => {
    expect(refusal(await post("runs/outputs", body))).toEqual([status, expect.any(String), message]);
  });
});

describe("datasets of experiments", () => {
  test("are listed once for each context, sorted", async () => {
    const experiments = [await newExperiment(), await newExperiment()];
    const log = async (experiment: string, name: string, tags: unknown): Promise<void> => {
      const answer = await post("runs/log-inputs", {
        run_id: await newRun(experiment),
        datasets: [{ dataset: dataset(name), tags }],
      });
      expect(answer.status).toBe(200);
    };
    await log(experiments[1] as string, "b", context("train"));
    await log(experiments[0] as string, "b", context("train"));
    await log(experiments[0] as string, "b", context("train"));
    await log(experiments[0] as string, "b", context("eval"));
    await log(experiments[0] as string, "a", []);
    const answer = await server.post("/ajax-api/2.0/mlflow/experiments/search-datasets", {
      experiment_ids: experiments,
    });
    expect(answer.json).toEqual({
      dataset_summaries: [
        { experiment_id: experiments[0], name: "a", digest: "d1" },
        { experiment_id: experiments[0], name: "b", digest: "d1", context: "eval" },
        { experiment_id: experiments[0], name: "b", digest: "d1", context: "train" },
        { experiment_id: experiments[1], name: "b", digest: "d1", context: "train" },
      ],
    });
    expect((await post("experiments/search-datasets", { experiment_ids: ["424242"] })).text).toBe("{}");
  });

  test.each([
    [[], "SearchDatasets request must specify at least one experiment_id."],
    [
      Array.from({ length: 21 }, () => "1"),
      "SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.",
    ],
    [["x"], "Invalid experiment ID 'x'. Experiment ID must be a valid integer."],
  ])("refuse the experiments %j", async (experiment_ids, message) => {
    expect(refusal(await post("experiments/search-datasets", { experiment_ids }))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      message,
    ]);
  });
});
