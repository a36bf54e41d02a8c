import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { reseal } from "../../kernel/reseal.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { connectorPlace, pipelinesSealedColumns } from "../../modules/pipelines/index.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const sealing = randomBytes(32);
const { server, root, editor, viewer, as } = await startZenmlTeam("team", {
  flags: { "secrets-key": sealing.toString("base64") },
});
const other = await as("ot", { workspace: "team", role: "editor" });
const keeper = await as("ke", { workspace: "default", role: "editor" });
const stranger = await as("no");

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/service_connectors";
const key = { aws_access_key_id: "AKIAEXAMPLE", aws_secret_access_key: "hush-hush" };
const aws = (name: string, more: object = {}): object => ({
  name,
  connector_type: "aws",
  auth_method: "secret-key",
  resource_types: ["s3-bucket"],
  configuration: { ...key, region: "eu-west-1" },
  ...more,
});
const create = async (name: string, more: object = {}): Promise<string> => {
  const made = await editor.post(API, aws(name, more));
  expect(made.status, made.text).toBe(200);
  return made.json.id;
};
const put = (id: string, body: object): ReturnType<typeof server.call> =>
  editor.call("PUT", `${API}/${id}`, body);

describe("service connectors", () => {
  it("are made, read, changed and deleted by both clients", async () => {
    for (const client of ["zenml/0.84.0", "zenml/0.98.0"]) {
      const me = withHeaders(editor, { "user-agent": client });
      const made = await me.post(
        API,
        aws("both", { labels: { owner: "platform" }, expires_at: "2099-01-02T03:04:05" }),
      );
      expect(made.json).toMatchObject({
        name: "both",
        body: {
          description: "",
          connector_type: { connector_type: "aws" },
          auth_method: "secret-key",
          resource_types: ["s3-bucket"],
          resource_id: null,
          supports_instances: true,
          expires_at: "2099-01-02T03:04:05",
        },
        metadata: {
          configuration: { ...key, region: "eu-west-1" },
          expiration_seconds: null,
          labels: { owner: "platform" },
        },
        resources: { user: { name: "ed" } },
      });
      const { id } = made.json;
      const plain = await me.get(`${API}/${id}?expand_secrets=false`);
      expect(plain.json.metadata.configuration).toStrictEqual({ region: "eu-west-1" });
      expect((await me.get(`${API}/${id}?expand_secrets=false&hydrate=false`)).json.metadata).toBeNull();
      expect((await me.call("DELETE", `${API}/${id}`)).text).toBe("null");
      expect((await me.get(`${API}/${id}`)).status).toBe(404);
    }
  });

  it("take a type by its name, or as what it was read as", async () => {
    const type = (await editor.get("/api/v1/service_connector_types/aws")).json;
    const id = await create("typed", { connector_type: type });
    expect((await editor.get(`${API}/${id}`)).json.body.connector_type).toStrictEqual(type);
  });

  it("without a resource type are for all of their type", async () => {
    const id = await create("multi", { resource_types: [] });
    expect((await editor.get(`${API}/${id}`)).json.body).toMatchObject({
      resource_types: ["aws-generic", "s3-bucket", "kubernetes-cluster", "docker-registry"],
      supports_instances: false,
    });
  });

  it("keep what a change does not name, but for the resource id and the expiration", async () => {
    const id = await create("kept", { resource_id: "s3://bucket", labels: { a: "1" }, description: "d" });
    const changed = await put(id, { name: "kept-2", resource_id: "s3://bucket" });
    expect(changed.json).toMatchObject({
      name: "kept-2",
      body: { description: "d", resource_types: ["s3-bucket"], resource_id: "s3://bucket" },
      metadata: { configuration: { ...key, region: "eu-west-1" }, labels: { a: "1" } },
    });
    expect((await put(id, {})).json.body.resource_id).toBeNull();
    const replaced = await put(id, {
      auth_method: "session-token",
      configuration: { ...key, aws_secret_access_key: "new", region: "eu-west-1" },
      expiration_seconds: 3600,
      labels: { b: "2" },
    });
    expect(replaced.json.metadata).toStrictEqual({
      configuration: { ...key, aws_secret_access_key: "new", region: "eu-west-1" },
      expiration_seconds: 3600,
      labels: { b: "2" },
    });
    // Another way of authenticating needs what that one needs.
    const lacking = await put(id, { auth_method: "sts-token" });
    expect(lacking.json.detail[1]).toBe(
      "connector configuration is not valid: missing required attribute 'aws_session_token'",
    );
  });

  it("are refused where the configuration does not fit, and never show it", async () => {
    const sent = { ...key, region: "eu-west-1" };
    const cases: [object, RegExp][] = [
      [{ connector_type: "nope" }, /no connector type 'nope'.*\['aws', 'gcp', 'azure'/],
      [
        { auth_method: "workload-identity" },
        /connector type 'aws' does not support the 'workload-identity' authentication method\. Supported .* are: \['implicit', 'secret-key'/,
      ],
      [{ resource_types: ["gcs-bucket"] }, /does not support resource type 'gcs-bucket'/],
      [{ configuration: key }, /missing required attribute 'region'/],
      [{ configuration: { ...sent, zone: "b" } }, /unknown attribute 'zone'.*'aws_access_key_id'/],
      [
        { configuration: { ...sent, aws_secret_access_key: 7 } },
        /attribute 'aws_secret_access_key' is a secret but/,
      ],
      [{ configuration: { ...sent, region: true } }, /attribute 'region' must be a string/],
      [
        { configuration: { ...sent, endpoint_url: "hush-hush" } },
        /attribute 'endpoint_url' must be an address/,
      ],
      [{ expiration_seconds: 3600 }, /Expiration time is not supported/],
      [{ auth_method: "session-token", expiration_seconds: 5 }, /at least 900 seconds/],
    ];
    for (const [more, message] of cases) {
      const bad = await editor.post(API, aws("bad", more));
      expect([bad.status, bad.json.detail[0]]).toStrictEqual([400, "ValueError"]);
      expect(bad.json.detail[1]).toMatch(message);
      expect(bad.text).not.toContain("hush-hush");
    }
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    const nested = await editor.call(
      "POST",
      API,
      `{"name":"bad","connector_type":"gcp","auth_method":"service-account","configuration":{"service_account_json":${deep}}}`,
      { "content-type": "application/json" },
    );
    expect(nested.json.detail[1]).toContain("nested too deeply");
    for (const more of [
      { name: "" },
      { labels: { a: 1 } },
      { labels: { "a\0": "b" } },
      { expires_at: "soon" },
      { configuration: [] },
    ]) {
      const bad = await editor.post(API, aws("bad", more));
      expect([bad.status, bad.json], JSON.stringify(more)).toStrictEqual([
        422,
        ["ValueError", expect.any(String)],
      ]);
    }
  });

  it("have one name each", async () => {
    const id = await create("name-1");
    await create("name-2");
    const again = await editor.post(API, aws("name-1"));
    expect([again.status, again.json.detail]).toStrictEqual([
      409,
      [
        "EntityExistsError",
        "Unable to create the requested service connector with name 'name-1': Found another existing service connector with the same name.",
      ],
    ]);
    expect((await put(id, { name: "name-2" })).status).toBe(409);
  });

  it("are listed by what they are for, and by labels", async () => {
    await create("list-a", { labels: { team: "x", cost: "1" } });
    await create("list-b", { resource_types: [], labels: { team: "y" }, resource_id: "eu" });
    const list = async (query: string): Promise<string[]> => {
      const { json } = await editor.get(
        `${API}?name=startswith:list-&sort_by=name&expand_secrets=false&${query}`,
      );
      return json.items.map((one: { name: string }) => one.name);
    };
    expect(await list("")).toStrictEqual(["list-a", "list-b"]);
    expect(await list("resource_type=s3-bucket")).toStrictEqual(["list-a", "list-b"]);
    expect(await list("resource_type=kubernetes-cluster")).toStrictEqual(["list-b"]);
    expect(await list("resource_id=eu")).toStrictEqual(["list-b"]);
    expect(await list("connector_type=aws&auth_method=startswith:secret")).toHaveLength(2);
    expect(await list("labels_str=team=x,cost")).toStrictEqual(["list-a"]);
    expect(await list("labels_str=cost")).toStrictEqual(["list-a"]);
    expect(await list(`labels_str=${encodeURIComponent('{"team":"y"}')}`)).toStrictEqual(["list-b"]);
    expect(await list(`labels_str=${encodeURIComponent('{"team":null}')}`)).toHaveLength(2);
    expect(await list("labels_str=team=z")).toStrictEqual([]);
    expect(await list("labels_str={}")).toHaveLength(2);
    expect(await list("labels_str=gt:text")).toStrictEqual([]);
    expect(await list("logical_operator=or&name=list-a&labels_str=team=y")).toStrictEqual(["list-b"]);
    expect((await editor.get(`${API}?sort_by=configuration`)).status).toBe(422);
  });

  it("are shown without their secrets to those who may only read", async () => {
    const id = await create("shown");
    const shown = await viewer.get(`${API}/${id}`);
    expect(shown.json.metadata.configuration).toStrictEqual({ region: "eu-west-1" });
    expect((await viewer.get(`${API}?name=shown&expand_secrets=true`)).text).not.toContain("hush-hush");
    expect((await other.get(`${API}?name=shown&expand_secrets=true`)).text).toContain("hush-hush");
    for (const [method, path] of [
      ["POST", ""],
      ["POST", "/verify"],
      ["PUT", `/${id}`],
      ["DELETE", `/${id}`],
      ["PUT", `/${id}/verify`],
      ["GET", `/${id}/client`],
      ["GET", "/resources"],
      ["POST", `/full_stack_resources?connector_uuid=${id}`],
    ] as const) {
      const body = ["", "/verify", `/${id}`].includes(path) && method !== "DELETE" ? aws("no") : undefined;
      expect((await viewer.call(method, API + path, body)).status, path).toBe(403);
      // What is there is told to nobody without a role.
      const refused = path === `/${id}` ? 404 : 403;
      expect((await stranger.call(method, API + path, body)).status, path).toBe(refused);
    }
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
    expect((await other.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await keeper.call("PUT", `${API}/${id}`, { description: "kept" })).json.body.description).toBe(
      "kept",
    );
  });

  it("are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await editor.call("POST", API, aws("once"), headers);
    expect((await editor.call("POST", API, aws("once"), headers)).json).toStrictEqual(first.json);
  });

  it("that components use stay what they are, and are not deleted", async () => {
    const id = await create("used", { resource_id: "s3://bucket" });
    await server.database.prepared(
      {
        name: "test_component",
        text: `insert into pipelines.components (id, name, type, flavor_name, configuration_json, connector_id, created, updated)
          values (gen_random_uuid(), 'store', 'artifact_store', 's3', '{}', $1, 1, 1)`,
      },
      [id],
    );
    const same = { resource_id: "s3://bucket" };
    for (const [more, what] of [
      [{ ...same, connector_type: "gcp" }, "service type"],
      [{ ...same, auth_method: "session-token" }, "authentication method"],
      [{ ...same, resource_types: ["aws-generic"] }, "resource type"],
      [{ resource_id: "s3://elsewhere" }, "resource ID"],
      [{}, "resource ID"],
    ] as const) {
      const refused = await put(id, more);
      expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
      expect(refused.json.detail[1]).toContain(`The ${what} of a service connector`);
    }
    expect((await put(id, { ...same, name: "used-2" })).status).toBe(200);
    const kept = await editor.call("DELETE", `${API}/${id}`);
    expect([kept.status, kept.json.detail[1]]).toStrictEqual([
      403,
      expect.stringContaining("1 stack components"),
    ]);
  });

  it("are sealed at rest, anew with the next key, and traced without what they hold", async () => {
    const id = await create("sealed");
    const read = (): Promise<{ sealed_secrets: string }[]> =>
      server.database.prepared(
        { name: "test_connector", text: "select * from pipelines.service_connectors where id = $1" },
        [id],
      );
    expect(JSON.stringify(await read())).not.toContain("hush-hush");
    await other.get(`${API}/${id}`);
    await server.app.identity.audit.flush(true);
    const { text } = await root.get(`/console/api/audit?resource_id=${id}`);
    expect(text).toContain(id);
    expect(text).not.toContain("hush-hush");
    const next = createSecrets([randomBytes(32), sealing]);
    await reseal(server.database, next, pipelinesSealedColumns);
    const [row] = await read();
    expect(next.isCurrent(row?.sealed_secrets ?? "")).toBe(true);
    expect(next.open(row?.sealed_secrets ?? "", connectorPlace(id))).toContain("hush-hush");
  });
});

describe("types of connectors", () => {
  it("are the same for both clients, and can be narrowed", async () => {
    const all = await viewer.get("/api/v1/service_connector_types");
    expect(all.json.map((one: { connector_type: string }) => one.connector_type)).toStrictEqual([
      "aws",
      "gcp",
      "azure",
      "kubernetes",
      "docker",
      "oauth2",
      "hyperai",
    ]);
    const old = await viewer.call("GET", "/api/v1/service_connector_types", undefined, {
      "user-agent": "zenml/0.84.0",
    });
    expect(old.text).toBe(all.text);
    const names = async (query: string): Promise<string[]> =>
      (await viewer.get(`/api/v1/service_connector_types?${query}`)).json.map(
        (one: { connector_type: string }) => one.connector_type,
      );
    expect(await names("resource_type=kubernetes-cluster")).toStrictEqual([
      "aws",
      "gcp",
      "azure",
      "kubernetes",
    ]);
    expect(await names("auth_method=implicit&connector_type=gcp")).toStrictEqual(["gcp"]);
    expect(await names("connector_type=nope")).toStrictEqual([]);
    expect((await stranger.get("/api/v1/service_connector_types")).text).toBe(all.text);
  });

  it("say which attributes there are, and which are secret", async () => {
    const { json } = await viewer.get("/api/v1/service_connector_types/docker");
    expect(json.auth_methods[0].config_schema).toMatchObject({
      properties: {
        username: { format: "password", type: "string", writeOnly: true },
        registry: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
      },
      required: ["username", "password"],
      type: "object",
    });
    const missing = await viewer.get("/api/v1/service_connector_types/nope");
    expect([missing.status, missing.json.detail[0]]).toStrictEqual([404, "KeyError"]);
    expect(missing.json.detail[1]).toContain("aws, azure, docker");
  });
});
