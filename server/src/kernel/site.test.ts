import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "../../test/browser.ts";
import { startTestServer, type TestServer } from "../../test/harness.ts";
import { siteOf } from "./site.ts";

const APP = "https://app.plinth.test";

describe("the origin under which this server is known", () => {
  const publicUrl = new URL("https://plinth.test");
  test.each([
    ["plinth.test", "http", "https://plinth.test"],
    ["PLINTH.test", "http", "https://plinth.test"],
    ["plinth.test:5000", "http", "http://plinth.test:5000"],
    ["127.0.0.1:5000", "http", "http://127.0.0.1:5000"],
    ["other.test", "https", "https://other.test"],
  ] as const)("%s by %s is %s", (host, protocol, site) => {
    expect(siteOf({ host, protocol }, publicUrl)).toBe(site);
  });
});

describe("what proxies say", () => {
  const forwarded = {
    "x-forwarded-for": "203.0.113.7, 10.1.1.1",
    "x-forwarded-host": "plinth.test",
    "x-forwarded-proto": "https",
  };
  const logins = async (server: TestServer): Promise<unknown> => {
    const { principals, audit } = server.app.identity;
    await principals.createPrincipal({
      kind: "user",
      name: "ada",
      password: "a long enough password",
      isAdmin: true,
    });
    const browser = openBrowser(server);
    await browser.open("/plinth/login", forwarded);
    const form = { username: "ada", password: "a long enough password" };
    const answer = await browser.submit("/plinth/login", form, {
      ...forwarded,
      origin: "https://plinth.test",
    });
    const { events } = await audit.search({ action: "login" }, { maxResults: 10, pageToken: undefined });
    return {
      status: answer.status,
      names: [...browser.cookies.keys()].filter((name) => name.endsWith("session")),
      addresses: events.map(({ address }) => address),
    };
  };

  test("is believed of those in the configuration, as far as they go", async () => {
    await using server = await startTestServer({
      login: "required",
      "allowed-hosts": "plinth.test",
      "trusted-proxies": "127.0.0.1,10.0.0.0/8",
    });
    expect(await logins(server)).toEqual({
      status: 303,
      names: ["__Host-plinth_session"],
      addresses: ["203.0.113.7"],
    });
    // What a client wrote itself stands before what the nearest untrusted address wrote.
    const spoofed = { ...forwarded, "x-forwarded-for": "198.51.100.1, 203.0.113.9, 10.1.1.1" };
    const { audit } = server.app.identity;
    const authorization = `Basic ${Buffer.from("ada:wrong password").toString("base64")}`;
    await openBrowser(server).ask("GET", "/console/api/status", { ...spoofed, authorization });
    await audit.flush(true);
    const { events } = await audit.search({ action: "login" }, { maxResults: 1, pageToken: undefined });
    expect(events[0]).toMatchObject({ outcome: "failed", address: "203.0.113.9" });
    // A host that nobody allowed is none, whoever says it.
    const answer = await openBrowser(server).open("/plinth/login", {
      ...forwarded,
      "x-forwarded-host": "evil.test",
    });
    expect(answer.status).toBe(403);
  });

  test("is nothing without a configuration", async () => {
    await using server = await startTestServer({ login: "required", "allowed-hosts": "plinth.test" });
    expect(await logins(server)).toEqual({
      status: 303,
      names: ["plinth_session"],
      addresses: ["127.0.0.1"],
    });
    const page = await openBrowser(server).open("/plinth/login", forwarded);
    expect(page.headers.getSetCookie().join()).toMatch(/^plinth_form=/);
    const authorization = `Basic ${Buffer.from("ada:a long enough password").toString("base64")}`;
    const landing = await openBrowser(server).open("/plinth", { ...forwarded, authorization });
    expect(landing.text).toContain(`MLFLOW_TRACKING_URI=${server.url}`);
  });

  test("is nothing from addresses that are not in the configuration", async () => {
    await using server = await startTestServer({ login: "required", "trusted-proxies": "10.0.0.0/8" });
    const page = await openBrowser(server).open("/plinth/login", forwarded);
    expect(page.headers.getSetCookie().join()).toMatch(/^plinth_form=/);
  });
});

