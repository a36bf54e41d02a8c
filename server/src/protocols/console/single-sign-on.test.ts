import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openBrowser, type TestBrowser, type Visit } from "../../../test/browser.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { CLIENT, startProvider, type TestProvider } from "../../../test/oidc-provider.ts";

const SITE = "https://plinth.test";
const PASSWORD = "correct horse battery staple";

let provider: TestProvider;
let server: TestServer;
beforeAll(async () => {
  provider = await startProvider(SITE);
  server = await startTestServer({
    login: "required",
    "public-url": SITE,
    "oidc-issuer": provider.issuer,
    "oidc-client-id": CLIENT.id,
    "oidc-client-secret": CLIENT.secret,
    "oidc-scopes": "openid profile email groups",
    "oidc-group-roles": "ml-team=default:editor, readers=default:viewer, ops=admin, gone=default:nothing",
  });
  const admin = { kind: "user", name: "root", password: PASSWORD, isAdmin: true } as const;
  await server.app.identity.principals.createPrincipal(admin);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.accounts.clear();
});

/** From the login page to the provider and back, as the account that is set. */
async function signOn(browser: TestBrowser, next = "/plinth/account"): Promise<Visit> {
  return browser.open(await comeBack(browser, next));
}

async function comeBack(browser: TestBrowser, next = "/plinth/account"): Promise<string> {
  const page = await browser.open(`/plinth/login?next=${encodeURIComponent(next)}`);
  const [, link = ""] = /href="(\/plinth\/sso[^"]*)"/.exec(page.text) ?? [];
  const sent = await browser.open(link.replaceAll("&amp;", "&"));
  expect(sent.status).toBe(303);
  return provider.visit(sent.location ?? "");
}

function be(subject: string, claims: Record<string, unknown>): void {
  provider.accounts.set(subject, claims);
  provider.account = subject;
}

const principal = (name: string) => server.app.identity.principals.findPrincipal({ name });

async function rolesOf(name: string): Promise<string[]> {
  const roles = await server.app.identity.roles.listRolesOf({ name });
  return roles.map((role) => `${role.workspace ?? ""}:${role.name}`).toSorted();
}

test("lets a new person in as a user without a password, with the rights of the groups", async () => {
  be("sub-ada", {
    preferred_username: "ada",
    name: "Ada Lovelace",
    email: "ada@plinth.test",
    email_verified: true,
    groups: ["ml-team", "unknown", "gone"],
  });
  const browser = openBrowser(server, SITE);
  const back = await signOn(browser, "/plinth/account?done=key");
  expect([back.status, back.location]).toEqual([303, "/plinth/account?done=key"]);
  const cookie = back.headers.getSetCookie().find((line) => line.startsWith("__Host-plinth_session="));
  expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const page = await browser.open("/plinth/account");
  expect(page.text).toContain("Ada Lovelace");
  expect(page.text).toContain("ada@plinth.test");
  expect(await principal("ada")).toMatchObject({
    kind: "user",
    has_password: false,
    is_admin: false,
    is_admin_by_group: false,
    external_issuer: provider.issuer,
    external_subject: "sub-ada",
  });
  expect(await rolesOf("ada")).toEqual(["default:editor"]);
  const made = await browser.ask("GET", "/ajax-api/2.0/mlflow/experiments/search?max_results=1");
  expect(made.status).toBe(200);
  const { audit } = server.app.identity;
  const { events } = await audit.search({ action: "login" }, { maxResults: 1, pageToken: undefined });
  expect(events[0]).toMatchObject({
    principal: "ada",
    outcome: "allowed",
    details: { method: "oidc", new_user: true },
  });
  const byPassword = await openBrowser(server, SITE).logIn("ada", "");
  expect(byPassword.status).toBe(401);
});

test("sets rights anew at each login, and takes them away", async () => {
  be("sub-grace", { preferred_username: "grace", groups: ["ops", "readers"] });
  await signOn(openBrowser(server, SITE));
  expect(await principal("grace")).toMatchObject({ is_admin_by_group: true, is_admin: false });
  expect(await rolesOf("grace")).toEqual(["default:viewer"]);
  const browser = openBrowser(server, SITE);
  be("sub-grace", { preferred_username: "renamed", groups: "ml-team" });
  await signOn(browser);
  expect(await principal("grace")).toMatchObject({ is_admin_by_group: false });
  expect(await principal("renamed")).toBeUndefined();
  expect(await rolesOf("grace")).toEqual(["default:editor"]);
  expect((await browser.ask("GET", "/console/api/status")).status).toBe(403);
  // What was given by hand stays.
  const viewer = await server.app.identity.roles.findRole("default", "viewer");
  await server.app.identity.roles.assignRole({ name: "grace" }, viewer?.role_id ?? 0);
  be("sub-grace", { preferred_username: "grace" });
  await signOn(openBrowser(server, SITE));
  expect(await rolesOf("grace")).toEqual(["default:viewer"]);
});

test("lets in who has no rights, to see nothing", async () => {
  be("sub-none", { preferred_username: "newcomer", groups: [] });
  const browser = openBrowser(server, SITE);
  await signOn(browser);
  expect((await browser.open("/plinth/account")).status).toBe(200);
  const asked = await browser.ask("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0");
  expect(asked.status).toBe(403);
});

