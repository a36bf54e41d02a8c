import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { basic, bearer, machine, person } from "../../../test/principals.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const asked = (headers: Record<string, string>, of = server): Promise<{ status: number }> =>
  of.call("GET", "/api/2.0/mlflow/experiments/search?max_results=1", undefined, headers);

test("a user logs in by password, and with any of the two texts of a key", async () => {
  const ada = await person(server, "ada", { isAdmin: true });
  const { key, zenmlKey } = await server.app.identity.apiKeys.createApiKey(
    { name: "ada" },
    { name: "laptop" },
  );
  for (const headers of [
    ada.headers,
    basic("ada", key),
    basic("", key),
    basic("token", key),
    basic("__token__", zenmlKey),
    bearer(key),
    bearer(zenmlKey),
  ]) {
    expect((await asked(headers)).status).toBe(200);
  }
});

test("names and passwords arrive as UTF-8 or as Latin-1, composed or not", async () => {
  await person(server, "J\u00f6rg", { password: "gr\u00fcne Heide im Mai", isAdmin: true });
  const header = (text: string, encoding: BufferEncoding): Record<string, string> => ({
    authorization: `basic  ${Buffer.from(text, encoding).toString("base64")}`,
  });
  expect((await asked(header("J\u00f6rg:gr\u00fcne Heide im Mai", "utf8"))).status).toBe(200);
  expect((await asked(header("J\u00f6rg:gr\u00fcne Heide im Mai", "latin1"))).status).toBe(200);
  expect((await asked(header("Jo\u0308rg:gru\u0308ne Heide im Mai", "utf8"))).status).toBe(200);
});

test("on an open server nobody needs to log in, but what is given must be right", async () => {
  await using open = await startTestServer();
  await person(open, "ada");
  expect((await asked({}, open)).status).toBe(200);
  expect((await asked(basic("ada", "the password of ada"), open)).status).not.toBe(401);
  expect((await asked(basic("ada", "a wrong password"), open)).status).toBe(401);
  expect((await asked(bearer("x"), open)).status).toBe(401);
  expect((await asked({ cookie: "plinth_session=x; other=1" }, open)).status).toBe(200);
});

test("whoever logs in at once with the same password makes one attempt", async () => {
  await person(server, "crowd", { isAdmin: true });
  const headers = basic("crowd", "the password of crowd");
  const answers = await Promise.all(Array.from({ length: 40 }, () => asked(headers)));
  expect(new Set(answers.map(({ status }) => status))).toStrictEqual(new Set([200]));
  // Wrong ones, too: no more is learnt from them than from one.
  const { checkPassword } = server.app.identity.principals;
  const wrong = Array.from({ length: 40 }, () =>
    checkPassword("crowd", "a wrong one", { address: "192.0.2.7" }),
  );
  expect(new Set(await Promise.all(wrong))).toStrictEqual(new Set([undefined]));
});

test("a remembered password passes while its account is blocked", async () => {
  await person(server, "busy", { isAdmin: true });
  const headers = basic("busy", "the password of busy");
  expect((await asked(headers)).status).toBe(200);
  for (let index = 0; index < 11; index += 1) await asked(basic("busy", `wrong ${index}`));
  expect((await asked(basic("busy", "wrong again"))).status).toBe(429);
  expect((await asked(headers)).status).toBe(200);
  // Also when something of its user changed, which has it looked up again.
  await server.app.identity.principals.updatePrincipal({ name: "busy" }, { full_name: "B." });
  expect((await asked(headers)).status).toBe(200);
});

test("whatever else is given is refused", async () => {
  await person(server, "grace", { isAdmin: true });
  const { key } = await machine(server, "robot");
  const wrongSecret = key.slice(0, -4) + (key.endsWith("0000") ? "1111" : "0000");
  for (const headers of [
    {},
    basic("grace", "a wrong password"),
    basic("grace", ""),
    basic("grace", key),
    basic("nobody at all", "some password"),
    basic("robot", ""),
    bearer(wrongSecret),
    bearer("plinth_" + "0".repeat(32) + "_" + "0".repeat(64)),
    bearer("ZENKEY_bm90IGpzb24="),
    bearer("x.y.z"),
    { authorization: "Basic" },
    { authorization: "Basic !!!" },
    { authorization: "Digest username=grace" },
    { authorization: "" },
  ]) {
    const { status } = await asked(headers);
    expect([headers, status]).toStrictEqual([headers, 401]);
  }
});
