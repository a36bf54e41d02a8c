import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";

const API = "/api/2.0/mlflow/experiments";
const RUNS = "/api/2.0/mlflow/runs";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
const fresh = (name: string): string => `${name} ${(count += 1)}`;

const post = (path: string, body: unknown): Promise<Answer> => server.post(`${API}/${path}`, body);

async function create(body: Record<string, unknown> = {}): Promise<string> {
  const answer = await post("create", { name: fresh("experiment"), ...body });
  expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/^\{"experiment_id":"\d+"\}$/)]);
  return answer.json.experiment_id as string;
}

const get = async (id: string): Promise<Json> =>
  (await server.get(`${API}/get?experiment_id=${id}`)).json.experiment;

const refusal = ({ status, json }: Answer): unknown[] => [status, json.error_code, json.message];

describe("experiments", () => {
  test("the default experiment is there", async () => {
    expect(await get("0")).toMatchObject({
      experiment_id: "0",
      name: "Default",
      artifact_location: "mlflow-artifacts:/0",
      lifecycle_stage: "active",
      workspace: "default",
    });
  });

  test("are created with tags and found by id and by name", async () => {
    const name = fresh("with tags");
    const id = await create({ name, tags: [{ key: "b", value: "2" }, { key: "a" }] });
    const experiment = await get(id);
    expect(experiment).toEqual({
      experiment_id: id,
      name,
      artifact_location: `mlflow-artifacts:/${id}`,
      lifecycle_stage: "active",
      last_update_time: experiment.creation_time,
      creation_time: expect.any(Number),
      tags: [
        { key: "a", value: "" },
        { key: "b", value: "2" },
      ],
      workspace: "default",
    });
    const byName = await server.get(`${API}/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    expect(byName.json.experiment).toEqual(experiment);
  });

  test("keep the artifact location they were given", async () => {
    const id = await create({ artifact_location: "s3://bucket/prefix" });
    expect((await get(id)).artifact_location).toBe("s3://bucket/prefix");
  });

  test.each([
    ["http:///#/../../../../../../../../etc/", "'artifact_location' URL can't include fragments or params."],
    ["http:///?/../../../../etc/", "Invalid query string"],
    ["file:///etc", "not a path of the server"],
    ["/etc", "not a path of the server"],
    ["mlflow-artifacts:/%2e%2e/%2e%2e/etc", "Invalid path"],
  ])("refuse the artifact location %s", async (artifact_location, message) => {
    const name = fresh("refused");
    expect(refusal(await post("create", { name, artifact_location }))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining(message),
    ]);
    expect((await server.get(`${API}/get-by-name?experiment_name=${encodeURIComponent(name)}`)).status).toBe(
      404,
    );
  });

  test("refuse a name that is taken, also by a deleted one, and use up no ids for it", async () => {
    const name = fresh("taken");
    const id = await create({ name });
    const taken = [
      400,
      "RESOURCE_ALREADY_EXISTS",
      expect.stringContaining(`Experiment(name=${name}) already exists.`),
    ];
    expect(refusal(await post("create", { name }))).toEqual(taken);
    await post("delete", { experiment_id: id });
    expect(refusal(await post("create", { name }))).toEqual(taken);
    expect(Number(await create())).toBe(Number(id) + 1);
  });

  test("give a name to one of many that ask for it at once", async () => {
    const name = fresh("raced");
    const answers = await Promise.all(Array.from({ length: 12 }, () => post("create", { name })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(11);
  });

  test.each([
    [
      "create",
      {},
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.",
    ],
    [
      "create",
      { name: "" },
      "Missing value for required parameter 'name'. See the API docs for more information about request parameters.",
    ],
    [
      "create",
      { name: 1 },
      "Invalid value 1 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API docs for more information about request parameters.",
    ],
    ["create", { name: "x".repeat(501) }, "'name' exceeds the maximum length of 500 characters"],
    ["create", { name: "null\0byte" }, "A value holds a null byte or a character that is not valid UTF-8."],
    [
      "create",
      { name: "t", tags: "no" },
      `Invalid value "no" for parameter 'tags' supplied:  Hint: Value was of type 'str'. See the API docs for more information about request parameters.`,
    ],
    ["create", { name: "t", tags: [{ key: "a" }, { key: "a" }] }, "Tag 'a' is given more than once."],
    [
      "create",
      { name: "t", tags: [{ key: "a", value: "v".repeat(20_001) }] },
      "'value' exceeds the maximum length of 20000 characters",
    ],
    [
      "create",
      { name: "t", tags: [{ key: "k".repeat(251) }] },
      "'key' exceeds the maximum length of 250 characters",
    ],
    [
      "update",
      { experiment_id: "0" },
      "Missing value for required parameter 'new_name'. See the API docs for more information about request parameters.",
    ],
    [
      "update",
      { experiment_id: "zero", new_name: "x" },
      "Invalid experiment ID 'zero'. Experiment ID must be a valid integer.",
    ],
    [
      "delete",
      { experiment_id: "1.5" },
      "Invalid experiment ID '1.5'. Experiment ID must be a valid integer.",
    ],
  ])("%s refuses %j", async (path, body, message) => {
    expect(refusal(await post(path, body))).toEqual([400, "INVALID_PARAMETER_VALUE", message]);
  });

  test("a wrong tag key names what it would resolve to", async () => {
    const answer = await post("create", { name: fresh("tag"), tags: [{ key: "../a" }] });
    expect(refusal(answer)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining("would resolve to '../a'"),
    ]);
    // Texts where objects are wanted count as empty objects, so this is a tag without a key.
    const texts = await post("create", { name: fresh("tag"), tags: ["team"] });
    expect(refusal(texts)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining(`Invalid value "" for parameter 'key' supplied`),
    ]);
  });

  test.each(["999999", "99999999999999999999", "-1"])("id %s is not found", async (id) => {
    const missing = [404, "RESOURCE_DOES_NOT_EXIST", `No Experiment with id=${id} exists`];
    expect(refusal(await server.get(`${API}/get?experiment_id=${id}`))).toEqual(missing);
    for (const path of ["delete", "restore", "update", "set-experiment-tag", "delete-experiment-tag"]) {
      const answer = await post(path, { experiment_id: id, new_name: "x", key: "k", value: "v" });
      expect([path, ...refusal(answer)]).toEqual([path, ...missing]);
    }
  });

  test("a name that nobody has is not found", async () => {
    const answer = await server.get(`${API}/get-by-name?experiment_name=nobody`);
    expect(refusal(answer)).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      "Could not find experiment with name 'nobody'",
    ]);
  });
});

describe("the life of an experiment", () => {
  test("renaming changes the name and the time of the last update", async () => {
    const id = await create();
    const before = await get(id);
    const name = fresh("renamed");
    expect((await post("update", { experiment_id: id, new_name: name })).text).toBe("{}");
    const after = await get(id);
    expect(after.name).toBe(name);
    expect(after.last_update_time).toBeGreaterThanOrEqual(before.last_update_time);
    expect(refusal(await post("update", { experiment_id: id, new_name: "Default" }))).toEqual([
      400,
      "RESOURCE_ALREADY_EXISTS",
      expect.any(String),
    ]);
  });

  test("a deleted one is found by id and name, and can be deleted or renamed no more", async () => {
    const name = fresh("gone");
    const id = await create({ name });
    expect((await post("delete", { experiment_id: id })).text).toBe("{}");
    expect((await get(id)).lifecycle_stage).toBe("deleted");
    const byName = await server.get(`${API}/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    expect(byName.json.experiment.lifecycle_stage).toBe("deleted");
    const missing = [404, "RESOURCE_DOES_NOT_EXIST", `No Experiment with id=${id} exists`];
    expect(refusal(await post("delete", { experiment_id: id }))).toEqual(missing);
    // Upstream answers 500 here, which clients would send again seven times.
    expect(refusal(await post("update", { experiment_id: id, new_name: fresh("x") }))).toEqual([
      400,
      "INVALID_STATE",
      "Cannot rename a non-active experiment.",
    ]);
    expect((await post("restore", { experiment_id: id })).text).toBe("{}");
    expect((await get(id)).lifecycle_stage).toBe("active");
    expect(refusal(await post("restore", { experiment_id: id }))).toEqual(missing);
  });

  test("deletion takes the active runs along, and restoring brings exactly those back", async () => {
    const id = await create();
    const newRun = async (): Promise<string> =>
      (await server.post(`${RUNS}/create`, { experiment_id: id, start_time: 1 })).json.run.info
        .run_id as string;
    const stages = (runs: readonly string[]): Promise<string[]> =>
      Promise.all(
        runs.map(
          async (run) =>
            (await server.get(`${RUNS}/get?run_id=${run}`)).json.run.info.lifecycle_stage as string,
        ),
      );
    const runs = [await newRun(), await newRun(), await newRun()];
    await server.post(`${RUNS}/delete`, { run_id: runs[1] });
    await post("delete", { experiment_id: id });
    expect(await stages(runs)).toEqual(["deleted", "deleted", "deleted"]);
    expect((await server.post(`${RUNS}/create`, { experiment_id: id })).status).toBe(400);
    await post("restore", { experiment_id: id });
    expect(await stages(runs)).toEqual(["active", "deleted", "active"]);
  });
});

describe("tags of experiments", () => {
  const tagsOf = async (id: string): Promise<unknown> => (await get(id)).tags;

  test("are set, overwritten and deleted", async () => {
    const id = await create();
    await post("set-experiment-tag", { experiment_id: id, key: "k", value: "1" });
    await post("set-experiment-tag", { experiment_id: id, key: "k", value: "2" });
    expect(await tagsOf(id)).toEqual([{ key: "k", value: "2" }]);
    await post("set-experiment-tag", { experiment_id: id, key: "k" });
    expect(await tagsOf(id)).toEqual([{ key: "k", value: "" }]);
    expect((await post("delete-experiment-tag", { experiment_id: id, key: "k" })).text).toBe("{}");
    expect(await tagsOf(id)).toBeUndefined();
    expect(refusal(await post("delete-experiment-tag", { experiment_id: id, key: "k" }))).toEqual([
      404,
      "RESOURCE_DOES_NOT_EXIST",
      `No tag with name: k in experiment with id ${id}`,
    ]);
  });

  test("do not change while the experiment is deleted", async () => {
    const id = await create({ tags: [{ key: "k", value: "1" }] });
    await post("delete", { experiment_id: id });
    for (const path of ["set-experiment-tag", "delete-experiment-tag"]) {
      expect(refusal(await post(path, { experiment_id: id, key: "k", value: "2" }))).toEqual([
        400,
        "INVALID_PARAMETER_VALUE",
        `The experiment ${id} must be in the 'active' state. Current state is deleted.`,
      ]);
    }
    expect(await tagsOf(id)).toEqual([{ key: "k", value: "1" }]);
  });

  test("hold at most 50 custom views, however many are saved at once", async () => {
    const view = (number: number): string => `mlflow.customView.view${number}`;
    const id = await create({
      tags: Array.from({ length: 48 }, (_, number) => ({ key: view(number), value: "{}" })),
    });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, number) =>
        post("set-experiment-tag", { experiment_id: id, key: view(100 + number), value: "{}" }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    const refused = answers.find(({ status }) => status !== 200) as Answer;
    expect(refusal(refused)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      `Unable to create another custom view for experiment ${id}; the maximum number of custom views per experiment is 50. ` +
        "Delete an existing custom view before creating a new one.",
    ]);
    expect((await post("set-experiment-tag", { experiment_id: id, key: view(0), value: "new" })).status).toBe(
      200,
    );
    const tags = Array.from({ length: 51 }, (_, number) => ({ key: view(number) }));
    expect((await post("create", { name: fresh("views"), tags })).status).toBe(400);
  });
});
