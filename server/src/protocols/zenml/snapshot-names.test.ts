import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import { newRun, newSnapshot, projectIdOf } from "../../../test/pipelines.ts";
import { person } from "../../../test/principals.ts";
import { withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer({ login: "required" });
const part = async (name: string, permission: object): Promise<typeof server> =>
  withHeaders(server, (await person(server, name, permission)).headers);
const editor = await part("ed", { workspace: "default", role: "editor" });
const project = await projectIdOf(server);
afterAll(() => server[Symbol.asyncDispose]());

/** Somebody who may create, and change what is their own. */
async function userOf(workspace: string): ReturnType<typeof person> {
  const somebody = await person(server, "user");
  const { roles } = server.app.identity;
  const { role_id: roleId } = await roles.createRole({ workspace, name: "users" });
  await roles.addGrant(roleId, { resource_type: "workspace", pattern: "*", permission: "USE" });
  await roles.assignRole({ principalId: somebody.row.principal_id }, roleId);
  return somebody;
}

const API = "/api/v1/pipeline_snapshots";
const { pipeline, stack } = await newSnapshot(editor, project);

const body = (more: object): object => ({
  project,
  pipeline,
  stack,
  run_name_template: "run",
  pipeline_configuration: { name: "p" },
  ...more,
});
const made = async (more: object = {}): Promise<Json> => {
  const answer = await editor.post(API, body(more));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const nameOf = async (id: string): Promise<string | null | undefined> => {
  const answer = await editor.get(`${API}/${id}?hydrate=false`);
  return answer.status === 404 ? undefined : answer.json.name;
};
const put = (id: string, changes: object): ReturnType<typeof editor.call> =>
  editor.call("PUT", `${API}/${id}`, changes);
const list = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${API}?project=default&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.name ?? one.id);
};

describe("names of snapshots", () => {
  it("are unique in a pipeline", async () => {
    const { id } = await made({ name: "unique" });
    const taken = await editor.post(API, body({ name: "unique" }));
    expect(taken.status).toBe(409);
    expect(taken.json.detail).toStrictEqual([
      "EntityExistsError",
      expect.stringContaining("Snapshot with name `unique` already exists for pipeline"),
    ]);
    const { pipeline: another } = await newSnapshot(editor, project);
    expect((await editor.post(API, body({ name: "unique", pipeline: another }))).status).toBe(200);
    const { id: second } = await made();
    expect((await put(second, { name: "unique" })).status).toBe(409);
    expect((await put(id, { name: "unique", replace: true })).status).toBe(200);
  });

  it("pass to another snapshot, and the one that had it goes where nothing needs it", async () => {
    const first = await made({ name: "passed", tags: ["old"] });
    const second = await made({ name: "passed", replace: true });
    expect([await nameOf(first.id), await nameOf(second.id)]).toStrictEqual([undefined, "passed"]);
    await newRun(editor, project, second.id);
    const third = await made({ name: "passed", replace: true });
    expect([await nameOf(second.id), await nameOf(third.id)]).toStrictEqual([null, "passed"]);
    expect((await put(second.id, { name: "passed", replace: true })).status).toBe(200);
    expect([await nameOf(second.id), await nameOf(third.id)]).toStrictEqual(["passed", undefined]);
  });

  it("pass on from whoever took them at the same time", async () => {
    const made = await Promise.all(
      Array.from({ length: 4 }, () => editor.post(API, body({ name: "contended", replace: true }))),
    );
    expect(made.map(({ status }) => status)).toStrictEqual([200, 200, 200, 200]);
    expect(await list("name=contended")).toHaveLength(1);
  });

  it("are taken away by false, changed, and left alone", async () => {
    const { id } = await made({ name: "changing" });
    expect((await put(id, { description: "text", add_tags: ["a", "b"] })).json).toMatchObject({
      name: "changing",
      metadata: { description: "text" },
      resources: { tags: [{ name: "a" }, { name: "b" }] },
    });
    const unnamed = await put(id, { name: false, description: "", remove_tags: ["a", "unheard"] });
    expect(unnamed.json).toMatchObject({
      name: null,
      metadata: { description: "text" },
      resources: { tags: [{ name: "b" }] },
    });
    expect((await made({ name: false })).name).toBeNull();
  });

  it.each([[true], [""], ["x".repeat(256)], [7]])("are not %s", async (name) => {
    expect((await editor.post(API, body({ name }))).status).toBe(422);
  });

  it("hold no tab", async () => {
    expect((await editor.post(API, body({ name: "a\tb" }))).status).toBe(400);
    const { id } = await made();
    expect((await put(id, { name: "a\nb" })).status).toBe(400);
  });

  it("of others are taken by editors alone", async () => {
    const user = withHeaders(server, (await userOf("default")).headers);
    const held = await made({ name: "held" });
    const refused = await user.post(API, body({ name: "held", replace: true }));
    expect(refused.status, refused.text).toBe(403);
    expect(await nameOf(held.id)).toBe("held");
    const own = await user.post(API, body({ name: "own" }));
    expect(own.status, own.text).toBe(200);
    expect((await user.post(API, body({ name: "own", replace: true }))).status).toBe(200);
    expect(await nameOf(own.json.id)).toBeUndefined();
  });
});

