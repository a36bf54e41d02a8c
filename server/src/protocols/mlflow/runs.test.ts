import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import {
  accepted,
  API,
  dataOf,
  fresh,
  getRun,
  invalid,
  newExperiment,
  newRun,
  refusal,
} from "../../../test/runs.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: unknown): Promise<Answer> => server.post(`${API}/runs/${path}`, body);

const create = async (body: Record<string, unknown>): Promise<Json> =>
  accepted(await post("create", body)).run;

const EMOJI = "\u{1f600}";

describe("runs/create", () => {
  test("answers with the new run", async () => {
    const run = await create({
      experiment_id: "0",
      user_id: "ada",
      run_name: "first",
      start_time: 1_700_000_000_000,
      tags: [{ key: "t", value: "1" }],
      unknown_field: 1,
    });
    const id = run.info.run_id;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(run).toEqual({
      info: {
        run_uuid: id,
        run_id: id,
        experiment_id: "0",
        run_name: "first",
        user_id: "ada",
        status: "RUNNING",
        start_time: 1_700_000_000_000,
        artifact_uri: `mlflow-artifacts:/0/${id}/artifacts`,
        lifecycle_stage: "active",
      },
      data: {
        tags: [
          { key: "t", value: "1" },
          { key: "mlflow.runName", value: "first" },
        ],
      },
      inputs: {},
    });
    const read = await getRun(server, id);
    expect(read.info).toEqual(run.info);
    expect(read.outputs).toEqual({});
    expect((await dataOf(server, id)).tags).toEqual({ t: "1", "mlflow.runName": "first" });
  });

  test("takes the other spelling of its fields, and numbers as text", async () => {
    const { info } = await create({ experimentId: "0", runName: "camel", startTime: "12", userId: "u" });
    expect([info.run_name, info.start_time, info.user_id]).toEqual(["camel", 12, "u"]);
    expect(refusal(await post("create", { experiment_id: "0", experimentId: "0" }))).toEqual(
      invalid("Request specifies both 'experiment_id' and 'experimentId'; provide only one of them."),
    );
  });

  test("keeps a start time digit for digit", async () => {
    const answer = await post("create", '{"experiment_id":"0","start_time":9223372036854775807}');
    expect(answer.text).toContain('"start_time":9223372036854775807,');
    const { text } = await server.get(`${API}/runs/get?run_id=${answer.json.run.info.run_id}`);
    expect(text).toContain('"start_time":9223372036854775807,');
  });

  test("names a run by its tag, or by chance, and writes the name as tag", async () => {
    const tagged = await create({ experiment_id: "0", tags: [{ key: "mlflow.runName", value: "tagged" }] });
    expect(tagged.info.run_name).toBe("tagged");
    const same = { run_name: "same", tags: [{ key: "mlflow.runName", value: "same" }] };
    expect((await create({ experiment_id: "0", ...same })).info.run_name).toBe("same");
    const { info } = await create({ experiment_id: "0" });
    expect(info.run_name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
    expect((await dataOf(server, info.run_id)).tags).toEqual({ "mlflow.runName": info.run_name });
    const differing = { run_name: "a", tags: [{ key: "mlflow.runName", value: "b" }] };
    expect(refusal(await post("create", { experiment_id: "0", ...differing }))).toEqual(
      invalid(
        "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
          "(run_name='a', mlflow.runName='b').",
      ),
    );
  });

  test("cuts long tag values, refuses a tag given twice", async () => {
    const tags = [
      { key: "t", value: "1" },
      { key: "long", value: EMOJI.repeat(8001) },
    ];
    expect((await dataOf(server, await newRun(server, { tags }))).tags["long"]).toHaveLength(16_000);
    const twice = await post("create", { experiment_id: "0", tags: [...tags, { key: "t", value: "2" }] });
    expect(refusal(twice)).toEqual([400, "BAD_REQUEST", "Tag 't' is given more than once."]);
  });

  test("puts artifacts below the experiment's location", async () => {
    const answer = await server.post(`${API}/experiments/create`, {
      name: fresh("elsewhere"),
      artifact_location: "s3://bucket/prefix/",
    });
    const { info } = await create({ experiment_id: accepted(answer).experiment_id });
    expect(info.artifact_uri).toBe(`s3://bucket/prefix/${info.run_id}/artifacts`);
  });

  test.each([
    [{ experiment_id: "999999" }, 404, "No Experiment with id=999999 exists"],
    [{ experiment_id: "99999999999999999999" }, 404, "No Experiment with id=99999999999999999999 exists"],
    [{ experiment_id: "-1" }, 404, "No Experiment with id=-1 exists"],
    [{ experiment_id: "abc" }, 400, "Invalid experiment ID 'abc'. Experiment ID must be a valid integer."],
    [{ experiment_id: 7 }, 400, "Invalid value 7 for parameter 'experiment_id' supplied"],
    [
      { experiment_id: "0", start_time: "noon" },
      400,
      "Invalid value \"noon\" for parameter 'start_time' supplied",
    ],
    [{ experiment_id: "0", run_name: [] }, 400, "Invalid value [] for parameter 'run_name' supplied"],
    [{ experiment_id: "0", run_name: "\0" }, 400, "null byte"],
    [{ experiment_id: "0", tags: [{ key: "\0", value: "" }] }, 400, "null byte"],
    [{ experiment_id: "0", tags: [{ key: "x".repeat(251), value: "" }] }, 400, "maximum length of 250"],
    [{ experiment_id: "0", tags: [{ key: "t", value: "\ud800" }] }, 400, "half of a surrogate pair"],
  ])("refuses %j, and not what is created beside it", async (body, status, message) => {
    const [refused, neighbour] = await Promise.all([
      post("create", body),
      post("create", { experiment_id: "0" }),
    ]);
    expect(refusal(refused)).toEqual([
      status,
      status === 404 ? "RESOURCE_DOES_NOT_EXIST" : "INVALID_PARAMETER_VALUE",
      expect.stringContaining(message),
    ]);
    accepted(neighbour);
  });

  test("200 at once each get an id of their own", async () => {
    const experiment_id = await newExperiment(server);
    const runs = await Promise.all(
      Array.from({ length: 200 }, (_one, index) => create({ experiment_id, run_name: `run ${index}` })),
    );
    expect(new Set(runs.map((run) => run.info.run_id)).size).toBe(200);
    const read = await Promise.all(runs.map((run) => getRun(server, run.info.run_id)));
    expect(read.map((run) => run.info)).toEqual(runs.map((run) => run.info));
  });
});

describe("runs/get", () => {
  test("finds a run by either name of its id", async () => {
    const id = await newRun(server);
    const byId = await server.get(`${API}/runs/get?run_id=${id}`);
    expect((await server.get(`${API}/runs/get?run_uuid=${id}`)).text).toBe(byId.text);
    expect((await server.get(`/ajax-api/2.0/mlflow/runs/get?run_id=${id}`)).text).toBe(byId.text);
  });

  test("leaves out what there is none of", async () => {
    const id = await newRun(server, { run_name: "bare", start_time: 5 });
    expect((await server.get(`${API}/runs/get?run_id=${id}`)).json.run).toMatchObject({
      info: expect.not.objectContaining({ end_time: expect.anything() }),
      data: { tags: [{ key: "mlflow.runName", value: "bare" }] },
      inputs: {},
      outputs: {},
    });
    expect(Object.keys((await getRun(server, id)).data)).toEqual(["tags"]);
  });

  test.each(["none", "0".repeat(32), "%F0%9F%98%80", "a%00b"])("does not find %s", async (id) => {
    const [status, code] = refusal(await server.get(`${API}/runs/get?run_id=${id}`));
    expect([
      [404, "RESOURCE_DOES_NOT_EXIST"],
      // No text in the database holds a null character.
      [400, "INVALID_PARAMETER_VALUE"],
    ]).toContainEqual([status, code]);
  });
});

describe("runs/update", () => {
  test("sets status, end time and name, and leaves what it is not given", async () => {
    const run_id = await newRun(server, { run_name: "before" });
    const ended = accepted(await post("update", { run_id, status: "FINISHED", end_time: "99" })).run_info;
    expect(ended).toMatchObject({ status: "FINISHED", end_time: 99, run_name: "before" });
    const named = accepted(await post("update", { run_uuid: run_id, run_name: "after" })).run_info;
    expect(named).toEqual({ ...ended, run_name: "after" });
    expect((await getRun(server, run_id)).info).toEqual(named);
    expect((await dataOf(server, run_id)).tags["mlflow.runName"]).toBe("after");
  });

  test("takes a run up again; its end time stays until there is a new one", async () => {
    const run_id = await newRun(server);
    accepted(await post("update", { run_id, status: "FAILED", end_time: 5 }));
    const resumed = accepted(await post("update", { run_id, status: "RUNNING" })).run_info;
    expect([resumed.status, resumed.end_time]).toEqual(["RUNNING", 5]);
    expect(accepted(await post("update", { run_id, end_time: 0 })).run_info.end_time).toBe(0);
  });

  test.each([{}, { status: "BOGUS" }, { status: "" }, { run_name: "" }, { status: null, end_time: null }])(
    "changes nothing with %j",
    async (change) => {
      const run_id = await newRun(server);
      const before = (await getRun(server, run_id)).info;
      expect(accepted(await post("update", { run_id, ...change })).run_info).toEqual(before);
      expect((await getRun(server, run_id)).info).toEqual(before);
    },
  );

  test("many at once of one run: one of them wins, whole", async () => {
    const run_id = await newRun(server);
    const statuses = ["FINISHED", "FAILED", "KILLED", "SCHEDULED"];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_one, index) =>
        post("update", { run_id, status: statuses[index % 4], end_time: index }),
      ),
    );
    for (const answer of answers) accepted(answer);
    const { info } = await getRun(server, run_id);
    expect(info.status).toBe(statuses[info.end_time % 4]);
  });

  test.each([
    [{ end_time: "noon" }, "Invalid value \"noon\" for parameter 'end_time' supplied"],
    [{ end_time: "9223372036854775808" }, "for parameter 'end_time' supplied"],
    [{ run_name: 5 }, "Invalid value 5 for parameter 'run_name' supplied"],
    [{ status: {} }, "Invalid value {} for parameter 'status' supplied"],
  ])("refuses %j", async (change, message) => {
    const run_id = await newRun(server);
    expect(refusal(await post("update", { run_id, ...change }))).toEqual(
      invalid(expect.stringContaining(message)),
    );
  });
});

