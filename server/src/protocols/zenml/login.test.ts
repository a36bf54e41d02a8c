import { randomBytes, randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { bearer, machine, person, type Person } from "../../../test/principals.ts";

/** Processes of one installation are given the same key. */
const flags = { login: "required", "secrets-key": randomBytes(32).toString("base64") } as const;

let server: TestServer;
let admin: Person;

beforeAll(async () => {
  server = await startTestServer(flags);
  admin = await person(server, "root", { isAdmin: true });
});
afterAll(() => server[Symbol.asyncDispose]());

const form = (path: string, fields: Record<string, string>, on = server): Promise<Answer> =>
  on.call("POST", `/api/v1${path}`, new URLSearchParams(fields).toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });
const login = (fields: Record<string, string>, on = server): Promise<Answer> => form("/login", fields, on);
const get = (path: string, headers: Record<string, string> = {}, on = server): Promise<Answer> =>
  on.call("GET", `/api/v1${path}`, undefined, headers);
const put = (path: string, body: unknown, headers: Record<string, string>): Promise<Answer> =>
  server.call("PUT", `/api/v1${path}`, body, headers);

const tokenOf = async (fields: Record<string, string>): Promise<string> => {
  const answer = await login(fields);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.access_token as string;
};

const granted = {
  access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  token_type: "bearer",
  expires_in: 3600,
  refresh_token: null,
  csrf_token: null,
  scope: null,
  device_id: null,
  device_metadata: null,
};

const credentialsNotValid = { detail: ["CredentialsNotValid", expect.any(String)] };

describe("login", () => {
  test("by password, said or inferred, and by nothing else that a password could be", async () => {
    const user = await person(server, "ada");
    const fields = { username: "ada", password: user.password };
    const said = await login({ grant_type: "password", ...fields });
    expect([said.status, said.json]).toEqual([200, granted]);
    expect(said.headers.get("set-cookie")).toBeNull();
    const me = await get("/current-user", bearer(await tokenOf(fields)));
    expect(me.json).toMatchObject({
      id: user.row.uuid,
      name: "ada",
      body: { is_admin: false, active: true },
    });
    for (const wrong of [
      { username: "ada", password: "another password" },
      { username: "nobody", password: user.password },
      { username: "ada", password: "" },
      { username: "ada" },
    ]) {
      const answer = await login({ grant_type: "password", ...wrong });
      expect([answer.status, answer.json]).toEqual([401, credentialsNotValid]);
      expect(answer.text).not.toContain("ada");
    }
  });

  test("by API key in both forms, said or inferred; a token then may no more than its key", async () => {
    const made = await server.app.identity.apiKeys.createApiKey(
      { name: (await machine(server, "robot")).row.name },
      { name: "reader", maxPermission: "READ" },
    );
    for (const password of [made.zenmlKey, made.key]) {
      const answer = await login({ grant_type: "zenml-api-key", password });
      expect([answer.status, answer.json]).toEqual([200, granted]);
      const token = await tokenOf({ password });
      expect(decodeJwt(token)).toMatchObject({ api_key_id: made.row.key_id });
      const created = await server.call(
        "POST",
        "/api/2.0/mlflow/experiments/create",
        { name: "x" },
        bearer(token),
      );
      expect(created.status).toBe(403);
      expect((await get("/current-user", bearer(token))).json).toMatchObject({
        name: "robot",
        body: { is_service_account: true, is_admin: false },
      });
    }
    const wrong = [made.key.slice(0, -1), `${made.key}0`, "ZENKEY_", "a key\r\nx: y", "ü", admin.password];
    for (const password of wrong) {
      expect(await login({ grant_type: "zenml-api-key", password })).toMatchObject({
        status: 401,
        json: credentialsNotValid,
      });
    }
  });

  test("takes no token and no session for an API key", async () => {
    const token = await tokenOf({ username: "root", password: admin.password });
    expect((await login({ grant_type: "zenml-api-key", password: token })).status).toBe(401);
  });

  test("says plainly what is missing, and which grants there are none of", async () => {
    const lacking: Record<string, string>[] = [
      {},
      { grant_type: "password", password: "x" },
      { grant_type: "zenml-api-key" },
      { grant_type: "zenml-external" },
      { grant_type: "refresh_token" },
      { grant_type: "urn:ietf:params:oauth:grant-type:device_code" },
    ];
    for (const fields of lacking) {
      const answer = await login(fields);
      expect([answer.status, answer.json]).toEqual([400, { detail: expect.any(String) }]);
    }
    const json = await server.post("/api/v1/login", { username: "root", password: admin.password });
    expect(json.status).toBe(400);
  });

  test("is limited: after many wrong passwords the right one has to wait", async () => {
    const user = await person(server, "guessed");
    let refused: Answer | undefined;
    for (let attempt = 0; attempt < 30 && refused === undefined; attempt += 1) {
      const answer = await login({ username: "guessed", password: `wrong password ${attempt}` });
      if (answer.status === 429) refused = answer;
    }
    expect(refused?.json).toEqual({ detail: ["MaxConcurrentTasksError", expect.any(String)] });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await login({ username: "guessed", password: user.password })).status).toBe(429);
  });

  test("is in the audit log, failed ones too, without the password", async () => {
    await server.app.identity.audit.flush(true);
    const { events } = await server.app.identity.audit.search(
      { action: "login" },
      { maxResults: 1000, pageToken: undefined },
    );
    const told = events.map(({ outcome, resource_id, details }) => [
      outcome,
      resource_id,
      details?.["method"],
    ]);
    expect(told).toContainEqual(["allowed", "ada", "password"]);
    expect(told).toContainEqual(["allowed", "robot", "zenml-api-key"]);
    expect(told).toContainEqual(["failed", "nobody", "password"]);
    expect(JSON.stringify(events)).not.toContain("another password");
  });
});

