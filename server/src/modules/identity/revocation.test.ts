import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { basic, bearer, machine, person } from "../../../test/principals.ts";

let first: TestServer;
let second: TestServer;
beforeAll(async () => {
  const flags = { login: "required", "secrets-key": Buffer.alloc(32, 7).toString("base64") };
  first = await startTestServer(flags);
  // Another process on the same database, with caches of its own.
  second = await startTestServer(flags, first);
});
afterAll(async () => {
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

type Headers = Record<string, string>;

const status = async (server: TestServer, headers: Headers): Promise<number> =>
  (await server.call("GET", "/api/2.0/mlflow/users/current", undefined, headers)).status;

/** 2 s are promised; the machine that runs this may be busy besides. */
const DEADLINE_MS = 2000 + 3000;

/** Refused here in the moment `revoke` is done, and there soon. */
async function expectRefused(credentials: readonly Headers[], revoke: () => Promise<unknown>): Promise<void> {
  for (const headers of credentials) {
    expect([await status(first, headers), await status(second, headers)]).toStrictEqual([200, 200]);
  }
  await revoke();
  for (const headers of credentials) expect(await status(first, headers)).toBe(401);
  const deadline = Date.now() + DEADLINE_MS;
  for (const headers of credentials) {
    while ((await status(second, headers)) !== 401) {
      if (Date.now() > deadline) expect.fail("A revoked credential still works in another process.");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test("a deleted key", async () => {
  const { headers, key } = await machine(first, "deleted key");
  await expectRefused([headers, basic("deleted key", key)], () =>
    first.app.identity.apiKeys.deleteApiKey({ name: "deleted key" }, { name: "key" }),
  );
});

test("the old secret of a rotated key, while the new one works", async () => {
  const { headers } = await machine(first, "rotated key");
  const rotate = first.app.identity.apiKeys.rotateApiKey;
  let next: Headers = {};
  await expectRefused([headers], async () => {
    const { key } = await rotate({ name: "rotated key" }, { name: "key" }, { retainMinutes: 0 });
    next = bearer(key);
  });
  expect([await status(first, next), await status(second, next)]).toStrictEqual([200, 200]);
});

test("a key pair of S3", async () => {
  const { row } = await person(first, "s3 user");
  const of = { principalId: row.principal_id };
  const [here, there] = [first.app.identity.s3Keys, second.app.identity.s3Keys];
  const { access_key_id: id } = (await here.createS3Key(of, {})).row;
  expect(await here.findS3Secret(id)).toStrictEqual(await there.findS3Secret(id));
  await here.updateS3Key(of, id, { active: false });
  expect(await here.findS3Secret(id)).toBeUndefined();
  const deadline = Date.now() + DEADLINE_MS;
  while ((await there.findS3Secret(id)) !== undefined) {
    if (Date.now() > deadline) expect.fail("A key pair that is not active still works in another process.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("a user who is shut out, by every credential; and let in again", async () => {
  const { headers, row } = await person(first, "shut out");
  const { identity } = first.app;
  const { key } = await identity.apiKeys.createApiKey({ name: "shut out" }, { name: "k" });
  const about = { method: "password", address: "", userAgent: undefined } as const;
  const { cookie } = await identity.sessions.createSession(row, about);
  const { token } = await identity.tokens.issueToken({ sub: row.uuid }, { expiresInSeconds: 600 });
  const credentials = [headers, bearer(key), { cookie: `plinth_session=${cookie}` }, bearer(token)];
  await expectRefused(credentials, () => identity.principals.setActive({ name: "shut out" }, false));
  await identity.principals.setActive({ name: "shut out" }, true);
  expect(await status(first, headers)).toBe(200);
});

test("a password that was changed, with the sessions and tokens of before; keys stay", async () => {
  const { headers, row } = await person(first, "new password");
  const { identity } = first.app;
  const { key } = await identity.apiKeys.createApiKey({ name: "new password" }, { name: "k" });
  const about = { method: "password", address: "", userAgent: undefined } as const;
  const { cookie } = await identity.sessions.createSession(row, about);
  const { token } = await identity.tokens.issueToken({ sub: row.uuid }, { expiresInSeconds: 600 });
  await expectRefused([headers, { cookie: `plinth_session=${cookie}` }, bearer(token)], () =>
    identity.principals.setPassword({ name: "new password" }, "quite another password"),
  );
  expect(await status(second, basic("new password", "quite another password"))).toBe(200);
  expect(await status(second, bearer(key))).toBe(200);
});

test("the name and password of before a renaming", async () => {
  const { headers, password } = await person(first, "old name");
  await expectRefused([headers], () =>
    first.app.identity.principals.updatePrincipal({ name: "old name" }, { name: "new name" }),
  );
  expect(await status(second, basic("new name", password))).toBe(200);
});

test("a deleted user, though another one takes the name and the password", async () => {
  const { headers, password } = await person(first, "deleted");
  const { key } = await first.app.identity.apiKeys.createApiKey({ name: "deleted" }, { name: "k" });
  await expectRefused([headers, bearer(key)], () =>
    first.app.identity.principals.deletePrincipal({ name: "deleted" }),
  );
  await person(first, "deleted", { password });
  expect(await status(second, headers)).toBe(200);
  expect(await status(second, bearer(key))).toBe(401);
});

test("a key whose time is over, though it was remembered", async () => {
  await first.app.identity.principals.createPrincipal({ kind: "service_account", name: "short" });
  const { key } = await first.app.identity.apiKeys.createApiKey(
    { name: "short" },
    { name: "k", expiresAt: Date.now() + 1000 },
  );
  await expectRefused([bearer(key)], () => new Promise((resolve) => setTimeout(resolve, 1000)));
});

test("a credential that has ended makes no other ones, also not in the moment before others know of its end", async () => {
  const { identity } = first.app;
  for (let round = 0; round < 5; round += 1) {
    const name = `successor ${round}`;
    const { headers } = await person(first, name);
    const { key, row } = await identity.apiKeys.createApiKey({ name }, { name: "k" });
    expect([await status(second, bearer(key)), await status(second, headers)]).toStrictEqual([200, 200]);
    const child = await second.call("POST", "/console/api/me/keys", { name: "child" }, bearer(key));
    expect(child.status).toBe(201);
    await identity.apiKeys.deleteApiKey({ name }, { keyId: row.key_id });
    const made = await second.call("POST", "/console/api/me/keys", { name: "successor" }, bearer(key));
    expect(made.status).toBe(401);
    await identity.principals.setActive({ name }, false);
    expect((await second.call("POST", "/console/api/me/keys", { name: "successor" }, headers)).status).toBe(
      401,
    );
    expect((await identity.apiKeys.listApiKeys({ name })).map((one) => one.name)).toStrictEqual(["child"]);
  }
});

test("who may do what is not taken from memory when changes cannot be read", async () => {
  const { headers } = await machine(first, "cut off");
  const rename = (from: string, to: string): Promise<unknown> =>
    first.database.prepared(
      { name: `test_rename_${to}`, text: `alter table identity.${from} rename to ${to}` },
      [],
    );
  expect(await status(second, headers)).toBe(200);
  await rename("changes", "changes_away");
  try {
    const deadline = Date.now() + DEADLINE_MS;
    while ((await status(second, headers)) !== 503) {
      if (Date.now() > deadline) expect.fail("A process that hears of no change goes on letting callers in.");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await status(second, headers)).toBe(503);
    // Probes are answered all the same.
    expect((await second.get("/health")).status).toBe(200);
  } finally {
    await rename("changes_away", "changes");
  }
  expect(await status(second, headers)).toBe(200);
});
