import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { person } from "../../../test/principals.ts";
import type { S3Keys } from "./s3-keys.ts";

let server: TestServer;
let s3Keys: S3Keys;
const of = { name: "ada" };
beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  ({ s3Keys } = server.app.identity);
  await person(server, "ada");
  await person(server, "eve");
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

test("a key pair is found by its id, with its principal and limits, while it is active", async () => {
  const { row, secretAccessKey } = await s3Keys.createS3Key(of, {
    maxPermission: "READ",
    workspaces: ["default"],
  });
  expect(row.access_key_id).toMatch(/^PL[A-Z0-9]{18}$/);
  expect(secretAccessKey).toMatch(/^[\w-]{40}$/);
  expect(row).toMatchObject({
    max_permission: "READ",
    workspaces: ["default"],
    active: true,
    last_used_at: null,
  });
  const found = await s3Keys.findS3Secret(row.access_key_id);
  expect(found).toMatchObject({
    secret: secretAccessKey,
    principal: { name: "ada", isAdmin: false },
    credential: {
      kind: "s3_key",
      id: row.access_key_id,
      limit: { maxPermission: "READ", workspaceIds: new Set([1]) },
    },
  });
  // Known now: nothing is waited for.
  expect(s3Keys.findS3Secret(row.access_key_id)).toBe(found);

  await s3Keys.updateS3Key(of, row.access_key_id, { active: false });
  expect(await s3Keys.findS3Secret(row.access_key_id)).toBeUndefined();
  await s3Keys.updateS3Key(of, row.access_key_id, { active: true });
  expect(await s3Keys.findS3Secret(row.access_key_id)).toMatchObject({ secret: secretAccessKey });
  await server.app.identity.principals.setActive(of, false);
  expect(await s3Keys.findS3Secret(row.access_key_id)).toBeUndefined();
  await server.app.identity.principals.setActive(of, true);
  await server.app.identity.purge();
  expect((await s3Keys.listS3Keys(of))[0]?.last_used_at).toBeGreaterThan(0);
  await s3Keys.deleteS3Key(of, row.access_key_id);
  expect(await s3Keys.findS3Secret(row.access_key_id)).toBeUndefined();
});

test("secrets are sealed, each for its own row", async () => {
  const [one, other] = [await s3Keys.createS3Key(of, {}), await s3Keys.createS3Key({ name: "eve" }, {})];
  const [stored] = await server.database.prepared<{ sealed: string }>(
    {
      name: "test_sealed",
      text: "select sealed_secret as sealed from identity.s3_keys where access_key_id = $1",
    },
    [one.row.access_key_id],
  );
  expect(stored?.sealed).not.toContain(one.secretAccessKey);
  // Whoever can write to the table cannot make eve's key that of somebody else.
  await server.database.prepared(
    { name: "test_swap", text: "update identity.s3_keys set sealed_secret = $2 where access_key_id = $1" },
    [other.row.access_key_id, stored?.sealed],
  );
  await expect(s3Keys.findS3Secret(other.row.access_key_id)).rejects.toEqual(code("invalid_state"));
});

test("what is nobody's key, ended, or another's is not found", async () => {
  const ended = await s3Keys.createS3Key(of, { expiresAt: Date.now() + 200 });
  expect(await s3Keys.findS3Secret(ended.row.access_key_id)).toBeDefined();
  await expect(s3Keys.deleteS3Key({ name: "eve" }, ended.row.access_key_id)).rejects.toEqual(
    code("not_found"),
  );
  await expect(
    s3Keys.updateS3Key({ name: "eve" }, ended.row.access_key_id, { active: false }),
  ).rejects.toEqual(code("not_found"));
  await new Promise((resolve) => setTimeout(resolve, 210));
  for (const id of [ended.row.access_key_id, "PL000000000000000000", "", "AKIA' or 1=1", "a\0"]) {
    expect(await s3Keys.findS3Secret(id)).toBeUndefined();
  }
});

test("without a key to seal with there are no key pairs", async () => {
  await using bare = await startTestServer({ "database-url": "postgresql://elsewhere.example/plinth" });
  await person(bare, "ada");
  await expect(bare.app.identity.s3Keys.createS3Key(of, {})).rejects.toEqual(code("invalid_state"));
});
