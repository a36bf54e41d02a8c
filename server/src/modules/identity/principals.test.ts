import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { basic, person } from "../../../test/principals.ts";
import type { Principals } from "./principals.ts";

let server: TestServer;
let principals: Principals;
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  ({ principals } = server.app.identity);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const from = { address: "192.0.2.1" };
const refused = (code: string): unknown => expect.objectContaining({ code });

test("names are one for all, and look like nothing else", async () => {
  const row = await principals.createPrincipal({
    kind: "user",
    name: "andre\u0301",
    email: "",
    full_name: "André",
  });
  expect(row).toMatchObject({
    name: "andr\u00e9",
    kind: "user",
    email: null,
    full_name: "André",
    active: true,
    is_admin: false,
    has_password: false,
    awaits_activation: false,
  });
  await expect(
    principals.createPrincipal({ kind: "service_account", name: "andr\u00e9" }),
  ).rejects.toMatchObject({ code: "already_exists" });
  expect(await principals.findPrincipal({ name: "andre\u0301" })).toStrictEqual(row);
  expect(await principals.findPrincipal({ uuid: row.uuid })).toStrictEqual(row);
  expect(await principals.getPrincipal({ principalId: row.principal_id })).toStrictEqual(row);
  for (const ref of [{ name: "Andr\u00e9" }, { name: "a\0b" }, { uuid: "7" }, { principalId: 0 }]) {
    expect(await principals.findPrincipal(ref)).toBeUndefined();
    await expect(principals.getPrincipal(ref)).rejects.toMatchObject({ code: "not_found" });
  }
  for (const name of [
    "",
    " ada",
    "ada\n",
    "a\u202eda",
    "a\u200bda",
    "a:b",
    "local",
    "Token",
    "__user_1__",
    "x".repeat(256),
    "\ud800",
    "a\0b",
  ]) {
    await expect(principals.createPrincipal({ kind: "user", name })).rejects.toMatchObject({
      code: "invalid_parameter",
    });
  }
  expect(
    (await principals.createPrincipal({ kind: "user", name: "\u{1f511}".repeat(255) })).name,
  ).toHaveLength(510);
});

test("a service account has no password; a user has a good one or none", async () => {
  const given = { kind: "service_account", name: "deployer", password: "a long enough password" } as const;
  await expect(principals.createPrincipal(given)).rejects.toEqual(refused("invalid_parameter"));
  for (const password of ["", "a", "short"]) {
    await expect(principals.createPrincipal({ kind: "user", name: "weak", password })).rejects.toEqual(
      refused("invalid_parameter"),
    );
  }
  await principals.createPrincipal({ kind: "service_account", name: "deployer" });
  await expect(principals.setPassword({ name: "deployer" }, given.password)).rejects.toEqual(
    refused("invalid_parameter"),
  );
  await expect(principals.issueActivationToken({ name: "deployer" })).rejects.toEqual(
    refused("invalid_parameter"),
  );
});

