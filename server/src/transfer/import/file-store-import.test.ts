import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { accepted, API, getRun, historyOf } from "../../../test/runs.ts";
import { createMemoryBlobStore } from "../../kernel/blobs/memory.ts";
import { createStorage, type Storage } from "../../modules/storage/index.ts";
import { ARTIFACT_BUCKET, storedArtifactPath } from "../../protocols/mlflow/artifacts-paths.ts";
import {
  EXPERIMENT,
  experimentYaml,
  makeFileStore,
  RUN,
  runYaml,
  type StoreFixture,
} from "./file-store-fixture.ts";
import { openFileStore } from "./file-store.ts";
import { importSource, type ImportOptions } from "./import.ts";
import { createProblemLog } from "./problem.ts";
import type { ImportReport } from "./report.ts";

let server: TestServer;
let store: StoreFixture;
let storage: Storage;

beforeEach(async () => {
  server = await startTestServer();
  store = makeFileStore();
  // Files of this size are kept in the database, where the server finds them.
  const blobs = createMemoryBlobStore();
  storage = createStorage({
    database: server.database,
    blobs,
    inlineBytes: 16 * 1024,
    onBatch: () => undefined,
  });
});
afterEach(async () => {
  await storage.drain();
  store[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const standard: ImportOptions = {
  workspace: "default",
  skipExisting: false,
  renumber: false,
  dryRun: false,
  restart: false,
  skipBroken: false,
};

async function run(
  options: Partial<ImportOptions> = {},
  { signal = new AbortController().signal, onPhase = (): void => undefined } = {},
): Promise<ImportReport> {
  const problems = createProblemLog();
  const source = openFileStore(store.root, { onProblem: problems.onProblem });
  return importSource(
    {
      database: server.database,
      source,
      artifacts: { storage, bucket: ARTIFACT_BUCKET, storedPath: storedArtifactPath },
      problems,
      onProgress: onPhase,
      onNote: () => undefined,
      signal,
      now: () => 1_700_000_000_000,
    },
    { ...standard, ...options },
  );
}

const runCount = async (): Promise<number> => {
  const { experiments = [] } = accepted(
    await server.post(`${API}/experiments/search`, { max_results: 100, view_type: "ALL" }),
  );
  const ids = experiments.map((one: { experiment_id: string }) => one.experiment_id);
  const body = { experiment_ids: ids, run_view_type: "ALL", max_results: 100 };
  return (accepted(await server.post(`${API}/runs/search`, body)).runs ?? []).length;
};

describe("importing a file store", () => {
  it("brings runs, history and files, which then are where Plinth keeps them", async () => {
    const report = await run();
    expect(report.problems).toEqual([]);
    expect(report.artifacts).toEqual({ files: 1, bytes: 12 });
    const found = await getRun(server, RUN);
    expect(found.info).toMatchObject({ run_name: "first run", status: "FINISHED", user_id: "root" });
    expect(found.info).toMatchObject({
      experiment_id: EXPERIMENT,
      artifact_uri: `mlflow-artifacts:/${EXPERIMENT}/${RUN}/artifacts`,
    });
    const { experiment } = accepted(await server.get(`${API}/experiments/get?experiment_id=${EXPERIMENT}`));
    expect(experiment).toMatchObject({ experiment_id: EXPERIMENT, name: "training" });
    const body = { experiment_ids: [EXPERIMENT], filter: "params.lr = '0.1'" };
    expect(accepted(await server.post(`${API}/runs/search`, body)).runs).toHaveLength(1);
    expect(found.data.params).toEqual([{ key: "lr", value: "0.1" }]);
    expect(await historyOf(server, RUN, "loss/train")).toEqual([
      { value: 0.5, timestamp: 1000, step: 0 },
      { value: 0.25, timestamp: 1001, step: 1 },
    ]);
    const file = await server.get(`/get-artifact?run_id=${RUN}&path=model%2FMLmodel`);
    expect([file.status, file.text]).toEqual([200, "flavors: {}\n"]);
  });

  it("shows nothing of a store that is broken, names every place, and takes the rest when told to", async () => {
    const other = "b".repeat(32);
    store.write({
      [`${EXPERIMENT}/${RUN}/metrics/loss/train`]: "1000 0.5 0\nbroken\n",
      [`${EXPERIMENT}/${other}/meta.yaml`]: "half: [",
    });
    const refused = run();
    await expect(refused).rejects.toThrow(
      /2 parts of the source could not be read. Nothing was made visible./,
    );
    await expect(refused).rejects.toThrow(/metrics\/loss\/train: line 2 is no metric point/);
    await expect(refused).rejects.toThrow(
      /meta.yaml: is not the YAML that MLflow writes.*the run is left out/,
    );
    expect(await runCount()).toBe(0);
    // Told by the process before, and not read again: known all the same.
    await expect(run()).rejects.toThrow(/2 parts/);
    const report = await run({ skipBroken: true });
    expect(report.problems).toHaveLength(2);
    expect(await runCount()).toBe(1);
    expect(await historyOf(server, RUN, "loss/train")).toEqual([{ value: 0.5, timestamp: 1000, step: 0 }]);
  });

  it("reads a store again that was mended, with --restart", async () => {
    store.write({ [`${EXPERIMENT}/${RUN}/params/lr`]: Buffer.from([0xff]) });
    await expect(run()).rejects.toThrow(/1 part of the source could not be read/);
    store.write({ [`${EXPERIMENT}/${RUN}/params/lr`]: "0.2" });
    await expect(run()).rejects.toThrow(/read all of it again with --restart/);
    const report = await run({ restart: true });
    expect(report.problems).toEqual([]);
    expect((await getRun(server, RUN)).data.params).toEqual([{ key: "lr", value: "0.2" }]);
  });

  it("goes on where it was stopped, at any point", async () => {
    for (let index = 0; index < 250; index += 1) {
      const id = index.toString(16).padStart(32, "0");
      store.write({
        [`${EXPERIMENT}/${id}/meta.yaml`]: runYaml(store.root, { id, experiment: EXPERIMENT }),
        [`${EXPERIMENT}/${id}/metrics/m`]: `${index} ${index}.5 0\n`,
        ...(index % 50 === 0 ? { [`${EXPERIMENT}/${id}/artifacts/f`]: `${index}` } : {}),
      });
    }
    let stops = 0;
    for (let steps = 1; ; steps += 4) {
      const stop = new AbortController();
      let seen = 0;
      const onPhase = (): void => {
        seen += 1;
        if (seen === steps) stop.abort(new Error("stopped"));
      };
      const report = await run({}, { signal: stop.signal, onPhase }).catch((error: unknown) => error);
      if (!(report instanceof Error)) {
        // Those that a process copied, and was stopped before it could say so, are not copied again.
        expect((report as ImportReport).artifacts.files).toBeLessThanOrEqual(6);
        break;
      }
      expect(report.message).toBe("stopped");
      expect(await runCount()).toBe(0);
      stops += 1;
    }
    expect(stops).toBeGreaterThan(2);
    expect(await runCount()).toBe(100);
    const last = (200).toString(16).padStart(32, "0");
    expect(await historyOf(server, last, "m")).toEqual([{ value: 200.5, timestamp: 200, step: 0 }]);
    expect((await server.get(`/get-artifact?run_id=${last}&path=f`)).text).toBe("200");
  });

  it("notices what was written meanwhile, also by an earlier process's reckoning", async () => {
    const stop = new AbortController();
    await expect(
      run({}, { signal: stop.signal, onPhase: () => stop.abort(new Error("stopped")) }),
    ).rejects.toThrow("stopped");
    await setTimeout(20);
    appendFileSync(join(store.root, EXPERIMENT, RUN, "metrics/loss/train"), "1002 0.125 2\n");
    await expect(run()).rejects.toThrow(
      /a5e2b761c9174954bdb96944e5097c89: was written to at .*, after the import began/,
    );
    expect(await runCount()).toBe(0);
    expect((await run({ restart: true })).problems).toEqual([]);
    expect(await historyOf(server, RUN, "loss/train")).toHaveLength(3);
  });

  it("reads a store that was moved: its experiments and files are Plinth's then", async () => {
    const meta = `${EXPERIMENT}/meta.yaml`;
    const old = "file:///home/someone/mlruns";
    store.write({
      [meta]: experimentYaml("/home/someone/mlruns", { id: EXPERIMENT, name: "training" }),
      [`${EXPERIMENT}/${RUN}/meta.yaml`]: runYaml("/home/someone/mlruns", {
        id: RUN,
        experiment: EXPERIMENT,
      }),
      "models/net/meta.yaml": "creation_timestamp: 1\nlast_updated_timestamp: 2\nname: net\n",
      "models/net/version-1/meta.yaml": `name: net\nversion: 1\nsource: ${old}/${EXPERIMENT}/${RUN}/artifacts/model\n`,
      "models/net/version-2/meta.yaml": "name: net\nversion: 2\nsource: x\ncurrent_stage: Deleted_Internal\n",
      "models/net/aliases/best": "1",
    });
    const report = await run();
    expect(report.problems).toEqual([]);
    const { experiment } = accepted(await server.get(`${API}/experiments/get?experiment_id=${EXPERIMENT}`));
    expect(experiment.artifact_location).toBe(`mlflow-artifacts:/${EXPERIMENT}`);
    const { model_version: version } = accepted(
      await server.get(`${API}/registered-models/alias?name=net&alias=best`),
    );
    expect(version.source).toBe(`mlflow-artifacts:/${EXPERIMENT}/${RUN}/artifacts/model`);
    const file = await server.get("/model-versions/get-artifact?name=net&version=1&path=MLmodel");
    expect(file.text).toBe("flavors: {}\n");
    // The number of a deleted version is not given again.
    const next = await server.post(`${API}/model-versions/create`, { name: "net", source: "s3://bucket/x" });
    expect(accepted(next).model_version.version).toBe("3");
  });

  it("takes a point that was logged twice as one, as MLflow's databases do", async () => {
    store.write({
      [`${EXPERIMENT}/${RUN}/metrics/loss/train`]: "7 0.5 0\n7 0.5 0\n7 nan 0\n7 nan 0\n8 0.5 0\n",
    });
    const report = await run();
    expect(report.problems).toEqual([]);
    expect(
      (await historyOf(server, RUN, "loss/train")).map(({ timestamp, value }) => [timestamp, value]),
    ).toEqual([
      [7, "NaN"],
      [7, 0.5],
      [8, 0.5],
    ]);
  });

  it("says that a run without its folder of files has none", async () => {
    rmSync(join(store.root, EXPERIMENT, RUN, "artifacts"), { recursive: true });
    const report = await run();
    expect(report.remarks).toMatchObject({ artifacts_missing: 1 });
    expect(await runCount()).toBe(1);
  });
});