describe("lists of snapshots", () => {
  it("are narrowed by all that both versions ask", async () => {
    const build = await editor.post("/api/v1/pipeline_builds", {
      project,
      pipeline,
      stack,
      is_local: false,
      contains_code: true,
    });
    const { pipeline: mine } = await newSnapshot(editor, project, { name: "narrowed" });
    const plain = await made({ pipeline: mine, name: "plain", tags: ["narrow"] });
    const built = await made({
      pipeline: mine,
      name: "built",
      build: build.json.id,
      source_snapshot: plain.id,
    });
    const deployer = await editor.post("/api/v1/components", {
      name: "served-by",
      type: "deployer",
      flavor: "docker",
      configuration: {},
    });
    const served = await editor.post("/api/v1/deployments", {
      project,
      name: "served",
      snapshot_id: built.id,
      deployer_id: deployer.json.id,
    });
    expect(served.status, served.text).toBe(200);
    const of = (query: string): Promise<string[]> => list(`pipeline=narrowed&${query}`);
    expect(await of("named_only=true&sort_by=name")).toStrictEqual(["built", "plain"]);
    expect(await of("named_only=false")).toHaveLength(3);
    expect(await of("named_only=false&logical_operator=or&name=plain")).not.toHaveLength(0);
    expect(await of("runnable=true")).toStrictEqual(["built"]);
    expect(await of("deployable=true")).toStrictEqual([]);
    expect(await of("deployed=true")).toStrictEqual(["built"]);
    expect(await of("deployed=false&named_only=true")).toStrictEqual(["plain"]);
    expect(await of("stack=default&name=startswith:pl")).toStrictEqual(["plain"]);
    expect(await of(`stack_id=${stack}&name=plain`)).toStrictEqual(["plain"]);
    expect(await of(`build_id=${build.json.id}`)).toStrictEqual(["built"]);
    expect(await of(`source_snapshot_id=${plain.id}`)).toStrictEqual(["built"]);
    expect(await of("tags=narrow")).toStrictEqual(["plain"]);
    expect(await of(`trigger_id=${randomUUID()}`)).toStrictEqual([]);
    expect(await list(`pipeline_id=${mine}&sort_by=desc:deployment&named_only=true`)).toHaveLength(2);
    expect(await of("sort_by=desc:pipeline&named_only=true&size=1&page=2")).toHaveLength(1);
    const { items } = (await editor.get(`${API}?project=default&pipeline=narrowed&hydrate=true&name=built`))
      .json;
    expect(items[0]).toMatchObject({
      body: { runnable: true },
      metadata: { pipeline_configuration: { name: "p" }, step_configurations: {} },
      resources: { deployment: { name: "served" }, build: { id: build.json.id } },
    });
    expect((await editor.get(`${API}?project=default&sort_by=runnable`)).status).toBe(422);
  });

  it("lose what nothing needs when they are pruned", async () => {
    const workspace = "pruned";
    const admin = await part("root", { isAdmin: true });
    await admin.post("/api/3.0/mlflow/workspaces", { name: workspace });
    const where = await projectIdOf(server, workspace);
    const { pipeline: p, snapshot: first } = await newSnapshot(admin, where);
    const post = async (more: object): Promise<string> =>
      (await admin.post(API, { ...body({ pipeline: p, project: where }), ...more })).json.id;
    const kept = await post({ name: "kept" });
    const used = await post({});
    await newRun(admin, where, used);
    await post({ source_snapshot: first });
    const prune = async (more: object): Promise<Json> => {
      const answer = await admin.post(`${API}/prune`, {
        project: where,
        older_than: "2100-01-01T00:00:00",
        ...more,
      });
      expect(answer.status, answer.text).toBe(200);
      return answer.json;
    };
    // The first one is needed by the one that was made from it, until that is gone.
    expect(await prune({})).toStrictEqual({ snapshot_count: 1, task_id: null });
    expect(await prune({ older_than: "2000-01-01T00:00:00", apply: true })).toMatchObject({
      snapshot_count: 0,
    });
    expect(await prune({ apply: true })).toStrictEqual({ snapshot_count: 2, task_id: null });
    const { items } = (await admin.get(`${API}?project=${where}`)).json;
    expect(items.map((one: Json) => one.id)).toStrictEqual([kept, used]);
    expect((await editor.post(`${API}/prune`, { project: where, older_than: "2100-01-01" })).status).toBe(
      404,
    );
    expect((await editor.post(`${API}/prune`, { project })).status).toBe(422);
  });
});
