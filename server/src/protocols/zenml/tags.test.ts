import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/tags";
const LINKS = "/api/v1/tag_resources";
const names = (answer: { json: { items: { name: string }[] } }): string[] =>
  answer.json.items.map((one) => one.name);

const sql = async <R extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<R[]> =>
  server.database.prepared<R>({ name: `test_${text}`.slice(0, 60), text }, values);

const [team] = await sql<{ workspace_id: number }>(
  "select workspace_id from identity.workspaces where name = 'team'",
);
const workspaceId = team?.workspace_id ?? 0;

let counter = 0;

/** An artifact with so many versions, as rows: what tags are on is not what is tested here. */
async function newArtifact(versions: number): Promise<{ artifact: string; versions: string[] }> {
  const artifact = randomUUID();
  await sql(
    "insert into pipelines.artifacts (id, workspace_id, name, created, updated) values ($1, $2, $3, 1, 1)",
    [artifact, workspaceId, `artifact-${(counter += 1)}`],
  );
  const ids = Array.from({ length: versions }, () => randomUUID());
  await sql(
    `insert into pipelines.artifact_versions (id, workspace_id, artifact_id, version, type, uri, materializer_json,
       data_type_json, save_type, created, updated)
     select id, $2, $3, at::text, 'DataArtifact', 'u', '{}', '{}', 'step_output', 1, 1
     from unnest($1::uuid[]) with ordinality as n (id, at)`,
    [ids, workspaceId, artifact],
  );
  return { artifact, versions: ids };
}

const link = (tag: string, resource: string, type = "artifact_version"): object => ({
  tag_id: tag,
  resource_id: resource,
  resource_type: type,
});

async function newTag(name: string, more: object = {}): Promise<string> {
  const { status, json, text } = await editor.post(API, { name, ...more });
  expect(status, text).toBe(200);
  return json.id;
}

const tagsOn = async (id: string): Promise<string[]> =>
  (
    await sql<{ name: string }>(
      "select g.name from pipelines.tag_resources as l join pipelines.tags as g on g.id = l.tag_id where l.resource_id = $1 order by g.name",
      [id],
    )
  ).map((row) => row.name);

describe("tags", () => {
  it("are made, read by name and id, changed and deleted", async () => {
    const { json } = await editor.post(API, { name: "gold", color: "yellow" });
    expect(json).toMatchObject({
      name: "gold",
      body: { color: "yellow", exclusive: false },
      metadata: { tagged_count: 0 },
      resources: { user: { name: "ed" } },
    });
    expect((await viewer.get(`${API}/gold`)).json).toStrictEqual(json);
    expect((await viewer.get(`${API}/${json.id}?hydrate=false`)).json).toMatchObject({ metadata: null });
    const changed = await editor.call("PUT", `${API}/${json.id}`, { name: "silver", color: null });
    expect(changed.json).toMatchObject({ name: "silver", body: { color: "yellow" } });
    expect((await editor.call("DELETE", `${API}/silver`)).json).toBeNull();
    expect((await editor.get(`${API}/silver`)).status).toBe(404);
    expect((await editor.get(`${API}/${json.id}`)).json.detail[0]).toBe("KeyError");
  });

  it("refuse names and colors that do not fit", async () => {
    await newTag("taken");
    expect((await editor.post(API, { name: "taken" })).status).toBe(409);
    expect((await editor.post(API, { name: "" })).status).toBe(400);
    expect((await editor.post(API, { name: "a\tb" })).status).toBe(400);
    expect((await editor.post(API, { name: "x".repeat(256) })).status).toBe(422);
    expect((await editor.post(API, { name: randomUUID().replaceAll("-", "") })).status).toBe(422);
    expect((await editor.post(API, { name: "b", color: "pink" })).status).toBe(422);
    const id = await newTag("other");
    const renamed = await editor.call("PUT", `${API}/${id}`, { name: "taken" });
    expect([renamed.status, renamed.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, { name: "once" }, headers);
    const again = await editor.call("POST", API, { name: "once" }, headers);
    expect(first.status).toBe(200);
    expect(again.json).toStrictEqual(first.json);
  });

  it("are listed", async () => {
    const red = await newTag("list-red", { color: "red" });
    await newTag("list-blue", { color: "blue", exclusive: "yes" });
    const { artifact } = await newArtifact(0);
    await editor.post(LINKS, link(red, artifact, "artifact"));
    const list = async (query: string): Promise<string[]> =>
      names(await editor.get(`${API}?name=startswith:list-&${query}`));
    expect(await list("sort_by=desc:name")).toStrictEqual(["list-red", "list-blue"]);
    expect(await list("color=red")).toStrictEqual(["list-red"]);
    expect(await list("color=pink")).toStrictEqual([]);
    expect(await list("exclusive=true")).toStrictEqual(["list-blue"]);
    expect(await list("resource_type=artifact")).toStrictEqual(["list-red"]);
    expect(await list("resource_type=artifact&resource_type=model")).toStrictEqual([]);
    expect((await editor.get(`${API}?sort_by=resource_type`)).status).toBe(422);
    expect((await editor.get(`${API}?name=list-red&hydrate=true`)).json.items[0].metadata).toStrictEqual({
      tagged_count: 1,
    });
  });

  it("are changed by who made them, and by who looks after what all share", async () => {
    const id = await newTag("guarded");
    expect((await viewer.post(API, { name: "no" })).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { color: "red" })).status).toBe(403);
    expect((await stranger.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await root.call("PUT", `${API}/${id}`, { color: "red" })).json.body.color).toBe("red");
  });
});

