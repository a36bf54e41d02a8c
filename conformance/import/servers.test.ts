// A tracking server is imported over its REST API, files through its proxy, and compared with Plinth after the import.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlinth, type Target } from "../src/target.ts";
import { loadModels, logModel, type LoggedModel } from "./models.ts";
import { runImport, type Report } from "./plinth.ts";
import { comparable, readStore, type StoreView } from "./store-view.ts";
import { fillStore, serveStore, type Filled } from "./stores.ts";

describe("import from a server of MLflow 3.17.2", () => {
  let folder: string;
  let plinth: Target;
  let filled: Filled;
  let logged: LoggedModel;
  let source: StoreView;
  let imported: StoreView;
  let report: Report;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "plinth-import-"));
    const [started, upstream] = await Promise.all([
      startPlinth(),
      serveStore("3.17.2", `sqlite:///${join(folder, "mlflow.db")}`, folder),
    ]);
    plinth = started;
    try {
      filled = await fillStore("3.17.2", upstream.url, { folder });
      logged = await logModel("3.17.2", upstream.url, folder);
      source = await readStore(upstream.url, { loggedModels: true });
      report = await runImport(plinth.dataDir ?? "", [upstream.url]);
    } finally {
      await upstream.stop();
    }
    imported = await readStore(plinth.url, { loggedModels: true });
  });

  afterAll(async () => {
    if (plinth) expect(await plinth.stop()).toBe(0);
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("reports that both sides have the same", () => {
    expect(report.state).toBe("imported");
    expect(report.entities.filter((one) => one.read !== one.plinth)).toEqual([]);
    expect(report.runs_compared).toBe(filled.runs.length + 1);
  });

  // What the server's proxy had keeps its place, and so do all links to it.
  for (const entity of ["experiments", "runs", "histories", "models", "versions", "loggedModels"] as const) {
    it(`shows the same ${entity} as the server did`, () => {
      expect(comparable(imported, { everywhere: [] })[entity]).toEqual(
        comparable(source, { everywhere: [] })[entity],
      );
    });
  }

  it("has something to compare", () => {
    expect(source.runs).toHaveLength(filled.runs.length + 1);
    expect(Object.keys(source.histories).length).toBeGreaterThan(80);
    expect([source.versions.length, source.loggedModels.length]).toEqual([4, 3]);
  });

  it("serves files of runs from its own store, the server being gone", async () => {
    const notes = await fetch(`${plinth.url}/get-artifact?run_id=${filled.runs[1]}&path=deep/er/notes.txt`);
    expect(await notes.text()).toBe("some words");
    const weights = await fetch(`${plinth.url}/get-artifact?run_id=${logged.run}&path=deep/weights.json`);
    expect(await weights.json()).toEqual({ weights: [1, 2] });
  });

  it("lets the client load the model by every address it had", async () => {
    const predictions = await loadModels("3.17.2", { url: plinth.url, uris: logged.uris, folder });
    expect(predictions).toEqual(logged.uris.map(() => logged.predictions));
  });
});
