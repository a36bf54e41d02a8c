import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Answer } from "../../../test/harness.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });
const project = (await root.get("/api/v1/projects/team")).json.id as string;
const elsewhere = (await root.get("/api/v1/projects/elsewhere")).json.id as string;

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
const put = (path: string, body: unknown): Promise<Answer> => editor.call("PUT", `${API}${path}`, body);
const remove = (path: string): Promise<Answer> => editor.call("DELETE", `${API}${path}`);
const newModel = async (name: string, about: object = {}): Promise<Answer["json"]> => {
  const made = await editor.post(`${API}/models`, { project, name, ...about });
  expect(made.status, made.text).toBe(200);
  return made.json;
};
const newVersion = (model: string, about: object = {}, headers = {}): Promise<Answer> =>
  editor.call("POST", `${API}/model_versions`, { project, model, ...about }, headers);

describe("models", () => {
  it("are made, read, changed and deleted with their versions", async () => {
    const model = await newModel("churn", { license: "MIT", tags: ["team-a", "b"] });
    expect(model).toMatchObject({
      name: "churn",
      body: { project_id: project },
      metadata: { license: "MIT", description: null, ethics: null, save_models_to_registry: true },
      resources: {
        user: { name: "ed" },
        latest_version_name: null,
        latest_version_id: null,
        visualizations: [],
      },
    });
    expect(model.resources.tags.map(({ name }: { name: string }) => name).toSorted()).toStrictEqual([
      "b",
      "team-a",
    ]);
    const version = (await newVersion(model.id, { name: "first" })).json;
    const changed = await put(`/models/${model.id}`, {
      description: "who leaves",
      remove_tags: ["b"],
      add_tags: ["c"],
    });
    expect(changed.json).toMatchObject({
      metadata: { license: "MIT", description: "who leaves" },
      resources: { latest_version_name: "first", latest_version_id: version.id },
    });
    expect((await viewer.get(`${API}/models?project=team&tag=c`)).json.items[0].id).toBe(model.id);
    expect((await viewer.get(`${API}/models?project=team&tag=b`)).json.total).toBe(0);
    expect((await remove(`/models/${model.id}`)).text).toBe("null");
    expect((await editor.get(`${API}/models/${model.id}`)).status).toBe(404);
    expect((await editor.get(`${API}/model_versions/${version.id}`)).status).toBe(404);
    const left = await server.database.prepared(
      { name: "test_left_tags", text: "select from pipelines.tag_resources where resource_id = $1::uuid" },
      [model.id],
    );
    expect(left).toHaveLength(0);
  });

  it("are listed by the newest of their versions", async () => {
    const [first, second] = [await newModel("order-1"), await newModel("order-2")];
    await newVersion(first.id);
    const names = async (query: string): Promise<string[]> =>
      (await editor.get(`${API}/models?project=team&name=startswith:order&${query}`)).json.items.map(
        (one: { name: string }) => one.name,
      );
    expect(await names("sort_by=desc:latest_version")).toStrictEqual(["order-1", "order-2"]);
    await newVersion(second.id);
    expect(await names("sort_by=desc:latest_version")).toStrictEqual(["order-2", "order-1"]);
  });

  it("have names that are theirs alone", async () => {
    const model = await newModel("taken");
    const again = await editor.post(`${API}/models`, { project, name: "taken" });
    expect([again.status, again.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const { id } = await newModel("free");
    expect((await put(`/models/${id}`, { name: "taken" })).status).toBe(409);
    expect((await put(`/models/${model.id}`, { name: "taken" })).status).toBe(200);
    expect((await editor.post(`${API}/models`, { project, name: "" })).status).toBe(400);
    expect((await editor.post(`${API}/models`, { project, name: "a\tb" })).status).toBe(400);
    const elsewhereToo = await stranger.post(`${API}/models`, { project: elsewhere, name: "taken" });
    expect(elsewhereToo.status).toBe(200);
  });
});

describe("versions of models", () => {
  it("are numbered, and named by their numbers or otherwise", async () => {
    const { id } = await newModel("numbered");
    const first = (await newVersion(id)).json;
    expect(first).toMatchObject({
      name: "1",
      body: { number: 1, stage: null, model: { id, name: "numbered" } },
      metadata: { description: null, run_metadata: {} },
      resources: { services: { index: 1, max_size: 5, total_pages: 1, total: 0, items: [] }, tags: [] },
    });
    const named = await newVersion(id, { name: "red", description: "of color", tags: ["x"] });
    expect(named.json).toMatchObject({
      name: "red",
      body: { number: 2 },
      metadata: { description: "of color" },
    });
    const again = await newVersion(id, { name: "red" });
    expect([again.status, again.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    expect((await newVersion(id)).json.body.number).toBe(3);
    for (const name of ["7", "latest", "Production", "none", "a\nb"]) {
      const refused = await newVersion(id, { name });
      expect([name, refused.status, refused.json.detail[0]]).toStrictEqual([name, 400, "ValueError"]);
    }
    expect((await put(`/model_versions/${first.id}`, { name: "8" })).status).toBe(400);
    expect((await put(`/model_versions/${first.id}`, { name: "red" })).status).toBe(409);
    expect((await put(`/model_versions/${first.id}`, { name: "1" })).status).toBe(200);
  });

  it("get different numbers at once, and one for a request that is repeated", async () => {
    const { id } = await newModel("at-once");
    const made = await Promise.all(Array.from({ length: 8 }, () => newVersion(id)));
    expect(
      made.map(({ json }) => json.body.number as number).toSorted((one, other) => one - other),
    ).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const headers = { "idempotency-key": randomUUID() };
    const [one, same] = [
      await newVersion(id, { tags: ["y"] }, headers),
      await newVersion(id, { tags: ["y"] }, headers),
    ];
    expect(same.json).toStrictEqual(one.json);
    expect((await editor.get(`${API}/model_versions?project=team&model=at-once`)).json.total).toBe(9);
  });

  it("are in a stage one at a time", async () => {
    const { id } = await newModel("staged");
    const [a, b] = [(await newVersion(id)).json.id, (await newVersion(id)).json.id];
    const stage = (version: string, body: object): Promise<Answer> => put(`/model_versions/${version}`, body);
    expect((await stage(a, { stage: "production" })).json.body.stage).toBe("production");
    expect((await stage(a, { stage: "production" })).status).toBe(200);
    const refused = await stage(b, { stage: "production" });
    expect([refused.status, refused.json.detail]).toStrictEqual([
      500,
      ["RuntimeError", "Model version 1 is in production, but `force` flag is False."],
    ]);
    expect((await stage(b, { stage: "production", force: true })).json.body.stage).toBe("production");
    expect((await editor.get(`${API}/model_versions/${a}`)).json.body.stage).toBe("archived");
    const bad = await stage(a, { stage: "gone" });
    expect([bad.status, bad.json[0]]).toStrictEqual([422, "ValueError"]);
    const listed = await editor.get(`${API}/models/staged/model_versions?project=team&stage=production`);
    expect(listed.json.items.map((one: { id: string }) => one.id)).toStrictEqual([b]);
  });

  it("are listed of a model by name or id, whatever else is asked for", async () => {
    const [one, other] = [await newModel("listed"), await newModel("listed-too")];
    for (const model of [one, other]) for (const name of ["u", "v"]) await newVersion(model.id, { name });
    const total = async (query: string): Promise<number> =>
      (await editor.get(`${API}/model_versions?project=team&${query}`)).json.total;
    expect(await total("model=listed")).toBe(2);
    expect(await total(`model=${one.id}&name=u`)).toBe(1);
    expect(await total("model=listed&logical_operator=or&name=u&number=2")).toBe(2);
    expect(await total("model=nothing")).toBe(0);
    expect(
      (await editor.get(`${API}/models/${other.id}/model_versions?project=team&size=1`)).json.total_pages,
    ).toBe(2);
    expect((await editor.get(`${API}/models/nothing/model_versions?project=team`)).json.total).toBe(0);
    expect((await editor.get(`${API}/model_versions?project=team&sort_by=model`)).status).toBe(422);
  });

  it("are for those with a part in the project", async () => {
    const { id } = await newModel("guarded");
    const version = (await newVersion(id)).json.id as string;
    expect((await viewer.post(`${API}/models`, { project, name: "no" })).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/model_versions/${version}`, { name: "no" })).status).toBe(403);
    for (const path of [`/models/${id}`, `/model_versions/${version}`]) {
      const unknown = randomUUID();
      const hidden = await stranger.get(API + path);
      const missing = await stranger.get(API + path.replace(/[^/]+$/, unknown));
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(/[0-9a-f-]{36}/g, unknown)).toBe(missing.text);
    }
    const mixed = await root.post(`${API}/model_versions`, { project: elsewhere, model: id });
    expect([mixed.status, mixed.json.detail[0]]).toStrictEqual([404, "KeyError"]);
    expect((await editor.get(`${API}/models/no-id`)).status).toBe(422);
  });
});
