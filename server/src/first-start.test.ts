import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import { testDatabase } from "../test/harness.ts";
import { basic } from "../test/principals.ts";
import { readConfig, type Flags } from "./config.ts";
import { startServer, type RunningServer } from "./main.ts";
import type { Environment } from "./setting-kinds.ts";

const PASSWORD = "correct horse battery";

let folder: string;
let ground: Awaited<ReturnType<typeof testDatabase>>;
let running: RunningServer[];
let logged: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-first-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  ground = await testDatabase();
  running = [];
  logged = "";
});
afterEach(async () => {
  for (const server of running) await server.close();
  await ground[Symbol.asyncDispose]();
});

/** Starts as `plinth server` does, on the database of this test; tells the address. */
async function start(flags: Flags, env: Environment = {}): Promise<string> {
  const { user, password, host, port, database } = ground.connection;
  const query = new URLSearchParams({ host, port: String(port), sslmode: "disable" });
  const url = `postgres://${user}:${encodeURIComponent(password)}@/${database}?${query.toString()}`;
  const { config } = readConfig(
    {
      "data-dir": await mkdtemp(join(folder, "data-")),
      "database-url": url,
      port: "0",
      "s3-port": "0",
      "grpc-port": "0",
      "pool-size": "4",
      ...flags,
    },
    env,
  );
  const log = pino({ level: "trace" }, { write: (line: string) => void (logged += line) });
  const server = await startServer(config, { log });
  running.push(server);
  return server.addresses["http"] ?? "";
}

const me = async (address: string, headers: Record<string, string> = {}): Promise<unknown[]> => {
  const answer = await fetch(`${address}/console/api/me`, { headers });
  const { name, is_admin } = (await answer.json()) as Record<string, unknown>;
  return [answer.status, name, is_admin];
};

const admins = async (): Promise<string[]> => {
  const found = await ground.database.prepared<{ name: string }>(
    { name: "test_admins", text: "select name from identity.principals where is_admin order by name" },
    [],
  );
  return found.map(({ name }) => name);
};

const REFUSAL =
  /Refusing to start: .*nobody could log in as administrator\. Type `plinth user create NAME --admin`/;

describe("the first start", () => {
  test("on loopback serves whoever is on this machine as its administrator", async () => {
    expect(await me(await start({}))).toEqual([200, "local", true]);
    expect(await admins()).toEqual([]);
  });

  test.each([
    { host: "0.0.0.0" },
    { host: "::" },
    { login: "required" },
    { host: "127.0.0.1", login: "required" },
  ])("with %j is refused until there is an administrator, and says what to type", async (flags) => {
    await expect(start(flags)).rejects.toThrow(REFUSAL);
    expect(await admins()).toEqual([]);
    await start({});
    await running.pop()?.close();
  });

  test("with --insecure lets everybody in", async () => {
    expect(await me(await start({ host: "0.0.0.0", insecure: true }))).toEqual([200, "local", true]);
  });

  test("makes the administrator of the environment once, and never says the password", async () => {
    const env = { PLINTH_ADMIN_PASSWORD: PASSWORD };
    const address = await start({ host: "0.0.0.0" }, env);
    expect((await me(address))[0]).toBe(401);
    expect(await me(address, basic("admin", PASSWORD))).toEqual([200, "admin", true]);
    const audit = await fetch(`${address}/console/api/audit?action=users.create`, {
      headers: basic("admin", PASSWORD),
    });
    expect(await audit.json()).toMatchObject({ events: [{ principal: "local", resource_id: "admin" }] });
    await running.pop()?.close();
    const again = await start({ host: "0.0.0.0" }, { PLINTH_ADMIN_PASSWORD: "a very different one" });
    expect((await me(again, basic("admin", "a very different one")))[0]).toBe(401);
    expect(await me(again, basic("admin", PASSWORD))).toEqual([200, "admin", true]);
    await running.pop()?.close();
    const without = await start({ host: "0.0.0.0" });
    expect(await me(without, basic("admin", PASSWORD))).toEqual([200, "admin", true]);
    expect(logged).toContain("ignored");
    expect(logged).not.toContain(PASSWORD);
    expect(logged).not.toContain("a very different one");
  });

  test("takes the password from a file, and another name", async () => {
    const file = join(folder, "password");
    await writeFile(file, `${PASSWORD}\n`);
    const address = await start(
      { login: "required" },
      { PLINTH_ADMIN_PASSWORD_FILE: file, PLINTH_ADMIN_NAME: "ada" },
    );
    expect(await me(address, basic("ada", PASSWORD))).toEqual([200, "ada", true]);
    await running.pop()?.close();
    await expect(start({}, { PLINTH_ADMIN_PASSWORD_FILE: join(folder, "none") })).rejects.toThrow(
      "--admin-password-file cannot be read",
    );
  });

  test.each([
    ["short", "12 characters"],
    ["password", "12 characters"],
    ["", "nobody could log in"],
  ])("refuses the weak password '%s'", async (weak, message) => {
    await expect(start({ host: "0.0.0.0" }, { PLINTH_ADMIN_PASSWORD: weak })).rejects.toThrow(message);
    expect(await admins()).toEqual([]);
  });

  test("of several processes at once makes one administrator", async () => {
    const env = { PLINTH_ADMIN_PASSWORD: PASSWORD };
    const addresses = await Promise.all([1, 2, 3].map(() => start({ host: "0.0.0.0" }, env)));
    expect(await admins()).toEqual(["admin"]);
    for (const address of addresses) {
      expect(await me(address, basic("admin", PASSWORD))).toEqual([200, "admin", true]);
    }
  });

  test("makes no administrator of a user who has the name", async () => {
    await start({});
    const [server] = running;
    const made = await fetch(`${server?.addresses["http"]}/console/api/users`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "admin", password: "what a user chose" }),
    });
    expect(made.status).toBe(201);
    await expect(start({ host: "0.0.0.0" }, { PLINTH_ADMIN_PASSWORD: PASSWORD })).rejects.toThrow(
      "there is a user 'admin' who cannot log in as administrator",
    );
    expect(await admins()).toEqual([]);
  });

  test("waits for nobody where the provider of logins says who administers", async () => {
    const provider = {
      "oidc-issuer": "https://login.example",
      "oidc-client-id": "plinth",
      "public-url": "https://plinth.example",
    };
    await expect(
      start({ host: "0.0.0.0", ...provider, "oidc-group-roles": "ml=default:editor" }),
    ).rejects.toThrow(REFUSAL);
    await start({ host: "0.0.0.0", ...provider, "oidc-group-roles": "ops=admin" });
  });
});
