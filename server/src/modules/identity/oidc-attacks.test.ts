import type { JWTPayload } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openBrowser, type Visit } from "../../../test/browser.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { encode, startHostileProvider, type HostileProvider } from "../../../test/hostile-provider.ts";

const SITE = "https://plinth.test";
const SECRET = "a secret that must not leak";

let provider: HostileProvider;
let server: TestServer;
const flags = (issuer: string): Record<string, string> => ({
  login: "required",
  "public-url": SITE,
  "oidc-issuer": issuer,
  "oidc-client-id": "plinth",
  "oidc-client-secret": SECRET,
});
beforeAll(async () => {
  provider = await startHostileProvider();
  server = await startTestServer(flags(provider.issuer));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.asked.length = 0;
});

type Attack = {
  /** The ID token, given claims as they should be. */
  token?: (claims: JWTPayload) => Promise<string> | string;
  /** Of the address that the browser comes back to. */
  callback?: (parameters: URLSearchParams) => void;
  answer?: HostileProvider["answer"];
};

/** A login at a provider that answers with what the attack makes. */
async function comeBack({ token, callback, answer }: Attack): Promise<Visit & { loggedIn: boolean }> {
  const browser = openBrowser(server, SITE);
  const sent = await browser.open("/plinth/sso?next=/plinth/account");
  const asked = new URL(sent.location ?? "").searchParams;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: provider.issuer,
    aud: "plinth",
    sub: "someone",
    nonce: asked.get("nonce") ?? "",
    iat: now,
    exp: now + 60,
    preferred_username: "someone",
    groups: [],
    name: "Some One",
    email: "someone@plinth.test",
  };
  const idToken = await (token ?? ((good) => provider.sign(good)))(claims);
  provider.answer = answer ?? {
    status: 200,
    body: { access_token: "opaque", token_type: "Bearer", id_token: idToken },
  };
  const parameters = new URLSearchParams({ code: "a-code", state: asked.get("state") ?? "" });
  callback?.(parameters);
  const back = await browser.open(`/plinth/sso/callback?${parameters.toString()}`);
  return { ...back, loggedIn: browser.cookies.has("__Host-plinth_session") };
}

test("logs in with an answer that is right", async () => {
  const back = await comeBack({});
  expect([back.status, back.location, back.loggedIn]).toEqual([303, "/plinth/account", true]);
  const sent = provider.asked.find(({ path }) => path === "/token");
  const body = new URLSearchParams(sent?.body);
  expect(body.get("client_secret")).toBe(SECRET);
  expect(body.get("code_verifier")).toMatch(/^[\w-]{43}$/);
  expect(body.get("redirect_uri")).toBe(`${SITE}/plinth/sso/callback`);
});