describe("tags on resources", () => {
  it("are put there once and taken away", async () => {
    const tag = await newTag("on");
    const { artifact, versions } = await newArtifact(2);
    const first = await editor.post(LINKS, link(tag, artifact, "artifact"));
    expect(first.json).toMatchObject({
      body: { tag_id: tag, resource_id: artifact, resource_type: "artifact" },
      metadata: null,
      resources: null,
    });
    expect((await editor.post(LINKS, link(tag, artifact, "artifact"))).json).toStrictEqual(first.json);
    const both = await editor.post(
      `${LINKS}/batch`,
      versions.map((id) => link(tag, id)),
    );
    expect(both.json.map((one: { body: { resource_id: string } }) => one.body.resource_id)).toStrictEqual(
      versions,
    );
    expect((await editor.get(`${API}/on`)).json.metadata.tagged_count).toBe(3);
    expect((await editor.call("DELETE", LINKS, link(tag, artifact, "artifact"))).json).toBeNull();
    expect((await editor.call("DELETE", LINKS, link(tag, artifact, "artifact"))).status).toBe(200);
    await editor.call(
      "DELETE",
      `${LINKS}/batch`,
      versions.map((id) => link(tag, id)),
    );
    expect((await editor.get(`${API}/on`)).json.metadata.tagged_count).toBe(0);
  });

  it("refuse what is not there, and who may not change it", async () => {
    const tag = await newTag("refused");
    const { artifact } = await newArtifact(0);
    const good = link(tag, artifact, "artifact");
    expect((await editor.post(LINKS, link(randomUUID(), artifact, "artifact"))).status).toBe(404);
    expect((await editor.post(LINKS, link(tag, artifact, "artifact_version"))).status).toBe(404);
    expect((await editor.post(LINKS, link(tag, artifact, "stack"))).status).toBe(422);
    expect((await viewer.post(LINKS, good)).status).toBe(403);
    const hidden = await stranger.post(LINKS, good);
    const unknown = randomUUID();
    const missing = await stranger.post(LINKS, link(tag, unknown, "artifact"));
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(artifact, unknown)).toBe(missing.text);
    expect(await tagsOn(artifact)).toStrictEqual([]);
  });
});

describe("exclusive tags", () => {
  it("leave the other version of the artifact", async () => {
    const tag = await newTag("latest", { exclusive: true });
    const { versions } = await newArtifact(2);
    const other = await newArtifact(1);
    const [one = "", two = ""] = versions;
    const [elsewhere = ""] = other.versions;
    for (const id of [one, elsewhere, two]) {
      expect((await editor.post(LINKS, link(tag, id))).status).toBe(200);
    }
    expect(await tagsOn(one)).toStrictEqual([]);
    expect(await tagsOn(two)).toStrictEqual(["latest"]);
    expect(await tagsOn(elsewhere)).toStrictEqual(["latest"]);
  });

  it("are on one version whoever is faster", async () => {
    const tag = await newTag("fastest", { exclusive: true });
    const { versions } = await newArtifact(8);
    const answers = await Promise.all(versions.map((id) => editor.post(LINKS, link(tag, id))));
    expect(answers.map(({ status }) => status)).toStrictEqual(versions.map(() => 200));
    const tagged = await Promise.all(versions.map(tagsOn));
    expect(tagged.flat()).toStrictEqual(["fastest"]);
  });

  it("are refused where nothing is the only one of its kind, and on two at once", async () => {
    const tag = await newTag("only", { exclusive: true });
    const { artifact, versions } = await newArtifact(2);
    const wrong = await editor.post(LINKS, link(tag, artifact, "artifact"));
    expect([wrong.status, wrong.json.detail[0]]).toStrictEqual([400, "ValueError"]);
    const twice = await editor.post(
      `${LINKS}/batch`,
      versions.map((id) => link(tag, id)),
    );
    expect(twice.status).toBe(400);
    expect((await editor.get(`${API}/only`)).json.metadata.tagged_count).toBe(0);
  });

  it("become so only where they are on one of each", async () => {
    const tag = await newTag("becomes");
    const { artifact, versions } = await newArtifact(2);
    await editor.post(
      `${LINKS}/batch`,
      versions.map((id) => link(tag, id)),
    );
    await editor.post(LINKS, link(tag, artifact, "artifact"));
    const refused = await editor.call("PUT", `${API}/${tag}`, { exclusive: true });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("non-allowed resource types: artifact");
    expect(refused.text).toContain("multiple entries of `artifact_version`s");
    const [first = "", second = ""] = versions;
    await editor.call("DELETE", `${LINKS}/batch`, [link(tag, artifact, "artifact"), link(tag, second)]);
    expect((await editor.call("PUT", `${API}/${tag}`, { exclusive: true })).json.body.exclusive).toBe(true);
    await editor.post(LINKS, link(tag, second));
    expect(await tagsOn(first)).toStrictEqual([]);
    await editor.call("PUT", `${API}/${tag}`, { exclusive: false });
    await editor.post(LINKS, link(tag, first));
    expect([await tagsOn(first), await tagsOn(second)]).toStrictEqual([["becomes"], ["becomes"]]);
  });
});
