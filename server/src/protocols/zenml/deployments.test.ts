import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { newSnapshot, projectIdOf } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("default");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/deployments";
const project = await projectIdOf(server);
const { pipeline, snapshot } = await newSnapshot(editor, project, { name: "served" });
const deployer = (
  await editor.post("/api/v1/components", {
    name: "deployer",
    type: "deployer",
    flavor: "docker",
    configuration: {},
  })
).json.id;

const body = (more: object = {}): object => ({
  project,
  name: `d-${randomUUID()}`,
  snapshot_id: snapshot,
  deployer_id: deployer,
  ...more,
});
const made = async (more: object = {}): Promise<Json> => {
  const answer = await editor.post(API, body(more));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const names = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${API}?project=default&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.name);
};

describe("deployments", () => {
  it("are made, told about by clients, and deleted", async () => {
    const { id, ...created } = await made({ name: "api", auth_key: "s3cret", tags: ["a", { name: "b" }] });
    expect(created).toMatchObject({
      name: "api",
      body: { url: null, status: "unknown", project_id: project },
      metadata: { deployment_metadata: {}, auth_key: "s3cret" },
      resources: {
        user: { name: "ed" },
        snapshot: { id: snapshot, body: { pipeline_id: pipeline } },
        deployer: { name: "deployer", body: { type: "deployer" } },
        pipeline: { name: "served" },
        stack: { name: "default" },
        tags: [{ name: "a" }, { name: "b" }],
        visualizations: [],
      },
    });
    const told = await editor.call("PUT", `${API}/${id}`, {
      url: "http://served",
      status: "running",
      deployment_metadata: { replicas: 2 },
      auth_key: "another",
      add_tags: ["c"],
      remove_tags: ["a"],
    });
    expect(told.json).toMatchObject({
      name: "api",
      body: { url: "http://served", status: "running" },
      metadata: { deployment_metadata: { replicas: 2 }, auth_key: "another" },
      resources: { tags: [{ name: "b" }, { name: "c" }] },
    });
    expect((await editor.call("PUT", `${API}/${id}`, {})).json.metadata.auth_key).toBe("another");
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json.metadata).toBeNull();
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it("keep their keys sealed, and from viewers", async () => {
    const { id } = await made({ auth_key: "plain-to-see" });
    for (const path of [`${API}/${id}`, `${API}?project=default&hydrate=true`]) {
      const [seen, hidden] = [await editor.get(path), await viewer.get(path)];
      expect([path, seen.status, hidden.status]).toEqual([path, 200, 200]);
      expect([path, seen.text.includes("plain-to-see")]).toEqual([path, true]);
      expect([path, hidden.text.includes("plain-to-see")]).toEqual([path, false]);
    }
    const [row] = await server.database.prepared<{ text: string }>(
      { name: "test_row", text: "select d::text as text from pipelines.deployments as d where id = $1" },
      [id],
    );
    expect(row?.text).toContain("v1.");
    expect(row?.text).not.toContain("plain-to-see");
  });

  it("have names of their own, and are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const given = body({ name: "once", auth_key: "k", tags: ["once"] });
    const first = await editor.call("POST", API, given, headers);
    expect((await editor.call("POST", API, given, headers)).json).toStrictEqual(first.json);
    const taken = await editor.post(API, given);
    expect([taken.status, taken.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const { id } = await made();
    expect((await editor.call("PUT", `${API}/${id}`, { name: "once" })).status).toBe(409);
  });

  it("outlive their snapshot, and go on with another", async () => {
    const { snapshot: first } = await newSnapshot(editor, project);
    const { id } = await made({ snapshot_id: first });
    await editor.call("DELETE", `/api/v1/pipeline_snapshots/${first}`);
    expect((await editor.get(`${API}/${id}`)).json.resources).toMatchObject({
      snapshot: null,
      pipeline: null,
    });
    const again = await editor.call("PUT", `${API}/${id}`, { snapshot_id: snapshot });
    expect(again.json.resources.snapshot.id).toBe(snapshot);
    const shown = (await editor.get(`/api/v1/pipeline_snapshots/${snapshot}`)).json.resources.deployment;
    expect(shown).toMatchObject({ permission_denied: false, metadata: null });
  });

  it("are narrowed by all that clients ask", async () => {
    const { snapshot: named, pipeline: other } = await newSnapshot(editor, project, { name: "other" });
    await editor.call("PUT", `/api/v1/pipeline_snapshots/${named}`, { name: "version" });
    const { id } = await made({ name: "f-other", snapshot_id: named, tags: ["f"] });
    await made({ name: "f-served" });
    await editor.call("PUT", `${API}/${id}`, { status: "error", url: "http://f" });
    expect(await names("pipeline=other")).toStrictEqual(["f-other"]);
    expect(await names(`pipeline=${other}`)).toStrictEqual(["f-other"]);
    expect(await names(`snapshot_id=${named}`)).toStrictEqual(["f-other"]);
    expect(await names("status=error&url=startswith:http")).toStrictEqual(["f-other"]);
    expect(await names("tags=f")).toStrictEqual(["f-other"]);
    expect(await names(`deployer_id=${randomUUID()}`)).toStrictEqual([]);
    expect(await names("name=startswith:f-&sort_by=desc:pipeline")).toStrictEqual(["f-served", "f-other"]);
    expect(await names("name=startswith:f-&sort_by=snapshot")).toStrictEqual(["f-other", "f-served"]);
  });

  it("refer to what is there, in their project", async () => {
    const where = await projectIdOf(server, "elsewhere");
    const { snapshot: foreign } = await newSnapshot(stranger, where);
    expect((await editor.post(API, body({ snapshot_id: foreign }))).status).toBe(404);
    expect((await editor.post(API, body({ deployer_id: snapshot }))).status).toBe(404);
    const { id } = await made();
    expect((await editor.call("PUT", `${API}/${id}`, { snapshot_id: foreign })).status).toBe(404);
    expect((await editor.call("PUT", `${API}/${id}`, { status: "elsewhere" })).status).toBe(422);
    expect((await editor.post(API, body({ snapshot_id: undefined }))).status).toBe(422);
  });

  it("are for those with a part in the project", async () => {
    const { id } = await made({ auth_key: "kept" });
    expect((await viewer.post(API, body())).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { url: "x" })).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    const hidden = await stranger.get(`${API}/${id}`);
    expect(hidden.status).toBe(404);
    expect(hidden.text).not.toContain("kept");
  });
});
