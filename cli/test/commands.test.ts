import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newFolder, plinth } from "./plinth.ts";

describe("a wrong call", () => {
  test.each([
    [["config", "--prot", "3"], "plinth: unknown option '--prot' (Did you mean --port?)\n"],
    [["confg"], "plinth: unknown command 'confg' (Did you mean config?)\n"],
    [["db", "migrat"], "plinth: unknown command 'migrat' (Did you mean migrate?)\n"],
    [
      ["config", "--port", "x"],
      "plinth: --port: 'x' is not valid: it must be a whole number from 0 to 65535.\n",
    ],
    [["completion", "bahs"], "(did you mean 'bash'?)"],
    [["server"], "`plinth server` needs --database-url"],
    [["up", "--insecure", "--login", "required"], "give one of them"],
    [["user", "creat"], "plinth: unknown command 'creat' (Did you mean create?)"],
    [
      ["role", "grant", "reader", "experiment", "7", "REED"],
      "'REED' is no permission: it is one of READ, USE",
    ],
    [
      ["user", "create", "ada"],
      "There is nobody to ask for a password: give --generate, or --password-stdin",
    ],
    [["whoami", "--server", "https://ada:secret@plinth.example"], "the address holds a name or password"],
    [["status", "--url", "localhost:5000"], "'localhost:5000' is not an http:// or https:// address"],
    [
      ["status", "--server", "localhost:5000"],
      "--server: 'localhost:5000' is not an http:// or https:// address",
    ],
  ])("%j is one line that says what to do, and exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await plinth(args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("an unknown PLINTH_ variable is named with the nearest one", async () => {
    const { code, stderr } = await plinth(["config"], { env: { PLINTH_PROT: "1" } });
    expect(stderr).toContain("Unknown environment variable PLINTH_PROT; did you mean PLINTH_PORT?");
    expect(code).toBe(2);
  });

  test("is JSON when asked", async () => {
    const { stderr } = await plinth(["config", "--json", "--prot", "3"]);
    expect(JSON.parse(stderr)).toEqual({
      error: "unknown option '--prot' (Did you mean --port?)",
      exit_code: 2,
    });
  });
});

