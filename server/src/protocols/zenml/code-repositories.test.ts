import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/code_repositories";
const [project] = await server.database.prepared<{ uuid: string }>(
  { name: "test_project_id", text: "select uuid from identity.workspaces where name = 'team'" },
  [],
);
const projectId = project?.uuid ?? "";
const source = { module: "zenml.integrations.github.code_repositories", type: "code_repository" };
const made = (name: string): object => ({
  project: projectId,
  name,
  source,
  config: { owner: "plinth", ratio: 1, long: "x" },
  description: "the code",
});

describe("code repositories", () => {
  it("are made, read, changed and deleted", async () => {
    const created = await editor.post(API, made("repo"));
    expect(created.status, created.text).toBe(200);
    const { id } = created.json;
    expect(created.json).toMatchObject({
      name: "repo",
      body: { project_id: projectId, source },
      metadata: { config: { owner: "plinth" }, description: "the code" },
      resources: { user: { name: "ed" } },
    });
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({ id, metadata: null });
    const changed = await editor.call("PUT", `${API}/${id}`, { name: "renamed" });
    expect(changed.json).toMatchObject({ name: "renamed", metadata: { description: "the code" } });
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it("keep numbers as they came", async () => {
    const text = JSON.stringify(made("numbers")).replace(
      '"ratio":1',
      '"ratio":1.0,"big":12345678901234567890',
    );
    const created = await editor.call("POST", API, text, { "content-type": "application/json" });
    expect(created.text).toContain('"ratio":1.0,"big":12345678901234567890');
  });

  it("are listed by page, with filters in a project", async () => {
    for (const name of ["list-a", "list-b", "list-c"]) await editor.post(API, made(name));
    const page = async (query: string): Promise<unknown[]> =>
      (await editor.get(`${API}?project=team&${query}`)).json.items.map((one: { name: string }) => one.name);
    expect(await page("name=startswith:list-&sort_by=desc:name")).toStrictEqual([
      "list-c",
      "list-b",
      "list-a",
    ]);
    expect(await page("name=startswith:list-&sort_by=name&size=2&page=2")).toStrictEqual(["list-c"]);
    expect(await page('name=oneof:["list-a","list-b"]')).toStrictEqual(["list-a", "list-b"]);
    expect(await page("logical_operator=or&name=list-a&id=startswith:zz")).toStrictEqual(["list-a"]);
    expect(await page("user=ed&name=contains:ist-b")).toStrictEqual(["list-b"]);
    expect(await page("user=nobody")).toStrictEqual([]);
    expect((await editor.get(`${API}?project=team&page=9`)).status).toBe(400);
    expect((await editor.get(`${API}?project=team&sort_by=color`)).status).toBe(422);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, made("once"), headers);
    const again = await editor.call("POST", API, made("once"), headers);
    expect(again.json).toStrictEqual(first.json);
    const other = await editor.call("POST", API, made("once"), { "idempotency-key": randomUUID() });
    expect(other.status).toBe(409);
    expect(other.json.detail[0]).toBe("EntityExistsError");
  });

  it("are for those with a part in the project", async () => {
    const { json } = await editor.post(API, made("guarded"));
    expect((await viewer.post(API, made("no"))).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${json.id}`)).status).toBe(403);
    const unknown = randomUUID();
    const hidden = await stranger.get(`${API}/${json.id}`);
    const missing = await stranger.get(`${API}/${unknown}`);
    expect(hidden.text.replaceAll(json.id, unknown)).toBe(missing.text);
    expect(hidden.status).toBe(404);
    expect((await stranger.get(`${API}?project=team`)).status).toBe(404);
  });

  it("refuse what does not fit", async () => {
    const bad = await editor.post(API, { ...made(""), source: 3 });
    expect(bad.status).toBe(422);
    expect(bad.json[0]).toBe("ValueError");
    expect((await editor.get(`${API}/no-id`)).status).toBe(422);
  });
});
