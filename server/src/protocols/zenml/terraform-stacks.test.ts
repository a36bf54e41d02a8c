import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { machine } from "../../../test/principals.ts";
import { withHeaders } from "../../../test/workspaces.ts";

/**
 * What ZenML's Terraform provider (3.0.6) sends for stacks and components, request by request as it was recorded, and
 * what Mastercard/restapi (3.0.0) sends for the same resources. A second plan is empty where each field that was sent
 * is read back as it was.
 */
const server = await startTestServer({ login: "required" });
const account = await machine(server, "terraform");
const editors = await server.app.identity.roles.findRole("default", "editor");
await server.app.identity.roles.assignRole({ principalId: account.row.principal_id }, editors?.role_id ?? 0);
const login = await fetch(`${server.url}/api/v1/login`, {
  method: "POST",
  headers: { "user-agent": "Go-http-client/1.1" },
  body: new URLSearchParams({ password: account.key }),
});
const { access_token: token } = (await login.json()) as { access_token: string };
const terraform = withHeaders(server, {
  authorization: `Bearer ${token}`,
  "user-agent": "Go-http-client/1.1",
});

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
type Json = ReturnType<typeof JSON.parse>;

async function send(method: string, path: string, body?: unknown): Promise<Json> {
  const { status, json, text } = await terraform.call(method, `${API}${path}`, body);
  expect(status, `${method} ${path}: ${text}`).toBe(200);
  return json;
}

const wanted = (tag: string) => ({
  orchestrator: { name: "held-orch", type: "orchestrator", flavor: "local", configuration: {} },
  connector: {
    name: "held-aws",
    configuration: { aws_access_key_id: "AKIAEXAMPLE", aws_secret_access_key: "x", region: "eu-west-1" },
    labels: { owner: "platform", tag },
    resource_types: ["s3-bucket"],
  },
  store: {
    name: "held-store",
    type: "artifact_store",
    flavor: "s3",
    configuration: { path: `s3://bucket/projects/held/${tag}` },
    connector_resource_id: "bucket",
    labels: { tag },
  },
  stack: { name: "held-stack", labels: { tag, team: "held" } },
});

/** A component as the provider compares it with its state. */
const stateOf = (component: Json): object => ({
  name: component.name,
  type: component.body.type,
  flavor: component.body.flavor_name,
  configuration: component.metadata.configuration,
  connector: component.metadata.connector?.id ?? null,
  connector_resource_id: component.metadata.connector_resource_id,
  labels: component.metadata.labels,
});

