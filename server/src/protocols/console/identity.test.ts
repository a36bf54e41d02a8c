import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consoleRefusal } from "../../../test/console.ts";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { basic, bearer, machine, person, type Person } from "../../../test/principals.ts";

const API = "/console/api";

let server: TestServer;
/** Administers the platform, administers `research`, edits in it, and has no part in it. */
let root: Person;
let boss: Person;
let editor: Person;
let stranger: Person;

type Who = { headers: Record<string, string> } | undefined;

/** `route` is as in `GET /me`. */
function call(who: Who, route: string, body?: unknown): Promise<Answer> {
  const [method = "", path = ""] = route.split(" ");
  return server.call(method, API + path, body, who?.headers ?? {});
}

async function ok(who: Who, route: string, body?: unknown): Promise<Json> {
  const { status, text, json } = await call(who, route, body);
  expect([route, status, text]).toEqual([route, expect.toBeOneOf([200, 201, 204]), expect.any(String)]);
  return json;
}

const refused = async (who: Who, route: string, body?: unknown): Promise<unknown[]> =>
  consoleRefusal(await call(who, route, body)).slice(0, 2);

const forbidden = [403, "permission_denied"];
const unknown = [404, "not_found"];
const wrong = [400, "invalid_parameter"];
const conflict = [409, "invalid_state"];

let count = 0;
const fresh = (name: string): string => `${name}-${(count += 1)}`;

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  root = await person(server, "root", { isAdmin: true });
  await ok(root, "POST /workspaces", { name: "research", description: "what we look into" });
  boss = await person(server, "boss", { workspace: "research", role: "admin" });
  editor = await person(server, "editor", { workspace: "research", role: "editor" });
  stranger = await person(server, "stranger");
});
afterAll(() => server[Symbol.asyncDispose]());

describe("/me", () => {
  test("says who asks, by what, and what may be done", async () => {
    expect(await ok(root, "GET /me")).toMatchObject({
      name: "root",
      kind: "user",
      is_admin: true,
      login_required: true,
      credential: { kind: "password", max_permission: null },
      address: "127.0.0.1",
      workspaces: [{ name: "default" }, { name: "research", permission: "MANAGE", is_admin: true }],
    });
    const { is_admin, workspaces } = await ok(editor, "GET /me");
    expect({ is_admin, workspaces }).toEqual({
      is_admin: false,
      workspaces: [{ name: "research", permission: "EDIT", may_create: true, is_admin: false }],
    });
    expect((await ok(stranger, "GET /me")).workspaces).toEqual([]);
  });

  test("is the local administrator where nobody must log in, who has nothing of its own", async () => {
    await using open = await startTestServer();
    const answer = await open.get(`${API}/me`);
    expect(answer.json).toMatchObject({ kind: "local", is_admin: true, login_required: false });
    for (const path of ["keys", "devices", "sessions", "s3-keys"]) {
      expect(consoleRefusal(await open.get(`${API}/me/${path}`)).slice(0, 2)).toEqual(conflict);
    }
  });

  test("nobody learns anything without a login, and every refusal has one shape", async () => {
    for (const path of ["/me", "/users", "/roles", "/workspaces", "/audit", "/principals", "/me/keys"]) {
      const answer = await call(undefined, `GET ${path}`);
      expect([path, ...consoleRefusal(answer)]).toEqual([path, 401, "unauthenticated", expect.any(String)]);
      expect(Object.keys(answer.json)).toEqual(["error"]);
    }
    expect(await refused({ headers: basic("root", "wrong") }, "GET /me")).toEqual([401, "unauthenticated"]);
  });

  test("changes the own password, with the one before", async () => {
    const one = await person(server, fresh("person"));
    const password = "another good password";
    expect(
      await refused(one, "POST /me/password", { current_password: "not it at all", password }),
    ).not.toEqual([204, undefined]);
    expect(await refused(one, "POST /me/password", { password })).toEqual(wrong);
    expect(
      await refused(one, "POST /me/password", { current_password: one.password, password: "short" }),
    ).toEqual(wrong);
    await ok(one, "POST /me/password", { current_password: one.password, password });
    expect(await refused(one, "GET /me")).toEqual([401, "unauthenticated"]);
    await ok({ headers: basic(one.row.name, password) }, "GET /me");
  });

  test("lists the own sessions, and ends them", async () => {
    const one = await person(server, fresh("person"));
    const from = { method: "password", address: "10.0.0.1", userAgent: "a browser" } as const;
    const { cookie, sessionId } = await server.app.identity.sessions.createSession(one.row, from);
    const browser = { headers: { cookie: `plinth_session=${cookie}` } };
    const { sessions } = await ok(browser, "GET /me/sessions");
    expect(sessions).toEqual([
      expect.objectContaining({ session_id: sessionId, address: "10.0.0.1", current: true }),
    ]);
    expect((await ok(one, "GET /me/sessions")).sessions[0].current).toBe(false);
    expect(await refused(stranger, `DELETE /me/sessions/${sessionId}`)).toEqual(unknown);
    await ok(one, `DELETE /me/sessions/${sessionId}`);
    expect(await refused(browser, "GET /me")).toEqual([401, "unauthenticated"]);
  });
});