describe("pages of other origins", () => {
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer({ login: "required", "cors-origins": `${APP},http://localhost:8080` });
    const { principals, apiKeys } = server.app.identity;
    const password = "a long enough password";
    await principals.createPrincipal({ kind: "user", name: "admin", password, isAdmin: true });
    ({ key } = await apiKeys.createApiKey({ name: "admin" }, { name: "of the app" }));
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  const create = "/api/2.0/mlflow/experiments/create";
  const preflight = (origin: string): Promise<{ status: number; headers: Headers }> =>
    openBrowser(server).ask("OPTIONS", create, {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type, x-mlflow-workspace",
    });

  test("may ask where they are in the configuration, with a key", async () => {
    const asked = await preflight(APP);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type, x-mlflow-workspace",
      vary: "Origin",
    });
    expect(asked.headers.has("access-control-allow-credentials")).toBe(false);
    const made = await server.call(
      "POST",
      create,
      { name: "of the app" },
      { origin: APP, authorization: `Bearer ${key}` },
    );
    expect(made.status).toBe(200);
    expect(made.headers.get("access-control-allow-origin")).toBe(APP);
    expect(made.headers.has("access-control-allow-credentials")).toBe(false);
    // What went wrong is theirs to read, too.
    const refused = await server.call("POST", create, {}, { origin: APP });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, APP]);
  });

  test("may not use the session of whoever looks at them", async () => {
    const browser = openBrowser(server);
    await browser.logIn("admin", "a long enough password");
    const asked = await browser.ask("POST", create, { origin: APP, "sec-fetch-site": "same-site" });
    expect(asked.status).toBe(403);
  });

  test.each([
    "https://evil.test",
    "null",
    `${APP}.evil.test`,
    "https://app.plinth.test:444",
    "http://app.plinth.test",
  ])("may not ask from %s", async (origin) => {
    const asked = await preflight(origin);
    expect(asked.status).toBeGreaterThanOrEqual(400);
    expect(asked.headers.has("access-control-allow-origin")).toBe(false);
    expect(asked.headers.get("vary")).toBe("Origin");
    const made = await server.call("POST", create, { name: "x" }, { origin, authorization: `Bearer ${key}` });
    expect([made.status, made.headers.has("access-control-allow-origin")]).toEqual([403, false]);
  });

  test("are told nothing by a server that was not told of any", async () => {
    await using plain = await startTestServer();
    const answer = await openBrowser(plain).ask("OPTIONS", create, {
      origin: APP,
      "access-control-request-method": "POST",
    });
    expect(answer.status).toBe(405);
    const names = [...answer.headers.keys()].filter((name) => name.startsWith("access-control"));
    expect(names).toEqual([]);
  });
});

describe("answers", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ login: "required" });
  });
  afterAll(async () => server[Symbol.asyncDispose]());

  test.each([
    "/health",
    "/version",
    "/api/2.0/mlflow/experiments/search",
    "/nothing/here",
    "/%zz",
    "/plinth/login",
  ])("of %s tell browsers what they must not do", async (path) => {
    const { headers } = await openBrowser(server).ask("GET", path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("x-frame-options")).toMatch(/^(?:SAMEORIGIN|DENY)$/);
    expect(headers.get("content-security-policy")).toMatch(
      /default-src 'none'.*frame-ancestors '(?:self|none)'/,
    );
    expect(headers.has("strict-transport-security")).toBe(false);
    expect(headers.has("server")).toBe(false);
  });

  test("that are pages run nothing, are in no frame, and in no cache", async () => {
    for (const path of ["/plinth/login", "/plinth/activate", "/plinth/logged-out"]) {
      const { headers, text } = await openBrowser(server).open(path);
      expect(headers.get("content-security-policy")).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("permissions-policy")).toContain("camera=()");
      expect(text).not.toMatch(/<script|<img|<link|@import|\son\w+=|\sstyle=/);
    }
  });
});
