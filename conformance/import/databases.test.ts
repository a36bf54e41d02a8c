// Databases that MLflow itself made are imported, and compared through the REST API: its own server on the source, and
// Plinth after the import.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientVersion } from "../src/environment.ts";
import { startPlinth, type Target } from "../src/target.ts";
import { ensureMariadb, startMariadb, startPostgres, type DatabaseServer } from "./databases.ts";
import { runImport, type Report } from "./plinth.ts";
import type { Json } from "./rest.ts";
import { readStore, type StoreView } from "./store-view.ts";
import { fillStore, serveStore, type Filled } from "./stores.ts";

type Source = {
  title: string;
  version: ClientVersion;
  /** Starts what is needed; a SQLite file needs nothing. */
  start?: () => Promise<DatabaseServer>;
  /** SQLAlchemy's name of the driver. */
  driver?: string;
  withArtifacts?: boolean;
};

const sources: Source[] = [
  { title: "SQLite of MLflow 3.17.2", version: "3.17.2", withArtifacts: true },
  { title: "SQLite of MLflow 2.9.2", version: "2.9.2" },
  { title: "PostgreSQL of MLflow 3.17.2", version: "3.17.2", start: startPostgres, driver: "+psycopg" },
];
if (ensureMariadb()) {
  sources.push({
    title: "MariaDB of MLflow 3.17.2",
    version: "3.17.2",
    start: startMariadb,
    driver: "+pymysql",
  });
} else if (process.env["CI"] !== undefined) {
  throw new Error("MariaDB is not here, and installing it takes root on Debian.");
} else {
  process.stderr.write(
    "conformance: no import from MariaDB: it is not here; as root on Debian, PLINTH_INSTALL=1 has it installed\n",
  );
}

describe.each(sources)("import from $title", ({ version, start, driver = "", withArtifacts = false }) => {
  let folder: string;
  let server: DatabaseServer | undefined;
  let plinth: Target;
  let filled: Filled;
  let source: StoreView;
  let imported: StoreView;
  let report: Report;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "plinth-import-"));
    [plinth, server] = await Promise.all([startPlinth(), start?.()]);
    const given = server?.url ?? `sqlite:///${join(folder, "mlflow.db")}`;
    // The driver is MLflow's matter; Plinth takes the address with it.
    const uri = given.replace("://", `${driver}://`);
    filled = await fillStore(version, uri, { folder });
    const has = { loggedModels: version === "3.17.2" };
    const upstream = await serveStore(version, uri, folder);
    try {
      source = await readStore(upstream.url, has);
    } finally {
      await upstream.stop();
    }
    const artifacts = withArtifacts ? [] : ["--without-artifacts"];
    report = await runImport(plinth.dataDir ?? "", [uri, ...artifacts]);
    imported = await readStore(plinth.url, has);
  });

  afterAll(async () => {
    if (plinth) expect(await plinth.stop()).toBe(0);
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("reports that both sides have the same", () => {
    expect(report.state).toBe("imported");
    expect(report.entities.filter((one) => one.read !== one.plinth)).toEqual([]);
    expect(report.entities.filter((one) => one.source !== null && one.source !== one.read)).toEqual([]);
    expect(report.runs_compared).toBe(filled.runs.length);
    expect(report.not_imported).toEqual({});
  });

  for (const entity of ["experiments", "runs", "histories", "models", "versions", "loggedModels"] as const) {
    it(`shows the same ${entity} as MLflow's own server does`, () => {
      const both = [source, imported].map(withoutEmpty);
      const view = withArtifacts ? both.map(withoutPlaces) : both;
      expect(view[1]?.[entity]).toEqual(view[0]?.[entity]);
    });
  }

  it("has something to compare", () => {
    expect(source.experiments).toHaveLength(4);
    expect(source.runs).toHaveLength(filled.runs.length);
    expect(Object.keys(source.histories).length).toBeGreaterThan(80);
    expect(source.versions).toHaveLength(3);
    expect(source.loggedModels).toHaveLength(version === "3.17.2" ? 2 : 0);
  });

  if (!withArtifacts) return;
  it("serves the files of a run from its own store", async () => {
    const run = imported.runs.find((one) => (one["info"] as Json)["run_id"] === filled.runs[1]);
    expect(run).toMatchObject({
      info: { artifact_uri: `mlflow-artifacts:/1/${filled.runs[1]}/artifacts` },
    });
    const file = await fetch(`${plinth.url}/get-artifact?run_id=${filled.runs[1]}&path=deep/er/notes.txt`);
    expect(await file.text()).toBe("some words");
    expect(report.artifacts.files).toBe(2);
  });
});

/** Places of artifacts are other ones when the files were copied. */
function withoutPlaces(view: StoreView): StoreView {
  const named = /^(artifact_uri|artifact_location|source|storage_location)$/;
  return JSON.parse(
    JSON.stringify(view, (key, value: unknown) => (named.test(key) ? undefined : value)),
  ) as StoreView;
}

/**
 * A version made without a link to its run has none in MLflow's tables, and an empty one in Plinth's. MLflow 2.9
 * knows neither workspaces nor outputs of runs.
 */
function withoutEmpty(view: StoreView): StoreView {
  const isEmpty = (key: string, value: unknown): boolean =>
    (key === "run_link" && value === "") ||
    (key === "workspace" && value === "default") ||
    (key === "outputs" && JSON.stringify(value) === "{}");
  return JSON.parse(
    JSON.stringify(view, (key, value: unknown) => (isEmpty(key, value) ? undefined : value)),
  ) as StoreView;
}
