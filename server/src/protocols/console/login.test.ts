import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "../../../test/browser.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";

const PASSWORD = "correct horse battery staple";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  const { principals } = server.app.identity;
  await principals.createPrincipal({ kind: "user", name: "admin", password: PASSWORD, isAdmin: true });
  await principals.createPrincipal({ kind: "user", name: "ada", password: PASSWORD });
});
afterAll(async () => server[Symbol.asyncDispose]());

describe("the way in", () => {
  test("leads from a page that asks for a login to the login, and back", async () => {
    const browser = openBrowser(server);
    const sent = await browser.open("/console/api/status?a=b");
    expect(sent.status).toBe(303);
    expect(sent.location).toBe("/plinth/login?next=%2Fconsole%2Fapi%2Fstatus%3Fa%3Db");
    const page = await browser.open(sent.location ?? "");
    expect(page.status).toBe(200);
    const back = await browser.submit(sent.location ?? "", { username: "admin", password: PASSWORD });
    expect([back.status, back.location]).toEqual([303, "/console/api/status?a=b"]);
    expect((await browser.open(back.location ?? "")).status).toBe(200);
    // Who is logged in needs no login.
    expect((await browser.open("/plinth/login?next=/plinth")).location).toBe("/plinth");
  });

  test("sets a cookie that scripts and other sites cannot use", async () => {
    const answer = await openBrowser(server).logIn("ada", PASSWORD);
    const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("plinth_session="));
    expect(cookie).toMatch(/^plinth_session=[0-9a-f]{96}; Path=\/; HttpOnly; SameSite=Lax$/);
    const stored = await server.database.prepared(
      { name: "test_sessions", text: "select encode(secret_hash, 'hex') as hash from identity.sessions" },
      [],
    );
    expect(JSON.stringify(stored)).not.toContain(cookie?.slice(47, 111));
  });

  test("says the same of a wrong password, of a name that does not exist, and of one with a key alone", async () => {
    await server.app.identity.principals.createPrincipal({ kind: "service_account", name: "robot" });
    const texts: string[] = [];
    for (const name of ["ada", "nobody", "robot", "<b>"]) {
      const browser = openBrowser(server);
      const answer = await browser.logIn(name, "wrong password of some length");
      expect(answer.status).toBe(401);
      expect(browser.cookies.has("plinth_session")).toBe(false);
      expect(answer.text).not.toContain("<b>");
      texts.push(/role="alert">([^<]*)</.exec(answer.text)?.[1] ?? "");
    }
    expect(new Set(texts)).toEqual(new Set(["The user name or the password is wrong."]));
  });

  test("is closed for a while after many wrong passwords, whatever X-Forwarded-For says", async () => {
    const { principals } = server.app.identity;
    await principals.createPrincipal({ kind: "user", name: "target", password: PASSWORD });
    const browser = openBrowser(server);
    await browser.open("/plinth/login");
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 15; attempt += 1) {
      const headers = { "x-forwarded-for": `203.0.113.${attempt}` };
      const wrong = { username: "target", password: `guess number ${attempt}` };
      const answer = await browser.submit("/plinth/login", wrong, headers);
      statuses.push(answer.status);
    }
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    const last = await browser.submit("/plinth/login", { username: "target", password: PASSWORD });
    expect(last.status).toBe(429);
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    await server.database.prepared({ name: "test_forget", text: "delete from identity.login_failures" }, []);
  });

  test("ends the session that the browser brought along, and begins another", async () => {
    const browser = openBrowser(server);
    await browser.logIn("ada", PASSWORD);
    const before = browser.cookies.get("plinth_session") ?? "";
    await browser.open("/plinth/account");
    await browser.submit("/plinth/login", { username: "ada", password: PASSWORD });
    const after = browser.cookies.get("plinth_session");
    expect(after).not.toBe(before);
    const old = openBrowser(server);
    old.cookies.set("plinth_session", before);
    expect((await old.open("/plinth/account")).status).toBe(303);
  });

  test("takes a session that was made up for none", async () => {
    const browser = openBrowser(server);
    for (const value of ["", "x", "0".repeat(96), "'; drop table", "f".repeat(97)]) {
      browser.cookies.set("plinth_session", value);
      expect((await browser.ask("GET", "/plinth/account")).status).toBe(401);
    }
  });
});

