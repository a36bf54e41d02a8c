import { createHash, randomBytes } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, testDatabase } from "../../../test/harness.ts";
import { makeZenmlWorld } from "../../../test/zenml-world.ts";
import type { Database, Row } from "../../kernel/database.ts";
import { createSecrets } from "../../kernel/secrets.ts";
import { secretPlace } from "../../modules/pipelines/index.ts";
import { importZenml, type ZenmlImportReport } from "./import.ts";
import { secondsOf } from "./project-rows.ts";
import { openZenmlSource } from "./source.ts";

/** The source is another Plinth, which speaks ZenML's protocol; ZenML's own servers are imported in `conformance`. */
const source = await startTestServer();
const ids = await makeZenmlWorld(source, "default");
const target = await testDatabase();
const secrets = createSecrets([randomBytes(32)]);

afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function bring(
  into: Database,
  options: { projects?: string[]; into?: string } = {},
  signal = new AbortController().signal,
): Promise<ZenmlImportReport> {
  const opened = await openZenmlSource(source.url, {});
  try {
    const deps = { database: into, secrets, source: opened, signal, onProgress: () => undefined };
    return await importZenml(deps, { projects: options.projects ?? [], into: options.into });
  } finally {
    opened.close();
  }
}

const ask = async <R extends Row>(database: Database, text: string): Promise<R[]> =>
  database.prepared<R>({ name: `test_${createHash("md5").update(text).digest("hex")}`, text }, []);

const idsIn = async (database: Database, table: string): Promise<string[]> =>
  (await ask<{ id: string }>(database, `select id from pipelines.${table} order by id`)).map(({ id }) => id);

describe("an import from a ZenML server", () => {
  it("brings everything with its ids", async () => {
    const report = await bring(target.database);
    expect(report.projects).toMatchObject([
      { name: "default", into: "default", counts: { pipelines: 1, runs: 2, snapshots: 3, steps: 1 } },
    ]);
    for (const table of [
      "secrets",
      "service_connectors",
      "components",
      "stacks",
      "tags",
      "code_repositories",
      "pipelines",
      "builds",
      "schedules",
      "snapshots",
      "run_templates",
      "runs",
      "steps",
      "artifacts",
      "artifact_versions",
      "artifact_visualizations",
      "models",
      "model_versions",
      "model_version_artifacts",
      "model_version_runs",
    ]) {
      const [theirs, mine] = [await idsIn(source.database, table), await idsIn(target.database, table)];
      expect([table, mine]).toEqual([table, theirs]);
      expect([table, mine.length > 0]).toEqual([table, true]);
    }
  });

  it("seals what it brings anew", async () => {
    const [row] = await ask<{ id: string; sealed_values: string }>(
      target.database,
      "select id, sealed_values from pipelines.secrets",
    );
    expect(row?.id).toBe(ids["secret"]);
    const values = secrets.open(row?.sealed_values ?? "", secretPlace(row?.id ?? ""));
    expect(JSON.parse(values)).toEqual({ key: "kept-from-others" });
  });

  it("changes nothing when it is done again", async () => {
    const text = "select id, name, status, updated from pipelines.runs order by id";
    const before = await ask(target.database, text);
    await bring(target.database);
    expect(await ask(target.database, text)).toEqual(before);
  });

  it("is all or nothing, also into another project", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    const names = "select name from identity.workspaces order by name";
    await expect(
      bring(target.database, { projects: ["default"], into: "copy" }, stop.signal),
    ).rejects.toThrow("stopped");
    expect(await ask(target.database, names)).toEqual([{ name: "default" }]);
  });

  it("names what is in the way", async () => {
    await using other = await testDatabase();
    const [{ name } = {}] = await ask(source.database, "select name from pipelines.pipelines");
    await ask(
      other.database,
      `insert into pipelines.pipelines (id, workspace_id, name, created, updated)
       values (gen_random_uuid(), 1, '${String(name)}', 1, 1)`,
    );
    await expect(bring(other.database)).rejects.toThrow(`Plinth has a pipeline already`);
    expect(await idsIn(other.database, "runs")).toEqual([]);
    await expect(bring(other.database, { projects: ["nowhere"] })).rejects.toThrow(
      "has no project 'nowhere'",
    );
  });
});

describe("durations", () => {
  it.each([
    ["PT1H", 3600],
    ["P1DT2H3M4.5S", 93_784.5],
    [90, 90],
    [null, null],
    ["soon", null],
  ])("%j", (given, seconds) => expect(secondsOf(given)).toBe(seconds));
});