describe("users and service accounts", () => {
  test("are made, shown, changed and deleted by administrators", async () => {
    const name = fresh("user");
    const password = "a good long password";
    const made = await ok(root, "POST /users", { name, password, full_name: "A user" });
    expect(made).toMatchObject({ name, kind: "user", is_admin: false, active: true, has_password: true });
    expect(JSON.stringify(made)).not.toContain(password);
    expect(await ok(root, `GET /users/${name}`)).toEqual(made);
    const user = { headers: basic(name, password) };
    await ok(user, "GET /me");
    expect((await ok(root, `PATCH /users/${name}`, { active: false })).active).toBe(false);
    expect(await refused(user, "GET /me")).toEqual([401, "unauthenticated"]);
    const renamed = fresh("renamed");
    expect(await ok(root, `PATCH /users/${name}`, { active: true, name: renamed })).toMatchObject({
      name: renamed,
      active: true,
      uuid: made.uuid,
    });
    await ok(root, `POST /users/${renamed}/password`, { password: "some other password" });
    await ok({ headers: basic(renamed, "some other password") }, "GET /me");
    await ok(root, `DELETE /users/${renamed}`);
    expect(await refused(root, `GET /users/${renamed}`)).toEqual(unknown);
  });

  test("are told apart by kind", async () => {
    const name = fresh("robot");
    await ok(root, "POST /service-accounts", { name, description: "builds" });
    expect(await ok(root, `GET /service-accounts/${name}`)).toMatchObject({ kind: "service_account" });
    expect(await refused(root, `GET /users/${name}`)).toEqual(unknown);
    expect(await refused(root, `POST /users/${name}/password`, { password: "a good password" })).toEqual(
      unknown,
    );
    expect(await refused(root, `PATCH /service-accounts/${name}`, { is_admin: true })).toEqual(wrong);
    expect(await refused(root, "POST /users", { name })).toEqual([409, "already_exists"]);
    await ok(root, `DELETE /service-accounts/${name}`);
  });

  test("are listed in pages", async () => {
    const prefix = fresh("paged");
    for (const letter of ["a", "b", "c"]) await ok(root, "POST /users", { name: `${prefix}-${letter}` });
    const names: string[] = [];
    let token = "";
    do {
      const page = await ok(root, `GET /users?contains=${prefix}&max_results=2${token}`);
      names.push(...page.principals.map((one: Json) => one.name));
      token = page.next_page_token === undefined ? "" : `&page_token=${page.next_page_token}`;
    } while (token !== "");
    expect(names).toEqual(["a", "b", "c"].map((letter) => `${prefix}-${letter}`));
    expect(await refused(root, "GET /users?page_token=zzz")).toEqual(wrong);
    expect(await refused(root, "GET /users?max_results=0")).toEqual(wrong);
    expect(await refused(root, "GET /users?colour=red")).toEqual(wrong);
  });

  test("wrong ones are refused by name", async () => {
    for (const body of [
      { name: fresh("user"), password: "short" },
      { name: "" },
      {},
      { name: fresh("user"), colour: "red" },
      { name: fresh("user"), is_admin: "yes" },
      "text",
    ]) {
      expect([body, (await refused(root, "POST /users", body))[0]]).toEqual([body, 400]);
    }
  });

  test("the last administrator stays", async () => {
    expect(await refused(root, "PATCH /users/root", { is_admin: false })).toEqual(conflict);
    expect(await refused(root, "PATCH /users/root", { active: false })).toEqual(conflict);
    expect(await refused(root, "DELETE /users/root")).toEqual(conflict);
  });

  test("are nobody else's business", async () => {
    for (const who of [boss, editor, stranger]) {
      for (const [route, body] of [
        ["GET /users"],
        ["GET /users/root"],
        ["GET /users/nobody-at-all"],
        ["POST /users", { name: "sneaked", is_admin: true }],
        [`PATCH /users/${who.row.name}`, { is_admin: true }],
        ["POST /users/root/password", { password: "a good long password" }],
        ["DELETE /users/editor"],
        ["POST /service-accounts", { name: "sneaked" }],
        ["GET /principals/root/keys"],
        ["POST /principals/root/keys", { name: "stolen" }],
        ["GET /audit"],
        ["GET /audit/export"],
      ] as const) {
        expect([route, ...(await refused(who, route, body))]).toEqual([route, ...forbidden]);
      }
    }
  });
});

