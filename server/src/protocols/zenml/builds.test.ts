import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { newSnapshot, projectIdOf } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("default");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/pipeline_builds";
const project = await projectIdOf(server);
const { pipeline, stack } = await newSnapshot(editor, project, { name: "built" });

const body = (more: object = {}): object => ({
  project,
  pipeline,
  stack,
  images: { orchestrator: { image: "registry/image:1", requirements: "a==1.0" } },
  is_local: false,
  contains_code: true,
  ...more,
});
const made = async (more: object = {}): Promise<Json> => {
  const answer = await editor.post(API, body(more));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const ids = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${API}?project=default&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.id);
};

describe("builds", () => {
  it("are made, read and deleted", async () => {
    const { id, ...created } = await made({
      duration: 12,
      checksum: "c",
      stack_checksum: "s",
      python_version: "3.11",
    });
    expect(created).toMatchObject({
      body: { project_id: project },
      metadata: {
        pipeline: { name: "built" },
        stack: { name: "default" },
        images: {
          orchestrator: {
            image: "registry/image:1",
            dockerfile: null,
            requirements: "a==1.0",
            settings_checksum: null,
            contains_code: true,
            requires_code_download: false,
          },
        },
        zenml_version: null,
        python_version: "3.11",
        checksum: "c",
        stack_checksum: "s",
        is_local: false,
        contains_code: true,
        duration: 12,
      },
      resources: { user: { name: "ed" } },
    });
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({ id, metadata: null });
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, body(), headers);
    expect((await editor.call("POST", API, body(), headers)).json).toStrictEqual(first.json);
    expect((await editor.call("POST", API, body())).json.id).not.toBe(first.json.id);
  });

  it("are narrowed by all that both versions ask", async () => {
    const registry = await editor.post("/api/v1/components", {
      name: "registry",
      type: "container_registry",
      flavor: "dockerhub",
      configuration: { uri: "docker.io" },
    });
    const found = (await editor.get("/api/v1/stacks?name=default&hydrate=true")).json.items[0];
    const parts = Object.entries(found.metadata.components as Record<string, { id: string }[]>);
    const components = Object.fromEntries(
      parts
        .filter(([type]) => type === "orchestrator" || type === "artifact_store")
        .map(([type, ones]) => [type, ones.map((one) => one.id)]),
    );
    const remote = await editor.post("/api/v1/stacks", {
      name: "remote",
      components: { ...components, container_registry: [registry.json.id] },
    });
    expect(remote.status, remote.text).toBe(200);
    const here = await made({ checksum: "f1", is_local: true, contains_code: false, duration: 5 });
    const there = await made({
      checksum: "f2",
      stack: remote.json.id,
      zenml_version: "0.98.0",
      stack_checksum: "sum",
    });
    expect(await ids(`container_registry_id=${registry.json.id}`)).toStrictEqual([there.id]);
    expect(await ids(`stack_id=${remote.json.id}`)).toStrictEqual([there.id]);
    expect(await ids("checksum=startswith:f&is_local=true")).toStrictEqual([here.id]);
    expect(await ids("checksum=startswith:f&contains_code=true")).toStrictEqual([there.id]);
    expect(await ids("checksum=startswith:f&duration=lt:6")).toStrictEqual([here.id]);
    expect(await ids("zenml_version=0.98.0&stack_checksum=sum")).toStrictEqual([there.id]);
    expect(await ids(`pipeline_id=${pipeline}&checksum=startswith:f&sort_by=desc:checksum`)).toStrictEqual([
      there.id,
      here.id,
    ]);
    expect((await editor.get(`${API}?sort_by=container_registry_id`)).status).toBe(422);
    expect((await editor.call("DELETE", `/api/v1/stacks/${remote.json.id}`)).status).toBe(200);
    expect((await editor.get(`${API}/${there.id}`)).json.metadata.stack).toBeNull();
  });

  it.each([
    ["no place", { is_local: undefined }],
    ["an image without a name", { images: { orchestrator: {} } }],
    ["a duration that is no number", { duration: "long" }],
  ])("are refused with %s", async (_what, more) => {
    expect((await editor.post(API, body(more))).status).toBe(422);
  });

  it("refer to what is in their project alone, and are for those with a part in it", async () => {
    const where = await projectIdOf(server, "elsewhere");
    const { pipeline: foreign } = await newSnapshot(stranger, where);
    expect((await editor.post(API, body({ pipeline: foreign }))).status).toBe(404);
    expect((await editor.post(API, body({ stack: pipeline }))).status).toBe(404);
    const { id } = await made();
    expect((await viewer.post(API, body())).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
    expect((await stranger.post(API, body())).status).toBe(404);
  });
});
