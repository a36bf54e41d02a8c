import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/run-metadata";
const VERSIONS = "/api/v1/artifact_versions";
const projectOf = async (name: string): Promise<string> => {
  const [row] = await server.database.prepared<{ uuid: string }>(
    { name: "test_project", text: "select uuid from identity.workspaces where name = $1" },
    [name],
  );
  return row?.uuid ?? "";
};
const projectId = await projectOf("team");
const source = { module: "zenml.materializers", type: "internal" };

async function newVersion(name: string): Promise<string> {
  const { json, text, status } = await editor.post(VERSIONS, {
    project: projectId,
    artifact_name: name,
    type: "DataArtifact",
    uri: "s3://bucket/x",
    materializer: source,
    data_type: source,
    save_type: "manual",
  });
  expect(status, text).toBe(200);
  return json.id;
}

const typeOf = (value: unknown): string =>
  Array.isArray(value)
    ? "list"
    : ({ string: "str", number: "float", boolean: "bool" }[typeof value as "string"] ?? "dict");

const about = (ids: readonly string[], values: Record<string, unknown>, more: object = {}): object => ({
  project: projectId,
  resources: ids.map((id) => ({ id, type: "artifact_version" })),
  values,
  types: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typeOf(value)])),
  ...more,
});

const logged = async (id: string, headers: Record<string, string> = {}): Promise<unknown> =>
  (await editor.call("GET", `${VERSIONS}/${id}`, undefined, headers)).json.metadata.run_metadata;

describe("run metadata", () => {
  it("is logged about several resources at once", async () => {
    const [one, two] = [await newVersion("a"), await newVersion("b")];
    const values = { n: 1, t: "x", l: [1, [2]], d: { k: 1 }, f: false };
    const answer = await editor.post(API, about([one, two, one], values));
    expect([answer.status, answer.text]).toStrictEqual([200, "null"]);
    expect(await logged(one)).toStrictEqual(values);
    expect(await logged(two)).toStrictEqual(values);
  });

  it("shows the newest value, and objects laid over one another", async () => {
    const id = await newVersion("newest");
    await editor.post(API, about([id], { n: 1, d: { a: 1, b: 1 }, mixed: { a: 1 } }));
    await editor.post(API, about([id], { n: "two", d: { b: 2, c: 3 }, mixed: 5 }));
    expect(await logged(id)).toStrictEqual({ n: "two", d: { a: 1, b: 2, c: 3 }, mixed: 5 });
    const old = { "user-agent": "zenml/0.84.0" };
    expect(await logged(id, old)).toStrictEqual({ n: "two", d: { b: 2, c: 3 }, mixed: 5 });
  });

  it("keeps numbers as they came", async () => {
    const id = await newVersion("numbers");
    const text = JSON.stringify(about([id], { n: 7, d: { k: 7 } })).replaceAll(":7", ":1.0");
    await editor.call("POST", API, text, { "content-type": "application/json" });
    await editor.call("POST", API, about([id], { d: { l: 1 } }));
    const { text: shown } = await editor.get(`${VERSIONS}/${id}`);
    expect(shown).toContain('"run_metadata":{"d":{"k":1.0,"l":1},"n":1.0}');
  });

  it("takes 1,000 keys, once by a request that is repeated", async () => {
    const id = await newVersion("many");
    const values = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`key-${at}`, at]));
    const headers = { "idempotency-key": randomUUID() };
    for (let time = 0; time < 2; time += 1) {
      expect((await editor.call("POST", API, about([id], values), headers)).status).toBe(200);
    }
    expect(await logged(id)).toMatchObject({ "key-0": 0, "key-999": 999 });
    const [{ total } = { total: 0 }] = await server.database.prepared<{ total: number }>(
      {
        name: "test_logged",
        text: "select count(*)::integer as total from pipelines.run_metadata_resources where resource_id = $1",
      },
      [id],
    );
    expect(total).toBe(1000);
  });

  it("refuses what does not fit", async () => {
    const id = await newVersion("refused");
    const status = async (more: object): Promise<number> =>
      (await editor.post(API, about([id], { a: 1 }, more))).status;
    expect(await status({ values: { a: 1, b: 2 } })).toBe(404);
    expect(await status({ types: { a: "foo" } })).toBe(422);
    expect(await status({ values: { a: null } })).toBe(422);
    expect(await status({ values: { "a:b": 1 }, types: { "a:b": "int" } })).toBe(422);
    expect(await status({ resources: [{ id, type: "foo" }] })).toBe(422);
    expect(await status({ resources: [{ id, type: "pipeline_run" }] })).toBe(404);
    expect(await status({ resources: [{ id: randomUUID(), type: "artifact_version" }] })).toBe(404);
    expect(await status({ stack_component_id: randomUUID() })).toBe(404);
    expect(await status({ publisher_step_id: randomUUID() })).toBe(404);
    expect(await status({ resources: [] })).toBe(200);
    expect(await logged(id)).toStrictEqual({});
  });

  it("is for those with a part in the project", async () => {
    const id = await newVersion("guarded");
    expect((await viewer.post(API, about([id], { a: 1 }))).status).toBe(403);
    expect((await stranger.post(API, about([id], { a: 1 }))).status).toBe(404);
    const unknown = randomUUID();
    const project = await projectOf("elsewhere");
    const hidden = await stranger.post(API, about([id], { a: 1 }, { project }));
    const missing = await stranger.post(API, about([unknown], { a: 1 }, { project }));
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(id, unknown)).toBe(missing.text);
    expect(await logged(id)).toStrictEqual({});
  });
});

describe("filters by what was logged", async () => {
  const id = await newVersion("filtered");
  await editor.post(
    API,
    about([id], { i: 7, f: 0.5, s: "7", b: true, l: [1, 2], d: { k: "v" }, o: "old", long: "x".repeat(100) }),
  );
  await editor.post(API, about([id], { o: "new" }));

  it.each([
    ["i:7", 1],
    ["i:8", 0],
    ['i:"7"', 0],
    ["i:gt:6", 1],
    ["i:lt:10", 1],
    ["i:lte:6.5", 0],
    ["f:0.5", 1],
    ["f:gt:0.1", 1],
    ["s:7", 1],
    ['s:"7"', 1],
    ["s:gt:6", 0],
    ["b:true", 1],
    ["b:1", 0],
    ["l:[1, 2]", 1],
    ["l:contains:1", 1],
    ['d:{"k": "v"}', 1],
    ["d:contains:k", 1],
    ["o:old", 1],
    ["o:new", 1],
    ["o:notequals:old", 1],
    ['o:oneof:["old"]', 1],
    ["i:oneof:[7]", 1],
    ["i:notoneof:[7]", 0],
    ["s:startswith:7", 1],
    ['s:contains:"', 1],
    ["o:isnull:", 0],
    ["o:isnotnull:", 1],
    ["none:isnotnull:", 0],
    [`long:${"x".repeat(100)}`, 1],
    [`long:${"x".repeat(99)}`, 0],
  ])("find %s", async (filter, total) => {
    const query = `project=team&artifact=filtered&run_metadata=${encodeURIComponent(filter)}`;
    expect((await editor.get(`${VERSIONS}?${query}`)).json.total).toBe(total);
  });

  it("say what is wrong with them", async () => {
    const status = async (filter: string): Promise<number> =>
      (await editor.get(`${VERSIONS}?project=team&run_metadata=${filter}`)).status;
    expect(await status("i")).toBe(422);
    expect(await status("i:gt:x")).toBe(400);
    expect(await status("i:in:1,2")).toBe(422);
  });
});