describe("keys", () => {
  test("log in as their owner until they are revoked", async () => {
    const one = await person(server, fresh("person"));
    const made = await ok(one, "POST /me/keys", { name: "laptop", expires_at: Date.now() + 60_000 });
    expect(made).toMatchObject({ name: "laptop", active: true, key: expect.stringMatching(/^plinth_/) });
    const holder = { headers: bearer(made.key) };
    expect(await ok(holder, "GET /me")).toMatchObject({
      name: one.row.name,
      credential: { kind: "api_key", id: made.key_id },
    });
    const { keys } = await ok(one, "GET /me/keys");
    expect(keys).toEqual([expect.not.objectContaining({ key: expect.anything() })]);
    const rotated = await ok(one, "POST /me/keys/laptop/rotate", { retain_minutes: 5 });
    await ok(holder, "GET /me");
    await ok({ headers: bearer(rotated.key) }, "GET /me");
    await ok(one, `PATCH /me/keys/${made.key_id}`, { active: false });
    expect(await refused(holder, "GET /me")).toEqual([401, "unauthenticated"]);
    await ok(one, "DELETE /me/keys/laptop");
    expect(await refused(one, "DELETE /me/keys/laptop")).toEqual(unknown);
  });

  test("that are limited make none, and manage nothing", async () => {
    const { key } = await ok(root, "POST /me/keys", { name: fresh("limited"), max_permission: "READ" });
    const limited = { headers: bearer(key) };
    expect(await ok(limited, "GET /me")).toMatchObject({
      is_admin: false,
      credential: { max_permission: "READ" },
    });
    for (const [route, body] of [
      ["POST /me/keys", { name: "more" }],
      ["POST /me/s3-keys", {}],
      ["POST /me/password", { current_password: root.password, password: "a good long password" }],
      ["POST /me/devices", { user_code: "BCDF-GHJK" }],
      ["POST /users", { name: "sneaked" }],
      ["PUT /roles/research/admin/assignments/stranger"],
      ["POST /workspaces", { name: "sneaked" }],
    ] as const) {
      expect([route, ...(await refused(limited, route, body))]).toEqual([route, ...forbidden]);
    }
  });

  test("of others are made by administrators, for service accounts too", async () => {
    const { row } = await machine(server, fresh("machine"));
    const path = `/principals/${row.name}/keys`;
    const { key } = await ok(root, `POST ${path}`, { name: "second", workspaces: ["research"] });
    expect(await ok({ headers: bearer(key) }, "GET /me")).toMatchObject({ name: row.name });
    expect((await ok(root, `GET ${path}`)).keys.map((one: Json) => one.name)).toEqual(["key", "second"]);
    expect(await refused(root, `POST ${path}`, { name: "third", workspaces: ["nowhere"] })).toEqual(unknown);
    expect(await refused(root, `POST ${path}`, { name: "third", expires_at: 1 })).toEqual(wrong);
    expect(await refused(root, `POST ${path}`, { name: "second" })).toEqual([409, "already_exists"]);
    expect(await refused(root, "POST /principals/nobody/keys", { name: "k" })).toEqual(unknown);
  });

  test("for S3 show their secret once", async () => {
    const one = await person(server, fresh("person"));
    const made = await ok(one, "POST /me/s3-keys", { max_permission: "READ", description: "backups" });
    expect(made).toMatchObject({ secret_access_key: expect.any(String), max_permission: "READ" });
    const { keys } = await ok(one, "GET /me/s3-keys");
    expect(JSON.stringify(keys)).not.toContain(made.secret_access_key);
    expect(await refused(stranger, `DELETE /me/s3-keys/${made.access_key_id}`)).toEqual(unknown);
    await ok(one, `DELETE /me/s3-keys/${made.access_key_id}`);
    expect((await ok(one, "GET /me/s3-keys")).keys).toEqual([]);
  });
});