const without = (claims: JWTPayload, name: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

const attacks: Record<string, Attack> = {
  "unsigned (alg none)": { token: (claims) => `${encode({ alg: "none", kid: "one" })}.${encode(claims)}.` },
  "unsigned, with the signature left out": {
    token: async (claims) => (await provider.sign(claims)).replace(/[^.]*$/, ""),
  },
  "HS256, signed with the client's secret": {
    token: async (claims) => {
      const { createHmac } = await import("node:crypto");
      const text = `${encode({ alg: "HS256" })}.${encode(claims)}`;
      return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
    },
  },
  "changed after it was signed": {
    token: async (claims) => {
      const [head = "", , signature = ""] = (await provider.sign(claims)).split(".");
      return `${head}.${encode({ ...claims, sub: "admin" })}.${signature}`;
    },
  },
  "of a stranger": { token: (claims) => provider.signByStranger(claims) },
  "of a key that nobody knows": { token: (claims) => provider.sign(claims, { kid: "two" }) },
  "for another login": { token: (claims) => provider.sign({ ...claims, nonce: "of another login" }) },
  "for no login": { token: (claims) => provider.sign(without(claims, "nonce")) },
  "for another client": { token: (claims) => provider.sign({ ...claims, aud: "grafana" }) },
  "for several clients, of which another one may use it": {
    token: (claims) => provider.sign({ ...claims, aud: ["plinth", "grafana"], azp: "grafana" }),
  },
  "of another issuer": { token: (claims) => provider.sign({ ...claims, iss: "https://accounts.test" }) },
  "that has expired": { token: (claims) => provider.sign({ ...claims, exp: (claims.iat ?? 0) - 60 }) },
  "of nobody": { token: (claims) => provider.sign(without(claims, "sub")) },
  "that is none": { token: () => "not.a.token" },
  "that is not there": {
    answer: { status: 200, body: { access_token: "opaque", token_type: "Bearer" } },
  },
};

test.each(Object.entries(attacks))("refuses an ID token %s", async (_what, attack) => {
  const back = await comeBack(attack);
  expect([back.status, back.loggedIn]).toEqual([403, false]);
  expect(back.text).toContain("Log in anew");
});

// CVE-2026-33322
test("refuses ID tokens that were signed with the public key as a shared secret", async () => {
  const claims = { sub: "someone" };
  const count = (await provider.signWithPublicKey(claims)).length;
  for (let index = 0; index < count; index += 1) {
    const back = await comeBack({
      token: async (good) => (await provider.signWithPublicKey(good))[index] ?? "",
    });
    expect([back.status, back.loggedIn]).toEqual([403, false]);
  }
});

test.each<[string, Attack]>([
  ["the state of another login", { callback: (parameters) => parameters.set("state", "x".repeat(43)) }],
  ["no state", { callback: (parameters) => parameters.delete("state") }],
  ["two states", { callback: (parameters) => parameters.append("state", "x") }],
  ["no code", { callback: (parameters) => parameters.delete("code") }],
  ["the word of another issuer", { callback: (parameters) => parameters.set("iss", "https://evil.test") }],
])("asks the provider for nothing with %s", async (_what, attack) => {
  const back = await comeBack(attack);
  expect([back.status, back.loggedIn]).toEqual([403, false]);
  expect(provider.asked.map(({ path }) => path)).not.toContain("/token");
});

test("takes the client's secret to nobody else", async () => {
  const back = await comeBack({
    answer: { status: 307, body: {}, location: `${provider.issuer}/elsewhere` },
  });
  expect(back.loggedIn).toBe(false);
  expect(provider.asked.map(({ path }) => path)).not.toContain("/elsewhere");
});

test.each([400, 401, 500, 503])("tells nothing of what the provider answers with %d", async (status) => {
  const back = await comeBack({
    answer: { status, body: { error: "invalid_grant", error_description: "inner workings" } },
  });
  expect(back.loggedIn).toBe(false);
  expect([403, 503]).toContain(back.status);
  expect(back.text).not.toContain("inner workings");
  expect(back.text).not.toContain(SECRET);
});

test("says that the provider cannot be reached, and lets people in with passwords", async () => {
  const gone = await startHostileProvider();
  const { issuer } = gone;
  await gone[Symbol.asyncDispose]();
  await using other = await startTestServer(flags(issuer), server);
  const browser = openBrowser(other, SITE);
  expect((await browser.open("/plinth/login")).status).toBe(200);
  const answer = await browser.open("/plinth/sso");
  expect(answer.status).toBe(503);
  expect(answer.text).toContain("cannot be reached right now");
  expect(answer.text).not.toContain("ECONNREFUSED");
});

test.each<[string, Record<string, unknown>]>([
  ["signs with shared secrets alone", { id_token_signing_alg_values_supported: ["HS256", "none"] }],
  ["says it is another one", { issuer: "https://accounts.test" }],
])("uses no provider that %s, until it does not any more", async (_what, change) => {
  await using odd = await startHostileProvider();
  const right = { ...odd.metadata };
  Object.assign(odd.metadata, change);
  await using other = await startTestServer(flags(odd.issuer), server);
  expect((await openBrowser(other, SITE).open("/plinth/sso")).status).toBe(503);
  odd.metadata = right;
  expect((await openBrowser(other, SITE).open("/plinth/sso")).status).toBe(303);
});
