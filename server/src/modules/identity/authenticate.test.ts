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
