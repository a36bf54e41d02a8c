// Folders that MLflow's own clients wrote are imported, and compared through the REST API: MLflow's own server on the
// folder, and Plinth after the import. Models load from what was imported.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ClientVersion } from "../src/environment.ts";
import { startPlinth, type Target } from "../src/target.ts";
import { loadModels, logModel, type LoggedModel } from "./models.ts";
import { runImport, type Report } from "./plinth.ts";
import type { Json } from "./rest.ts";
import { comparable, readStore, type StoreView } from "./store-view.ts";
import { fillStore, serveStore, type Filled } from "./stores.ts";

/**
 * Places of artifacts are other ones after the files were copied. The others are what MLflow's folders say and its
 * databases do not: the run of each point, the aliases of a version that is listed.
 */
const fields = {
  everywhere: ["artifact_uri", "artifact_location", "source", "storage_location", "run_link"],
  runs: ["run_id"],
  histories: ["run_id"],
  models: ["latest_versions"],
  versions: ["aliases"],
};

describe.each<{ version: ClientVersion }>([{ version: "3.17.2" }, { version: "2.9.2" }])(
  "import of the folder mlruns of MLflow $version",
  ({ version }) => {
    let folder: string;
    let plinth: Target;
    let filled: Filled;
    let logged: LoggedModel;
    let source: StoreView;
    let imported: StoreView;
    let report: Report;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "plinth-import-"));
      plinth = await startPlinth();
      const uri = `file:${join(folder, "mlruns")}`;
      filled = await fillStore(version, uri, { folder });
      logged = await logModel(version, uri, folder);
      // The old client's own server shows the same, but not what later versions added to answers.
      const upstream = await serveStore("3.17.2", uri, folder);
      try {
        source = await readStore(upstream.url, { loggedModels: true });
      } finally {
        await upstream.stop();
      }
      report = await runImport(plinth.dataDir ?? "", [join(folder, "mlruns")]);
      imported = await readStore(plinth.url, { loggedModels: true });
    });

    afterAll(async () => {
      if (plinth) expect(await plinth.stop()).toBe(0);
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    it("reports that both sides have the same", () => {
      expect(report.state).toBe("imported");
      expect(report.entities.filter((one) => one.read !== one.plinth)).toEqual([]);
      expect(report.entities.filter((one) => one.source !== null && one.source !== one.read)).toEqual([]);
      expect(report.runs_compared).toBe(filled.runs.length + 1);
      expect(report.not_imported).toEqual({});
    });

    for (const entity of [
      "experiments",
      "runs",
      "histories",
      "models",
      "versions",
      "loggedModels",
    ] as const) {
      it(`shows the same ${entity} as MLflow's own server does`, () => {
        expect(comparable(imported, fields)[entity]).toEqual(comparable(source, fields)[entity]);
      });
    }

    it("has something to compare", () => {
      expect(source.experiments).toHaveLength(4);
      expect(source.runs).toHaveLength(filled.runs.length + 1);
      expect(Object.keys(source.histories).length).toBeGreaterThan(80);
      expect(source.versions).toHaveLength(4);
      expect(source.loggedModels).toHaveLength(version === "3.17.2" ? 3 : 0);
    });

    it("serves the files of a run from its own store", async () => {
      const experiment = filled.experiments[1] as string;
      const [, , , , , run] = filled.runs;
      const files = await fetch(`${plinth.url}/api/2.0/mlflow/artifacts/list?run_id=${filled.runs[1]}`);
      expect(((await files.json()) as Json)["files"]).toHaveLength(2);
      const found = imported.runs.find((one) => (one["info"] as Json)["run_id"] === run) as Json;
      const uri = (found["info"] as Json)["artifact_uri"];
      expect(uri).toBe(`mlflow-artifacts:/${experiment}/${run}/artifacts`);
      const notes = await fetch(`${plinth.url}/get-artifact?run_id=${filled.runs[1]}&path=deep/er/notes.txt`);
      expect(await notes.text()).toBe("some words");
      const weights = await fetch(`${plinth.url}/get-artifact?run_id=${logged.run}&path=deep/weights.json`);
      expect(JSON.parse(await weights.text())).toEqual({ weights: [1, 2] });
    });

    it("answers under the ids of 18 digits that links have", async () => {
      const id = filled.experiments[1] as string;
      expect(id).toMatch(/^\d{18}$/);
      const answer = await fetch(`${plinth.url}/api/2.0/mlflow/experiments/get?experiment_id=${id}`);
      expect(((await answer.json()) as { experiment: Json }).experiment).toMatchObject({
        experiment_id: id,
        name: "exp a",
        artifact_location: `mlflow-artifacts:/${id}`,
      });
    });

    it("lets the client load the model by every address it had", async () => {
      const predictions = await loadModels(version, { url: plinth.url, uris: logged.uris, folder });
      expect(predictions).toEqual(logged.uris.map(() => logged.predictions));
    });
  },
);
