import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, as } = await startZenmlTeam("team");
const other = await as("ot", { workspace: "team", role: "editor" });

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
const old = { "user-agent": "zenml/0.84.0" };

type Client = typeof editor;
const idOf = async (path: string, client: Client = editor): Promise<string> =>
  (await client.get(`${API}/${path}`)).json.items[0].id;
const orchestrator = await idOf("components?type=orchestrator&name=default");
const store = await idOf("components?type=artifact_store&name=default");
/** `type/flavor`. */
const component = async (kind: string, name: string, configuration = {}): Promise<string> => {
  const [type, flavor] = kind.split("/");
  const made = await editor.post(`${API}/components`, { name, type, flavor, configuration });
  expect(made.status, made.text).toBe(200);
  return made.json.id;
};
const simple = { orchestrator: [orchestrator], artifact_store: [store] };

describe("the default stack", () => {
  it("is there at the first start, of components that every client knows", async () => {
    const { json } = await viewer.get(`${API}/stacks?name=default&hydrate=true`);
    expect(json.total).toBe(1);
    const [stack] = json.items;
    expect(stack).toMatchObject({ body: { user_id: null }, resources: { user: null } });
    expect(Object.keys(stack.metadata.components).toSorted()).toStrictEqual([
      "artifact_store",
      "orchestrator",
    ]);
    expect(stack.metadata.components.orchestrator[0]).toMatchObject({
      id: orchestrator,
      name: "default",
      body: { type: "orchestrator", flavor_name: "local", integration: "built-in" },
      metadata: null,
      resources: null,
    });
  });

  it("cannot be changed, nor can its components", async () => {
    const id = await idOf("stacks?name=default");
    for (const [path, what] of [
      [`stacks/${id}`, "stack"],
      [`components/${orchestrator}`, "orchestrator"],
    ] as const) {
      const changed = await root.call("PUT", `${API}/${path}`, { name: "mine" });
      expect(changed.status).toBe(403);
      expect(changed.json.detail).toStrictEqual([
        "IllegalOperationError",
        `The default ${what} cannot be modified.`,
      ]);
      expect((await root.call("DELETE", `${API}/${path}`)).status).toBe(403);
    }
  });
});

