import { afterAll, beforeAll, expect, test } from "vitest";
import { anonymous } from "../../kernel/caller.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { basic, bearer, machine, person } from "../../../test/principals.ts";
import { readKey, writeKey, writeZenmlKey } from "./api-key-text.ts";
import type { ApiKeys } from "./api-keys.ts";
import { assertUnlimited } from "./authenticate.ts";

let server: TestServer;
let apiKeys: ApiKeys;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  ({ apiKeys } = server.app.identity);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const status = async (headers: Record<string, string>): Promise<number> =>
  (await server.call("GET", "/api/2.0/mlflow/users/current", undefined, headers)).status;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

test("a key is shown once; what is stored does not tell it", async () => {
  await person(server, "ada");
  const { key, zenmlKey, row } = await apiKeys.createApiKey(
    { name: "ada" },
    { name: "laptop", description: "at home" },
  );
  expect(key).toMatch(/^plinth_[0-9a-f]{32}_[0-9a-f]{64}$/);
  expect(readKey(zenmlKey)).toStrictEqual(readKey(key));
  expect(row).toMatchObject({
    name: "laptop",
    description: "at home",
    active: true,
    max_permission: null,
    workspaces: null,
    expires_at: null,
    last_used_at: null,
    previous_until: null,
  });
  expect(await apiKeys.getApiKey({ name: "ada" }, { keyId: row.key_id })).toStrictEqual(row);
  expect(await apiKeys.getApiKey({ name: "ada" }, { name: "laptop" })).toStrictEqual(row);
  const secret = readKey(key)?.secret ?? "";
  const [stored] = await server.database.prepared<{ row: string }>(
    { name: "test_stored_key", text: "select k::text as row from identity.api_keys k where key_id = $1" },
    [row.key_id],
  );
  expect(stored?.row).not.toContain(secret);
});

test("whose key it is nobody else reaches", async () => {
  await person(server, "eve");
  const { row } = await apiKeys.createApiKey({ name: "ada" }, { name: "private" });
  const [of, ref] = [{ name: "eve" }, { keyId: row.key_id }];
  await expect(apiKeys.getApiKey(of, ref)).rejects.toEqual(code("not_found"));
  await expect(apiKeys.rotateApiKey(of, ref, { retainMinutes: 0 })).rejects.toEqual(code("not_found"));
  await expect(apiKeys.updateApiKey(of, ref, { active: false })).rejects.toEqual(code("not_found"));
  await expect(apiKeys.deleteApiKey(of, ref)).rejects.toEqual(code("not_found"));
  await expect(apiKeys.getApiKey({ name: "ada" }, { keyId: "7" })).rejects.toEqual(code("not_found"));
  expect((await apiKeys.listApiKeys({ name: "ada" })).map(({ name }) => name)).toContain("private");
  expect(await apiKeys.listApiKeys(of)).toStrictEqual([]);
});

test("a key goes with its own principal's name or with none", async () => {
  const { key } = await machine(server, "runner");
  expect(await status(basic("runner", key))).toBe(200);
  expect(await status(basic("", key))).toBe(200);
  expect(await status(basic("ada", key))).toBe(401);
});

test("what a key may at most is in its caller; a workspace that is gone leaves nothing", async () => {
  const limited = await apiKeys.createApiKey({ name: "ada" }, { name: "reader", maxPermission: "READ" });
  const here = await apiKeys.createApiKey({ name: "ada" }, { name: "here", workspaces: ["default"] });
  const callerOf = async (
    key: string,
  ): Promise<Awaited<ReturnType<typeof server.app.identity.authenticate>>> =>
    server.app.identity.authenticate({
      headers: bearer(key),
      method: "GET",
      ip: "192.0.2.1",
      url: "/",
      site: "http://localhost",
    });
  expect((await callerOf(limited.key)).credential).toStrictEqual({
    kind: "api_key",
    id: limited.row.key_id,
    limit: { maxPermission: "READ", workspaceIds: undefined },
  });
  expect(here.row.workspaces).toStrictEqual(["default"]);
  expect((await callerOf(here.key)).credential.limit).toStrictEqual({
    maxPermission: "MANAGE",
    workspaceIds: new Set([1]),
  });
  expect(() => assertUnlimited(anonymous(""))).not.toThrow();
  const caller = await callerOf(limited.key);
  expect(() => assertUnlimited(caller)).toThrow(expect.objectContaining({ code: "permission_denied" }));
  await server.database.prepared(
    { name: "test_gone", text: "update identity.api_keys set workspace_ids = '{999999}' where key_id = $1" },
    [here.row.key_id],
  );
  expect((await apiKeys.getApiKey({ name: "ada" }, { name: "here" })).workspaces).toStrictEqual([]);
});

