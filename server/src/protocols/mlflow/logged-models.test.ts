import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";

const API = "/api/2.0/mlflow";
const MODELS = `${API}/logged-models`;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function create(body: Record<string, unknown> = {}): Promise<Json> {
  const answer = await server.post(MODELS, { experiment_id: "0", ...body });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json.model;
}

const get = async (id: string): Promise<Json> => (await server.get(`${MODELS}/${id}`)).json.model;

async function newRun(): Promise<string> {
  return (await server.post(`${API}/runs/create`, { experiment_id: "0" })).json.run.info.run_id as string;
}

const refusal = ({ status, json }: Answer): unknown[] => [status, json.error_code, json.message];

const missing = (id: string): unknown[] => [
  404,
  "RESOURCE_DOES_NOT_EXIST",
  `Logged model with ID '${id}' not found.`,
];

describe("logged models", () => {
  test("are created pending, with a place for their artifacts", async () => {
    const model = await create({
      name: "lm",
      model_type: "agent",
      source_run_id: "r",
      params: [{ key: "p", value: "1" }, {}],
      tags: [{ key: "../t%", value: "x" }],
    });
    const id = model.info.model_id as string;
    expect(id).toMatch(/^m-[0-9a-f]{32}$/);
    expect(model).toEqual({
      info: {
        model_id: id,
        experiment_id: "0",
        name: "lm",
        creation_timestamp_ms: expect.any(Number),
        last_updated_timestamp_ms: model.info.creation_timestamp_ms,
        artifact_uri: `mlflow-artifacts:/0/models/${id}/artifacts`,
        status: "LOGGED_MODEL_PENDING",
        model_type: "agent",
        source_run_id: "r",
        tags: [{ key: "../t%", value: "x" }],
      },
      data: {
        params: [
          { key: "p", value: "1" },
          { key: "", value: "" },
        ],
      },
    });
    const stored = await get(id);
    expect(stored.info).toEqual(model.info);
    expect(stored.data.params).toEqual([
      { key: "", value: "" },
      { key: "p", value: "1" },
    ]);
  });

  test("keep their artifacts below the location of the experiment", async () => {
    const body = { name: "located", artifact_location: "s3://bucket/p/?x=1" };
    const experiment_id = (await server.post(`${API}/experiments/create`, body)).json.experiment_id as string;
    const { info } = await create({ experiment_id });
    expect(info.artifact_uri).toBe(`s3://bucket/p/models/${info.model_id}/artifacts?x=1`);
    expect(info.name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
  });

  test.each([
    [
      {},
      400,
      "INVALID_PARAMETER_VALUE",
      "Missing value for required parameter 'experiment_id'. See the API docs for more information about request parameters.",
    ],
    [
      { experiment_id: "x" },
      400,
      "INVALID_PARAMETER_VALUE",
      "Invalid experiment ID 'x'. Experiment ID must be a valid integer.",
    ],
    [{ experiment_id: "77777" }, 404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77777 exists"],
    [
      { experiment_id: "0", name: "a/b" },
      400,
      "INVALID_PARAMETER_VALUE",
      `Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '"', "'")`,
    ],
    [
      { experiment_id: "0", name: "x".repeat(501) },
      400,
      "INVALID_PARAMETER_VALUE",
      "'name' exceeds the maximum length of 500 characters",
    ],
    [
      { experiment_id: "0", params: [{ key: "p" }, { key: "p" }] },
      400,
      "BAD_REQUEST",
      "Parameter 'p' is given more than once.",
    ],
    [
      { experiment_id: "0", tags: [{ key: "t" }, { key: "t" }] },
      400,
      "BAD_REQUEST",
      "Tag 't' is given more than once.",
    ],
    [
      { experiment_id: "0", tags: [{ key: "t".repeat(256) }] },
      400,
      "INVALID_PARAMETER_VALUE",
      "'key' exceeds the maximum length of 255 characters",
    ],
  ])("are not created from %j", async (body, ...expected) => {
    expect(refusal(await server.post(MODELS, body))).toEqual(expected);
  });

  test("are not created in a deleted experiment", async () => {
    const experiment_id = (await server.post(`${API}/experiments/create`, { name: "gone" })).json
      .experiment_id as string;
    await server.post(`${API}/experiments/delete`, { experiment_id });
    expect(refusal(await server.post(MODELS, { experiment_id }))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      `The experiment ${experiment_id} must be in the 'active' state. Current state is deleted.`,
    ]);
  });

  test.each([
    ["LOGGED_MODEL_READY", "LOGGED_MODEL_READY"],
    [3, "LOGGED_MODEL_UPLOAD_FAILED"],
    ["BOGUS", "LOGGED_MODEL_STATUS_UNSPECIFIED"],
  ])("become %s when finalized", async (status, name) => {
    const { info } = await create();
    const answer = await server.call("PATCH", `${MODELS}/${info.model_id}`, {
      model_id: info.model_id,
      status,
    });
    expect(answer.json.model.info).toEqual({
      ...info,
      status: name,
      last_updated_timestamp_ms: expect.any(Number),
    });
    expect(await get(info.model_id)).toEqual(answer.json.model);
  });

  test("are finalized only when path and body name the same model", async () => {
    const id = (await create()).info.model_id as string;
    const url = `${MODELS}/${id}`;
    const parameter = (name: string): unknown[] => [
      400,
      "INVALID_PARAMETER_VALUE",
      `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`,
    ];
    expect(refusal(await server.call("PATCH", url, { status: 2 }))).toEqual(parameter("model_id"));
    expect(refusal(await server.call("PATCH", url, { model_id: id }))).toEqual(parameter("status"));
    expect((await server.call("PATCH", url, { model_id: "m-other", status: 2 })).status).toBe(400);
    expect((await get(id)).info.status).toBe("LOGGED_MODEL_PENDING");
  });

  test("get parameters once and for all", async () => {
    const id = (await create({ params: [{ key: "a", value: "1" }] })).info.model_id as string;
    const log = (params: unknown): Promise<Answer> =>
      server.post(`${MODELS}/${id}/params`, { model_id: id, params });
    expect((await log([{ key: "b", value: "2" }])).text).toBe("{}");
    const again = await log([
      { key: "c", value: "3" },
      { key: "b", value: "2" },
    ]);
    expect([again.status, again.json.error_code]).toEqual([400, "BAD_REQUEST"]);
    expect((await get(id)).data.params).toEqual([
      { key: "a", value: "1" },
      { key: "b", value: "2" },
    ]);
  });

  test("get tags, the last of two alike, and lose them", async () => {
    const id = (await create({ tags: [{ key: "t", value: "x" }] })).info.model_id as string;
    const tags = [{ key: "t", value: "y" }, { key: "t", value: "z" }, { key: "a/b" }];
    expect((await server.call("PATCH", `${MODELS}/${id}/tags`, { tags })).text).toBe("{}");
    expect((await get(id)).info.tags).toEqual([
      { key: "a/b", value: "" },
      { key: "t", value: "z" },
    ]);
    expect((await server.call("DELETE", `${MODELS}/${id}/tags/a%2Fb`, {})).text).toBe("{}");
    expect((await get(id)).info.tags).toEqual([{ key: "t", value: "z" }]);
    expect(refusal(await server.call("DELETE", `${MODELS}/${id}/tags/a%2Fb`, {}))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `No tag with key 'a/b' found for model with ID '${id}'.`,
    ]);
  });

  test("are hidden when deleted, but can still be asked for", async () => {
    const id = (await create()).info.model_id as string;
    expect((await server.call("DELETE", `${MODELS}/${id}`, {})).text).toBe("{}");
    expect((await server.call("DELETE", `${MODELS}/${id}`, {})).text).toBe("{}");
    expect(refusal(await server.get(`${MODELS}/${id}`))).toEqual(missing(id));
    const answer = await server.get(`${MODELS}/${id}?allow_deleted=true`);
    expect(answer.json.model.info.model_id).toBe(id);
  });

  test("that nobody made are not found", async () => {
    const body = { model_id: "m-x", status: 2, params: [{ key: "p" }], tags: [{ key: "t" }] };
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/params"],
      ["PATCH", "/tags"],
      ["DELETE", "/tags/t"],
    ] as const) {
      const answer = await server.call(method, `${MODELS}/m-x${path}`, method === "GET" ? undefined : body);
      expect([method, path, ...refusal(answer)]).toEqual([method, path, ...missing("m-x")]);
    }
  });

  test("show the metrics logged with them, to the last digit", async () => {
    const run = await newRun();
    const id = (await create({ source_run_id: run })).info.model_id as string;
    const log = async (metric: string): Promise<void> => {
      const body = `{"run_id":"${run}","timestamp":9007199254740993,"model_id":"${id}",${metric}}`;
      expect((await server.call("POST", `${API}/runs/log-metric`, body)).status).toBe(200);
    };
    await log('"key":"loss","value":2,"step":9007199254740995');
    await log('"key":"loss","value":0.5,"step":1,"dataset_name":"d","dataset_digest":"g"');
    await log('"key":"inf","value":"Infinity"');
    const { text } = await server.get(`${MODELS}/${id}`);
    const tail = `"model_id":"${id}","run_id":"${run}"}`;
    expect(text).toContain(
      `"data":{"metrics":[{"key":"inf","value":1.7976931348623157e+308,"timestamp":9007199254740993,"step":0,${tail},` +
        `{"key":"loss","value":0.5,"timestamp":9007199254740993,"step":1,"dataset_name":"d","dataset_digest":"g",${tail},` +
        `{"key":"loss","value":2.0,"timestamp":9007199254740993,"step":9007199254740995,${tail}]}`,
    );
  });
});