describe("stacks", () => {
  it("are made, read, changed and deleted", async () => {
    const created = await editor.post(`${API}/stacks`, {
      name: "first",
      components: simple,
      environment: { A: "b" },
      stack_spec_path: "x.yaml",
    });
    expect(created.status, created.text).toBe(200);
    const { id } = created.json;
    expect(created.json).toMatchObject({
      metadata: {
        labels: {},
        description: "",
        environment: { A: "b" },
        secrets: [],
        stack_spec_path: "x.yaml",
      },
      resources: { user: { name: "ed" } },
    });
    const docker = await component("orchestrator/local_docker", "docker");
    const changed = await editor.call("PUT", `${API}/stacks/${id}`, {
      name: "second",
      description: "of docker",
      labels: { team: "a", none: null },
      components: { orchestrator: [docker], artifact_store: [store] },
    });
    expect(changed.json).toMatchObject({
      name: "second",
      metadata: { labels: { team: "a", none: null }, description: "of docker", environment: { A: "b" } },
    });
    expect(changed.json.metadata.components.orchestrator[0].id).toBe(docker);
    expect((await editor.call("DELETE", `${API}/components/${docker}`)).json.detail[0]).toBe(
      "IllegalOperationError",
    );
    expect((await editor.call("DELETE", `${API}/stacks/${id}`)).text).toBe("null");
    expect((await editor.get(`${API}/stacks/${id}`)).status).toBe(404);
    expect((await editor.call("DELETE", `${API}/components/${docker}`)).status).toBe(200);
  });

  it("take several components of some types alone", async () => {
    const alerters = [
      await component("alerter/slack", "one", { slack_token: "x" }),
      await component("alerter/slack", "two", { slack_token: "x" }),
    ];
    const many = await editor.post(`${API}/stacks`, {
      name: "many",
      components: { ...simple, alerter: alerters },
    });
    expect(many.json.metadata.components.alerter.map((one: { name: string }) => one.name)).toStrictEqual([
      "one",
      "two",
    ]);
    const second = await component("orchestrator/local", "second");
    const two = await editor.post(`${API}/stacks`, {
      name: "two",
      components: { ...simple, orchestrator: [orchestrator, second] },
    });
    expect(two.status).toBe(422);
    expect(two.json[0]).toBe("ValueError");
    // What counts is what a component is.
    const swapped = { orchestrator: [store], artifact_store: [orchestrator] };
    expect((await editor.post(`${API}/stacks`, { name: "swapped", components: swapped })).status).toBe(200);
    const wrong = { ...simple, image_builder: [second] };
    const refused = await editor.post(`${API}/stacks`, { name: "wrong", components: wrong });
    expect(refused.status).toBe(400);
  });

  it("need an orchestrator and an artifact store that are there", async () => {
    const post = (components: object, more = {}) =>
      editor.post(`${API}/stacks`, { name: "bad", components, ...more });
    expect((await post({})).status).toBe(422);
    expect((await post({ orchestrator: [orchestrator] })).status).toBe(422);
    expect((await post({ ...simple, engine: [store] })).status).toBe(422);
    expect((await post({ ...simple, orchestrator: ["nouuid"] })).status).toBe(422);
    const unknown = await post({ ...simple, orchestrator: [randomUUID()] });
    expect(unknown.status).toBe(404);
    expect(unknown.json.detail[0]).toBe("KeyError");
    expect((await post(simple, { secrets: ["none"] })).status).toBe(404);
    expect((await post(simple, { name: "" })).status).toBe(400);
    expect((await post(simple, { name: "default" })).json.detail[0]).toBe("EntityExistsError");
    expect((await post(simple, { service_connectors: [randomUUID()] })).status).toBe(404);
    expect((await editor.get(`${API}/stacks?name=bad`)).json.total).toBe(0);
  });

  it("are made whole, with components that are described", async () => {
    const described = (name: string, flavor: string, configuration: object) => ({
      name,
      labels: { owner: "ml", share: null },
      components: { orchestrator: [orchestrator], artifact_store: [{ flavor, configuration }] },
    });
    const body = described("whole", "s3", { path: "s3://bucket", key: "{{keys.id}}" });
    const headers = { "idempotency-key": randomUUID() };
    const made = await editor.call("POST", `${API}/stacks`, body, headers);
    expect(made.status, made.text).toBe(200);
    const [bucket] = made.json.metadata.components.artifact_store;
    expect(bucket).toMatchObject({ name: "whole", body: { flavor_name: "s3", integration: "s3" } });
    expect((await editor.call("POST", `${API}/stacks`, body, headers)).json).toStrictEqual(made.json);
    const whole = (await editor.get(`${API}/components/${bucket.id}`)).json;
    expect(whole.metadata).toMatchObject({
      configuration: { path: "s3://bucket", key: "{{keys.id}}" },
      labels: { owner: "ml", share: null },
    });
    // The name of the component is taken; another is made of it.
    expect((await editor.call("DELETE", `${API}/stacks/${made.json.id}`)).status).toBe(200);
    const again = await editor.post(`${API}/stacks`, body);
    expect(again.json.metadata.components.artifact_store[0].name).toMatch(/^whole-[0-9a-f]{4}$/);
    expect((await editor.post(`${API}/stacks`, described("none", "nope", {}))).status).toBe(400);
    const bad = await editor.post(`${API}/stacks`, described("none", "s3", { path: "s3://b", key: 1 }));
    expect([bad.status, bad.json.detail[0]]).toStrictEqual([422, "ValueError"]);
    expect((await editor.get(`${API}/components?name=startswith:none`)).json.total).toBe(0);
  });

  it("are made whole, with connectors that are described", async () => {
    const described = (configuration: object) => ({
      name: "registered",
      labels: { tag: "a", none: null, on: true },
      components: { ...simple, container_registry: [{ ...image, configuration }] },
      service_connectors: [
        { type: "docker", auth_method: "password", configuration: { username: "u", password: "hidden" } },
      ],
    });
    const image = { flavor: "default", service_connector_index: 0 };
    const headers = { "idempotency-key": randomUUID() };
    const made = await editor.call("POST", `${API}/stacks`, described({ uri: "docker.io/x" }), headers);
    expect(made.status, made.text).toBe(200);
    expect(
      (await editor.call("POST", `${API}/stacks`, described({ uri: "docker.io/x" }), headers)).text,
    ).toBe(made.text);
    const [registry] = (await editor.get(`${API}/components?name=registered&hydrate=true`)).json.items;
    expect(registry.metadata).toMatchObject({
      connector_resource_id: "docker.io/x",
      connector: {
        name: "registered",
        body: { connector_type: "docker", resource_types: ["docker-registry"] },
      },
    });
    const connectors = await editor.get(`${API}/service_connectors?name=registered&hydrate=true`);
    expect(connectors.json).toMatchObject({
      total: 1,
      items: [{ metadata: { labels: { tag: "a", none: "None", on: "True" } } }],
    });
    // All or nothing.
    const bad = await editor.post(`${API}/stacks`, { ...described({ url: 1 }), name: "nothing" });
    expect(bad.status).toBe(400);
    const unfit = { ...simple, image_builder: [{ flavor: "local", service_connector_index: 0 }] };
    const refused = await editor.post(`${API}/stacks`, {
      ...described({}),
      name: "nothing",
      components: unfit,
    });
    expect(refused.status).toBe(400);
    const outside = { ...simple, image_builder: [{ flavor: "local", service_connector_index: 1 }] };
    expect((await editor.post(`${API}/stacks`, { ...described({}), components: outside })).status).toBe(422);
    expect((await editor.get(`${API}/service_connectors?name=nothing`)).json.total).toBe(0);
  });

  it("that start machines take temporary tokens from their connectors", async () => {
    const id = randomUUID();
    await server.database.prepared(
      {
        name: "test_insert_connector",
        text: `insert into pipelines.service_connectors
            (id, name, connector_type, auth_method, resource_types, resource_id, created, updated)
          values ($1, 'machines', 'gcp', 'service-account', '{gcp-generic}', 'project', 1, 1)`,
      },
      [id],
    );
    const whole = {
      name: "machines",
      components: {
        artifact_store: [store],
        orchestrator: [{ flavor: "vm_gcp", service_connector_index: 0 }],
      },
      service_connectors: [id],
    };
    expect((await other.post(`${API}/stacks`, whole)).status).toBe(403);
    const made = await root.post(`${API}/stacks`, whole);
    expect(made.status, made.text).toBe(200);
    const kept = (await root.get(`${API}/service_connectors/${id}`)).json.metadata.configuration;
    expect(kept.generate_temporary_tokens).toBe(false);
  });

  it("are found by their components", async () => {
    const here = await component("image_builder/local", "builder");
    await editor.post(`${API}/stacks`, { name: "built", components: { ...simple, image_builder: [here] } });
    const names = async (query: string): Promise<string[]> =>
      (await editor.get(`${API}/stacks?${query}`)).json.items.map((one: { name: string }) => one.name);
    expect(await names(`component_id=${here}`)).toStrictEqual(["built"]);
    expect(await names("component=builder")).toStrictEqual(["built"]);
    expect(await names(`component=${here}&name=contains:uil`)).toStrictEqual(["built"]);
    expect(await names(`component_id=${randomUUID()}`)).toStrictEqual([]);
    expect(await names('sort_by=desc:name&size=1&name=oneof:["built","default"]')).toStrictEqual(["default"]);
    const { json } = await editor.get(`${API}/components?stack_id=${await idOf("stacks?name=built")}`);
    expect(json.items.map((one: { name: string }) => one.name).toSorted()).toStrictEqual([
      "builder",
      "default",
      "default",
    ]);
  });
});

