import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { person } from "../../../test/principals.ts";
import { WORKSPACES, withHeaders } from "../../../test/workspaces.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, viewer } = await startZenmlTeam("team");
const head = withHeaders(server, (await person(server, "ad", { workspace: "team", role: "admin" })).headers);

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/projects";
const MLFLOW = "/api/2.0/mlflow";

const codeRepository = (project: string, name = "repo"): object => ({
  project,
  name,
  source: { module: "a", type: "code_repository" },
  config: {},
});

describe("projects", () => {
  it("are made, read by name and id, changed and deleted", async () => {
    const made = await root.post(API, {
      name: "first_one",
      description: "what it is for",
      project_metadata: { cost: 1 },
    });
    expect(made.status, made.text).toBe(200);
    const { id } = made.json;
    expect(made.json).toMatchObject({
      name: "first_one",
      permission_denied: false,
      body: { display_name: "first_one" },
      metadata: { description: "what it is for", project_metadata: { cost: 1 } },
      resources: null,
    });
    expect((await root.get(`${API}/first_one`)).json).toStrictEqual(made.json);
    expect((await root.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({ id, metadata: null });
    const changed = await root.call("PUT", `${API}/${id}`, { display_name: "First", description: "" });
    expect(changed.json).toMatchObject({
      body: { display_name: "First" },
      metadata: { description: "", project_metadata: { cost: 1 } },
    });
    expect((await root.get(`${API}/${id}/statistics`)).json).toStrictEqual({ pipelines: 0, runs: 0 });
    expect((await root.call("DELETE", `${API}/first_one`)).text).toBe("null");
    const gone = await root.get(`${API}/${id}`);
    expect([gone.status, gone.json.detail[0]]).toStrictEqual([404, "KeyError"]);
    expect((await root.call("DELETE", `${API}/first_one`)).status).toBe(404);
  });

  it("are named after what they are shown as", async () => {
    const made = await root.post(API, { display_name: "Wide Name_1!" });
    expect(made.json).toMatchObject({ name: "wide-name_1", body: { display_name: "Wide Name_1!" } });
    const taken = await root.post(API, { name: "wide-name_1" });
    expect([taken.status, taken.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    expect((await root.post(API, { name: "default" })).status).toBe(409);
    for (const name of ["Bad Name", "", "a".repeat(51), "a/b", "é"]) {
      const refused = await root.post(API, { name });
      expect([name, refused.status, refused.json[0]]).toStrictEqual([name, 422, "ValueError"]);
    }
    expect((await root.post(API, {})).status).toBe(422);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const [first, again] = await Promise.all([
      root.call("POST", API, { name: "once" }, headers),
      root.call("POST", API, { name: "once" }, headers),
    ]);
    expect(again.json).toStrictEqual(first.json);
    expect((await root.post(API, { name: "once" })).status).toBe(409);
  });

  it("are listed to those with a part in them", async () => {
    const names = async (who: typeof root, query = ""): Promise<string[]> =>
      (await who.get(`${API}?${query}`)).json.items.map((one: { name: string }) => one.name);
    expect(await names(root, "name=oneof:%5B%22team%22,%22default%22%5D&sort_by=desc:name")).toStrictEqual([
      "team",
      "default",
    ]);
    expect(await names(root, "display_name=team")).toStrictEqual(["team"]);
    const open = await names(viewer);
    expect(open).toContain("team");
    expect(open).not.toContain("once");
    expect((await root.get(`${API}?sort_by=description`)).status).toBe(422);
    expect((await root.get(`${API}?page=99`)).status).toBe(400);
    const hidden = await viewer.get(`${API}/once`);
    const missing = await viewer.get(`${API}/twice`);
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll("once", "twice")).toBe(missing.text);
  });

  it("are made by administrators of the platform and described by their own", async () => {
    expect((await head.post(API, { name: "mine" })).status).toBe(403);
    expect((await head.call("DELETE", `${API}/team`)).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/team`, { description: "no" })).status).toBe(403);
    const described = await head.call("PUT", `${API}/team`, { description: "of the team" });
    expect(described.json.metadata.description).toBe("of the team");
    expect((await head.call("PUT", `${API}/team`, { name: "other" })).status).toBe(403);
  });

  it("keep the default one as it is called", async () => {
    const { id } = (await root.get(`${API}/default`)).json;
    for (const refused of [
      await root.call("DELETE", `${API}/default`),
      await root.call("PUT", `${API}/${id}`, { name: "other" }),
    ]) {
      expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    }
    const described = await root.call("PUT", `${API}/${id}`, { name: "default", display_name: "Ours" });
    expect(described.json.body.display_name).toBe("Ours");
  });

  it("take what is in them along", async () => {
    const { id } = (await root.post(API, { name: "short_lived" })).json;
    const kept = (await root.post("/api/v1/code_repositories", codeRepository(id))).json;
    expect((await root.get(`/api/v1/code_repositories/${kept.id}`)).status).toBe(200);
    expect((await root.call("DELETE", `${API}/${id}`)).status).toBe(200);
    expect((await root.get(`/api/v1/code_repositories/${kept.id}`)).status).toBe(404);
    expect((await root.get("/api/v1/code_repositories?project=short_lived")).status).toBe(404);
    expect((await root.post("/api/v1/code_repositories", codeRepository(id))).status).toBe(404);
    // Whoever makes a project of that name again gets nothing of it.
    await root.post(API, { name: "short_lived" });
    expect((await root.get("/api/v1/code_repositories?project=short_lived")).json.total).toBe(0);
    await server.app.purge(0);
    const left = await server.database.prepared(
      { name: "test_left", text: "select from pipelines.code_repositories where id = $1::uuid" },
      [kept.id],
    );
    expect(left).toHaveLength(0);
  });
});

describe("a project and MLflow's workspace of its name", () => {
  it("are one, also with an underscore that MLflow's clients may not give", async () => {
    await root.post(API, { name: "under_score" });
    const team = withHeaders(root, { "x-mlflow-workspace": "under_score" });
    const made = await team.post(`${MLFLOW}/experiments/create`, { name: "of both" });
    expect(made.status, made.text).toBe(200);
    const { experiment } = (
      await team.get(`${MLFLOW}/experiments/get?experiment_id=${made.json.experiment_id}`)
    ).json;
    const [, place] = experiment.artifact_location.split("mlflow-artifacts:/");
    expect(place).toMatch(/^workspaces\/under_score\/\d+$/);
    const file = `/api/2.0/mlflow-artifacts/artifacts/${place}/note.txt`;
    expect((await team.call("PUT", file, "kept")).status).toBe(200);
    expect((await team.get(file)).text).toBe("kept");
    expect((await root.get(file)).status).toBe(400);
    expect((await root.get(`${WORKSPACES}/under_score`)).json.workspace.name).toBe("under_score");
    const refused = await root.post(WORKSPACES, { name: "also_under" });
    expect([refused.status, refused.json.error_code]).toStrictEqual([400, "INVALID_PARAMETER_VALUE"]);
  });

  it("is renamed as long as no address has its name", async () => {
    const { id } = (await root.post(API, { name: "before" })).json;
    const kept = (await root.post("/api/v1/code_repositories", codeRepository(id))).json;
    const renamed = await root.call("PUT", `${API}/${id}`, { name: "after_wards" });
    expect(renamed.json).toMatchObject({ id, name: "after_wards" });
    expect((await root.get(`${API}/before`)).status).toBe(404);
    expect((await root.get("/api/v1/code_repositories?project=after_wards")).json.items[0].id).toBe(kept.id);
    expect((await root.call("PUT", `${API}/${id}`, { name: "once" })).status).toBe(409);
    const team = withHeaders(root, { "x-mlflow-workspace": "after_wards" });
    await team.post(`${MLFLOW}/experiments/create`, { name: "with a place" });
    const bound = await root.call("PUT", `${API}/${id}`, { name: "again" });
    expect([bound.status, bound.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
  });

  it("is shown with what ZenML's clients can read", async () => {
    const name = `n${"-long".repeat(12)}`;
    await root.post(WORKSPACES, { name, description: "x".repeat(300) });
    const shown = (await root.get(`${API}/${name}`)).json;
    expect(shown.name).toHaveLength(50);
    expect(shown.metadata.description).toHaveLength(255);
  });

  it("moves with all that is in it to the default one", async () => {
    const { id } = (await root.post(API, { name: "moving" })).json;
    const kept = (await root.post("/api/v1/code_repositories", codeRepository(id, "moved"))).json;
    const stays = await root.call("DELETE", `${WORKSPACES}/moving`);
    expect(stays.json.message).toContain("table 'code_repositories' still contains 1");
    await root.post("/api/v1/code_repositories", {
      ...codeRepository((await root.get(`${API}/default`)).json.id, "moved"),
    });
    expect((await root.call("DELETE", `${WORKSPACES}/moving?mode=SET_DEFAULT`)).json.message).toContain(
      "code_repositories: 'moved'",
    );
    await root.call("PUT", `/api/v1/code_repositories/${kept.id}`, { name: "moved too" });
    expect((await root.call("DELETE", `${WORKSPACES}/moving?mode=SET_DEFAULT`)).status).toBe(204);
    const moved = (await root.get(`/api/v1/code_repositories/${kept.id}`)).json;
    expect(moved.body.project_id).toBe((await root.get(`${API}/default`)).json.id);
  });
});