test("lists go by name, in pages, by kind and by what names hold", async () => {
  const names = ["list b", "list a", "list c"];
  for (const name of names) await principals.createPrincipal({ kind: "user", name });
  await principals.createPrincipal({ kind: "service_account", name: "list 0" });
  const listed: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await principals.listPrincipals({
      contains: "list ",
      kind: "user",
      maxResults: 2,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    listed.push(...page.principals.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  expect(listed).toStrictEqual(["list a", "list b", "list c"]);
  // The text is no pattern.
  expect((await principals.listPrincipals({ contains: "%", maxResults: 10 })).principals).toStrictEqual([]);
  await expect(principals.listPrincipals({ maxResults: 1, pageToken: "e30" })).rejects.toEqual(
    refused("invalid_parameter"),
  );
});

test("fields change one by one; a taken name does not", async () => {
  const row = await principals.createPrincipal({ kind: "user", name: "rosa", email: "rosa@example.org" });
  const ref = { uuid: row.uuid };
  const named = await principals.updatePrincipal(ref, { full_name: "Rosa", name: "rosalind" });
  expect(named).toMatchObject({ full_name: "Rosa", email: "rosa@example.org", name: "rosalind" });
  expect(await principals.updatePrincipal(ref, { email: null })).toMatchObject({
    full_name: "Rosa",
    email: null,
  });
  await expect(principals.updatePrincipal(ref, { name: "deployer" })).rejects.toEqual(
    refused("already_exists"),
  );
  await expect(principals.updatePrincipal(ref, { full_name: "a\0b" })).rejects.toEqual(
    refused("invalid_parameter"),
  );
});

test("a password is right for its user alone, and for nobody who is shut out", async () => {
  const { password, row } = await person(server, "emmy");
  expect(await principals.checkPassword("emmy", password, from)).toMatchObject({
    principal_id: row.principal_id,
  });
  expect(await principals.checkPassword("Emmy", password, from)).toBeUndefined();
  expect(await principals.checkPassword("emmy", `${password} `, from)).toBeUndefined();
  expect(await principals.checkPassword("emmy", "", from)).toBeUndefined();
  await principals.setActive({ name: "emmy" }, false);
  expect(await principals.checkPassword("emmy", password, from)).toBeUndefined();
  await principals.setActive({ name: "emmy" }, true);
  expect(await principals.checkPassword("emmy", password, from)).toMatchObject({ active: true });
});

test("after 10 wrong passwords the right one is refused, too, with the time to wait", async () => {
  const { password } = await person(server, "hedy");
  const tries = Array.from({ length: 11 }, (_, index) =>
    server.call("GET", "/api/2.0/mlflow/users/current", undefined, basic("hedy", `wrong password ${index}`)),
  );
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  expect(statuses.toSorted((left, right) => left - right)).toStrictEqual([
    ...Array.from({ length: 10 }, () => 401),
    429,
  ]);
  const answer = await server.call(
    "GET",
    "/api/2.0/mlflow/users/current",
    undefined,
    basic("hedy", password),
  );
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(300);
  // A name that nobody has is answered the same way.
  for (let index = 0; index < 10; index += 1) {
    expect(
      await principals.checkPassword("no such user", `wrong ${index}`, { address: "192.0.2.99" }),
    ).toBeUndefined();
  }
  await expect(
    principals.checkPassword("no such user", "wrong", { address: "192.0.2.99" }),
  ).rejects.toMatchObject({
    code: "too_many_requests",
  });
});

test("a hash that costs less than today's is made anew at the next login", async () => {
  const { password, row } = await person(server, "joan");
  const statement = (text: string): Promise<{ password_hash: string }[]> =>
    server.database.prepared({ name: `test_${text.slice(0, 6)}_hash`, text }, [row.principal_id]);
  const select = "select password_hash from identity.principals where principal_id = $1";
  const { createPasswords } = await import("./passwords.ts");
  const cheap = await createPasswords({ N: 2, r: 1, p: 1 }).hash(password);
  await statement(
    `update identity.principals set password_hash = '${cheap}' where principal_id = $1 returning 1`,
  );
  expect(await principals.checkPassword("joan", "another password", from)).toBeUndefined();
  expect((await statement(select))[0]?.password_hash).toBe(cheap);
  expect(await principals.checkPassword("joan", password, from)).toBeDefined();
  expect((await statement(select))[0]?.password_hash).toMatch(/^scrypt\$256\$8\$1\$/);
  expect(await principals.checkPassword("joan", password, from)).toBeDefined();
});

test("one's own password changes with the current one, whose guesses are limited", async () => {
  const { password } = await person(server, "ruth");
  const set = (current: string, next = "another good password"): Promise<unknown> =>
    principals.setPassword({ name: "ruth" }, next, { current });
  await expect(set("not the current one")).rejects.toMatchObject({
    code: "invalid_parameter",
    message: "Current password does not match.",
  });
  await expect(set(password, password)).rejects.toEqual(refused("invalid_parameter"));
  await set(password);
  expect(await principals.checkPassword("ruth", password, from)).toBeUndefined();
  expect(await principals.checkPassword("ruth", "another good password", from)).toBeDefined();
  for (let index = 0; index < 10; index += 1) {
    await expect(set(`guess number ${index}`)).rejects.toEqual(refused("invalid_parameter"));
  }
  await expect(set("another good password", "a third good password")).rejects.toEqual(
    refused("too_many_requests"),
  );
});

test("of two changes with the same current password one is done", async () => {
  const { password } = await person(server, "ida");
  const set = (next: string): Promise<unknown> =>
    principals.setPassword({ name: "ida" }, next, { current: password });
  const settled = await Promise.allSettled([set("the first new password"), set("the second new password")]);
  expect(settled.map(({ status }) => status).toSorted()).toStrictEqual(["fulfilled", "rejected"]);
});

test("an activation token sets a password once, for a week, until its user is shut out", async () => {
  const ref = { name: "vera" };
  await principals.createPrincipal({ kind: "user", ...ref });
  const token = await principals.issueActivationToken(ref);
  expect(await principals.getPrincipal(ref)).toMatchObject({ awaits_activation: true });
  const password = "a password of vera's own";
  await expect(principals.activate(ref, { token: "f".repeat(64), password })).rejects.toEqual(
    refused("permission_denied"),
  );
  await expect(principals.activate({ name: "nobody" }, { token, password })).rejects.toEqual(
    refused("permission_denied"),
  );
  await expect(principals.activate(ref, { token })).rejects.toEqual(refused("invalid_parameter"));
  await expect(principals.activate(ref, { token, password: "short" })).rejects.toEqual(
    refused("invalid_parameter"),
  );
  const twice = await Promise.allSettled([
    principals.activate(ref, { token, password, full_name: "Vera" }),
    principals.activate(ref, { token, password, full_name: "Vera" }),
  ]);
  expect(twice.map(({ status }) => status).toSorted()).toStrictEqual(["fulfilled", "rejected"]);
  expect(await principals.checkPassword("vera", password, from)).toMatchObject({
    full_name: "Vera",
    awaits_activation: false,
  });

  const second = await principals.issueActivationToken(ref);
  await principals.setActive(ref, false);
  await expect(principals.activate(ref, { token: second, password })).rejects.toEqual(
    refused("permission_denied"),
  );
  const third = await principals.issueActivationToken(ref);
  expect(await principals.activate(ref, { token: third, password: "yet another password" })).toMatchObject({
    active: true,
  });
});

test("the last administrator who can log in stays one, also when all are taken away at once", async () => {
  await using own = await startTestServer({ login: "required" });
  const { principals: people } = own.app.identity;
  expect(await people.hasAdmin()).toBe(false);
  // Cannot log in, so it does not count; and may go.
  await people.createPrincipal({ kind: "user", name: "invited", isAdmin: true });
  await people.createPrincipal({ kind: "service_account", name: "robot", isAdmin: true });
  expect(await people.hasAdmin()).toBe(false);
  const names = ["admin 1", "admin 2", "admin 3", "admin 4"];
  for (const name of names) await person(own, name, { isAdmin: true });
  expect(await people.hasAdmin()).toBe(true);
  const settled = await Promise.allSettled([
    people.setAdmin({ name: "admin 1" }, false),
    people.setActive({ name: "admin 2" }, false),
    people.deletePrincipal({ name: "admin 3" }),
    people.setAdmin({ name: "admin 4" }, false),
  ]);
  const failed = settled.filter((one) => one.status === "rejected");
  expect(failed).toHaveLength(1);
  expect(failed[0]?.reason).toMatchObject({ code: "invalid_state" });
  expect(await people.hasAdmin()).toBe(true);
  await people.setActive({ name: "robot" }, false);
  await people.deletePrincipal({ name: "invited" });
  expect(await people.hasAdmin()).toBe(true);
});

test("keys, sessions and everything else go with their principal; its name is free, and is somebody else's", async () => {
  const { row } = await person(server, "maria");
  const { key } = await server.app.identity.apiKeys.createApiKey({ name: "maria" }, { name: "k" });
  await server.app.identity.sessions.createSession(row, {
    method: "password",
    address: "",
    userAgent: undefined,
  });
  await principals.deletePrincipal({ name: "maria" });
  await expect(principals.deletePrincipal({ name: "maria" })).rejects.toEqual(refused("not_found"));
  const next = await person(server, "maria", { password: "somebody else's password" });
  expect(next.row.principal_id).not.toBe(row.principal_id);
  const answer = await server.call("GET", "/api/2.0/mlflow/users/current", undefined, basic("maria", key));
  expect(answer.status).toBe(401);
});