test("never makes one person another, whatever name or e-mail address the provider gives", async () => {
  be("sub-thief", { preferred_username: "root", email: "root@plinth.test", email_verified: true });
  const browser = openBrowser(server, SITE);
  const refused = await signOn(browser);
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("&#39;root&#39; on this server already");
  expect(browser.cookies.has("__Host-plinth_session")).toBe(false);
  expect(await principal("root")).toMatchObject({ external_subject: null, has_password: true });

  be("sub-one", { email: "shared@plinth.test", email_verified: true });
  await signOn(openBrowser(server, SITE));
  expect(await principal("shared@plinth.test")).toMatchObject({ external_subject: "sub-one" });
  be("sub-two", { email: "shared@plinth.test", email_verified: true });
  expect((await signOn(openBrowser(server, SITE))).status).toBe(403);
  // An address that nobody checked is no name.
  be("sub-three", { email: "root@plinth.test", email_verified: false });
  await signOn(openBrowser(server, SITE));
  expect(await principal("sub-three")).toMatchObject({ email: null });
});

test.each(["__user_1__", "a:b", "local", "\u202eada"])(
  "does not take the name %j from the provider",
  async (name) => {
    be(`sub of ${name}`, { preferred_username: name });
    const answer = await signOn(openBrowser(server, SITE));
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("a name that cannot be used here");
  },
);

test("refuses users that were deactivated", async () => {
  be("sub-left", { preferred_username: "left", groups: ["ops"] });
  await signOn(openBrowser(server, SITE));
  await server.app.identity.principals.setActive({ name: "left" }, false);
  const browser = openBrowser(server, SITE);
  const answer = await signOn(browser);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain("deactivated");
  expect(browser.cookies.has("__Host-plinth_session")).toBe(false);
});

test("tells who declined at the provider, and nothing that somebody else wrote", async () => {
  provider.account = undefined;
  const browser = openBrowser(server, SITE);
  const answer = await signOn(browser);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain("(access_denied)");
  await browser.open("/plinth/sso");
  const forged = await browser.open("/plinth/sso/callback?error=x&error_description=call+0123456789&state=y");
  expect(forged.status).toBe(403);
  expect(forged.text).not.toContain("0123456789");
});

test("takes an answer once, from the browser that asked", async () => {
  be("sub-replay", { preferred_username: "replay" });
  const browser = openBrowser(server, SITE);
  const back = await comeBack(browser);
  const ticket = browser.cookies.get("__Host-plinth_sso") ?? "";
  // Somebody else, who got hold of the address.
  const other = openBrowser(server, SITE);
  expect((await other.open(back)).status).toBe(403);
  await other.open("/plinth/sso");
  expect((await other.open(back)).status).toBe(403);
  expect(other.cookies.has("__Host-plinth_session")).toBe(false);
  expect((await browser.open(back)).status).toBe(303);
  expect(browser.cookies.has("__Host-plinth_sso")).toBe(false);
  // The same code again, with the cookie that was good for it.
  const again = openBrowser(server, SITE);
  again.cookies.set("__Host-plinth_sso", ticket);
  expect((await again.open(back)).status).toBe(403);
  expect(again.cookies.has("__Host-plinth_session")).toBe(false);
});

test("goes on to nowhere else, whatever became of the cookie", async () => {
  be("sub-next", { preferred_username: "next" });
  const browser = openBrowser(server, SITE);
  const back = await comeBack(browser);
  const [secret = ""] = (browser.cookies.get("__Host-plinth_sso") ?? "").split(".");
  const elsewhere = Buffer.from("//evil.test/").toString("base64url");
  browser.cookies.set("__Host-plinth_sso", `${secret}.${elsewhere}`);
  expect((await browser.open(back)).location).toBe("/");
});

test("ends the login at the provider with the one here", async () => {
  be("sub-out", { preferred_username: "out" });
  const browser = openBrowser(server, SITE);
  await signOn(browser);
  await browser.open("/plinth/account");
  const answer = await browser.submit("/plinth/logout", {});
  expect(answer.status).toBe(200);
  const [, url = ""] = /http-equiv="refresh" content="0; url=([^"]*)"/.exec(answer.text) ?? [];
  const end = new URL(url.replaceAll("&amp;", "&"));
  expect(end.origin).toBe(provider.issuer);
  expect(end.searchParams.get("post_logout_redirect_uri")).toBe(`${SITE}/plinth/logged-out`);
  expect((await browser.open("/plinth/account")).status).toBe(303);
});

test("begins at the public address, whichever was opened", async () => {
  const browser = openBrowser(server);
  const sent = await browser.open("/plinth/sso?next=//evil.test");
  expect(sent.location).toBe(`${SITE}/plinth/sso?next=%2F`);
  expect(browser.cookies.size).toBe(0);
});

test("says by https that it is https from now on", async () => {
  const secure = await openBrowser(server, SITE).open("/plinth/login");
  expect(secure.headers.get("strict-transport-security")).toBe("max-age=31536000");
  const plain = await openBrowser(server).open("/plinth/login");
  expect(plain.headers.get("strict-transport-security")).toBe(null);
  expect(plain.headers.getSetCookie().join()).toMatch(/^plinth_form=/);
  expect(secure.headers.getSetCookie().join()).toMatch(/^__Host-plinth_form=.*; Secure$/);
});
