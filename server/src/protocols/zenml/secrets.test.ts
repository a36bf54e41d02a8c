import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { reseal } from "../../kernel/reseal.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { pipelinesSealedColumns } from "../../modules/pipelines/index.ts";
import { startTestServer } from "../../../test/harness.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const key = randomBytes(32);
const { server, root, editor, viewer, as } = await startZenmlTeam("team", {
  flags: { "secrets-key": key.toString("base64") },
});
const other = await as("ot", { workspace: "team", role: "editor" });
const keeper = await as("ke", { workspace: "default", role: "editor" });
const stranger = await as("no");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/secrets";
const create = async (name: string, more: object = {}, by = editor): Promise<string> => {
  const made = await by.post(API, { name, values: { user: "u", password: "hunter2" }, ...more });
  expect(made.status, made.text).toBe(200);
  return made.json.id;
};
const put = (id: string, body: object, query = ""): ReturnType<typeof server.call> =>
  editor.call("PUT", `${API}/${id}${query}`, body);

describe("secrets", () => {
  it("are made, read with their values, renamed and deleted by both clients", async () => {
    for (const client of ["zenml/0.84.0", "zenml/0.98.0"]) {
      const me = withHeaders(editor, { "user-agent": client });
      const made = await me.post(API, { name: "both", values: { k: "v", none: null } });
      expect(made.json).toMatchObject({
        name: "both",
        body: { private: false, values: { k: "v" } },
        metadata: {},
        resources: { user: { name: "ed" } },
      });
      const { id } = made.json;
      expect((await me.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({
        body: { values: { k: "v" } },
        metadata: null,
      });
      expect((await me.call("PUT", `${API}/${id}`, { name: "renamed" })).json).toMatchObject({
        name: "renamed",
        body: { values: { k: "v" } },
      });
      expect((await me.call("DELETE", `${API}/${id}`)).text).toBe("null");
      expect((await me.get(`${API}/${id}`)).status).toBe(404);
    }
  });

  it("replace their values, or only those that are named", async () => {
    const id = await create("patched");
    const values = async (): Promise<unknown> => (await editor.get(`${API}/${id}`)).json.body.values;
    await put(id, { values: { password: "new", more: "m" } }, "?patch_values=true");
    expect(await values()).toStrictEqual({ user: "u", password: "new", more: "m" });
    await put(id, { values: { user: null } }, "?patch_values=true");
    expect(await values()).toStrictEqual({ password: "new", more: "m" });
    await put(id, { values: { only: "this" } });
    expect(await values()).toStrictEqual({ only: "this" });
    await put(id, { values: {} });
    expect(await values()).toStrictEqual({});
  });

  it("are listed without values, by name, owner and whether they are private", async () => {
    await create("list-b");
    await create("list-a", { private: true });
    const list = async (query: string, by = editor): Promise<string[]> => {
      const { json } = await by.get(`${API}?name=startswith:list-&${query}`);
      expect(JSON.stringify(json)).not.toContain("hunter2");
      return json.items.map((one: { name: string; body: { values: object } }) => {
        expect(one.body.values).toStrictEqual({});
        return one.name;
      });
    };
    expect(await list("sort_by=name&hydrate=true")).toStrictEqual(["list-a", "list-b"]);
    expect(await list("private=true")).toStrictEqual(["list-a"]);
    expect(await list("private=false&user=ed")).toStrictEqual(["list-b"]);
    expect(await list("sort_by=name", other)).toStrictEqual(["list-b"]);
    expect(await list("private=true", root)).toStrictEqual([]);
    // Whoever is asked about: it is the caller who looks.
    expect(await list(`scope_user=${randomUUID()}`)).toHaveLength(2);
  });

  it("have names that are unique among the public ones, and among the private ones of a user", async () => {
    const id = await create("unique");
    const again = await editor.post(API, { name: "unique", values: {} });
    expect([again.status, again.json.detail]).toStrictEqual([
      409,
      ["EntityExistsError", "Found an existing public secret with the same 'unique' name"],
    ]);
    await create("unique", { private: true });
    await create("unique", { private: true }, other);
    expect((await editor.post(API, { name: "unique", private: true })).status).toBe(409);
    expect((await put(id, { private: true })).json.detail[0]).toBe("EntityExistsError");
    await create("unique-2");
    expect((await put(id, { name: "unique-2" })).status).toBe(409);
  });

  it("that are private are there for their owner alone", async () => {
    const id = await create("mine", { private: true });
    for (const by of [other, keeper, root, viewer]) {
      const hidden = await by.get(`${API}/${id}`);
      const unknown = randomUUID();
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(id, unknown)).toBe((await by.get(`${API}/${unknown}`)).text);
    }
    for (const by of [other, keeper, root]) {
      expect((await by.call("PUT", `${API}/${id}`, { name: "theirs" })).status).toBe(404);
      expect((await by.call("DELETE", `${API}/${id}`)).status).toBe(404);
    }
    expect((await put(id, { private: false })).json.body.private).toBe(false);
    expect((await other.get(`${API}/${id}`)).json.body.values).toMatchObject({ password: "hunter2" });
  });

  it("show viewers names without values, and strangers nothing", async () => {
    const id = await create("shown");
    const seen = await viewer.get(`${API}/${id}`);
    expect(seen.json.body.values).toStrictEqual({ user: null, password: null });
    expect((await other.get(`${API}/${id}`)).json.body.values.password).toBe("hunter2");
    expect((await viewer.post(API, { name: "no", values: {} })).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
    expect((await stranger.call("DELETE", `${API}/${id}`)).status).toBe(404);
    expect((await stranger.get(API)).json).toMatchObject({ total: 0, items: [] });
  });

  it("are changed by who made them, and by those who look after what all share", async () => {
    const id = await create("shared");
    expect((await other.call("PUT", `${API}/${id}`, { values: {} })).status).toBe(403);
    const changed = await keeper.call("PUT", `${API}/${id}?patch_values=true`, { values: { user: "k" } });
    expect(changed.json.body.values).toStrictEqual({ user: "k", password: "hunter2" });
    const kept = await keeper.call("PUT", `${API}/${id}`, { private: true });
    expect(kept.json.detail).toStrictEqual([
      "IllegalOperationError",
      "Only the user who created the secret is allowed to update its private status.",
    ]);
    expect((await root.call("DELETE", `${API}/${id}`)).status).toBe(200);
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const body = { name: "once", values: { k: "v" } };
    const first = await editor.call("POST", API, body, headers);
    const again = await editor.call("POST", API, body, headers);
    expect(again.json).toStrictEqual(first.json);
  });

  it("refuse what does not fit", async () => {
    const id = await create("fits");
    for (const body of [{}, { name: "" }, { name: "x".repeat(256) }, { name: "n", values: { a: 1 } }]) {
      const bad = await editor.post(API, body);
      expect([bad.status, bad.json[0]]).toStrictEqual([422, "ValueError"]);
    }
    expect((await put(id, {}, "?patch_values=perhaps")).status).toBe(422);
    expect((await editor.get(`${API}/fits`)).status).toBe(422);
    expect((await editor.get(`${API}?private=perhaps`)).status).toBe(422);
  });

  it("have no second store to be copied to", async () => {
    for (const operation of ["backup", "restore"]) {
      const answer = await root.call("PUT", `/api/v1/secrets_operations/${operation}`);
      expect(answer.json.detail).toStrictEqual([
        "NotImplementedError",
        `Unable to ${operation} secrets: No backup secrets store is configured.`,
      ]);
      expect((await editor.call("PUT", `/api/v1/secrets_operations/${operation}`)).status).toBe(403);
    }
  });

  it("are sealed at rest, each for its place, and sealed anew with the next key", async () => {
    const [one, two] = [await create("rest-1"), await create("rest-2", { values: { k: "two" } })];
    const read = (): Promise<{ id: string; sealed_values: string }[]> =>
      server.database.prepared(
        {
          name: "test_sealed",
          text: "select id::text, sealed_values from pipelines.secrets where id = any ($1::uuid[])",
        },
        [[one, two]],
      );
    const before = await read();
    expect(JSON.stringify(before)).not.toContain("hunter2");
    const next = createSecrets([randomBytes(32), key]);
    expect((await reseal(server.database, next, pipelinesSealedColumns)).resealed).toBeGreaterThanOrEqual(2);
    for (const { id, sealed_values: sealed } of await read()) {
      expect(next.isCurrent(sealed)).toBe(true);
      expect(() => next.open(sealed, `pipelines.secrets.sealed_values:${id}`)).not.toThrow();
    }
    // Put into another row, a sealed text does not open.
    const [first] = before;
    await server.database.prepared(
      { name: "test_move", text: "update pipelines.secrets set sealed_values = $2 where id = $1" },
      [first?.id === one ? two : one, first?.sealed_values],
    );
    const moved = await editor.get(`${API}/${first?.id === one ? two : one}`);
    expect([moved.status, moved.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect(moved.text).not.toContain("hunter2");
  });

  it("leave a trace of whoever read them, without what they hold", async () => {
    const id = await create("traced");
    await other.get(`${API}/${id}`);
    await server.app.identity.audit.flush(true);
    const { text } = await root.get(`/console/api/audit?resource_id=${id}`);
    expect(text).toContain(id);
    expect(text).not.toContain("hunter2");
  });
});

describe("an open server", () => {
  it("keeps secrets of nobody, the private ones for its local administrator", async () => {
    await using open = await startTestServer();
    const made = await open.post(API, { name: "own", private: true, values: { k: "v" } });
    expect(made.json).toMatchObject({ body: { user_id: null, private: true }, resources: { user: null } });
    expect((await open.get(`${API}/${made.json.id}`)).json.body.values).toStrictEqual({ k: "v" });
    expect((await open.post(API, { name: "own", private: true })).status).toBe(409);
    expect((await open.get(API)).json.total).toBe(1);
  });

  it("without a key says how to give it one", async () => {
    await using open = await startTestServer({ "database-url": "postgres://elsewhere/x" });
    const made = await open.post(API, { name: "own", values: { k: "v" } });
    expect([made.status, made.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect(made.text).toContain("--secrets-key-file");
    expect((await open.get(API)).json.total).toBe(0);
  });
});
