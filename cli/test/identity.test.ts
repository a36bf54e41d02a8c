import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../server/test/harness.ts";
import { bearer, person, type Person } from "../../server/test/principals.ts";
import { run as runCommand } from "../src/program.ts";
import { newFolder, plinth, spawnPlinth, type Ended } from "./plinth.ts";

let server: TestServer;
let ada: Person;
let home: Awaited<ReturnType<typeof newFolder>>;

beforeAll(async () => {
  server = await startTestServer({ login: "required" });
  ada = await person(server, "ada", { isAdmin: true });
  home = await newFolder();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

type Wish = { env?: Record<string, string>; input?: string };

const environment = (env: Wish["env"] = {}): Record<string, string> => ({
  XDG_CONFIG_HOME: home.path,
  PLINTH_SERVER: server.url,
  ...env,
});

/** The command of somebody whose logins are kept in `home`, on the server of these tests. */
const run = (args: readonly string[], { env, ...wish }: Wish = {}): Promise<Ended> =>
  plinth(args, { env: environment(env), ...wish });

/** The same in this process, which takes a tenth of the time. */
async function here(args: readonly string[], { env }: Pick<Wish, "env"> = {}): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  for (const [name, value] of Object.entries(environment(env))) vi.stubEnv(name, value);
  for (const stream of ["stdout", "stderr"] as const) {
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  }
  try {
    return { code: await runCommand(args), ...said };
  } finally {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  }
}

const answer = async (args: readonly string[], wish: Pick<Wish, "env"> = {}): Promise<Json> => {
  const { code, stdout, stderr } = await here([...args, "--json"], wish);
  expect([args, code, stderr]).toEqual([args, 0, ""]);
  return JSON.parse(stdout);
};

const file = (): string => join(home.path, "plinth", "credentials.json");
const stored = (): Json => JSON.parse(readFileSync(file(), "utf8")).servers[server.url];
const logInByPassword = (): Promise<Ended> =>
  run(["login", "--username", "ada", "--password-stdin"], { input: `${ada.password}\n` });

describe("login", () => {
  test("without one says how to log in", async () => {
    const { code, stderr } = await here(["user", "list"], {
      env: { XDG_CONFIG_HOME: join(home.path, "none") },
    });
    expect(stderr).toContain(`Run \`plinth login ${server.url}\``);
    expect(code).toBe(1);
  });

  test("by password keeps a key, readable by its owner alone; logout revokes it", async () => {
    const { code, stdout, stderr } = await logInByPassword();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Logged in to ${server.url} as ada, until `);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(home.path, "plinth")).mode & 0o777).toBe(0o700);
    expect(readFileSync(file(), "utf8")).not.toContain(ada.password);
    const { secret } = stored();
    expect(await answer(["whoami"])).toMatchObject({ name: "ada", is_admin: true, place: server.url });
    const again = await logInByPassword();
    expect(again.code).toBe(0);
    const me = (): Promise<{ status: number }> =>
      server.call("GET", "/console/api/me", undefined, bearer(secret));
    // The login before was ended by the new one.
    expect((await me()).status).toBe(401);
    const next = stored().secret;
    expect((await here(["logout"])).stdout).toBe(`Logged out of ${server.url}.\n`);
    expect((await server.call("GET", "/console/api/me", undefined, bearer(next))).status).toBe(401);
    expect(stored()).toBeUndefined();
    expect(await here(["logout"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("not logged in"),
    });
  });

  test("by a wrong password is refused, and keeps nothing", async () => {
    const { code, stderr } = await run(["login", "--username", "ada", "--password-stdin"], {
      input: "a wrong password\n",
    });
    expect(stderr).toBe("plinth: The name or the password is wrong.\n");
    expect(code).toBe(1);
    expect(existsSync(file()) ? stored() : undefined).toBeUndefined();
  });

  test("by a code that somebody approves", async () => {
    const waiting = spawnPlinth(["login", server.url], { env: { XDG_CONFIG_HOME: home.path } });
    let said = "";
    const code = await new Promise<string>((found) => {
      waiting.stderr?.on("data", (text: string) => {
        said += text;
        const shown = /user_code=([A-Z]{4}-[A-Z]{4})/.exec(said)?.[1];
        if (shown !== undefined) found(shown);
      });
    });
    expect(said).toContain(`Open ${server.url}/devices/verify?device_id=`);
    const { apiKeys } = server.app.identity;
    const { key } = await apiKeys.createApiKey({ name: "ada" }, { name: "approving" });
    const env = { PLINTH_API_KEY: key };
    const unasked = await here(["device", "approve", code], { env });
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("Give --yes") });
    const approved = await answer(["device", "approve", code, "--yes"], { env });
    expect(approved).toMatchObject({ status: "verified", address: "127.0.0.1" });
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("as ada, until") });
    expect(await answer(["whoami"])).toMatchObject({ name: "ada", credential: { kind: "token" } });
    const { devices } = await answer(["device", "list"]);
    expect(devices).toMatchObject([{ device_id: approved.device_id, status: "active" }]);
    expect((await answer(["device", "lock", approved.device_id], { env })).status).toBe("locked");
    expect((await here(["whoami"])).code).toBe(1);
    await answer(["device", "unlock", approved.device_id], { env });
    await answer(["logout", server.url]);
    expect((await answer(["device", "list"], { env })).devices).toEqual([]);
  });

  test("by a key keeps that key; logout leaves it alone", async () => {
    const { apiKeys } = server.app.identity;
    const { key } = await apiKeys.createApiKey({ name: "ada" }, { name: "brought", maxPermission: "READ" });
    const keyFile = join(home.path, "key");
    writeFileSync(keyFile, `${key}\n`);
    await answer(["login", server.url, "--api-key-file", keyFile]);
    expect(await answer(["whoami"])).toMatchObject({
      is_admin: false,
      credential: { max_permission: "READ" },
    });
    expect((await here(["logout"])).stdout).toContain("goes on until it ends, or is revoked");
    expect(await answer(["whoami", "--api-key-file", keyFile])).toMatchObject({ name: "ada" });
    writeFileSync(keyFile, "plinth_nothing\n");
    expect((await here(["login", "--api-key-file", keyFile])).code).toBe(1);
  });

  test("is not taken from a file that others can read", async () => {
    await logInByPassword();
    for (const mode of [0o640, 0o604]) {
      chmodSync(file(), mode);
      const { code, stderr } = await here(["whoami"]);
      expect(stderr).toContain(`${file()} can be read by others`);
      expect(code).toBe(2);
    }
    chmodSync(file(), 0o600);
    expect((await here(["whoami"])).code).toBe(0);
  });

  test("goes to the server it is for, and to no other", async () => {
    await using other = await startTestServer({ login: "required" });
    const { code, stderr } = await here(["whoami", "--server", other.url]);
    expect(stderr).toContain(`Run \`plinth login ${other.url}\``);
    expect(code).toBe(1);
  });

  test("is not needed where nobody must log in", async () => {
    await using open = await startTestServer();
    expect((await here(["login", open.url])).stdout).toContain("asks nobody to log in");
    expect(await answer(["whoami", "--server", open.url])).toMatchObject({ kind: "local" });
  });
});

