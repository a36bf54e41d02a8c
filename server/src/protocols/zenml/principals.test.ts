import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { basic, bearer, machine, person, type Person } from "../../../test/principals.ts";

const flags = { login: "required", "secrets-key": randomBytes(32).toString("base64") } as const;

let server: TestServer;
let admin: Person;
let user: Person;

beforeAll(async () => {
  server = await startTestServer(flags);
  admin = await person(server, "root", { isAdmin: true, email: "root@example.com" });
  user = await person(server, "ada", { email: "ada@example.com", full_name: "Ada L." });
});
afterAll(() => server[Symbol.asyncDispose]());

type Method = "GET" | "POST" | "PUT" | "DELETE";
type Ask = (path: string, as: { headers: Record<string, string> }, body?: unknown) => Promise<Answer>;

const by =
  (method: Method): Ask =>
  (path, { headers }, body) =>
    server.call(method, `/api/v1${path}`, body, headers);
const [get, post, put, remove] = [by("GET"), by("POST"), by("PUT"), by("DELETE")];

const forbidden = { detail: ["IllegalOperationError", expect.any(String)] };
const missing = { detail: ["KeyError", expect.stringMatching(/^["'].*["']$/)] };

const userShape = {
  id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  permission_denied: false,
  resources: null,
  body: {
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/),
    updated: expect.any(String),
    active: true,
    activation_token: null,
    email_opted_in: null,
    is_service_account: false,
    default_project_id: null,
    avatar_url: null,
  },
};

describe("users", () => {
  test("are made, changed and removed by administrators, as the clients ask for it", async () => {
    // What `zenml user create` of 0.98.0 sends, and that of 0.84.0 but for two fields.
    const asked = {
      email: null,
      email_opted_in: null,
      password: "a password of bob",
      activation_token: null,
      external_user_id: null,
      user_metadata: null,
      oidc_claims: null,
      avatar_url: null,
      name: "bob",
      full_name: "",
      is_admin: false,
      active: true,
    };
    const made = await post("/users", admin, asked);
    expect([made.status, made.json]).toEqual([
      200,
      {
        ...userShape,
        name: "bob",
        body: { ...userShape.body, full_name: "", is_admin: false },
        metadata: {
          password_changed_at: null,
          email: null,
          external_user_id: null,
          user_metadata: {},
          oidc_claims: {},
        },
      },
    ]);
    const again = await post("/users", admin, asked);
    expect([again.status, again.json.detail[0]]).toEqual([409, "EntityExistsError"]);
    const bob = { headers: basic("bob", "a password of bob") };
    expect((await get("/current-user", bob)).json.name).toBe("bob");

    const path = `/users/${made.json.id}`;
    const change = {
      name: "Bob",
      full_name: "Bob B.",
      is_admin: true,
      password: null,
    };
    const changed = await put(path, admin, change);
    expect(changed.json).toMatchObject({
      id: made.json.id,
      name: "Bob",
      body: { full_name: "Bob B.", is_admin: true },
    });
    for (const theirs of [{ email: "b@example.com" }, { password: "a new password of bob" }]) {
      expect(await put(path, admin, theirs)).toMatchObject({ status: 403, json: forbidden });
    }
    expect((await get("/current-user", bob)).status).toBe(401);
    const renamed = { headers: basic("Bob", "a password of bob") };
    expect((await get("/current-user", renamed)).status).toBe(200);
    expect((await put(path, admin, { active: false })).json.body.active).toBe(false);
    expect((await get("/current-user", renamed)).status).toBe(401);
    const removed = await remove("/users/Bob", admin);
    expect([removed.status, removed.text]).toEqual([200, "null"]);
    expect(await get(path, admin)).toMatchObject({ status: 404, json: missing });
  });

  test("without a password set it themselves, with a token that works once", async () => {
    const made = await post("/users", admin, { name: "eve", is_admin: false });
    const token = made.json.body.activation_token as string;
    expect(made.json.body).toMatchObject({ active: false, activation_token: expect.any(String) });
    expect((await get("/users/eve", admin)).json.body.activation_token).toBeNull();
    const nobody = { headers: {} };
    const given = { activation_token: token, password: "the password of eve" };
    const wrong = await put("/users/eve/activate", nobody, { ...given, activation_token: "x" });
    expect([wrong.status, wrong.json.detail[0]]).toEqual([401, "CredentialsNotValid"]);
    // Of nobody, so that names cannot be tried.
    const unknown = await put("/users/nobody/activate", nobody, given);
    expect([unknown.status, unknown.json]).toEqual([wrong.status, wrong.json]);
    expect((await put("/users/eve/activate", nobody, given)).json.body.active).toBe(true);
    expect((await put("/users/eve/activate", nobody, given)).status).toBe(401);
    const eve = { headers: basic("eve", "the password of eve") };
    expect((await get("/current-user", eve)).status).toBe(200);
    const off = await put("/users/eve/deactivate", admin);
    expect(off.json.body).toMatchObject({ active: false, activation_token: expect.any(String) });
    expect((await get("/current-user", eve)).status).toBe(401);
  });

  test("are seen by administrators and by themselves, their e-mail addresses by themselves", async () => {
    for (const nameOrId of [admin.row.uuid, "root", "nobody-at-all"]) {
      expect(await get(`/users/${nameOrId}`, user)).toMatchObject({ status: 403, json: forbidden });
    }
    expect((await get("/users?name=root", user)).json.total).toBe(0);
    expect((await get("/users", user)).json).toMatchObject({ total: 1, items: [{ name: "ada" }] });
    expect((await get("/users?email=ada@example.com", admin)).json).toMatchObject({ total: 1 });
    expect((await get("/users/ada", admin)).json).toMatchObject({ name: "ada", metadata: { email: null } });
    const { json: me } = await get("/current-user", user);
    expect(me).toMatchObject({
      name: "ada",
      body: { full_name: "Ada L." },
      metadata: { email: "ada@example.com", password_changed_at: expect.any(String) },
    });
  });

  test("change themselves, but not what they may; their password only with the one before", async () => {
    const self = await person(server, "self");
    const changed = await put("/current-user", self, { full_name: "Self", is_admin: null });
    expect(changed.json.body.full_name).toBe("Self");
    const byId = await put(`/users/${self.row.uuid}`, self, { full_name: "Selves" });
    expect(byId.json.body.full_name).toBe("Selves");
    for (const body of [
      { is_admin: true },
      { active: false },
      { name: "root" },
      { password: "one without the old" },
    ]) {
      for (const path of ["/current-user", "/users/self"]) {
        expect(await put(path, self, body)).toMatchObject({ status: 403, json: forbidden });
      }
    }
    const password = "a new password for self";
    const wrong = await put("/current-user", self, { password, old_password: "not the one" });
    expect([wrong.status, wrong.json]).toEqual([403, forbidden]);
    const weak = await put("/current-user", self, { password: "x", old_password: self.password });
    expect([weak.status, weak.json.detail[0]]).toEqual([400, "ValueError"]);
    const set = await put("/current-user", self, { password, old_password: self.password });
    expect(set.status).toBe(200);
    expect((await get("/current-user", self)).status).toBe(401);
    expect((await get("/current-user", { headers: basic("self", password) })).status).toBe(200);
  });

  test("with a limited key change nothing of themselves", async () => {
    const { apiKeys } = server.app.identity;
    const limits = { name: "limited", maxPermission: "EDIT" } as const;
    const { key } = await apiKeys.createApiKey({ name: "ada" }, limits);
    const limited = { headers: bearer(key) };
    expect((await put("/current-user", limited, { full_name: "x" })).status).toBe(403);
    const adminKey = await apiKeys.createApiKey({ name: "root" }, limits);
    const body = { name: "made-by-key", is_admin: true };
    expect((await post("/users", { headers: bearer(adminKey.key) }, body)).status).toBe(403);
  });

  test("keep what ZenML's dashboard says of them", async () => {
    const guest = await person(server, "guest", { role: "viewer" });
    const { id } = (await get("/projects/default", guest)).json;
    const profile = {
      avatar_url: "https://images.example/ada.png",
      user_metadata: { tour: [1, { done: true }] },
      email: "guest@example.com",
      default_project_id: id,
      // Not theirs to say.
      oidc_claims: { groups: ["ml"] },
      external_user_id: "1b671a64-40d5-491e-99b0-da01ff1f3341",
    };
    const kept = {
      body: { avatar_url: profile.avatar_url, email_opted_in: true, default_project_id: id },
      metadata: {
        user_metadata: profile.user_metadata,
        oidc_claims: {},
        external_user_id: null,
      },
    };
    expect((await put("/current-user", guest, profile)).json).toMatchObject(kept);
    expect((await put("/current-user", guest, { full_name: "Ada" })).json).toMatchObject(kept);
    expect((await get("/users/guest", admin)).json).toMatchObject(kept);
    const unasked = await put("/current-user", guest, { email_opted_in: true });
    expect([unasked.status, unasked.json[0]]).toEqual([422, "ValueError"]);
    const none = { avatar_url: null, email_opted_in: null, default_project_id: null };
    expect((await put("/current-user", guest, none)).json.body).toMatchObject(none);
    const nowhere = { default_project_id: "1b671a64-40d5-491e-99b0-da01ff1f3342" };
    expect((await put("/current-user", guest, nowhere)).status).toBe(404);
  });

  test("answer for themselves whether they want letters", async () => {
    const guest = await person(server, "reader");
    const id = guest.row.uuid;
    const answer = await put(`/users/${id}/email-opt-in`, guest, {
      email: "ada@x.example",
      email_opted_in: false,
    });
    expect(answer.json.body.email_opted_in).toBe(false);
    expect((await get("/current-user", guest)).json.metadata.email).toBe("ada@x.example");
    const other = await put(`/users/${id}/email-opt-in`, admin, { email_opted_in: false });
    expect([other.status, other.json.detail[0]]).toEqual([401, "AuthorizationException"]);
  });

  test("who made what is still there are not deleted", async () => {
    const maker = await person(server, "maker", { role: "editor" });
    const made = await server.call(
      "POST",
      "/api/v1/code_repositories",
      {
        project: (await get("/projects/default", admin)).json.id,
        name: "theirs",
        source: { module: "a", type: "code_repository" },
        config: {},
      },
      maker.headers,
    );
    expect(made.status).toBe(200);
    expect(await remove("/users/maker", admin)).toMatchObject({ status: 403, json: forbidden });
    const elsewhere = await server.call("DELETE", "/console/api/users/maker", undefined, admin.headers);
    expect(elsewhere.status).toBe(409);
    expect(elsewhere.text).toContain("still there");
    await server.call("DELETE", `/api/v1/code_repositories/${made.json.id}`, undefined, maker.headers);
    expect((await remove("/users/maker", admin)).status).toBe(200);
  });

  test("of the last administrator and of oneself stay", async () => {
    expect(await remove("/users/root", admin)).toMatchObject({ status: 403, json: forbidden });
    expect(await put("/users/root/deactivate", admin)).toMatchObject({ status: 403, json: forbidden });
  });
});

describe("service accounts", () => {
  test("have keys that are shown once, rotated and removed", async () => {
    const made = await post("/service_accounts", admin, {
      name: "sa2",
      full_name: "",
      description: "builds",
      active: true,
      avatar_url: null,
    });
    expect(made.json).toEqual({
      id: expect.any(String),
      name: "sa2",
      permission_denied: false,
      body: {
        created: expect.any(String),
        updated: expect.any(String),
        full_name: "",
        active: true,
        avatar_url: null,
      },
      metadata: { description: "builds", external_user_id: null },
      resources: null,
    });
    const keys = `/service_accounts/${made.json.id}/api_keys`;
    const key = await post(keys, admin, { name: "default", description: "Default API key." });
    expect(key.json).toEqual({
      id: expect.any(String),
      name: "default",
      permission_denied: false,
      body: {
        created: expect.any(String),
        updated: expect.any(String),
        key: expect.stringMatching(/^ZENKEY_/),
        active: true,
        service_account: expect.objectContaining({ id: made.json.id, name: "sa2" }),
      },
      metadata: {
        description: "Default API key.",
        retain_period_minutes: 0,
        last_login: null,
        last_rotated: null,
      },
      resources: null,
    });
    const first = { headers: bearer(key.json.body.key as string) };
    expect((await get("/current-user", first)).json.name).toBe("sa2");

    expect((await get(`${keys}/default`, admin)).json.body.key).toBeNull();
    const listed = await get(`${keys}?name=equals:default&hydrate=true`, admin);
    expect(listed.json).toMatchObject({
      index: 1,
      max_size: 20,
      total_pages: 1,
      total: 1,
      items: [{ name: "default" }],
    });
    expect(listed.json.items[0].body.key).toBeNull();

    const kept = await put(`${keys}/${key.json.id}/rotate`, admin, { retain_period_minutes: 5 });
    const second = { headers: bearer(kept.json.body.key as string) };
    const rotated = await get(`${keys}/default`, admin);
    expect(rotated.json.metadata).toMatchObject({
      retain_period_minutes: 5,
      last_rotated: expect.any(String),
    });
    for (const as of [first, second]) expect((await get("/current-user", as)).status).toBe(200);
    const third = await put(`${keys}/default/rotate`, admin, {});
    for (const as of [first, second]) expect((await get("/current-user", as)).status).toBe(401);
    const last = { headers: bearer(third.json.body.key as string) };
    const off = { name: null, description: null, active: false };
    expect((await put(`${keys}/${key.json.id}`, admin, off)).json).toMatchObject({
      name: "default",
      body: { active: false },
      metadata: { description: "Default API key." },
    });
    expect((await get("/current-user", last)).status).toBe(401);
    expect((await remove(`${keys}/${key.json.id}`, admin)).text).toBe("null");
    expect(await get(`${keys}/default`, admin)).toMatchObject({ status: 404, json: missing });

    const renamed = { name: "sa3", active: false };
    expect((await put(`/service_accounts/${made.json.id}`, admin, renamed)).json).toMatchObject({
      name: "sa3",
      body: { active: false },
    });
    expect((await remove("/service_accounts/sa3", admin)).text).toBe("null");
    expect((await get(`/service_accounts/${made.json.id}`, admin)).status).toBe(404);
  });

  test("are not users, and their keys are asked for by id", async () => {
    const { row } = await machine(server, "robot");
    expect((await get("/service_accounts/ada", admin)).status).toBe(404);
    expect((await remove("/service_accounts/ada", admin)).status).toBe(404);
    expect((await get("/users/robot", admin)).status).toBe(404);
    expect((await remove("/users/robot", admin)).status).toBe(404);
    expect((await put("/users/robot", admin, { is_admin: true })).status).toBe(404);
    expect((await get("/service_accounts/robot", admin)).json.name).toBe("robot");
    expect((await get("/service_accounts/robot/api_keys", admin)).status).toBe(422);
    expect((await get(`/service_accounts/${row.uuid}/api_keys`, admin)).json.total).toBe(1);
    expect((await get(`/service_accounts/${user.row.uuid}/api_keys`, admin)).status).toBe(404);
  });
});

describe("who is no administrator", () => {
  test("makes, changes and removes no users, accounts or keys", async () => {
    const { row, headers, keyId } = await machine(server, "plain");
    const account = `/service_accounts/${row.uuid}`;
    const attempts: [Method, string, unknown][] = [
      ["POST", "/users", { name: "x", is_admin: false }],
      ["PUT", "/users/root", { full_name: "x" }],
      ["PUT", "/users/nobody-at-all", { full_name: "x" }],
      ["DELETE", "/users/root", undefined],
      ["PUT", "/users/root/deactivate", undefined],
      ["POST", "/service_accounts", { name: "x", active: true }],
      ["PUT", account, { name: "x" }],
      ["DELETE", account, undefined],
      ["POST", `${account}/api_keys`, { name: "x" }],
      ["PUT", `${account}/api_keys/${keyId}`, { active: false }],
      ["PUT", `${account}/api_keys/${keyId}/rotate`, {}],
      ["DELETE", `${account}/api_keys/${keyId}`, undefined],
      ["PUT", "/activate", { admin_username: "x", admin_password: "a long password" }],
    ];
    for (const [method, path, body] of attempts) {
      for (const as of [user, { headers }]) {
        const answer = await by(method)(path, as, body);
        expect([method, path, answer.status, answer.json]).toEqual([method, path, 403, forbidden]);
      }
      expect((await by(method)(path, { headers: {} }, body)).status).toBe(401);
    }
  });

  test("nor within the moments in which another process does not know yet that it is none any more", async () => {
    await using beside = await startTestServer(flags, server);
    const demoted = await person(server, "demoted", { isAdmin: true });
    const ask = (path: string, method: Method, body?: unknown) =>
      beside.call(method, `/api/v1${path}`, body, demoted.headers);
    expect((await ask("/current-user", "GET")).json.body.is_admin).toBe(true);
    await server.app.identity.principals.setAdmin({ name: "demoted" }, false);
    const answer = await ask("/users", "POST", { name: "made-too-late", is_admin: true });
    expect([answer.status, answer.json]).toEqual([403, forbidden]);
  });
});