describe("who has no login", () => {
  test("gets the pages of nothing, and a popup from no script", async () => {
    for (const path of ["/", "/plinth", "/plinth/account", "/devices/verify", "/metrics"]) {
      const answer = await openBrowser(server).open(path);
      expect([path, answer.status]).toEqual([path, 303]);
      expect(answer.location).toMatch(/^\/plinth\/login/);
    }
    const asked = await openBrowser(server).ask(
      "GET",
      "/ajax-api/2.0/mlflow/experiments/search?max_results=1",
    );
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([401, null]);
  });

  test("is told how programs log in", async () => {
    const answer = await server.get("/api/2.0/mlflow/experiments/search?max_results=1");
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="mlflow"']);
  });

  test("is not sent to the login with credentials that are wrong", async () => {
    const authorization = `Basic ${Buffer.from("ada:wrong").toString("base64")}`;
    expect((await openBrowser(server).open("/console/api/status", { authorization })).status).toBe(401);
  });
});

describe("a form", () => {
  const login = { username: "ada", password: PASSWORD };

  test.each([
    ["of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.test" }],
    ["of a site beside this one", { "sec-fetch-site": "same-site" }],
    ["that nothing tells the origin of", { "sec-fetch-site": "none" }],
  ])("%s logs nobody in", async (_what, headers) => {
    const browser = openBrowser(server);
    await browser.open("/plinth/login");
    const answer = await browser.submit("/plinth/login", login, headers);
    expect(answer.status).toBe(403);
    expect(browser.cookies.has("plinth_session")).toBe(false);
  });

  test("without Sec-Fetch-Site goes by its Origin", async () => {
    const browser = openBrowser(server);
    await browser.open("/plinth/login");
    const token = /value="([\w-]{43})"/.exec((await browser.open("/plinth/login")).text)?.[1] ?? "";
    const send = (origin: string | undefined): Promise<Response> =>
      fetch(`${server.url}/plinth/login`, {
        method: "POST",
        redirect: "manual",
        body: new URLSearchParams({ ...login, form_token: token }),
        headers: {
          cookie: `plinth_form=${browser.cookies.get("plinth_form") ?? ""}`,
          ...(origin === undefined ? {} : { origin }),
        },
      });
    expect((await send(undefined)).status).toBe(403);
    expect((await send("null")).status).toBe(403);
    // Another server of this machine is another site.
    expect((await send("http://127.0.0.1:1")).status).toBe(403);
    expect((await send(server.url)).status).toBe(303);
  });

  test.each([
    ["without its token", (cookies: Map<string, string>) => void cookies, { form_token: "" }],
    [
      "with the token of another browser",
      (cookies: Map<string, string>) => void cookies,
      { form_token: "x".repeat(43) },
    ],
    ["without its cookie", (cookies: Map<string, string>) => void cookies.delete("plinth_form"), {}],
    [
      "with a cookie of another one",
      (cookies: Map<string, string>) => void cookies.set("plinth_form", "y".repeat(43)),
      {},
    ],
  ])("%s is refused", async (_what, change, fields) => {
    const browser = openBrowser(server);
    await browser.open("/plinth/login");
    change(browser.cookies);
    expect((await browser.submit("/plinth/login", { ...login, ...fields })).status).toBe(403);
  });

  test("that is none is refused", async () => {
    const json = await server.call("POST", "/plinth/login", login, { origin: server.url });
    expect(json.status).toBe(400);
    const many = await openBrowser(server).submit("/plinth/login", { username: "a".repeat(20_000) });
    expect(many.status).toBe(413);
  });
});