test("limits without sense are refused", async () => {
  const make = (given: object): Promise<unknown> =>
    apiKeys.createApiKey({ name: "ada" }, { name: "odd", ...given });
  await expect(make({ expiresAt: Date.now() - 1 })).rejects.toEqual(code("invalid_parameter"));
  await expect(make({ expiresAt: 1.5 })).rejects.toEqual(code("invalid_parameter"));
  await expect(make({ workspaces: [] })).rejects.toEqual(code("invalid_parameter"));
  await expect(make({ workspaces: ["default", "no-such"] })).rejects.toEqual(code("not_found"));
  await expect(make({ name: " " })).rejects.toEqual(code("invalid_parameter"));
  await expect(make({ name: "a\nb" })).rejects.toEqual(code("invalid_parameter"));
  await expect(make({ name: "laptop" })).rejects.toEqual(code("already_exists"));
  await expect(apiKeys.createApiKey({ name: "nobody" }, { name: "x" })).rejects.toEqual(code("not_found"));
  const of = { name: "ada" };
  for (const retainMinutes of [-1, 7 * 24 * 60 + 1, Number.NaN, Infinity]) {
    await expect(apiKeys.rotateApiKey(of, { name: "laptop" }, { retainMinutes })).rejects.toEqual(
      code("invalid_parameter"),
    );
  }
});

test("a rotated key works at once; the secret before it for as long as it was given", async () => {
  const { key } = await machine(server, "rotor");
  const [of, ref] = [{ name: "rotor" }, { name: "key" }];
  expect(await status(bearer(key))).toBe(200);
  const second = await apiKeys.rotateApiKey(of, ref, { retainMinutes: 60 });
  expect(second.row.previous_until).toBeGreaterThan(Date.now());
  expect(await status(bearer(second.key))).toBe(200);
  expect(await status(bearer(key))).toBe(200);
  const third = await apiKeys.rotateApiKey(of, ref, { retainMinutes: 60 });
  // One secret is kept, not all.
  expect(await status(bearer(key))).toBe(401);
  expect(await status(bearer(second.key))).toBe(200);
  const last = await apiKeys.rotateApiKey(of, ref, { retainMinutes: 0 });
  for (const old of [key, second.key, third.key]) expect(await status(bearer(old))).toBe(401);
  expect(await status(bearer(last.zenmlKey))).toBe(200);
  expect(last.row).toMatchObject({ key_id: second.row.key_id, previous_until: null });
});

test("a key that is not active is refused, and works again when it is", async () => {
  const { headers } = await machine(server, "switch");
  const set = (active: boolean): Promise<unknown> =>
    apiKeys.updateApiKey({ name: "switch" }, { name: "key" }, { active, name: "key", description: "" });
  expect(await status(headers)).toBe(200);
  await set(false);
  expect(await status(headers)).toBe(401);
  await set(true);
  expect(await status(headers)).toBe(200);
  await apiKeys.deleteApiKey({ name: "switch" }, { name: "key" });
  expect(await status(headers)).toBe(401);
});

test("the last use is written down after the requests", async () => {
  const { headers } = await machine(server, "busy");
  for (let index = 0; index < 3; index += 1) expect(await status(headers)).toBe(200);
  expect((await apiKeys.listApiKeys({ name: "busy" }))[0]?.last_used_at).toBeNull();
  await server.app.identity.purge();
  const usedAt = (await apiKeys.listApiKeys({ name: "busy" }))[0]?.last_used_at ?? 0;
  expect(Date.now() - usedAt).toBeLessThan(60_000);
  // Once a minute is often enough.
  expect(await status(headers)).toBe(200);
  await server.app.identity.purge();
  expect((await apiKeys.listApiKeys({ name: "busy" }))[0]?.last_used_at).toBe(usedAt);
});

test("no other text is a key", () => {
  const text = { keyId: "00112233-4455-6677-8899-aabbccddeeff", secret: "0".repeat(64) };
  expect(readKey(writeKey(text))).toStrictEqual(text);
  expect(readKey(writeZenmlKey(text))).toStrictEqual(text);
  for (const other of [
    "",
    "plinth_",
    `${writeKey(text)}0`,
    writeKey(text).toUpperCase(),
    "ZENKEY_",
    `ZENKEY_${"A".repeat(10_000)}`,
    `ZENKEY_${Buffer.from("null").toString("base64")}`,
    `ZENKEY_${Buffer.from(JSON.stringify({ id: [text.keyId], key: text.secret })).toString("base64")}`,
    `ZENKEY_${Buffer.from(JSON.stringify({ id: "' or 1=1", key: text.secret })).toString("base64")}`,
  ]) {
    expect(readKey(other)).toBeUndefined();
  }
});