describe("roles", () => {
  test("of a workspace are managed by its administrators", async () => {
    const role = fresh("reader");
    await ok(boss, "POST /roles", { workspace: "research", name: role, description: "reads one" });
    const path = `/roles/research/${role}`;
    const on = { resource_type: "experiment", pattern: "7" };
    await ok(boss, `PUT ${path}/grants`, { ...on, permission: "READ" });
    await ok(boss, `PUT ${path}/grants`, { ...on, permission: "EDIT" });
    await ok(boss, `PUT ${path}/grants`, {
      resource_type: "bucket",
      pattern: "artifacts/projects/team",
      permission: "READ",
    });
    expect(await ok(boss, `GET ${path}`)).toMatchObject({
      name: role,
      workspace: "research",
      kind: "custom",
      grants: [
        { ...on, permission: "EDIT" },
        { resource_type: "bucket", pattern: "artifacts/projects/team", permission: "READ" },
      ],
    });
    await ok(boss, `PUT ${path}/assignments/stranger`);
    await ok(boss, `PUT ${path}/assignments/stranger`);
    expect((await ok(boss, `GET ${path}/assignments`)).assignments).toEqual([
      { principal: "stranger", kind: "user", source: "manual" },
    ]);
    expect((await ok(stranger, "GET /me")).workspaces).toMatchObject([{ name: "research" }]);
    await ok(boss, `DELETE ${path}/assignments/stranger`);
    expect(await refused(boss, `DELETE ${path}/assignments/stranger`)).toEqual(unknown);
    expect((await ok(stranger, "GET /me")).workspaces).toEqual([]);
    await ok(boss, `DELETE ${path}/grants?resource_type=experiment&pattern=7`);
    expect(await refused(boss, `DELETE ${path}/grants?resource_type=experiment&pattern=7`)).toEqual(unknown);
    await ok(boss, `PATCH ${path}`, { description: "reads nothing" });
    await ok(boss, `DELETE ${path}`);
    expect(await refused(boss, `GET ${path}`)).toEqual(unknown);
  });

  test("are listed with the builtin ones, which cannot be changed", async () => {
    const { roles } = await ok(boss, "GET /roles?workspace=research");
    expect(roles.map((one: Json) => one.name)).toEqual(expect.arrayContaining(["viewer", "editor", "admin"]));
    const grant = { resource_type: "experiment", pattern: "*", permission: "MANAGE" };
    expect(await refused(boss, "PUT /roles/research/viewer/grants", grant)).toEqual(conflict);
    expect(await refused(boss, "DELETE /roles/research/viewer")).toEqual(conflict);
  });

  test("of other workspaces, and of the platform, are not theirs; which there are is not told", async () => {
    for (const who of [boss, editor, stranger]) {
      for (const place of ["default", "nowhere", "-", ...(who === boss ? [] : ["research"])]) {
        const answers = [
          await refused(who, `GET /roles?workspace=${place}`),
          await refused(who, "POST /roles", { workspace: place, name: "sneaked" }),
          await refused(who, `GET /roles/${place}/viewer`),
          await refused(who, `GET /roles/${place}/no-such-role`),
          await refused(who, `PUT /roles/${place}/admin/assignments/${who.row.name}`),
          await refused(who, `GET /principals?workspace=${place}`),
        ];
        expect([who.row.name, place, answers]).toEqual([
          who.row.name,
          place,
          answers.map((_, index) => (place === "-" && index === 5 ? answers[5] : forbidden)),
        ]);
        expect(answers[5]?.[0]).toBeGreaterThanOrEqual(400);
      }
    }
  });

  test("of the platform are the platform administrators'", async () => {
    const { roles } = await ok(root, "GET /roles?workspace=-");
    expect(roles).toEqual([expect.objectContaining({ name: "monitor", workspace: null })]);
    const { row } = await machine(server, fresh("monitoring"));
    await ok(root, `PUT /roles/-/monitor/assignments/${row.name}`);
    expect((await ok(root, "GET /roles/-/monitor/assignments?max_results=1")).assignments).toEqual([
      { principal: row.name, kind: "service_account", source: "manual" },
    ]);
  });

  test("grants of no sense are refused", async () => {
    const role = fresh("role");
    await ok(boss, "POST /roles", { workspace: "research", name: role });
    for (const grant of [
      { resource_type: "experiment", pattern: "x", permission: "READ" },
      { resource_type: "server", pattern: "*", permission: "MANAGE" },
      { resource_type: "nothing", pattern: "*", permission: "READ" },
      { resource_type: "experiment", pattern: "7", permission: "OWN" },
    ]) {
      expect([grant, ...(await refused(boss, `PUT /roles/research/${role}/grants`, grant))]).toEqual([
        grant,
        ...wrong,
      ]);
    }
    expect(await refused(boss, `PUT /roles/research/${role}/assignments/nobody-at-all`)).toEqual(unknown);
    expect(await refused(boss, "POST /roles", { workspace: "research", name: "__mine" })).toEqual(wrong);
  });

  test("are given to whom their administrators find by name, and see nothing more of", async () => {
    const { principals } = await ok(boss, "GET /principals?workspace=research&contains=strang");
    expect(principals).toEqual([{ name: "stranger", kind: "user", full_name: null, active: true }]);
  });
});