describe("log-model of MLflow 2", () => {
  const log = (run_id: string, model: unknown): Promise<Answer> =>
    server.post(`${API}/runs/log-model`, {
      run_id,
      model_json: typeof model === "string" ? model : JSON.stringify(model),
    });

  const history = async (run: string): Promise<string | undefined> => {
    const { json } = await server.get(`${API}/runs/get?run_id=${run}`);
    const tags = json.run.data.tags as { key: string; value: string }[];
    return tags.find(({ key }) => key === "mlflow.log-model.history")?.value;
  };

  const model = (path: string): Record<string, unknown> => ({
    artifact_path: path,
    flavors: {},
    utc_time_created: "2020-01-01",
    run_id: "r",
  });

  test("adds what MLflow adds, written as MLflow writes it", async () => {
    const run = await newRun();
    await log(
      run,
      '{"run_id":"zz","artifact_path":"m","utc_time_created":"t","model_uuid":"u","x":1,"flavors":{"f":{"a":1.0,"config":{}}}}',
    );
    await log(run, { ...model("é"), utc_time_created: 5 });
    await log(run, { ...model("x"), artifact_path: null, run_id: null });
    expect(await history(run)).toBe(
      String.raw`[{"run_id": "zz", "artifact_path": "m", "utc_time_created": "t", "model_uuid": "u", "flavors": {"f": {"a": 1.0}}}, ` +
        String.raw`{"run_id": "r", "artifact_path": "\u00e9", "utc_time_created": "5", "model_uuid": null, "flavors": {}}, ` +
        String.raw`{"utc_time_created": "2020-01-01", "model_uuid": null, "flavors": {}}]`,
    );
  });

  test("loses none of many models logged at once", async () => {
    const run = await newRun();
    const paths = Array.from({ length: 12 }, (_, index) => `model-${index}`);
    const answers = await Promise.all(paths.map((path) => log(run, model(path))));
    expect(answers.map(({ text }) => text)).toEqual(paths.map(() => "{}"));
    const list = JSON.parse((await history(run)) ?? "") as { artifact_path: string }[];
    expect(list.map((one) => one.artifact_path).toSorted()).toEqual(paths.toSorted());
  });

  test.each([
    ["[1", "Malformed model info. \n [1 \n is not a valid JSON."],
    ["[1]", "Malformed model info: it must be a JSON object."],
    [
      "{}",
      "Model json is missing mandatory fields: {'artifact_path', 'flavors', 'utc_time_created', 'run_id'}",
    ],
    [{ ...model("m"), flavors: 5 }, "Malformed model info: 'flavors' must be a JSON object."],
  ])("refuses %j", async (body, message) => {
    expect(refusal(await log(await newRun(), body))).toEqual([400, "INVALID_PARAMETER_VALUE", message]);
  });

  test("refuses a tag that somebody made something else of", async () => {
    const run_id = await newRun();
    await server.post(`${API}/runs/set-tag`, { run_id, key: "mlflow.log-model.history", value: "[1, 2" });
    expect((await log(run_id, model("m"))).status).toBe(400);
    expect(await history(run_id)).toBe("[1, 2");
  });

  test("needs an active run", async () => {
    expect(refusal(await log("nope", model("m")))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      "Run with id=nope not found",
    ]);
    const run_id = await newRun();
    await server.post(`${API}/runs/delete`, { run_id });
    expect((await log(run_id, model("m"))).status).toBe(400);
  });
});
