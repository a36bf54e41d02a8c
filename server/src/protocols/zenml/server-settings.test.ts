import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { person } from "../../../test/principals.ts";
import { newWorkspace, withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer({ login: "required" });
const root = withHeaders(server, (await person(server, "root", { isAdmin: true })).headers);
const user = withHeaders(server, (await person(server, "ada", { role: "viewer" })).headers);

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";

describe("settings of the server", () => {
  it("are read by everybody and changed by administrators", async () => {
    const shown = (await user.get(`${API}/settings`)).json;
    expect(shown).toMatchObject({
      body: {
        server_id: (await server.get(`${API}/info`)).json.id,
        server_name: "default",
        logo_url: null,
        active: true,
        enable_analytics: false,
        display_announcements: false,
        last_user_activity: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      metadata: {},
      resources: {},
    });
    expect((await user.get(`${API}/settings?hydrate=false`)).json.metadata).toBeNull();
    const refused = await user.call("PUT", `${API}/settings`, { server_name: "mine" });
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect((await user.call("PUT", `${API}/settings`, {})).status).toBe(200);
    const changed = await root.call("PUT", `${API}/settings`, { server_name: "ours", display_updates: true });
    expect(changed.json.body).toMatchObject({
      server_name: "ours",
      display_updates: true,
      enable_analytics: false,
    });
    expect((await server.get(`${API}/info`)).json.name).toBe("ours");
    expect((await server.get(`${API}/settings`)).status).toBe(401);
    expect((await root.call("PUT", `${API}/settings`, { display_updates: "maybe" })).status).toBe(422);
  });

  it("tell how much there is, and what was done", async () => {
    const before = (await root.get(`${API}/statistics`)).json;
    expect(Object.keys(before).toSorted()).toStrictEqual(["components", "projects", "stacks"]);
    expect((await root.get(`${API}/onboarding_state`)).json).toEqual(["project_created"]);
    await newWorkspace(root, "team");
    expect((await root.get(`${API}/statistics`)).json.projects).toBe(before.projects + 1);
    expect((await user.get(`${API}/statistics`)).json.projects).toBe(1);
    expect((await user.get(`${API}/load-info`)).json).toMatchObject({
      threads: expect.any(Number),
      db_connections_total: expect.any(Number),
      db_connections_active: expect.any(Number),
      db_connections_overflow: 0,
    });
  });

  it("know no pools of resources", async () => {
    const answer = await user.get(`${API}/resource_requests`);
    expect([answer.status, answer.json.detail[0]]).toStrictEqual([501, "NotImplementedError"]);
    for (const path of ["/actions", "/event-sources", "/plugin-flavors"]) {
      expect((await user.get(API + path)).json).toStrictEqual({ detail: "Not Found" });
    }
  });
});

describe("PUT /activate", () => {
  it("makes the first administrator of an open server, and no second one", async () => {
    await using open = await startTestServer();
    const ask = (name: string) =>
      open.call("PUT", "/api/v1/activate", { admin_username: name, admin_password: "the first password" });
    expect((await ask("first")).json).toMatchObject({ name: "first", body: { is_admin: true } });
    expect((await ask("second")).json.detail[0]).toBe("IllegalOperationError");
  });
});
