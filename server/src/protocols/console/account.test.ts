import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser, type TestBrowser } from "../../../test/browser.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";

const PASSWORD = "correct horse battery staple";
const OTHER = "another long enough password";

let server: TestServer;
let browser: TestBrowser;
let count = 0;
let name: string;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => {
  count += 1;
  name = `user-${count}`;
  await server.app.identity.principals.createPrincipal({ kind: "user", name, password: PASSWORD });
  browser = openBrowser(server);
  await browser.logIn(name, PASSWORD);
  await browser.open("/plinth/account");
});

const change = (fields: Record<string, string>): ReturnType<TestBrowser["submit"]> =>
  browser.submit("/plinth/account/password", fields);

test("all forms of the first page after a login work", async () => {
  const fresh = openBrowser(server);
  await fresh.logIn(name, PASSWORD);
  const page = await fresh.open("/plinth/account");
  const tokens = [...page.text.matchAll(/name="form_token" value="([\w-]+)"/g)].map(([, token]) => token);
  expect(tokens.length).toBeGreaterThan(2);
  expect(new Set(tokens).size).toBe(1);
  expect((await fresh.submit("/plinth/logout", {})).status).toBe(303);
});

describe("a password", () => {
  test("is changed with the current one, and logs out everywhere else", async () => {
    const other = openBrowser(server);
    await other.logIn(name, PASSWORD);
    const before = browser.cookies.get("plinth_session");
    const answer = await change({ current: PASSWORD, password: OTHER, repeated: OTHER });
    expect([answer.status, answer.location]).toEqual([303, "/plinth/account?done=password"]);
    expect(browser.cookies.get("plinth_session")).not.toBe(before);
    const page = await browser.open("/plinth/account?done=password");
    expect(page.text).toContain("The password is changed.");
    expect((await other.open("/plinth/account")).status).toBe(303);
    const again = openBrowser(server);
    expect((await again.logIn(name, PASSWORD)).status).toBe(401);
    expect((await again.logIn(name, OTHER)).status).toBe(303);
  });

  test.each([
    ["without the current one", { current: "", password: OTHER, repeated: OTHER }],
    ["with a wrong one", { current: "something else entirely", password: OTHER, repeated: OTHER }],
    ["to one that is too short", { current: PASSWORD, password: "short", repeated: "short" }],
    ["to two that differ", { current: PASSWORD, password: OTHER, repeated: `${OTHER}.` }],
  ])("is not changed %s", async (_what, fields) => {
    const answer = await change(fields);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('role="alert"');
    expect(answer.text).not.toContain(OTHER);
    expect((await openBrowser(server).logIn(name, PASSWORD)).status).toBe(303);
  });
});

describe("a key", () => {
  const make = (fields: Record<string, string>): ReturnType<TestBrowser["submit"]> =>
    browser.submit("/plinth/account/keys", {
      name: "of a job",
      days: "90",
      max_permission: "",
      workspaces: "",
      ...fields,
    });
  const shown = (text: string): string => /<code id="new-key">([^<]*)</.exec(text)?.[1] ?? "";
  const asks = async (key: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await server.call("GET", "/api/2.0/mlflow/users/current", undefined, headers)).status;
  };

  test("is shown once, works, and does not any more once it is deleted", async () => {
    const answer = await make({});
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const key = shown(answer.text);
    expect(await asks(key)).toBe(200);
    const page = await browser.open("/plinth/account");
    expect(page.text).not.toContain(key);
    expect(page.text).toContain("of a job");
    const [, id = ""] = /name="key_id" value="([^"]+)"/.exec(page.text) ?? [];
    expect((await browser.submit("/plinth/account/keys/delete", { key_id: id })).location).toContain(
      "done=key",
    );
    expect(await asks(key)).toBe(401);
  });

  test("may be limited, and expires", async () => {
    await make({ days: "7", max_permission: "READ", workspaces: "default" });
    const [row] = await server.app.identity.apiKeys.listApiKeys({ name });
    expect(row).toMatchObject({ max_permission: "READ", workspaces: ["default"] });
    expect((row?.expires_at ?? 0) - Date.now()).toBeLessThanOrEqual(7 * 86_400_000);
  });

  test.each([
    ["without a name", { name: "" }],
    ["for no number of days", { days: "soon" }],
    ["with more than one may have", { max_permission: "MANAGE" }],
    ["in a workspace that is not there", { workspaces: "nowhere" }],
  ])("is not made %s", async (_what, fields) => {
    const answer = await make(fields);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(shown(answer.text)).toBe("");
    expect(await server.app.identity.apiKeys.listApiKeys({ name })).toEqual([]);
  });

  test("opens no account: it could make itself more than it is", async () => {
    const key = shown((await make({ max_permission: "READ" })).text);
    const answer = await server.call("GET", "/plinth/account", undefined, { authorization: `Bearer ${key}` });
    expect(answer.status).toBe(403);
  });

  test("of somebody else is not deleted", async () => {
    await server.app.identity.principals.createPrincipal({ kind: "service_account", name: `robot-${count}` });
    const { row, key } = await server.app.identity.apiKeys.createApiKey(
      { name: `robot-${count}` },
      { name: "key" },
    );
    const answer = await browser.submit("/plinth/account/keys/delete", { key_id: row.key_id });
    expect(answer.status).toBe(404);
    expect(await asks(key)).toBe(200);
  });
});

