import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer } from "../../../test/harness.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, stranger, ids } = await startZenmlTeam("team", { stranger: "admin" });
const project = (await root.get("/api/v1/projects/team")).json.id as string;

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
const workspaceOf = { team: 2, elsewhere: 3 } as const;
let inserts = 0;

async function insert(table: string, columns: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  const all = {
    id,
    workspace_id: workspaceOf.team,
    user_id: ids.editor,
    created: 1,
    updated: 1,
    ...columns,
  };
  const values = Object.keys(all).map((_name, at) => `$${at + 1}`);
  const text = `insert into pipelines.${table} (${Object.keys(all).join(", ")}) values (${values.join(", ")})`;
  await server.database.prepared({ name: `test_insert_${(inserts += 1)}`, text }, Object.values(all));
  return id;
}

const artifactVersion = async (name: string, type: string, custom = false): Promise<string> => {
  const artifact = await insert("artifacts", { name, has_custom_name: custom });
  const json = JSON.stringify({ module: "builtins", type: "builtin", attribute: "int" });
  return insert("artifact_versions", {
    artifact_id: artifact,
    version: "1",
    version_number: 1,
    type,
    uri: "s3://x",
    save_type: "manual",
    materializer_json: json,
    data_type_json: json,
  });
};
const run = (name: string, workspace: keyof typeof workspaceOf = "team"): Promise<string> =>
  insert("runs", {
    name,
    workspace_id: workspaceOf[workspace],
    status: "running",
    in_progress: true,
    index: 1,
  });

const { id: model } = (await editor.post(`${API}/models`, { project, name: "linked" })).json;
const newVersion = async (): Promise<string> =>
  (await editor.post(`${API}/model_versions`, { project, model })).json.id;
const version = await newVersion();
const remove = (path: string): Promise<Answer> => editor.call("DELETE", `${API}/model_versions/${path}`);

describe("artifacts of a version of a model", () => {
  const link = (artifact: string, of = version): Promise<Answer> =>
    editor.post(`${API}/model_version_artifacts`, { model_version: of, artifact_version: artifact });

  it("are linked once, listed by what they are, and taken away", async () => {
    const data = await artifactVersion("rows", "DataArtifact", true);
    const weights = await artifactVersion("weights", "ModelArtifact");
    const served = await artifactVersion("served", "ServiceArtifact");
    const first = await link(data);
    expect(first.json).toMatchObject({
      body: { model_version: version, artifact_version: { id: data, body: { artifact: { name: "rows" } } } },
      metadata: {},
      resources: null,
    });
    expect((await link(data)).json.id).toBe(first.json.id);
    await link(weights);
    await link(served);
    const found = async (query: string): Promise<string[]> =>
      (
        await editor.get(`${API}/model_version_artifacts?model_version_id=${version}&${query}`)
      ).json.items.map((one: Answer["json"]) => one.body.artifact_version.body.artifact.name);
    expect((await found("")).toSorted()).toStrictEqual(["rows", "served", "weights"]);
    expect(await found("only_data_artifacts=true")).toStrictEqual(["rows"]);
    expect(await found("only_model_artifacts=true")).toStrictEqual(["weights"]);
    expect(await found("only_deployment_artifacts=true&only_data_artifacts=false")).toStrictEqual(["served"]);
    expect(await found("artifact_name=startswith:w")).toStrictEqual(["weights"]);
    expect(await found("has_custom_name=true")).toStrictEqual(["rows"]);
    expect(await found("user=ed&artifact_name=rows")).toStrictEqual(["rows"]);
    expect(await found("user=nobody")).toStrictEqual([]);
    expect((await remove(`${version}/artifacts/rows`)).text).toBe("null");
    expect((await remove(`${version}/artifacts/rows`)).json.detail[0]).toBe("KeyError");
    expect((await remove(`${version}/artifacts/${first.json.id}`)).status).toBe(404);
    expect((await remove(`${version}/artifacts`)).status).toBe(200);
    expect(await found("")).toStrictEqual([]);
  });

  it("go with their links where that is wanted", async () => {
    const other = await newVersion();
    const kept = await artifactVersion("kept", "DataArtifact");
    await link(kept, other);
    expect((await remove(`${other}/artifacts?only_links=false`)).status).toBe(200);
    const left = await server.database.prepared(
      { name: "test_left", text: "select from pipelines.artifact_versions where id = $1" },
      [kept],
    );
    expect(left).toHaveLength(0);
  });

  it("are of the same project, and shown to those with a part in it", async () => {
    const data = await artifactVersion("shown", "DataArtifact");
    await link(data);
    expect(
      (await stranger.get(`${API}/model_version_artifacts?model_version_id=${version}`)).json.total,
    ).toBe(0);
    expect((await stranger.call("DELETE", `${API}/model_versions/${version}/artifacts`)).status).toBe(404);
    const missing = await link(randomUUID());
    expect([missing.status, missing.json.detail[0]]).toStrictEqual([404, "KeyError"]);
  });
});