describe("the life of runs", () => {
  const stage = async (id: string): Promise<string> => (await getRun(server, id)).info.lifecycle_stage;

  test("a run can be deleted and restored, twice too", async () => {
    const run_id = await newRun(server);
    for (let time = 0; time < 2; time += 1) accepted(await post("delete", { run_id }));
    expect(await stage(run_id)).toBe("deleted");
    for (let time = 0; time < 2; time += 1) expect((await post("restore", { run_id })).text).toBe("{}");
    expect(await stage(run_id)).toBe("active");
    for (const path of ["delete", "restore"]) {
      expect(refusal(await post(path, { run_id: "none" }))).toEqual([
        404,
        "RESOURCE_DOES_NOT_EXIST",
        "Run with id=none not found",
      ]);
    }
  });

  test("the runs of a deleted experiment are deleted and come back with it; it takes no new ones", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    accepted(await server.post(`${API}/experiments/delete`, { experiment_id }));
    expect(await stage(run_id)).toBe("deleted");
    expect(refusal(await post("create", { experiment_id }))).toEqual(
      invalid(`The experiment ${experiment_id} must be in the 'active' state. Current state is deleted.`),
    );
    accepted(await server.post(`${API}/experiments/restore`, { experiment_id }));
    expect(await stage(run_id)).toBe("active");
    accepted(await post("create", { experiment_id }));
  });
});
