import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import type { Queryable } from "../../kernel/database.ts";
import { createLog } from "../../kernel/log.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { createTokens, MAX_TOKEN_SECONDS, type TokenClaims, type Tokens } from "./tokens.ts";

type Ground = Awaited<ReturnType<typeof testDatabase>>;

const HOUR = 3600;
const secretsKey = Buffer.alloc(32, 7);

let ground: Ground;
let count = 0;

beforeAll(async () => {
  ground = await testDatabase();
});
afterAll(() => ground[Symbol.asyncDispose]());

const execute = (text: string, values: unknown[] = [], on: Queryable = ground.database) =>
  on.prepared({ name: `test_${(count += 1)}`, text }, values);

/** A clock that a test sets; a process of its own on the same database. */
function startProcess(
  clock: { at: number },
  {
    on = ground,
    key = secretsKey,
    loginRequired = true,
  }: { on?: Ground; key?: Buffer; loginRequired?: boolean } = {},
): Tokens {
  return createTokens({
    database: on.database,
    now: () => clock.at,
    secrets: createSecrets([key]),
    log: createLog({ level: "fatal" }),
    loginRequired,
  });
}

async function makeUser(): Promise<{ id: number; uuid: string }> {
  const [row] = await execute(
    `insert into identity.principals (kind, name, creation_timestamp, last_updated_timestamp)
     values ('user', $1, 0, 0) returning principal_id, uuid`,
    [`user-${(count += 1)}`],
  );
  return { id: row?.["principal_id"] as number, uuid: row?.["uuid"] as string };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token", () => {
  const clock = { at: Date.UTC(2026, 0, 1) };
  let tokens: Tokens;
  let user: { id: number; uuid: string };
  beforeAll(async () => {
    tokens = startProcess(clock);
    user = await makeUser();
  });

  test("says whose it is, names its server, and is good on another process", async () => {
    const issued = await tokens.issueToken({ sub: user.uuid }, { expiresInSeconds: HOUR });
    expect(issued.expiresInSeconds).toBe(HOUR);
    const header = decodeProtectedHeader(issued.token);
    expect(header).toEqual({ alg: "HS256", typ: "JWT", kid: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const id = await tokens.serverId();
    const at = clock.at / 1000;
    expect(decodeJwt(issued.token)).toEqual({ sub: user.uuid, iss: id, aud: id, iat: at, exp: at + HOUR });
    const holder = await startProcess(clock).resolveToken(issued.token);
    expect(holder).toMatchObject({
      claims: { sub: user.uuid },
      principal: { principalId: user.id, kind: "user", isAdmin: false },
      limit: undefined,
      endsAt: clock.at + (HOUR + 60) * 1000,
    });
  });

  test("ends, a minute of difference between clocks later; no token is for longer than seven days", async () => {
    const own = { at: clock.at };
    const process = startProcess(own);
    const { token, expiresInSeconds } = await process.issueToken(
      { sub: user.uuid },
      { expiresInSeconds: 10 * MAX_TOKEN_SECONDS },
    );
    expect(expiresInSeconds).toBe(MAX_TOKEN_SECONDS);
    own.at += (MAX_TOKEN_SECONDS + 59) * 1000;
    expect(await process.readToken(token)).toBeDefined();
    own.at += 1000;
    expect(await process.readToken(token)).toBeUndefined();
  });

  test("of a clock that runs ahead by more than a minute is not taken", async () => {
    const ahead = { at: clock.at + 90_000 };
    const { token } = await startProcess(ahead).issueToken({ sub: user.uuid }, { expiresInSeconds: HOUR });
    expect(await tokens.readToken(token)).toBeUndefined();
    ahead.at = clock.at + 59_000;
    expect(await startProcess(ahead).readToken(token)).toBeDefined();
  });

  test("is refused when any part of it was changed", async () => {
    const { token } = await tokens.issueToken({ sub: user.uuid }, { expiresInSeconds: HOUR });
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = decodeJwt(token);
    const other = await makeUser();
    const flipped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const forged = [
      `${header}.${part({ ...claims, sub: other.uuid })}.${signature}`,
      `${header}.${part({ ...claims, exp: (claims.exp ?? 0) + HOUR })}.${signature}`,
      `${header}.${payload}.${flipped}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}..${signature}`,
      "",
      "..",
      "a.b.c",
      `${token}.${signature}`,
    ];
    for (const text of forged) expect(await tokens.readToken(text), text).toBeUndefined();
    expect(await tokens.readToken(token)).toBeDefined();
  });

  test("of another algorithm is refused, also without any and with a key that is public", async () => {
    const { token } = await tokens.issueToken({ sub: user.uuid }, { expiresInSeconds: HOUR });
    const { kid } = decodeProtectedHeader(token);
    const payload = part(decodeJwt(token));
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = publicKey.export({ format: "jwk" });
    const rs256 = `${part({ alg: "RS256", typ: "JWT", kid })}.${payload}`;
    const hs256 = `${part({ alg: "HS256", typ: "JWT", kid, jwk, jku: "http://127.0.0.1/keys" })}.${payload}`;
    const pem = publicKey.export({ format: "pem", type: "spki" });
    const refused = [
      ...["none", "None", "NONE", "nOnE"].map((alg) => `${part({ alg, typ: "JWT", kid })}.${payload}.`),
      `${rs256}.${sign("sha256", Buffer.from(rs256), privateKey).toString("base64url")}`,
      `${hs256}.${createHmac("sha256", pem).update(hs256).digest("base64url")}`,
      `${hs256}.${createHmac("sha256", "").update(hs256).digest("base64url")}`,
      `${part({ alg: "HS512", typ: "JWT", kid })}.${payload}.${"A".repeat(86)}`,
      `${part({ alg: "HS256", typ: "JWT", kid: "../../etc/passwd" })}.${payload}.${"A".repeat(43)}`,
      `${part({ alg: "HS256", typ: "JWT" })}.${payload}.${"A".repeat(43)}`,
    ];
    for (const text of refused) expect(await tokens.readToken(text), text).toBeUndefined();
  });

  test("of another server is refused, also where that has the same keys", async () => {
    await using other = await testDatabase();
    const theirs = startProcess(clock, { on: other });
    const foreign = await makeUser();
    await execute(
      "insert into identity.principals (uuid, kind, name, creation_timestamp, last_updated_timestamp) values ($1, 'user', 'u', 0, 0)",
      [foreign.uuid],
      other.database,
    );
    await execute("update identity.installation set server_id = gen_random_uuid()", [], other.database);
    const { token } = await theirs.issueToken({ sub: foreign.uuid }, { expiresInSeconds: HOUR });
    expect(await theirs.readToken(token)).toBeDefined();
    expect(await tokens.readToken(token)).toBeUndefined();
    // A copy of their keys, which the same secret opens.
    const keys = await execute("select * from identity.signing_keys", [], other.database);
    for (const key of keys) {
      await execute("insert into identity.signing_keys values ($1, $2, $3, $4, $5)", Object.values(key));
    }
    expect(await startProcess(clock).readToken(token)).toBeUndefined();
  });
});

describe("a token ends with what it was made from", () => {
  const clock = { at: Date.UTC(2026, 1, 1) };
  const tokens = (): Tokens => startProcess(clock);

  const issue = async (claims: TokenClaims, expiresInSeconds = HOUR): Promise<string> =>
    (await tokens().issueToken(claims, { expiresInSeconds })).token;
  const stands = async (token: string): Promise<boolean> =>
    (await tokens().resolveToken(token)) !== undefined;

  const makeKey = async (of: number, columns: Record<string, unknown> = {}): Promise<string> => {
    const [row] = await execute(
      `insert into identity.api_keys (key_id, principal_id, name, secret_hash, max_permission, workspace_ids, expires_at,
         creation_timestamp, last_updated_timestamp)
       values (gen_random_uuid(), $1, $2, '', $3, $4, $5, 0, 0) returning key_id`,
      [
        of,
        `key-${(count += 1)}`,
        columns["max_permission"] ?? null,
        columns["workspace_ids"] ?? null,
        columns["expires_at"] ?? null,
      ],
    );
    return row?.["key_id"] as string;
  };

  test("the principal: deactivated, deleted", async () => {
    const user = await makeUser();
    const token = await issue({ sub: user.uuid });
    await execute("update identity.principals set active = false where principal_id = $1", [user.id]);
    expect(await stands(token)).toBe(false);
    await expect(issue({ sub: user.uuid })).rejects.toMatchObject({ code: "unauthenticated" });
    await execute("update identity.principals set active = true where principal_id = $1", [user.id]);
    expect(await stands(token)).toBe(true);
    await execute("delete from identity.principals where principal_id = $1", [user.id]);
    expect(await stands(token)).toBe(false);
  });

  test("the password: a token from before its change, to the millisecond", async () => {
    const user = await makeUser();
    const before = await issue({ sub: user.uuid });
    clock.at += 1;
    await execute("update identity.principals set password_changed_at = $2 where principal_id = $1", [
      user.id,
      clock.at,
    ]);
    const after = await issue({ sub: user.uuid });
    expect([await stands(before), await stands(after)]).toEqual([false, true]);
    // A login whose password was checked before the change, and whose token is made after it.
    const late = tokens().issueToken({ sub: user.uuid }, { expiresInSeconds: HOUR, checkedAt: clock.at - 1 });
    await expect(late).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("the API key: switched off, ended, deleted, of somebody else", async () => {
    const [user, other] = [await makeUser(), await makeUser()];
    const key = await makeKey(user.id, { expires_at: clock.at + 600_000 });
    const { token, expiresInSeconds } = await tokens().issueToken(
      { sub: user.uuid, api_key_id: key },
      { expiresInSeconds: HOUR },
    );
    expect(expiresInSeconds).toBe(600);
    expect(await stands(token)).toBe(true);
    await expect(issue({ sub: other.uuid, api_key_id: key })).rejects.toMatchObject({
      code: "unauthenticated",
    });
    await execute("update identity.api_keys set active = false where key_id = $1", [key]);
    expect(await stands(token)).toBe(false);
    await execute("update identity.api_keys set active = true, expires_at = $2 where key_id = $1", [
      key,
      clock.at,
    ]);
    expect(await stands(token)).toBe(false);
    await execute("update identity.api_keys set expires_at = null where key_id = $1", [key]);
    expect(await stands(token)).toBe(true);
    await execute("delete from identity.api_keys where key_id = $1", [key]);
    expect(await stands(token)).toBe(false);
  });

  test("the secret of a key that is rotated: at once, or when the grace is over", async () => {
    const user = await makeUser();
    const key = await makeKey(user.id);
    const rotate = async (until: number | null): Promise<void> => {
      clock.at += 1;
      await execute(
        "update identity.api_keys set last_rotated_at = $2, previous_until = $3 where key_id = $1",
        [key, clock.at, until],
      );
    };
    const first = await issue({ sub: user.uuid, api_key_id: key });
    await rotate(clock.at + 300_000);
    expect((await tokens().resolveToken(first))?.endsAt).toBe(clock.at - 1 + 300_000);
    // Either secret may have been used for it.
    const during = await tokens().issueToken({ sub: user.uuid, api_key_id: key }, { expiresInSeconds: HOUR });
    expect(during.expiresInSeconds).toBe(299);
    clock.at += 300_000;
    expect(await stands(first)).toBe(false);
    const second = await issue({ sub: user.uuid, api_key_id: key });
    expect(await stands(second)).toBe(true);
    await rotate(null);
    expect(await stands(second)).toBe(false);
  });

  test("it may no more than its key", async () => {
    const user = await makeUser();
    const key = await makeKey(user.id, { max_permission: "READ", workspace_ids: [1] });
    const token = await issue({ sub: user.uuid, api_key_id: key });
    expect(await tokens().resolveToken(token)).toMatchObject({
      credentialId: key,
      limit: { maxPermission: "READ", workspaceIds: new Set([1]) },
    });
    const bound = await makeKey(user.id, { workspace_ids: [1] });
    const other = await issue({ sub: user.uuid, api_key_id: bound });
    expect((await tokens().resolveToken(other))?.limit?.maxPermission).toBe("MANAGE");
  });

  test("the device: locked, ended; the session", async () => {
    const user = await makeUser();
    const [device] = await execute(
      `insert into identity.devices (device_id, client_id, user_code_hash, device_code_hash, status, principal_id,
         address, network, expires_at, creation_timestamp, last_updated_timestamp)
       values (gen_random_uuid(), gen_random_uuid(), 'u', 'd', 'active', $1, '', '', $2, 0, 0) returning device_id`,
      [user.id, clock.at + 600_000],
    );
    const [session] = await execute(
      `insert into identity.sessions (session_id, secret_hash, principal_id, method, address, creation_timestamp,
         last_used_at, expires_at)
       values (gen_random_uuid(), '', $1, 'password', '', 0, 0, $2) returning session_id`,
      [user.id, clock.at + 600_000],
    );
    const byDevice = await issue({ sub: user.uuid, device_id: device?.["device_id"] as string });
    const bySession = await issue({ sub: user.uuid, session_id: session?.["session_id"] as string });
    expect([await stands(byDevice), await stands(bySession)]).toEqual([true, true]);
    await execute("update identity.devices set status = 'locked'");
    expect(await stands(byDevice)).toBe(false);
    await execute("delete from identity.sessions");
    expect(await stands(bySession)).toBe(false);
  });

  test("the openness of a server: its local administrator is nobody where logins are required", async () => {
    const sub = "00000000-0000-0000-0000-000000000000";
    const open = startProcess(clock, { loginRequired: false });
    const { token } = await open.issueToken({ sub }, { expiresInSeconds: HOUR });
    expect((await open.resolveToken(token))?.principal).toMatchObject({ kind: "local", isAdmin: true });
    expect(await stands(token)).toBe(false);
    await expect(issue({ sub })).rejects.toMatchObject({ code: "unauthenticated" });
  });
});