describe("workspaces", () => {
  test("are made, protected and deleted by platform administrators, and described by their own", async () => {
    const name = fresh("space");
    expect(await ok(root, "POST /workspaces", { name })).toMatchObject({ name, protected: false });
    expect((await ok(root, `PATCH /workspaces/${name}`, { protected: true })).protected).toBe(true);
    expect((await ok(root, `PATCH /workspaces/${name}`, { description: "d" })).protected).toBe(true);
    await ok(boss, "PATCH /workspaces/research", { description: "ours" });
    for (const change of [{ protected: false }, { default_artifact_root: "s3://elsewhere/x" }]) {
      expect(await refused(boss, "PATCH /workspaces/research", change)).toEqual(forbidden);
    }
    expect(await refused(boss, "DELETE /workspaces/research")).toEqual(forbidden);
    expect(await refused(editor, "PATCH /workspaces/research", { description: "mine" })).toEqual(forbidden);
    await ok(root, `DELETE /workspaces/${name}`);
    expect(await refused(root, `GET /workspaces/${name}`)).toEqual(unknown);
  });

  test("are seen by those who have a part in them", async () => {
    const names = async (who: Person): Promise<string[]> =>
      (await ok(who, "GET /workspaces")).workspaces.map((one: Json) => one.name);
    expect(await names(root)).toEqual(expect.arrayContaining(["default", "research"]));
    expect(await names(editor)).toEqual(["research"]);
    expect(await names(stranger)).toEqual([]);
    for (const place of ["research", "nowhere"]) {
      expect(await refused(stranger, `GET /workspaces/${place}`)).toEqual(forbidden);
    }
  });
});

