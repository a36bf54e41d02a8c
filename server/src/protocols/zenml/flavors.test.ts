import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, as } = await startZenmlTeam("team");
const other = await as("ot", { workspace: "team", role: "editor" });

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/flavors";
const old = { "user-agent": "zenml/0.84.0" };
const custom = (name: string): object => ({
  name,
  type: "orchestrator",
  source: "mine.flavors.Mine",
  config_schema: { type: "object", properties: { size: { type: "integer" } } },
  integration: null,
});

describe("built-in flavors", () => {
  it("are there, each with its schema", async () => {
    const { json } = await viewer.get(`${API}?size=100`);
    expect(json.total).toBe(82);
    const s3 = (await viewer.get(`${API}?name=s3&type=artifact_store&hydrate=true`)).json.items[0];
    expect(s3).toMatchObject({
      body: {
        user_id: null,
        display_name: "S3",
        integration: "s3",
        source: "zenml.integrations.s3.flavors.s3_artifact_store_flavor.S3ArtifactStoreFlavor",
        is_custom: false,
      },
      metadata: {
        config_schema: { title: "S3ArtifactStoreConfig", required: ["path"] },
        connector_resource_type: "s3-bucket",
        connector_resource_id_attr: "path",
      },
      resources: { user: null },
    });
    expect((await viewer.get(`${API}/${s3.id}?hydrate=false`)).json).toMatchObject({
      name: "s3",
      metadata: null,
    });
  });

  it("are hidden from clients of 0.84 where they do not know the type", async () => {
    const { json } = await viewer.call("GET", `${API}?size=100`, undefined, old);
    const types = new Set(json.items.map((one: { body: { type: string } }) => one.body.type));
    expect(json.total).toBe(json.items.length);
    expect(json.total).toBeLessThan(82);
    for (const type of ["deployer", "log_store", "sandbox"]) expect(types.has(type)).toBe(false);
    const [sandbox] = (await viewer.get(`${API}?type=sandbox`)).json.items;
    expect((await viewer.call("GET", `${API}/${sandbox.id}`, undefined, old)).status).toBe(404);
  });

  it("return at the next start, with their ids, when they were deleted or changed", async () => {
    const [gcp] = (await root.get(`${API}?name=gcp&type=image_builder`)).json.items;
    expect((await editor.call("DELETE", `${API}/${gcp.id}`)).status).toBe(403);
    expect((await root.call("DELETE", `${API}/${gcp.id}`)).text).toBe("null");
    const [slack] = (await root.get(`${API}?name=slack`)).json.items;
    expect((await root.call("PUT", `${API}/${slack.id}`, { source: "other" })).json.body.source).toBe(
      "other",
    );
    await using next = await startTestServer({ login: "required" }, server);
    expect(next.url).not.toBe(server.url);
    expect((await root.get(`${API}/${gcp.id}`)).json.name).toBe("gcp");
    expect((await root.get(`${API}/${slack.id}`)).json.body.source).not.toBe("other");
  });

  it("are written again when they are asked to be", async () => {
    expect((await viewer.call("PATCH", `${API}/sync`)).status).toBe(403);
    expect((await editor.call("PATCH", `${API}/sync`)).text).toBe("null");
    expect((await viewer.get(API)).json.total).toBe(82);
  });

  it("stay while components are of them", async () => {
    const [local] = (await root.get(`${API}?name=local&type=orchestrator`)).json.items;
    const refused = await root.call("DELETE", `${API}/${local.id}`);
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect((await root.call("PUT", `${API}/${local.id}`, { type: "alerter" })).status).toBe(403);
  });
});

describe("flavors of one's own", () => {
  it("are made, read, changed and deleted", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const made = await editor.call("POST", API, custom("my_own"), headers);
    expect(made.status, made.text).toBe(200);
    expect(made.json).toMatchObject({
      body: { display_name: "My Own", is_custom: true, integration: "" },
      metadata: { config_schema: { properties: { size: { type: "integer" } } }, docs_url: null },
      resources: { user: { name: "ed" } },
    });
    expect((await editor.call("POST", API, custom("my_own"), headers)).json).toStrictEqual(made.json);
    expect((await editor.post(API, custom("my_own"))).json.detail[0]).toBe("EntityExistsError");
    const path = `${API}/${made.json.id}`;
    const component = { name: "own", type: "orchestrator", flavor: "my_own", configuration: { any: 1 } };
    const own = await editor.post("/api/v1/components", component);
    expect(own.status, own.text).toBe(200);
    const changed = await editor.call("PUT", path, {
      name: "renamed",
      docs_url: "https://x",
      logo_url: null,
    });
    expect(changed.json).toMatchObject({ name: "renamed", metadata: { docs_url: "https://x" } });
    // The component follows.
    expect((await editor.get(`/api/v1/components/${own.json.id}`)).json).toMatchObject({
      body: { flavor_name: "renamed" },
      resources: { flavor: { name: "renamed", metadata: null } },
    });
    expect((await editor.call("PUT", path, { name: "local" })).status).toBe(409);
    expect((await other.call("PUT", path, { name: "theirs" })).status).toBe(403);
    expect((await editor.call("DELETE", path)).status).toBe(403);
    await editor.call("DELETE", `/api/v1/components/${own.json.id}`);
    expect((await editor.call("DELETE", path)).text).toBe("null");
    expect((await editor.get(path)).status).toBe(404);
  });

  it("are refused where they do not fit", async () => {
    const { integration: _none, ...without } = custom("no") as Record<string, unknown>;
    for (const bad of [
      { ...custom("no"), type: "engine" },
      without,
      { ...custom("no"), config_schema: [] },
    ]) {
      expect((await editor.post(API, bad)).status).toBe(422);
    }
    const long = { ...custom("no"), config_schema: { title: "x".repeat(66_000) } };
    expect((await editor.post(API, long)).status).toBe(400);
    expect((await viewer.post(API, custom("no"))).status).toBe(403);
  });
});