describe("a request without a good token", () => {
  test("is answered as the clients know it", async () => {
    const none = await get("/current-user");
    expect([none.status, none.json]).toEqual([401, { detail: "Not authenticated" }]);
    expect(none.headers.get("www-authenticate")).toBe("Bearer");
    for (const headers of [bearer("x.y.z"), bearer(""), { authorization: "Basic eA==" }]) {
      const bad = await get("/current-user", headers);
      expect([bad.status, bad.json]).toEqual([401, credentialsNotValid]);
    }
  });

  test("hears of unknown addresses and methods as JSON", async () => {
    const unknown = await get("/nope");
    expect([unknown.status, unknown.json]).toEqual([404, { detail: "Not Found" }]);
    const wrong = await server.call("PATCH", "/api/v1/login");
    expect([wrong.status, wrong.json]).toEqual([405, { detail: "Method Not Allowed" }]);
    const broken = await get("/users/%E0%A4%A");
    expect([broken.status, broken.json.detail[0]]).toEqual([400, "ValueError"]);
  });
});

describe("a token", () => {
  test("ends with its key, its password and its user, on this process at once", async () => {
    const { apiKeys, principals } = server.app.identity;
    const { key, keyId } = await machine(server, "leaver");
    const byKey = await tokenOf({ password: key });
    expect((await get("/current-user", bearer(byKey))).status).toBe(200);
    await apiKeys.updateApiKey({ name: "leaver" }, { keyId }, { active: false });
    expect((await get("/current-user", bearer(byKey))).json).toEqual(credentialsNotValid);
    expect((await login({ password: key })).status).toBe(401);

    const user = await person(server, "changer");
    const before = await tokenOf({ username: "changer", password: user.password });
    expect((await get("/current-user", bearer(before))).status).toBe(200);
    const other = await person(server, "stayer");
    const untouched = await tokenOf({ username: "stayer", password: other.password });
    await principals.setPassword({ name: "changer" }, "quite another password");
    expect((await get("/current-user", bearer(before))).status).toBe(401);
    const after = await tokenOf({ username: "changer", password: "quite another password" });
    expect((await get("/current-user", bearer(after))).status).toBe(200);
    await principals.setActive({ name: "changer" }, false);
    expect((await get("/current-user", bearer(after))).status).toBe(401);
    expect((await get("/current-user", bearer(untouched))).status).toBe(200);
  });

  test("of one process is good on another, and refused there within two seconds of its end", async () => {
    await using beside = await startTestServer(flags, server);
    const { key, keyId } = await machine(server, "wanderer");
    const token = await tokenOf({ password: key });
    expect((await get("/current-user", bearer(token), beside)).status).toBe(200);
    await server.app.identity.apiKeys.deleteApiKey({ name: "wanderer" }, { keyId });
    const deadline = Date.now() + 2000;
    let status = 200;
    while (status === 200 && Date.now() < deadline) {
      status = (await get("/current-user", bearer(token), beside)).status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(status).toBe(401);
  });

  test("is not made from what was taken away on another process a moment ago", async () => {
    await using beside = await startTestServer(flags, server);
    const { key, keyId } = await machine(server, "rotated");
    // The other process knows key and token, and does not look at them again for a while.
    expect((await get("/current-user", bearer(key), beside)).status).toBe(200);
    const token = (await login({ password: key }, beside)).json.access_token as string;
    expect((await get("/current-user", bearer(token), beside)).status).toBe(200);
    await server.app.identity.apiKeys.rotateApiKey({ name: "rotated" }, { keyId }, { retainMinutes: 0 });
    const tries = await Promise.all([
      login({ password: key }, beside),
      get("/api_token", bearer(key), beside),
      get("/api_token", bearer(token), beside),
    ]);
    expect(tries.map(({ status }) => status)).toEqual([401, 401, 401]);
  });
});

describe("GET /api_token", () => {
  test("makes tokens for so long, of who asks, bound to what the request was let in by", async () => {
    const { key, keyId } = await machine(server, "maker");
    const token = await tokenOf({ password: key });
    for (const headers of [bearer(key), bearer(token)]) {
      const made = await get("/api_token?token_type=generic&expires_in=600", headers);
      expect(made.status).toBe(200);
      const claims = decodeJwt(made.json as string);
      expect(claims).toMatchObject({ api_key_id: keyId, generic: true });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeCloseTo(600);
      expect((await get("/current-user", bearer(made.json as string))).json.name).toBe("maker");
    }
    const byDefault = decodeJwt((await get("/api_token", admin.headers)).json as string);
    expect((byDefault.exp ?? 0) - (byDefault.iat ?? 0)).toBeCloseTo(3600);
  });

  test("makes none that live for ever, by asking again and again, nor for work that is not there", async () => {
    const made = (await get("/api_token?expires_in=604800", admin.headers)).json as string;
    expect((await get("/api_token", bearer(made))).json.detail[0]).toBe("IllegalOperationError");
    const refused = [
      "expires_in=604801",
      "expires_in=-1",
      "expires_in=x",
      "expires_in=1.5",
      "token_type=other",
      "token_type=workload",
      `token_type=workload&pipeline_run_id=${randomUUID()}`,
      `pipeline_run_id=${randomUUID()}`,
    ];
    for (const query of refused) {
      const answer = await get(`/api_token?${query}`, admin.headers);
      expect([query, answer.status, answer.json.detail[0]]).toEqual([query, 400, "ValueError"]);
    }
    expect((await get("/api_token")).status).toBe(401);
  });
});

describe("the device flow", () => {
  const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
  const agent = { "user-agent": "Host/laptop ZenML/0.98.0 Python/3.11.7 OS/Linux" };

  const start = async (clientId: string): Promise<Answer["json"]> => {
    const answer = await server.call("POST", "/api/v1/device_authorization", `client_id=${clientId}`, {
      "content-type": "application/x-www-form-urlencoded",
      ...agent,
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.json;
  };
  const poll = (clientId: string, code: string): Promise<Answer> =>
    login({ grant_type: DEVICE, client_id: clientId, device_code: code });

  test("lets a command line in that a person approves, once", async () => {
    const user = await person(server, "approver");
    const clientId = randomUUID();
    const started = await start(clientId);
    expect(started).toEqual({
      device_code: expect.any(String),
      user_code: expect.any(String),
      verification_uri: "/devices/verify",
      verification_uri_complete: expect.stringMatching(
        /^\/devices\/verify\?device_id=[0-9a-f-]{36}&user_code=/,
      ),
      expires_in: 300,
      interval: 5,
    });
    const pending = await poll(clientId, started.device_code);
    expect([pending.status, pending.json]).toEqual([
      400,
      {
        error: "authorization_pending",
        error_description: expect.stringContaining(clientId),
        error_uri: null,
      },
    ]);
    expect((await poll(clientId, started.device_code)).json.error).toBe("slow_down");
    const link = new URL(started.verification_uri_complete, server.url);
    const id = link.searchParams.get("device_id") ?? "";
    const code = link.searchParams.get("user_code") ?? "";
    const seen = await get(`/devices/${id}?user_code=${code}`, user.headers);
    expect(seen.json).toMatchObject({
      body: { status: "pending", hostname: "laptop", os: "Linux", client_id: clientId, user_id: null },
      metadata: { python_version: "3.11.7", zenml_version: "0.98.0" },
    });
    // Its id alone shows nothing.
    expect((await get(`/devices/${id}`, user.headers)).status).toBe(404);
    expect((await put(`/devices/${id}/verify`, { user_code: "WRONG" }, user.headers)).json.detail[0]).toBe(
      "ValueError",
    );
    const verified = await put(`/devices/${id}/verify`, { user_code: code }, user.headers);
    expect(verified.json.body).toMatchObject({ status: "verified", user_id: user.row.uuid });
    const let_in = await poll(clientId, started.device_code);
    expect(let_in.json).toEqual({ ...granted, expires_in: 24 * 60 * 60, device_id: id });
    expect((await poll(clientId, started.device_code)).json.error).toBe("expired_token");

    const headers = bearer(let_in.json.access_token as string);
    const listed = await get("/devices?sort_by=desc:created", headers);
    expect(listed.json).toMatchObject({ total: 1, items: [{ id, body: { status: "active" } }] });
    expect((await put(`/devices/${id}`, { locked: true }, user.headers)).json.body.status).toBe("locked");
    expect((await get("/current-user", headers)).status).toBe(401);
    expect((await put(`/devices/${id}`, { locked: false }, user.headers)).json.body.status).toBe("active");
    expect((await get("/current-user", headers)).status).toBe(200);
    expect((await server.call("DELETE", `/api/v1/devices/${id}`, undefined, user.headers)).text).toBe("null");
    expect((await get("/current-user", headers)).status).toBe(401);
  });

  test("is for people: not for accounts, keys that are limited, or others' devices", async () => {
    const [owner, stranger] = [await person(server, "owner"), await person(server, "stranger")];
    const { headers } = await machine(server, "bot");
    const limited = await server.app.identity.apiKeys.createApiKey(
      { name: "owner" },
      { name: "limited", maxPermission: "READ" },
    );
    const clientId = randomUUID();
    const started = await start(clientId);
    const link = new URL(started.verification_uri_complete, server.url);
    const id = link.searchParams.get("device_id") ?? "";
    const given = { user_code: started.user_code as string };
    expect((await put(`/devices/${id}/verify`, given, headers)).status).toBe(403);
    expect((await put(`/devices/${id}/verify`, given, bearer(limited.key))).status).toBe(403);
    expect((await put(`/devices/${id}/verify`, given, {})).status).toBe(401);
    expect((await put(`/devices/${id}/verify`, given, owner.headers)).status).toBe(200);
    expect((await poll(clientId, started.device_code)).status).toBe(200);
    for (const [method, body] of [
      ["GET", undefined],
      ["PUT", { locked: true }],
      ["DELETE", undefined],
    ] as const) {
      const answer = await server.call(method, `/api/v1/devices/${id}`, body, stranger.headers);
      expect([method, answer.status]).toEqual([method, 404]);
    }
    expect((await get(`/devices/${id}`, admin.headers)).status).toBe(200);
  });

  test("refuses what is no id", async () => {
    const bad = await form("/device_authorization", { client_id: "x" });
    expect([bad.status, bad.json[0]]).toEqual([422, "ValueError"]);
    expect((await form("/device_authorization", {})).json[1]).toContain("Field required");
    expect((await get("/devices/x", admin.headers)).status).toBe(422);
  });

  test("needs nobody on an open server", async () => {
    await using open = await startTestServer();
    const clientId = randomUUID();
    const started = await form("/device_authorization", { client_id: clientId }, open);
    const code = started.json.device_code as string;
    const answer = await login({ grant_type: DEVICE, client_id: clientId, device_code: code }, open);
    expect(answer.status, answer.text).toBe(200);
    const me = await get("/current-user", bearer(answer.json.access_token as string), open);
    expect(me.json).toMatchObject({ name: "local", body: { is_admin: true } });
    expect((await get("/current-user", {}, open)).json.name).toBe("local");
    expect((await get("/current-user", bearer("x"), open)).status).toBe(401);
  });
});

describe("GET /info", () => {
  test("tells each client its own version, and the newest to others", async () => {
    const info = await get("/info", { "user-agent": "zenml/0.84.0" });
    expect(info.json).toMatchObject({
      id: await server.app.identity.tokens.serverId(),
      version: "0.84.0",
      active: true,
      auth_scheme: "OAUTH2_PASSWORD_BEARER",
    });
    expect((await get("/version", { "user-agent": "zenml/0.98.0" })).json).toBe("0.98.0");
    for (const agent of ["terraform-provider-zenml/1.0", "zenml/<script>", "zenml/1.2.3 more", "zenml/1"]) {
      expect((await get("/version", { "user-agent": agent })).json).toBe("0.98.0");
    }
    expect((await get("/logout")).text).toBe("null");
  });
});