describe("the audit log", () => {
  test("tells who did what to whom, in pages and as lines", async () => {
    const name = fresh("audited");
    await ok(root, "POST /users", { name, password: "a password to be kept" });
    await refused(stranger, `DELETE /users/${name}`);
    await ok(root, `DELETE /users/${name}`);
    await server.app.identity.audit.flush(true);
    const query = `resource_type=user&resource_id=${name}`;
    const { events } = await ok(root, `GET /audit?${query}`);
    expect(events.map((event: Json) => [event.principal, event.action, event.outcome])).toEqual([
      ["root", "users.delete", "allowed"],
      ["root", "users.create", "allowed"],
    ]);
    expect(events[0]).toMatchObject({ address: "127.0.0.1", credential_kind: "password", count: 1 });
    expect((await ok(root, "GET /audit?principal=stranger&outcome=denied")).events).not.toEqual([]);
    const first = await ok(root, `GET /audit?${query}&max_results=1`);
    const second = await ok(root, `GET /audit?${query}&max_results=1&page_token=${first.next_page_token}`);
    expect([...first.events, ...second.events]).toEqual(events);
    const fetchLines = (question: string): Promise<Response> =>
      fetch(`${server.url}${API}/audit/export${question}`, { headers: root.headers });
    const lines = await fetchLines(`?${query}`);
    expect(lines.headers.get("content-type")).toContain("application/x-ndjson");
    expect(
      (await lines.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([...events].toReversed());
    expect(await (await fetchLines("")).text()).not.toContain("a password to be kept");
    expect(await refused(root, "GET /audit?outcome=maybe")).toEqual(wrong);
  });
});

describe("devices", () => {
  test("are let in by their code, as who approves, and refused once they are revoked", async () => {
    const { devices } = server.app.identity;
    const clientId = "7a6c5bd4-3f0f-4a8f-9f57-0a8d0c6f1f11";
    const started = await devices.startDevice(clientId, { address: "10.1.2.3", hostname: "laptop" });
    const body = { user_code: started.userCode.toLowerCase() };
    expect(await ok(editor, "POST /me/devices/find", body)).toMatchObject({ hostname: "laptop" });
    expect(await refused(editor, "POST /me/devices/find", { user_code: "ZZZZ-ZZZZ" })).toEqual(unknown);
    const device = await ok(editor, "POST /me/devices", body);
    expect(await devices.pollDevice(clientId, started.deviceCode)).toMatchObject({
      outcome: "granted",
      principalUuid: editor.row.uuid,
    });
    expect((await ok(editor, "GET /me/devices")).devices).toMatchObject([{ device_id: device.device_id }]);
    expect(await refused(stranger, `DELETE /me/devices/${device.device_id}`)).toEqual(unknown);
    const change = `PATCH /me/devices/${device.device_id}`;
    expect(await refused(stranger, change, { locked: true })).toEqual(unknown);
    expect((await ok(editor, change, { locked: true })).status).toBe("locked");
    expect((await ok(editor, change, { locked: false })).status).toBe("active");
    await ok(editor, `DELETE /me/devices/${device.device_id}`);
    expect((await ok(editor, "GET /me/devices")).devices).toEqual([]);
  });
});
