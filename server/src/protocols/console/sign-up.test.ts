import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, type TestBrowser } from "../../../test/browser.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { basic, person } from "../../../test/principals.ts";

const FORM = "/api/2.0/mlflow/users/create-ui";

let server: TestServer;
let browser: TestBrowser;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  await person(server, "admin", { isAdmin: true });
  await person(server, "ada", { role: "admin" });
  browser = openBrowser(server);
  await browser.logIn("admin", "the password of admin");
});
afterAll(async () => server[Symbol.asyncDispose]());

const isThere = async (name: string): Promise<boolean> =>
  (await server.app.identity.principals.findPrincipal({ name })) !== undefined;

test("an administrator makes a user by a form, who logs in", async () => {
  const page = await browser.open("/signup");
  expect([page.status, page.headers.get("content-security-policy")]).toEqual([
    200,
    expect.stringContaining("form-action 'self'"),
  ]);
  expect(page.text).toContain(`action="${FORM}"`);
  const made = await browser.submit(FORM, { username: "bob", password: "the password of bob" });
  expect([made.status, made.text]).toEqual([
    200,
    expect.stringContaining("The user &#39;bob&#39; was created"),
  ]);
  const answer = await server.call(
    "GET",
    "/api/2.0/mlflow/users/current",
    undefined,
    basic("bob", "the password of bob"),
  );
  expect(answer.json.user).toMatchObject({ username: "bob", is_admin: false });
});

test("shows what was wrong, and runs no name that is a script", async () => {
  await browser.open("/signup");
  for (const [username, password, status] of [
    ["ada", "the password of ada", 409],
    ["short", "short", 400],
    ["", "a password without a name", 400],
    ["<script>alert(1)</script>", "short", 400],
    ['"><img src=x>', "", 400],
  ] as const) {
    const answer = await browser.submit(FORM, { username, password });
    expect([username, answer.status]).toEqual([username, status]);
    expect(answer.text).toContain('role="alert"');
    expect(answer.text).not.toMatch(/<script|<img/);
  }
  expect(await isThere("short")).toBe(false);
});

// CVE-2025-1473: a page elsewhere made administrators' browsers send this form.
test("takes no form that this browser was not given", async () => {
  await browser.open("/signup");
  const fields = { username: "forged", password: "the password of forged" };
  const own = { "sec-fetch-site": "same-origin" };
  for (const [sent, headers] of [
    [{ ...fields, form_token: "" }, own],
    [{ ...fields, form_token: "x".repeat(43) }, own],
    [fields, { "sec-fetch-site": "cross-site" }],
    [fields, { "sec-fetch-site": "same-site" }],
    [fields, { ...own, origin: "https://elsewhere.example" }],
  ] as const) {
    expect((await browser.submit(FORM, sent, headers)).status).toBe(403);
  }
  const json = await server.call("POST", FORM, fields, basic("admin", "the password of admin"));
  expect(json.status).toBe(400);
  expect(await isThere("forged")).toBe(false);
});

test("is for administrators of the platform", async () => {
  const nobody = await openBrowser(server).open("/signup");
  expect([nobody.status, nobody.location]).toEqual([303, "/plinth/login?next=%2Fsignup"]);
  const other = openBrowser(server);
  await other.logIn("ada", "the password of ada");
  const page = await other.open("/signup");
  expect([page.status, page.headers.get("content-type")]).toEqual([
    403,
    expect.stringContaining("text/html"),
  ]);
  await other.open("/plinth/account");
  const sent = await other.submit(FORM, { username: "byada", password: "the password of byada" });
  expect([sent.status, await isThere("byada")]).toEqual([403, false]);
});
