import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team");
const idOf = async (name: string): Promise<string> => (await root.get(`/api/v1/projects/${name}`)).json.id;
const [team, elsewhere] = [await idOf("team"), await idOf("elsewhere")];

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/workspaces";

describe("addresses below /workspaces", () => {
  it("are projects by another name", async () => {
    expect((await viewer.get(`${API}/team`)).json).toEqual((await viewer.get("/api/v1/projects/team")).json);
    expect((await viewer.get(API)).json.items.map((one: { name: string }) => one.name)).toContain("team");
    expect((await stranger.get(`${API}/team`)).status).toBe(404);
  });

  it("say which project is meant, whatever else the request says", async () => {
    const made = await editor.post(`${API}/team/pipelines`, { project: elsewhere, name: "train" });
    expect([made.status, made.json.body?.project_id]).toEqual([200, team]);
    const listed = await editor.get(`${API}/${team}/pipelines?project=elsewhere`);
    expect(listed.json.items.map((one: { name: string }) => one.name)).toEqual(["train"]);
    const model = await editor.post(`${API}/team/models`, { project: team, name: "classifier" });
    const version = await editor.post(`${API}/team/models/${model.json.id}/model_versions`, {
      project: team,
      model: team,
      name: "first",
    });
    expect([version.status, version.json.body?.model.id]).toEqual([200, model.json.id]);
  });

  it("are for those with a part in the project", async () => {
    expect((await stranger.get(`${API}/team/pipelines`)).status).toBe(404);
    expect((await stranger.get(`${API}/nowhere/pipelines`)).status).toBe(404);
    const refused = await viewer.post(`${API}/team/pipelines`, { project: team, name: "no" });
    expect(refused.status).toBe(403);
  });
});