test("--version loads neither the server nor a database client", async () => {
  const preload = ["--import", new URL("print-imports.ts", import.meta.url).href];
  const { code, stdout, stderr } = await plinth(["--version"], { nodeFlags: preload });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
  expect(stderr).toContain("/cli/src/program.ts");
  expect(stderr).not.toMatch(/server\/src\/main|node_modules\/(pg|fastify|zod|pino)\//);
});

test("config tells the source of every value and hides secrets", async () => {
  const env = { PLINTH_DATABASE_URL: "postgres://me:s3cret@db/base", PLINTH_POOL_SIZE: "7" };
  const { code, stdout } = await plinth(["config", "--port", "0", "--json"], { env });
  expect(code).toBe(0);
  expect(stdout).not.toContain("s3cret");
  expect(JSON.parse(stdout)).toMatchObject({
    port: { value: "0", source: "flag", variable: "PLINTH_PORT" },
    "pool-size": { value: "7", source: "environment" },
    "database-url": { value: "(hidden)", source: "environment" },
    host: { value: "127.0.0.1", source: "default" },
  });
});

describe("status", () => {
  test("of a folder without a Plinth is no", async () => {
    await using folder = await newFolder();
    const { code, stderr } = await plinth(["status", "--data-dir", folder.path]);
    expect(stderr).toContain(`No Plinth runs on ${folder.path}`);
    expect(code).toBe(3);
  });

  test("of a Plinth that died without removing its addresses is no", async () => {
    await using folder = await newFolder();
    const gone = createServer();
    await new Promise<void>((done) => gone.listen(0, "127.0.0.1", done));
    const { port } = gone.address() as AddressInfo;
    await new Promise((done) => gone.close(done));
    writeFileSync(join(folder.path, "plinth.json"), `{"addresses":{"http":"http://127.0.0.1:${port}"}}`);
    const { code, stderr } = await plinth(["status", "--data-dir", folder.path]);
    expect(stderr).toContain(`Plinth does not answer at http://127.0.0.1:${port}/`);
    expect(code).toBe(3);
  });
});

describe("doctor", () => {
  type Findings = {
    healthy: boolean;
    findings: { check: string; level: string; saw: string; remedy?: string }[];
  };
  const anyPorts = ["--port", "0", "--s3-port", "0", "--grpc-port", "0"];

  test("is content with an empty folder", async () => {
    await using folder = await newFolder();
    const { code, stdout } = await plinth(["doctor", "--json", "--data-dir", folder.path, ...anyPorts]);
    const { healthy, findings } = JSON.parse(stdout) as Findings;
    expect({ healthy, code }).toEqual({ healthy: true, code: 0 });
    expect(findings.map((finding) => finding.check)).toEqual(
      expect.arrayContaining([
        "Node.js",
        "embedded PostgreSQL",
        "data folder",
        "port of --port",
        "open files",
        "database",
      ]),
    );
  });

  test("finds a taken port, foreign data and a database that is not there, and says what to do", async () => {
    await using folder = await newFolder();
    await using taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const port = String((taken.address() as AddressInfo).port);
    mkdirSync(join(folder.path, "postgres"));
    writeFileSync(join(folder.path, "postgres", "PG_VERSION"), "15\n");
    const args = ["doctor", "--data-dir", folder.path, "--s3-port", "0", "--grpc-port", "0", "--port", port];
    const own = await plinth([...args, "--json"]);
    expect(own.code).toBe(3);
    expect((JSON.parse(own.stdout) as Findings).findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          check: "port of --port",
          level: "problem",
          saw: `${port} is taken by another program`,
        }),
        expect.objectContaining({
          check: "database",
          level: "problem",
          remedy: expect.stringContaining("dump it"),
        }),
      ]),
    );
    const env = { PLINTH_DATABASE_URL: "postgres://me:pw@127.0.0.1:1/base" };
    const external = await plinth([...args, "--host", "0.0.0.0", "--insecure"], { env });
    expect(external.stdout).toContain("nothing listens there");
    expect(external.stdout).toContain(
      "WARN  logins: with --insecure, whoever reaches 0.0.0.0 may do everything",
    );
    expect(external.stdout).toContain("WARN  secrets key: none");
    expect(external.code).toBe(3);
  });
});

test("db status says no, db migrate applies, db status says yes", async () => {
  await using folder = await newFolder();
  const dataDir = ["--data-dir", folder.path];
  const none = await plinth(["db", "status", ...dataDir]);
  expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining("There is no database") });
  const migrated = await plinth(["db", "migrate", "--json", ...dataDir]);
  const { applied } = JSON.parse(migrated.stdout) as { applied: string[] };
  expect(applied.length).toBeGreaterThan(0);
  const after = await plinth(["db", "status", "--json", ...dataDir]);
  expect(after.code).toBe(0);
  const { pending, migrations } = JSON.parse(after.stdout) as {
    pending: number;
    migrations: { name: string }[];
  };
  expect(pending).toBe(0);
  expect(migrations.map((migration) => migration.name)).toEqual(applied);
});

describe("completion", () => {
  test("for bash completes commands, subcommands and flags", async () => {
    const { stdout } = await plinth(["completion", "bash"]);
    const complete = (...words: string[]): string[] => {
      const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plinth; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" })
        .stdout.trim()
        .split("\n");
    };
    expect(complete("plinth", "co")).toEqual(["config", "completion"]);
    expect(complete("plinth", "db", "")).toContain("migrate");
    expect(complete("plinth", "db", "status", "--da")).toEqual(["--data-dir", "--database-url"]);
    expect(complete("plinth", "up", "--port", "5000", "--s3-po")).toEqual(["--s3-port"]);
  });

  test.each(["zsh", "fish"])("for %s names every command", async (shell) => {
    const { stdout, code } = await plinth(["completion", shell]);
    expect(code).toBe(0);
    for (const command of ["up", "server", "status", "doctor", "migrate", "config"])
      expect(stdout).toContain(command);
  });
});