describe("a session", () => {
  test("is listed, and ended by its owner alone", async () => {
    const other = openBrowser(server);
    await other.logIn(name, PASSWORD);
    const page = await browser.open("/plinth/account");
    expect(page.text.match(/name="session_id"/g)).toHaveLength(2);
    expect(page.text).toContain("This browser");
    const id = (of: TestBrowser): string =>
      (of.cookies.get("plinth_session") ?? "").replace(
        /^(.{8})(.{4})(.{4})(.{4})(.{12}).*/,
        "$1-$2-$3-$4-$5",
      );
    const stranger = openBrowser(server);
    await server.app.identity.principals.createPrincipal({
      kind: "user",
      name: `x-${count}`,
      password: PASSWORD,
    });
    await stranger.logIn(`x-${count}`, PASSWORD);
    await stranger.open("/plinth/account");
    expect((await stranger.submit("/plinth/account/sessions/end", { session_id: id(other) })).status).toBe(
      404,
    );
    expect((await other.open("/plinth/account")).status).toBe(200);
    expect((await browser.submit("/plinth/account/sessions/end", { session_id: id(other) })).status).toBe(
      303,
    );
    expect((await other.open("/plinth/account")).status).toBe(303);
    expect((await browser.open("/plinth/account")).status).toBe(200);
  });
});

describe("a device", () => {
  const begin = () =>
    server.app.identity.devices.startDevice(randomUUID(), {
      address: "127.0.0.1",
      hostname: "<b>laptop</b>",
    });

  test("is let in by a person, and by nobody without the code", async () => {
    const { device, userCode } = await begin();
    const path = `/devices/verify?device_id=${device.device_id}&user_code=${userCode}`;
    expect((await openBrowser(server).open(path)).location).toBe(
      `/plinth/login?next=${encodeURIComponent(path)}`,
    );
    const page = await browser.open(path);
    expect(page.text).toContain("&lt;b&gt;laptop&lt;/b&gt;");
    expect(page.text).toContain(userCode);
    const wrong = await browser.submit("/devices/verify", {
      device_id: device.device_id,
      user_code: "BBBB-BBBB",
    });
    expect(wrong.status).toBe(400);
    const done = await browser.submit("/devices/verify", {
      device_id: device.device_id,
      user_code: userCode,
    });
    expect([done.status, done.text.includes("The device is in")]).toEqual([200, true]);
    const { principal_id } = await server.app.identity.principals.getPrincipal({ name });
    expect(await server.app.identity.devices.getDevice(device.device_id)).toMatchObject({
      status: "verified",
      principal_id,
    });
  });

  test("is found by its code alone, which a person types", async () => {
    const { device, userCode } = await begin();
    await browser.open("/devices/verify");
    const typed = userCode.toLowerCase().replace("-", " ");
    const done = await browser.submit("/devices/verify", { device_id: "", user_code: typed });
    expect(done.status).toBe(200);
    expect(await server.app.identity.devices.getDevice(device.device_id)).toMatchObject({
      status: "verified",
    });
    const none = await browser.submit("/devices/verify", { device_id: "", user_code: "CCCC-CCCC" });
    expect(none.status).toBe(400);
  });

  test("is not let in by another site, nor by a key", async () => {
    const { device, userCode } = await begin();
    const fields = { device_id: device.device_id, user_code: userCode };
    await browser.open("/devices/verify");
    const forged = await browser.submit("/devices/verify", fields, { "sec-fetch-site": "cross-site" });
    expect(forged.status).toBe(403);
    const { key } = await server.app.identity.apiKeys.createApiKey(
      { name },
      { name: "limited", maxPermission: "READ" },
    );
    const byKey = await server.call("GET", "/devices/verify", undefined, { authorization: `Bearer ${key}` });
    expect(byKey.status).toBe(403);
    expect(await server.app.identity.devices.getDevice(device.device_id)).toMatchObject({
      status: "pending",
    });
  });
});

describe("somebody new", () => {
  test("sets a first password with the token, once, and is logged in", async () => {
    const { principals } = server.app.identity;
    await principals.createPrincipal({ kind: "user", name: `new-${count}` });
    const token = await principals.issueActivationToken({ name: `new-${count}` });
    const visitor = openBrowser(server);
    const page = await visitor.open(`/plinth/activate?user=new-${count}&token=${token}`);
    expect(page.text).toContain(`value="new-${count}"`);
    const fields = { username: `new-${count}`, token, password: OTHER, repeated: OTHER };
    expect((await visitor.submit("/plinth/activate", { ...fields, repeated: "" })).status).toBe(400);
    expect((await visitor.submit("/plinth/activate", { ...fields, token: "x" })).status).toBe(403);
    const done = await visitor.submit("/plinth/activate", fields);
    expect([done.status, done.location]).toEqual([303, "/"]);
    expect((await visitor.open("/plinth/account")).status).toBe(200);
    const again = openBrowser(server);
    await again.open("/plinth/activate");
    expect((await again.submit("/plinth/activate", fields)).status).toBe(403);
  });
});

test("an open server has no account to look at, and lets devices in", async () => {
  await using open = await startTestServer();
  const visitor = openBrowser(open);
  const account = await visitor.open("/plinth/account");
  expect(account.status).toBe(403);
  expect(account.text).toContain("plinth user create");
  expect((await visitor.open("/plinth")).status).toBe(200);
  expect((await visitor.open("/devices/verify")).status).toBe(200);
});