describe("ZenML's Terraform provider", () => {
  it("applies, changes and destroys a stack", async () => {
    const user = (await send("GET", "/current-user")).id;
    const first = wanted("a");
    const orchestrator = await send("POST", "/components", { user, ...first.orchestrator });
    expect(stateOf(orchestrator)).toStrictEqual({
      ...first.orchestrator,
      connector: null,
      connector_resource_id: null,
      labels: null,
    });
    expect(orchestrator.body).toMatchObject({ user_id: user, integration: "built-in" });
    const connector = (
      await send("POST", "/service_connectors", {
        user,
        connector_type: "aws",
        auth_method: "secret-key",
        ...first.connector,
      })
    ).id;
    const store = await send("POST", "/components", { user, ...first.store, connector });
    expect(stateOf(store)).toStrictEqual({ ...first.store, connector });
    expect(store.metadata.connector).toMatchObject({
      name: "held-aws",
      body: { connector_type: "aws", auth_method: "secret-key", resource_types: ["s3-bucket"] },
      metadata: null,
    });
    const components = { artifact_store: [store.id], orchestrator: [orchestrator.id] };
    const stack = await send("POST", "/stacks", { ...first.stack, components });
    expect(stack).toMatchObject({
      name: "held-stack",
      body: { user_id: user },
      metadata: { labels: { tag: "a", team: "held" } },
    });

    const listed = async (): Promise<void> => {
      const page = await send("GET", "/stacks?name=held-stack&page=1&size=100");
      expect(page).toMatchObject({ index: 1, max_size: 100, total_pages: 1, total: 1 });
      expect(page.items[0]).toMatchObject({ id: stack.id, metadata: null });
    };
    /** What a plan reads, and what it would find to change: nothing. */
    const plan = async (tag: string): Promise<void> => {
      const now = wanted(tag);
      expect(stateOf(await send("GET", `/components/${orchestrator.id}`))).toStrictEqual(
        stateOf(orchestrator),
      );
      expect(stateOf(await send("GET", `/components/${store.id}`))).toStrictEqual({
        ...now.store,
        connector,
      });
      const read = await send("GET", `/stacks/${stack.id}`);
      expect([read.name, read.metadata.labels]).toStrictEqual([now.stack.name, now.stack.labels]);
      const ids = Object.entries<Json[]>(read.metadata.components).map(([type, list]) => [
        type,
        list.map(({ id }) => id),
      ]);
      expect(Object.fromEntries(ids)).toStrictEqual(components);
    };
    await listed();
    await plan("a");

    const second = wanted("b");
    await send("PUT", `/service_connectors/${connector}`, { ...second.connector, resource_id: null });
    const changed = await send("PUT", `/components/${store.id}`, { ...second.store, connector });
    expect(stateOf(changed)).toStrictEqual({ ...second.store, connector });
    expect(changed.body.created).toBe(store.body.created);
    expect(changed.body.updated > store.body.updated).toBe(true);
    await send("PUT", `/stacks/${stack.id}`, { ...second.stack, components });
    await listed();
    await plan("b");

    expect(await send("DELETE", `/stacks/${stack.id}`)).toBeNull();
    for (const id of [orchestrator.id, store.id]) {
      const page = await send("GET", `/stacks?component_id=${id}&page=1&size=100`);
      expect(page).toStrictEqual({ index: 1, max_size: 100, total_pages: 1, total: 0, items: [] });
    }
    for (const path of [
      `/components/${orchestrator.id}`,
      `/components/${store.id}`,
      `/service_connectors/${connector}`,
    ]) {
      expect(await send("DELETE", path)).toBeNull();
      expect((await terraform.get(`${API}${path}`)).status).toBe(404);
    }
    expect((await terraform.get(`${API}/stacks/${stack.id}`)).status).toBe(404);
    expect((await terraform.call("DELETE", `${API}/stacks/${stack.id}`)).status).toBe(404);
  });

  it("reads configurations, which it sends as texts, as what they stand for", async () => {
    const made = await send("POST", "/components", {
      name: "texts",
      type: "orchestrator",
      flavor: "kubernetes",
      configuration: { synchronous: "true", timeout: "60", kubernetes_context: "c" },
      labels: {},
    });
    // The provider turns them into texts again.
    expect(made.metadata).toMatchObject({
      configuration: { synchronous: true, timeout: 60, kubernetes_context: "c" },
      labels: {},
    });
  });
});

describe("the provider restapi", () => {
  it("makes, reads, changes and deletes what is below one path", async () => {
    const body = {
      name: "rest",
      type: "orchestrator",
      flavor: "local_docker",
      configuration: { run_args: { cpu: 1.5, none: null, empty: {}, list: [] } },
      labels: {},
      environment: {},
      unknown_field: { kept: false },
    };
    const { id, metadata } = await send("POST", "/components", body);
    expect(metadata).toMatchObject({ configuration: body.configuration, labels: {}, environment: {} });
    const changed = await send("PUT", `/components/${id}`, { ...body, id, labels: { a: null } });
    expect(changed).toMatchObject({
      id,
      metadata: { configuration: body.configuration, labels: { a: null } },
    });
    expect((await send("GET", `/components/${id}`)).metadata).toStrictEqual(changed.metadata);
    // `read_search` looks for the name in a list.
    const found = await send("GET", "/components?name=rest");
    expect(found.items.map((one: Json) => one.id)).toStrictEqual([id]);
    expect(await send("DELETE", `/components/${id}`)).toBeNull();
    expect((await terraform.get(`${API}/components/${id}`)).status).toBe(404);
    expect((await terraform.call("DELETE", `${API}/components/${randomUUID()}`)).status).toBe(404);
  });
});