describe("a session", () => {
  const asChange = (origin: Record<string, string>): Record<string, string> => ({
    "content-type": "application/json",
    ...origin,
  });

  test("changes something from pages of this server alone", async () => {
    const browser = openBrowser(server);
    await browser.logIn("admin", PASSWORD);
    const create = async (name: string, headers: Record<string, string>): Promise<number> => {
      const cookie = `plinth_session=${browser.cookies.get("plinth_session") ?? ""}`;
      const answer = await server.call(
        "POST",
        "/api/2.0/mlflow/experiments/create",
        { name },
        asChange({ cookie, ...headers }),
      );
      return answer.status;
    };
    expect(await create("a", {})).toBe(403);
    expect(await create("a", { origin: "https://evil.test" })).toBe(403);
    expect(await create("a", { origin: "http://localhost:1" })).toBe(403);
    expect(await create("a", { origin: "null" })).toBe(403);
    expect(await create("a", { "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await create("a", { "sec-fetch-site": "same-site", origin: server.url })).toBe(403);
    expect(await create("a", { "sec-fetch-site": "none" })).toBe(403);
    expect(await create("a", { "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await create("b", { origin: server.url })).toBe(200);
  });

  test("ends with a logout, on every process", async () => {
    await using other = await startTestServer({ login: "required" }, server);
    const browser = openBrowser(server);
    await browser.logIn("admin", PASSWORD);
    const elsewhere = openBrowser(other);
    elsewhere.cookies.set("plinth_session", browser.cookies.get("plinth_session") ?? "");
    expect((await elsewhere.open("/plinth/account")).status).toBe(200);
    const cookie = browser.cookies.get("plinth_session") ?? "";
    await browser.open("/plinth/account");
    const left = await browser.submit("/plinth/logout", {});
    expect(left.location).toBe("/plinth/logged-out");
    const { audit } = server.app.identity;
    const { events } = await audit.search({ action: "logout" }, { maxResults: 1, pageToken: undefined });
    expect(events[0]).toMatchObject({ principal: "admin", credential_kind: "session", outcome: "allowed" });
    expect(browser.cookies.size).toBe(0);
    browser.cookies.set("plinth_session", cookie);
    expect((await browser.open("/plinth/account")).status).toBe(303);
    await expect
      .poll(async () => (await elsewhere.open("/plinth/account")).status, { timeout: 5000 })
      .toBe(303);
  });

  test("is not ended by another site", async () => {
    const browser = openBrowser(server);
    await browser.logIn("ada", PASSWORD);
    await browser.open("/plinth/account");
    const forged = await browser.submit("/plinth/logout", {}, { "sec-fetch-site": "cross-site" });
    expect(forged.status).toBe(403);
    expect((await browser.open("/plinth/account")).status).toBe(200);
  });

  test("ends with its user's deactivation and deletion", async () => {
    const { principals } = server.app.identity;
    await principals.createPrincipal({ kind: "user", name: "temp", password: PASSWORD });
    const browser = openBrowser(server);
    await browser.logIn("temp", PASSWORD);
    expect((await browser.open("/plinth/account")).status).toBe(200);
    await principals.setActive({ name: "temp" }, false);
    expect((await browser.open("/plinth/account")).status).toBe(303);
    await principals.setActive({ name: "temp" }, true);
    expect((await browser.open("/plinth/account")).status).toBe(303);
    await browser.logIn("temp", PASSWORD);
    await principals.deletePrincipal({ name: "temp" });
    expect((await browser.open("/plinth/account")).status).toBe(303);
  });

  test("that was used lasts longer, but not for ever", async () => {
    const { identity } = server.app;
    const browser = openBrowser(server);
    await browser.logIn("ada", PASSWORD);
    const row = async (): Promise<{ expires_at: number; last_used_at: number }> => {
      const { principal_id } = await identity.principals.getPrincipal({ name: "ada" });
      const [newest] = await identity.sessions.listSessions(principal_id);
      if (newest === undefined) throw new Error("no session");
      return newest;
    };
    const HOUR = 3_600_000;
    const setBack = (hours: number, idle: number): Promise<unknown> =>
      server.database.prepared(
        {
          name: "test_set_back",
          text: `update identity.sessions set creation_timestamp = creation_timestamp - $1::bigint,
            last_used_at = $2::bigint, expires_at = $2::bigint + 12 * 3600000 where session_id = $3`,
        },
        [hours * HOUR, Date.now() - idle * HOUR, (browser.cookies.get("plinth_session") ?? "").slice(0, 32)],
      );
    const cookie = browser.cookies.get("plinth_session") ?? "";
    await setBack(100, 2);
    expect(await identity.sessions.readSession(cookie)).toBeDefined();
    await identity.sessions.flush();
    expect((await row()).expires_at - Date.now()).toBeGreaterThan(11.9 * HOUR);
    // Seven days after the login it is over, however busy it was.
    await setBack(65, 2);
    expect(await identity.sessions.readSession(cookie)).toBeDefined();
    await identity.sessions.flush();
    const left = (await row()).expires_at - Date.now();
    expect(left).toBeLessThan(10.1 * HOUR);
    await setBack(0, 13);
    expect(await identity.sessions.readSession(cookie)).toBeUndefined();
    await identity.sessions.purge();
    const rows = await server.database.prepared(
      { name: "test_one_session", text: "select 1 from identity.sessions where session_id = $1" },
      [cookie.slice(0, 32)],
    );
    expect(rows).toEqual([]);
  });
});
