import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../server/test/harness.ts";
import { lockImports } from "../../server/src/transfer/import/index.ts";
import { addRuns, makeMlflowDatabase } from "../../server/src/transfer/import/mlflow-database-fixture.ts";
import { newFolder, plinth } from "./plinth.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The database of the test server as users name theirs. */
function databaseUrl(): string[] {
  const { host, port, user, password, database } = server.connection;
  const query = new URLSearchParams({ host, port: String(port) });
  return [
    "--database-url",
    `postgres://${user}:${encodeURIComponent(password)}@/${database}?${query.toString()}`,
  ];
}

test("import works without a running Plinth, and knows what it has imported", async () => {
  await using folder = await newFolder();
  using source = makeMlflowDatabase("3.17");
  addRuns(source, 1, 20);
  const args = ["import", "mlflow", source.file, "--data-dir", join(folder.path, "data")];
  const first = await plinth(args);
  expect([first.code, first.stdout]).toEqual([0, expect.stringContaining("20 runs have the same points")]);
  expect(first.stdout).toMatch(/points +400 +400 +400/);
  const second = await plinth(args);
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("This source was imported on")]);
});

test("its exit codes and its JSON can be told apart by a script", async () => {
  await using folder = await newFolder();
  using source = makeMlflowDatabase("2.9");
  addRuns(source, 1, 3);
  const target = [...databaseUrl(), "--data-dir", folder.path, "--json"];
  const run = (...args: string[]): ReturnType<typeof plinth> =>
    plinth(["import", "mlflow", ...args, ...target]);
  expect((await run(source.file, "--workspace", "Not A Name")).code).toBe(2);
  expect((await run("ftp://example.com/mlruns")).code).toBe(2);
  expect((await run(join(folder.path, "nothing.db"))).code).toBe(2);
  await server.post("/api/2.0/mlflow/experiments/create", { name: "one" });
  const dry = await run(source.file, "--dry-run");
  expect(dry.code).toBe(3);
  expect(JSON.parse(dry.stdout)).toMatchObject({
    state: "dry run",
    conflicts: [expect.stringContaining("'one'")],
  });
  const refused = await run(source.file);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stderr.trim().split("\n").at(-1) ?? "")).toMatchObject({ exit_code: 1 });
  const done = await run(source.file, "--workspace", "team", "--renumber");
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ state: "imported", runs_compared: 3 });
  const events = done.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { phase: string });
  expect(new Set(events.map((event) => event.phase))).toContain("verification");
});

test("two imports do not work on one database at once", async () => {
  await using folder = await newFolder();
  using source = makeMlflowDatabase("3.17");
  await using held = await lockImports(server.connection);
  expect(held).toBeDefined();
  const { code, stderr } = await plinth([
    "import",
    "mlflow",
    source.file,
    ...databaseUrl(),
    "--data-dir",
    folder.path,
  ]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Another import works on this database")]);
});