describe("runs of a version of a model", () => {
  const link = (of: string): Promise<Answer> =>
    editor.post(`${API}/model_version_pipeline_runs`, { model_version: version, pipeline_run: of });

  it("are linked once, listed and taken away by name", async () => {
    const id = await run("monday");
    const first = await link(id);
    expect(first.json).toMatchObject({
      body: { model_version: version, pipeline_run: { id, name: "monday" } },
    });
    const again = await Promise.all([link(id), link(id)]);
    expect(again.map(({ json }) => json.id)).toStrictEqual([first.json.id, first.json.id]);
    const list = `${API}/model_version_pipeline_runs?model_version_id=${version}`;
    expect((await editor.get(`${list}&pipeline_run_name=contains:mon&user=ed`)).json.total).toBe(1);
    expect((await editor.get(`${list}&pipeline_run_name=tuesday`)).json.total).toBe(0);
    expect((await link(await run("theirs", "elsewhere"))).status).toBe(404);
    expect((await remove(`${version}/runs/monday`)).status).toBe(200);
    expect((await editor.get(list)).json.total).toBe(0);
  });
});

describe("services", () => {
  const made = (name: string, about: object = {}): Promise<Answer> =>
    editor.post(`${API}/services`, {
      project,
      name,
      config: { name, pipeline_name: "serving" },
      model_version_id: version,
      service_type: { type: "model-serving", flavor: "mlflow" },
      status: { state: "active", last: 1 },
      ...about,
    });

  it("are kept as clients describe them, and shown with their model", async () => {
    const first = await made("web");
    expect(first.json, first.text).toMatchObject({
      name: "web",
      body: {
        service_type: { type: "model-serving", flavor: "mlflow", name: "", description: "", logo_url: "" },
        labels: null,
        state: "active",
      },
      metadata: {
        config: { name: "web", pipeline_name: "serving" },
        status: { state: "active", last: 1 },
        endpoint: null,
      },
      resources: { user: { name: "ed" }, pipeline_run: null, model_version: { id: version } },
    });
    const { id } = first.json;
    const same = await made("other", { config: { name: "web", pipeline_name: "serving" } });
    expect([same.status, same.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const update = { status: { state: "error" }, labels: { a: "b" }, prediction_url: "http://x" };
    const changed = await editor.call("PUT", `${API}/services/${id}`, update);
    expect(changed.json).toMatchObject({
      body: { state: "error", labels: { a: "b" } },
      metadata: { prediction_url: "http://x", config: { name: "web" } },
    });
    const list = `${API}/services?project=team&flavor=mlflow&pipeline_name=serving&model_version_id=${version}`;
    expect((await editor.get(list)).json.items).toMatchObject([{ id, metadata: null }]);
    const shown = (await editor.get(`${API}/model_versions/${version}`)).json.resources.services;
    expect(shown).toMatchObject({ total: 1, items: [{ id, metadata: { prediction_url: "http://x" } }] });
    expect((await stranger.get(`${API}/services/${id}`)).status).toBe(404);
    expect((await editor.call("DELETE", `${API}/services/${id}`)).text).toBe("null");
    expect((await editor.get(`${API}/services/${id}`)).status).toBe(404);
  });

  it("refuse what does not fit", async () => {
    expect((await made("a", { admin_state: "sleeping" })).status).toBe(422);
    expect((await made("b", { status: { state: 3 } })).status).toBe(422);
    expect((await made("c", { model_version_id: randomUUID() })).status).toBe(404);
    expect((await made("d", { pipeline_run_id: await run("far", "elsewhere") })).status).toBe(404);
  });
});
