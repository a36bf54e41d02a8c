import { afterAll, beforeAll, expect, test } from "vitest";
import { holdTable } from "../../../test/database-locks.ts";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { createChangeFeed, type ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import { createHeldGrants, type HeldGrantsCache, type Holder } from "./held-grants.ts";
import type { Grant } from "./policy.ts";
import type { Roles } from "./roles.ts";

let server: TestServer;
let roles: Roles;
let feed: ChangeFeed;

/** The workspace `default`. */
const WORKSPACE = 1;
const holderOf = (principalId: number): Holder => ({ principalId, workspaceId: WORKSPACE });

beforeAll(async () => {
  server = await startTestServer();
  roles = server.app.identity.roles;
  // As of another process than the one that makes the changes.
  feed = createChangeFeed({ database: server.database, now: () => Date.now() });
  await feed.fresh();
});
afterAll(async () => {
  await feed.close();
  await server[Symbol.asyncDispose]();
});

let count = 0;

async function makeHolder(grants: number): Promise<Holder> {
  const name = `holder-${(count += 1)}`;
  const made = await server.app.identity.principals.createPrincipal({ kind: "service_account", name });
  for (let at = 1; at <= grants; at += 1) {
    const grant = { resource_type: "experiment", pattern: String(at), permission: "READ", replace: false };
    await roles.grantDirectly({ name }, WORKSPACE, grant);
  }
  return holderOf(made.principal_id);
}

const makeCache = (maxWeight?: number): HeldGrantsCache =>
  createHeldGrants({ database: server.database, feed, ...(maxWeight === undefined ? {} : { maxWeight }) });

const edit = (pattern: string): Grant => ({ resource_type: "experiment", pattern, permission: "EDIT" });

test("what is known makes room when there is too much of it, what was asked for last stays", async () => {
  // Each takes 20 and its grants.
  const cache = makeCache(65);
  const [one, two, three, large] = [
    await makeHolder(1),
    await makeHolder(1),
    await makeHolder(1),
    await makeHolder(50),
  ];
  for (const holder of [one, two, three]) await cache.load(holder, []);
  expect([one, two, three].map((holder) => cache.peek(holder) !== undefined)).toEqual([true, true, true]);
  await cache.load(await makeHolder(0), []);
  // All had been asked for: the first goes.
  expect([one, two, three].map((holder) => cache.peek(holder) !== undefined)).toEqual([false, true, true]);
  // More than there is room for is known alone.
  await cache.load(large, []);
  expect(cache.peek(large)?.policy(undefined).on("experiment", "50")).toBe("READ");
  expect([two, three].map((holder) => cache.peek(holder))).toEqual([undefined, undefined]);
});

test("those that ask for the same at once share it", async () => {
  const cache = makeCache();
  const holder = await makeHolder(1);
  const [one, two] = await Promise.all([cache.load(holder, []), cache.load(holder, [])]);
  expect(two).toBe(one);
  expect(cache.peek(holder)).toBe(one);
});

test("nothing that was asked for before a change is kept after it, or given to who asks after it", async () => {
  const cache = makeCache();
  const holder = await makeHolder(1);
  await feed.readNow();
  const readChange = async (): Promise<void> => {
    const { principalId } = holder;
    await server.database.transaction((transaction) => recordChange(transaction, { principalId }));
    await feed.readNow();
  };
  let held = await holdTable(server, "identity.grants");
  const before = cache.load(holder, []);
  await held.waiters(1);
  await readChange();
  await held.release();
  await before;
  expect(cache.peek(holder)).toBeUndefined();

  held = await holdTable(server, "identity.grants");
  const began = cache.load(holder, []);
  await held.waiters(1);
  await readChange();
  const later = cache.load(holder, []);
  await held.waiters(2);
  await held.release();
  const [old, now] = await Promise.all([began, later]);
  expect(now).not.toBe(old);
  expect(cache.peek(holder)).toBe(now);
});

test("a change of a role or a workspace is one of all who have it or are in it", async () => {
  const cache = makeCache();
  const [member, other] = [await makeHolder(1), await makeHolder(1)];
  const role = await roles.createRole({ workspace: "default", name: "changed" });
  await roles.assignRole({ principalId: member.principalId }, role.role_id);
  await feed.readNow();
  for (const holder of [member, other]) await cache.load(holder, []);
  // The role granted nothing until now: who has it must be known all the same.
  await roles.addGrant(role.role_id, edit("7"));
  await feed.readNow();
  expect([cache.peek(member), cache.peek(other)].map((held) => held !== undefined)).toEqual([false, true]);
});

test("what somebody was just granted is known, and the feed's word of it forgets nothing", async () => {
  const cache = makeCache();
  const holder = await makeHolder(1);
  await feed.readNow();
  const before = await cache.load(holder, []);
  cache.add(holder, before, { roleId: 1, changeId: Number.MAX_SAFE_INTEGER, grant: edit("8") });
  const after = cache.peek(holder);
  expect(after?.policy(undefined).on("experiment", "8")).toBe("EDIT");
  expect(before.policy(undefined).on("experiment", "8")).toBe("NO_PERMISSIONS");
  // A second one that was begun before the first had ended.
  cache.add(holder, before, { roleId: 1, changeId: undefined, grant: edit("9") });
  expect(cache.peek(holder)?.policy(undefined).on("experiment", "8")).toBe("EDIT");
  expect(cache.peek(holder)?.policy(undefined).on("experiment", "9")).toBe("EDIT");
});

test("what somebody was granted while other rights of theirs changed is asked for again", async () => {
  const cache = makeCache();
  const holder = await makeHolder(1);
  await feed.readNow();
  const before = await cache.load(holder, []);
  const ref = { principalId: holder.principalId };
  await roles.revokeDirectly(ref, WORKSPACE, { resource_type: "experiment", pattern: "1" });
  await feed.readNow();
  await cache.load(holder, []);
  cache.add(holder, before, { roleId: 1, changeId: undefined, grant: edit("8") });
  expect(cache.peek(holder)).toBeUndefined();
});
