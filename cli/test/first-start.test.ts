import { expect, test } from "vitest";
import { newFolder, plinth, spawnPlinth, whenReady, type Ended } from "./plinth.ts";

const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];

type Json = ReturnType<typeof JSON.parse>;

test("from a refusal to an administrator who logs in, and whose password is set by the owner of the folder", async () => {
  await using folder = await newFolder();
  const dataDir = ["--data-dir", folder.path];
  const env = { XDG_CONFIG_HOME: folder.path };
  const run = (...args: string[]): Promise<Ended> => plinth([...args, ...dataDir], { env });
  const up = ["up", "--login", "required", "--log-level", "warn", ...anyPorts];

  const refused = await run(...up);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("plinth: Refusing to start: logins are required");
  expect(refused.stderr).toContain("`plinth user create NAME --admin`");

  const made = await run("user", "create", "ada", "--admin", "--generate", "--json");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const { password } = JSON.parse(made.stdout);

  const server = spawnPlinth([...up, ...dataDir], { env });
  const { http = "" } = await whenReady(server, folder.path);
  const me = async (secret: string): Promise<number> => {
    const basic = Buffer.from(`ada:${secret}`).toString("base64");
    return (await fetch(`${http}/console/api/me`, { headers: { authorization: `Basic ${basic}` } })).status;
  };
  expect((await fetch(`${http}/console/api/me`)).status).toBe(401);
  expect(await me(password)).toBe(200);

  // Nobody is logged in here: the database of the folder is asked.
  const changed = await run("user", "password", "ada", "--generate", "--json");
  expect(changed.code).toBe(0);
  const { password: next } = JSON.parse(changed.stdout);
  await expect.poll(() => me(password), { timeout: 20_000 }).toBe(401);
  expect(await me(next)).toBe(200);
  const { events } = JSON.parse((await run("audit", "list", "--principal", "local", "--json")).stdout);
  expect(events.map((event: Json) => event.action)).toEqual(["users.password.create", "users.create"]);
  const { findings } = JSON.parse((await run("doctor", "--login", "required", "--json")).stdout);
  expect(findings).toContainEqual({ check: "administrator", level: "ok", saw: expect.any(String) });

  // What a server alone can do asks for a login.
  expect(await run("gc")).toMatchObject({ code: 1, stderr: expect.stringContaining("plinth login") });
  server.kill("SIGTERM");
  const { code, stdout } = await server.ended;
  expect(code).toBe(0);
  expect(stdout).toContain(`plinth login ${http}`);
  expect(stdout).not.toContain("log_metric");
  expect((await run("gc", "--json")).code).toBe(0);
}, 90_000);

test("a folder without a database is told apart from an empty one", async () => {
  await using folder = await newFolder();
  const { code, stderr } = await plinth(["user", "list", "--data-dir", folder.path]);
  expect(stderr).toContain(`There is no database in ${folder.path} yet`);
  expect(code).toBe(3);
});