describe("clients of 0.84", () => {
  it("never meet types that they do not know, and do not take them away", async () => {
    const sandbox = await component("sandbox/local", "box");
    const { json } = await editor.post(`${API}/stacks`, {
      name: "boxed",
      components: { ...simple, sandbox: [sandbox] },
    });
    const seen = await editor.call("GET", `${API}/stacks/${json.id}`, undefined, old);
    expect(Object.keys(seen.json.metadata.components).toSorted()).toStrictEqual([
      "artifact_store",
      "orchestrator",
    ]);
    await editor.call("PUT", `${API}/stacks/${json.id}`, { components: simple }, old);
    expect((await editor.get(`${API}/stacks/${json.id}`)).json.metadata.components.sandbox[0].id).toBe(
      sandbox,
    );
    const listed = await editor.call("GET", `${API}/components?name=box`, undefined, old);
    expect(listed.json).toMatchObject({ total: 0, items: [] });
    expect((await editor.call("GET", `${API}/components/${sandbox}`, undefined, old)).status).toBe(404);
    const types = (await editor.call("GET", `${API}/component-types`, undefined, old)).json;
    expect(types).toHaveLength(12);
    expect((await editor.get(`${API}/component-types`)).json).toHaveLength(15);
  });
});

describe("who may change stacks", () => {
  it("made them, or looks after what all share", async () => {
    const { json } = await editor.post(`${API}/stacks`, { name: "owned", components: simple });
    const path = `${API}/stacks/${json.id}`;
    expect((await viewer.get(path)).status).toBe(200);
    expect((await viewer.post(`${API}/stacks`, { name: "no", components: simple })).status).toBe(403);
    expect((await other.call("PUT", path, { name: "theirs" })).status).toBe(403);
    expect((await other.call("DELETE", path)).status).toBe(403);
    expect((await root.call("PUT", path, { name: "adopted" })).json.name).toBe("adopted");
    const nobody = await as("no");
    expect((await nobody.get(`${API}/stacks`)).json).toMatchObject({
      total: 1,
      items: [{ name: "default" }],
    });
    for (const method of ["GET", "PUT", "DELETE"] as const) {
      expect((await nobody.call(method, path, method === "PUT" ? { name: "x" } : undefined)).status).toBe(
        404,
      );
    }
  });

  it("are told of private secrets only when they are their own", async () => {
    await editor.post(`${API}/secrets`, { name: "mine", private: true, values: { a: "b" } });
    const named = { name: "secretive", components: simple, secrets: ["mine"] };
    expect((await other.post(`${API}/stacks`, named)).status).toBe(404);
    const { json } = await editor.post(`${API}/stacks`, named);
    expect(json.metadata.secrets).toHaveLength(1);
    const without = await editor.call("PUT", `${API}/stacks/${json.id}`, { remove_secrets: ["mine"] });
    expect(without.json.metadata.secrets).toStrictEqual([]);
  });
});