describe("the commands of an administrator", () => {
  // As a login keeps it.
  beforeAll(async () => {
    const { key } = await server.app.identity.apiKeys.createApiKey({ name: "ada" }, { name: "kept" });
    const login = { kind: "key", secret: key, name: "ada" };
    mkdirSync(join(home.path, "plinth"), { recursive: true });
    writeFileSync(file(), JSON.stringify({ servers: { [server.url]: login } }), { mode: 0o600 });
  });

  test("look after users and their passwords", async () => {
    const made = await answer(["user", "create", "grace", "--generate", "--full-name", "Grace H."]);
    expect(made).toMatchObject({
      name: "grace",
      is_admin: false,
      password: expect.stringMatching(/^\w{24}$/),
    });
    const login = ["login", "--username", "grace", "--password-stdin"];
    const hers = { env: { XDG_CONFIG_HOME: join(home.path, "grace") } };
    expect((await run(login, { ...hers, input: made.password })).code).toBe(0);
    expect(await here(["user", "list"], hers)).toMatchObject({
      code: 1,
      stderr: "plinth: Permission denied (403)\n",
    });
    const { principals } = await answer(["user", "list", "--contains", "gra"]);
    expect(principals.map((one: Json) => one.name)).toEqual(["grace"]);
    await answer(["user", "deactivate", "grace"]);
    expect((await here(["whoami"], hers)).code).toBe(1);
    await answer(["user", "activate", "grace"]);
    const set = ["user", "password", "grace", "--password-stdin"];
    expect((await run(set, { input: "a better password\n" })).code).toBe(0);
    const { identity } = server.app;
    const check = (password: string): Promise<unknown> =>
      identity.principals.checkPassword("grace", password, { address: "127.0.0.1" });
    expect(await check(made.password)).toBeUndefined();
    expect(await check("a better password")).toMatchObject({ name: "grace" });
    expect(await run(set, { input: "short\n" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("12"),
    });
    expect(await answer(["user", "admin", "grace"])).toMatchObject({ is_admin: true });
    expect(await answer(["user", "admin", "grace", "--remove"])).toMatchObject({ is_admin: false });
    expect((await here(["user", "show", "grace"])).stdout).toContain("full name  Grace H.");
    await answer(["user", "delete", "grace"]);
    expect((await here(["user", "show", "grace"])).code).toBe(3);
  });

  test("look after service accounts and keys", async () => {
    await answer(["service-account", "create", "builder", "--description", "builds"]);
    const create = [
      "key",
      "create",
      "ci",
      "--for",
      "builder",
      "--expires",
      "90d",
      "--max-permission",
      "EDIT",
    ];
    const made = await answer([...create, "--workspaces", "default"]);
    expect(made).toMatchObject({ name: "ci", max_permission: "EDIT", workspaces: ["default"] });
    expect(Math.round((made.expires_at - Date.now()) / 86_400_000)).toBe(90);
    expect(await answer(["whoami"], { env: { PLINTH_API_KEY: made.key } })).toMatchObject({
      name: "builder",
    });
    const rotated = await answer(["key", "rotate", "ci", "--for", "builder", "--retain", "1h"]);
    expect(rotated.key).not.toBe(made.key);
    expect((await here(["key", "list", "--for", "builder"])).stdout).toMatch(/^ci +active +EDIT +default/m);
    await answer(["key", "revoke", "ci", "--for", "builder"]);
    expect((await here(["whoami"], { env: { PLINTH_API_KEY: rotated.key } })).code).toBe(1);
    const pair = await answer(["key", "create", "--s3", "--for", "builder"]);
    expect(pair).toMatchObject({ access_key_id: expect.any(String), secret_access_key: expect.any(String) });
    await answer(["key", "revoke", pair.access_key_id, "--s3", "--for", "builder"]);
    await answer(["service-account", "delete", "builder"]);
  });

  test("look after workspaces and roles", async () => {
    await answer(["workspace", "create", "research", "--description", "what we look into"]);
    await answer(["workspace", "protect", "research"]);
    expect((await here(["workspace", "list"])).stdout).toMatch(/^research +yes +what we look into$/m);
    await person(server, "edith");
    await answer(["role", "assign", "edith", "editor", "--workspace", "research"]);
    const inResearch = ["--workspace", "research"];
    await answer(["role", "create", "reader", ...inResearch]);
    await answer(["role", "grant", "reader", "experiment", "7", "read", ...inResearch]);
    await answer(["role", "grant", "reader", "bucket", "projects/team/dev", "EDIT", ...inResearch]);
    expect(await answer(["role", "show", "reader", ...inResearch])).toMatchObject({
      grants: [
        { resource_type: "experiment", pattern: "7", permission: "READ" },
        { resource_type: "bucket", pattern: "projects/team/dev", permission: "EDIT" },
      ],
      assignments: [],
    });
    expect((await here(["role", "show", "editor", ...inResearch])).stdout).toMatch(/^edith +user +manual$/m);
    await answer(["role", "revoke", "reader", "experiment", "7", ...inResearch]);
    expect((await here(["role", "revoke", "reader", "experiment", "7", ...inResearch])).code).toBe(3);
    await answer(["role", "unassign", "edith", "editor", ...inResearch]);
    await answer(["role", "delete", "reader", ...inResearch]);
    expect((await answer(["role", "list", "--platform"])).roles).toMatchObject([{ name: "monitor" }]);
    await answer(["workspace", "delete", "research", "--contents", "delete"]);
  });

  test("read the audit log", async () => {
    await server.app.identity.audit.flush(true);
    const { events } = await answer(["audit", "list", "--action", "users.*", "--from", "1h", "--limit", "3"]);
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({ principal: "ada", action: "users.delete", resource_id: "grace" });
    const { stdout, code } = await here(["audit", "export", "--resource", "user/grace"]);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines[0]).toMatchObject({ action: "users.create", resource_id: "grace", address: "127.0.0.1" });
    expect(await here(["audit", "list", "--from", "yesterday"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("neither a time"),
    });
  });

  test("and those there were before are sent with the login", async () => {
    expect(await answer(["status"])).toMatchObject({
      address: server.url,
      ready: true,
      version: expect.any(String),
    });
    expect(await answer(["gc"])).toMatchObject({ experiments: 0 });
    expect((await here(["lineage", "nothing/1"])).code).toBe(3);
    const bare = { env: { XDG_CONFIG_HOME: join(home.path, "none") } };
    const status = await here(["status"], bare);
    expect(status.stdout).toContain(`plinth login ${server.url}`);
    expect(status.code).toBe(0);
    expect((await here(["gc"], bare)).code).toBe(1);
  });
});
