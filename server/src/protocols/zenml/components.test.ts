import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, as } = await startZenmlTeam("team");
const other = await as("ot", { workspace: "team", role: "editor" });

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/components";
const bucket = (name: string, configuration: object = { path: "s3://bucket" }): object => ({
  name,
  type: "artifact_store",
  flavor: "s3",
  configuration,
});

/** A connector that is there, without a cloud to ask. */
async function connectorOf(name: string): Promise<string> {
  const id = randomUUID();
  await server.database.prepared(
    {
      name: "test_insert_connector",
      text: `insert into pipelines.service_connectors
          (id, name, connector_type, auth_method, resource_types, supports_instances, created, updated)
        values ($1, $2, 'aws', 'secret-key', '{s3-bucket}', true, 1, 1)`,
    },
    [id, name],
  );
  return id;
}

describe("components", () => {
  it("are made, read, changed and deleted", async () => {
    const created = await editor.post(API, {
      ...bucket("store"),
      labels: { tag: "a", none: null },
      environment: { REGION: "eu" },
      connector_resource_id: "bucket",
    });
    expect(created.status, created.text).toBe(200);
    const path = `${API}/${created.json.id}`;
    expect(created.json).toMatchObject({
      name: "store",
      body: { type: "artifact_store", flavor_name: "s3", integration: "s3" },
      metadata: {
        configuration: { path: "s3://bucket" },
        labels: { tag: "a", none: null },
        environment: { REGION: "eu" },
        secrets: [],
        connector: null,
        connector_resource_id: "bucket",
      },
      resources: {
        user: { name: "ed" },
        flavor: { name: "s3", body: { display_name: "S3" }, metadata: null },
      },
    });
    expect((await viewer.get(`${path}?hydrate=false`)).json).toMatchObject({
      metadata: null,
      resources: { flavor: { name: "s3" } },
    });
    const changed = await editor.call("PUT", path, {
      name: "renamed",
      configuration: { path: "s3://other" },
    });
    expect(changed.json).toMatchObject({
      name: "renamed",
      metadata: { configuration: { path: "s3://other" }, labels: { tag: "a" }, connector_resource_id: null },
    });
    const cleared = await editor.call("PUT", path, { labels: null, environment: null });
    expect(cleared.json.metadata).toMatchObject({ labels: null, environment: {} });
    expect((await editor.call("DELETE", path)).text).toBe("null");
    expect((await editor.get(path)).status).toBe(404);
    expect((await editor.call("DELETE", path)).status).toBe(404);
  });

  it("are configured as their flavors say", async () => {
    const docker = { name: "docker", type: "orchestrator", flavor: "local_docker" };
    const read = await editor.post(API, {
      ...docker,
      configuration: { synchronous: "false", run_args: '{"cpus": 2}' },
    });
    expect(read.json.metadata.configuration).toStrictEqual({ synchronous: false, run_args: { cpus: 2 } });
    const refused = async (configuration: object): Promise<[number, string]> => {
      const { status, json } = await editor.post(API, bucket("bad", configuration));
      return [status, json.detail[0]];
    };
    expect(await refused({ path: "s3://b", size: 1 })).toStrictEqual([400, "ValueError"]);
    expect(await refused({ path: "gs://b" })).toStrictEqual([400, "ValueError"]);
    expect(await refused({})).toStrictEqual([422, "ValueError"]);
    expect(await refused({ path: "s3://b", key: 5 })).toStrictEqual([422, "ValueError"]);
    const path = `${API}/${read.json.id}`;
    expect((await editor.call("PUT", path, { configuration: { fast: 1 } })).status).toBe(400);
    expect((await editor.call("PUT", path, { configuration: null })).status).toBe(422);
    expect((await editor.call("PUT", path, { configuration: {} })).json.metadata.configuration).toStrictEqual(
      {},
    );
  });

  it("keep numbers as they came", async () => {
    const text = JSON.stringify({
      name: "digits",
      type: "orchestrator",
      flavor: "local_docker",
      configuration: { run_args: { cpus: 0 } },
      labels: { ratio: 1 },
    })
      .replace('"cpus":0', '"cpus":2.0')
      .replace('"ratio":1', '"ratio":1.50,"big":12345678901234567890');
    const made = await editor.call("POST", API, text, { "content-type": "application/json" });
    expect(made.text).toContain('{"cpus":2.0}');
    expect(made.text).toContain('{"ratio":1.50,"big":12345678901234567890}');
  });

  it("are connected, and lose their connector with a change that does not name it", async () => {
    const connector = await connectorOf("aws");
    const made = await editor.post(API, {
      ...bucket("connected"),
      connector,
      connector_resource_id: "bucket",
    });
    expect(made.json.metadata).toMatchObject({
      connector: { id: connector, name: "aws", body: { connector_type: "aws" }, metadata: null },
      connector_resource_id: "bucket",
    });
    const found = await editor.get(`${API}?connector_id=${connector}`);
    expect(found.json.items.map((one: { name: string }) => one.name)).toStrictEqual(["connected"]);
    const path = `${API}/${made.json.id}`;
    const changed = await editor.call("PUT", path, { labels: {}, connector_resource_id: "other" });
    expect(changed.json.metadata).toMatchObject({ connector: null, connector_resource_id: null });
    expect((await editor.call("PUT", path, { connector: randomUUID() })).status).toBe(404);
    expect((await editor.post(API, { ...bucket("none"), connector: randomUUID() })).status).toBe(404);
  });

  it("name secrets, which they forget when those are deleted", async () => {
    const secret = async (name: string): Promise<string> =>
      (await editor.post("/api/v1/secrets", { name, values: { key: "v" } })).json.id;
    const [b, a] = [await secret("b"), await secret("a")];
    const made = await editor.post(API, { ...bucket("secretive"), secrets: ["b", a] });
    expect(made.json.metadata.secrets).toStrictEqual([a, b]);
    const path = `${API}/${made.json.id}`;
    const c = await secret("c");
    const changed = await editor.call("PUT", path, { add_secrets: [c], remove_secrets: ["a"] });
    expect(changed.json.metadata.secrets).toStrictEqual([b, c]);
    await editor.call("DELETE", `/api/v1/secrets/${b}`);
    expect((await editor.get(path)).json.metadata.secrets).toStrictEqual([c]);
    expect((await editor.call("PUT", path, { add_secrets: ["none"] })).status).toBe(404);
  });

  it("are listed with filters", async () => {
    for (const name of ["list-a", "list-b", "list-c"]) await editor.post(API, bucket(name));
    const names = async (query: string): Promise<unknown[]> =>
      (await viewer.get(`${API}?${query}`)).json.items.map((one: { name: string }) => one.name);
    expect(await names("name=startswith:list-&sort_by=desc:name")).toStrictEqual([
      "list-c",
      "list-b",
      "list-a",
    ]);
    expect(
      await names("scope_type=artifact_store&logical_operator=or&name=list-a&name=docker"),
    ).toStrictEqual(["list-a"]);
    expect(
      await names("scope_type=artifact_store&logical_operator=or&name=list-a&id=startswith:zz"),
    ).toStrictEqual(["list-a"]);
    expect(await names("flavor=s3&type=artifact_store&name=list-b&user=ed")).toStrictEqual(["list-b"]);
    expect(await names("name=notcontains:-&flavor=s3&sort_by=name&size=1&page=1")).toHaveLength(1);
    for (const field of ["configuration", "stack_id", "scope_type"]) {
      expect((await viewer.get(`${API}?sort_by=${field}`)).status).toBe(422);
    }
  });

  it("are unique by type and name", async () => {
    await editor.post(API, bucket("unique"));
    const again = await editor.post(API, bucket("unique"));
    expect([again.status, again.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, bucket("once"), headers);
    expect((await editor.call("POST", API, bucket("once"), headers)).json).toStrictEqual(first.json);
    expect((await editor.call("PUT", `${API}/${first.json.id}`, { name: "unique" })).status).toBe(409);
  });

  it("are refused where the request does not fit", async () => {
    const status = async (body: object): Promise<number> => (await editor.post(API, body)).status;
    expect(await status({ ...bucket("x"), type: "engine" })).toBe(422);
    expect(await status({ ...bucket("x"), configuration: undefined })).toBe(422);
    expect(await status({ ...bucket("{{secret.key}}") })).toBe(422);
    expect(await status({ ...bucket("x"), environment: { A: 1 } })).toBe(422);
    expect(await status(bucket(""))).toBe(400);
    expect(await status(bucket("a\nb"))).toBe(400);
    const unknown = await editor.post(API, { ...bucket("x"), flavor: "nope" });
    expect(unknown.status).toBe(404);
    expect(unknown.json.detail).toStrictEqual([
      "KeyError",
      `"No flavor with name 'nope' and type 'artifact_store' exists."`,
    ]);
  });

  it("are changed by who made them, or looks after what all share", async () => {
    const { json } = await editor.post(API, bucket("owned"));
    expect((await viewer.post(API, bucket("no"))).status).toBe(403);
    expect((await other.call("PUT", `${API}/${json.id}`, { name: "no" })).status).toBe(403);
    expect((await other.call("DELETE", `${API}/${json.id}`)).status).toBe(403);
    expect((await root.call("DELETE", `${API}/${json.id}`)).status).toBe(200);
  });
});
