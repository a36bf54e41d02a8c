import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { newRun, newSnapshot } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/curated_visualizations";
const [team] = await server.database.prepared<{ uuid: string; workspace_id: number }>(
  { name: "test_team", text: "select uuid, workspace_id from identity.workspaces where name = 'team'" },
  [],
);
const project = team?.uuid ?? "";
const source = { module: "zenml.materializers", type: "internal" };

const version = await editor.post("/api/v1/artifact_versions", {
  project,
  artifact_name: "shown",
  type: "DataArtifact",
  uri: "s3://bucket/x",
  materializer: source,
  data_type: source,
  save_type: "manual",
  visualizations: ["html", "image", "csv"].map((type) => ({ type, uri: `s3://bucket/${type}` })),
});
const [html = "", image = "", csv = ""] = version.json.metadata.visualizations.map(
  (one: { id: string }) => one.id,
);

async function newModel(): Promise<string> {
  const id = randomUUID();
  await server.database.prepared(
    {
      name: "test_model",
      text: "insert into pipelines.models (id, workspace_id, name, created, updated) values ($1::uuid, $2, $1::uuid::text, 1, 1)",
    },
    [id, team?.workspace_id],
  );
  return id;
}

const on = (model: string, visualization: string, more: object = {}): object => ({
  project,
  artifact_visualization_id: visualization,
  resource_id: model,
  resource_type: "model",
  ...more,
});

describe("curated visualizations", () => {
  it("are made, read, changed and deleted", async () => {
    const model = await newModel();
    const { json, status, text } = await editor.post(API, on(model, html, { display_order: 1 }));
    expect(status, text).toBe(200);
    expect(json).toMatchObject({
      body: {
        project_id: project,
        artifact_visualization_id: html,
        artifact_version_id: version.json.id,
        display_name: null,
        display_order: 1,
        layout_size: "full_width",
        resource_id: model,
        resource_type: "model",
      },
      metadata: {},
      resources: { artifact_visualization: { id: html, body: { type: "html" } } },
    });
    expect((await viewer.get(`${API}/${json.id}`)).json).toStrictEqual(json);
    expect((await viewer.get(`${API}/${json.id}?hydrate=false`)).json).toMatchObject({
      metadata: null,
      resources: null,
    });
    const change = async (changes: object): Promise<object> =>
      (await editor.call("PUT", `${API}/${json.id}`, changes)).json.body;
    expect(await change({ display_name: "first", layout_size: "half_width" })).toMatchObject({
      display_name: "first",
      display_order: 1,
      layout_size: "half_width",
    });
    expect(await change({ display_name: null, display_order: null, layout_size: null })).toMatchObject({
      display_name: null,
      display_order: null,
      layout_size: "half_width",
    });
    expect((await editor.call("DELETE", `${API}/${json.id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${json.id}`)).status).toBe(404);
  });

  it("are once on each, in an order without ties", async () => {
    const model = await newModel();
    await editor.post(API, on(model, html, { display_order: 1 }));
    const again = await editor.post(API, on(model, html));
    expect([again.status, again.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const tied = await editor.post(API, on(model, image, { display_order: 1 }));
    expect([tied.status, tied.text]).toStrictEqual([409, expect.stringContaining("display order '1'")]);
    const second = await editor.post(API, on(model, image, { display_order: 2 }));
    await editor.post(API, on(model, csv));
    const moved = await editor.call("PUT", `${API}/${second.json.id}`, { display_order: 1 });
    expect(moved.status).toBe(409);
    expect((await editor.post(API, on(await newModel(), html, { display_order: 1 }))).status).toBe(200);
    expect(
      (await editor.post(API, on(project, html, { resource_type: "project", display_order: 1 }))).status,
    ).toBe(200);
  });

  it("are shown with what they are on, in their order", async () => {
    const { snapshot, pipeline } = await newSnapshot(root, project);
    const run = await newRun(root, project, snapshot);
    const model = await newModel();
    const places = { model, pipeline, pipeline_run: run.id, pipeline_snapshot: snapshot };
    for (const [type, id] of Object.entries(places)) {
      await editor.post(API, on(id, html, { resource_type: type, display_order: 2 }));
      await editor.post(API, on(id, image, { resource_type: type, display_order: 1 }));
    }
    const shown = async (path: string): Promise<unknown[]> =>
      (await viewer.get(`/api/v1/${path}`)).json.resources.visualizations.map(
        (one: { body: { artifact_visualization_id: string } }) => one.body.artifact_visualization_id,
      );
    expect(await shown(`models/${model}`)).toStrictEqual([image, html]);
    expect(await shown(`pipelines/${pipeline}`)).toStrictEqual([image, html]);
    expect(await shown(`runs/${run.id}`)).toStrictEqual([image, html]);
    expect(await shown(`pipeline_snapshots/${snapshot}`)).toStrictEqual([image, html]);
  });

  it("are made once by a request that is repeated", async () => {
    const model = await newModel();
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, on(model, html), headers);
    expect((await editor.call("POST", API, on(model, html), headers)).json).toStrictEqual(first.json);
  });

  it("go with the artifact that they show", async () => {
    const model = await newModel();
    const { json } = await editor.post("/api/v1/artifact_versions", {
      project,
      artifact_name: "short-lived",
      type: "DataArtifact",
      uri: "s3://bucket/y",
      materializer: source,
      data_type: source,
      save_type: "manual",
      visualizations: [{ type: "html", uri: "s3://bucket/y/html" }],
    });
    const shown = await editor.post(API, on(model, json.metadata.visualizations[0].id));
    await editor.call("DELETE", `/api/v1/artifacts/${json.body.artifact.id}`);
    expect((await editor.get(`${API}/${shown.json.id}`)).status).toBe(404);
  });

  it("refuse what does not fit, and who may not", async () => {
    const model = await newModel();
    const status = async (more: object): Promise<number> =>
      (await editor.post(API, on(model, html, more))).status;
    expect(await status({ resource_type: "stack" })).toBe(422);
    expect(await status({ display_order: -1 })).toBe(422);
    expect(await status({ layout_size: "tall" })).toBe(422);
    expect(await status({ resource_id: randomUUID() })).toBe(404);
    expect(await status({ artifact_visualization_id: randomUUID() })).toBe(404);
    expect(await status({ resource_type: "pipeline" })).toBe(404);
    expect((await viewer.post(API, on(model, html))).status).toBe(403);
    expect((await stranger.post(API, on(model, html))).status).toBe(404);
    const { json } = await editor.post(API, on(model, html));
    expect((await viewer.call("PUT", `${API}/${json.id}`, { display_name: "x" })).status).toBe(403);
    const unknown = randomUUID();
    const hidden = await stranger.get(`${API}/${json.id}`);
    const missing = await stranger.get(`${API}/${unknown}`);
    expect(hidden.text.replaceAll(json.id, unknown)).toBe(missing.text);
  });
});
