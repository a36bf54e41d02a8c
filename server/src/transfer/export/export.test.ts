import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
import { newModel, newVersion, VERSIONS } from "../../../test/registry.ts";
import { accepted, API, fresh, newExperiment, newRun } from "../../../test/runs.ts";
import { inWorkspace, newWorkspace } from "../../../test/workspaces.ts";
import { runExport, type ExportManifest, type ExportOptions } from "./index.ts";

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), "plinth-export-"));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Exported = { path: string; manifest: ExportManifest; rows(table: string): Promise<Json[]> };

async function exported(options: Partial<ExportOptions> = {}): Promise<Exported> {
  const path = join(folder, fresh("out"));
  const manifest = await runExport({
    version: "1.2.3",
    connection: server.connection,
    output: path,
    overwrite: false,
    format: "jsonl",
    experiments: undefined,
    models: true,
    workspace: undefined,
    includeDeleted: false,
    maxWideColumns: 100,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
  const rows = async (table: string): Promise<Json[]> => {
    const text = await readFile(join(options.output ?? path, `${table}.jsonl`), "utf8");
    const lines = text.split("\n").slice(0, -1);
    return JSON.parse(`[${lines.join(",")}]`);
  };
  return { path, manifest, rows };
}

const post = async (path: string, body: unknown): Promise<Json> =>
  accepted(await server.post(`${API}/${path}`, body));

/** The lines as they stand, where JSON.parse would lose digits. */
const textOf = (path: string, table: string): Promise<string> =>
  readFile(join(path, `${table}.jsonl`), "utf8");

describe("an export", () => {
  test("holds an experiment with all that its runs are made of", async () => {
    const experiment_id = await newExperiment(server);
    await post("experiments/set-experiment-tag", { experiment_id, key: "owner", value: "é\u2028" });
    const run_id = await newRun(server, { experiment_id, start_time: 1000, run_name: "first", user_id: "u" });
    await post("runs/log-batch", {
      run_id,
      params: [{ key: "lr", value: '0.1 "quoted"\n' }],
      tags: [{ key: "stage", value: "x" }],
      metrics: [
        { key: "loss", value: 2, timestamp: 20, step: 1 },
        { key: "loss", value: 3.5, timestamp: 10, step: 0 },
        { key: "loss", value: 2, timestamp: 20, step: 1 },
        { key: "none", value: "NaN", timestamp: 1, step: 0 },
        { key: "none", value: "NaN", timestamp: 1, step: 0 },
      ],
    });
    await post("runs/update", { run_id, status: "FINISHED", end_time: 2000 });
    const dataset = { name: "d", digest: "1", source_type: "local", source: "s", profile: "{}" };
    const tags = [{ key: "mlflow.data.context", value: "training" }];
    await post("runs/log-inputs", {
      run_id,
      datasets: [{ dataset, tags }],
      models: [{ model_id: "m-used" }],
    });

    const { rows, manifest } = await exported({ experiments: [experiment_id], models: false });
    expect(await rows("experiments")).toEqual([
      {
        experiment_id,
        name: expect.any(String),
        workspace: "default",
        artifact_location: `mlflow-artifacts:/${experiment_id}`,
        lifecycle_stage: "active",
        creation_time: expect.any(Number),
        last_update_time: expect.any(Number),
        deleted_time: null,
      },
    ]);
    expect(await rows("experiment_tags")).toEqual([{ experiment_id, key: "owner", value: "é\u2028" }]);
    const artifact_uri = `mlflow-artifacts:/${experiment_id}/${run_id}/artifacts`;
    const status = "FINISHED";
    expect(await rows("runs")).toEqual([
      {
        run_id,
        experiment_id,
        run_name: "first",
        user_id: "u",
        status,
        lifecycle_stage: "active",
        start_time: 1000,
        end_time: 2000,
        deleted_time: null,
        artifact_uri,
      },
    ]);
    expect(await rows("metrics")).toEqual([
      { run_id, key: "loss", value: 3.5, timestamp: 10, step: 0 },
      { run_id, key: "loss", value: 2, timestamp: 20, step: 1 },
      { run_id, key: "none", value: "NaN", timestamp: 1, step: 0 },
    ]);
    expect(await rows("latest_metrics")).toEqual([
      { run_id, key: "loss", value: 2, timestamp: 20, step: 1 },
      { run_id, key: "none", value: "NaN", timestamp: 1, step: 0 },
    ]);
    expect(await rows("params")).toEqual([{ run_id, key: "lr", value: '0.1 "quoted"\n' }]);
    expect(await rows("tags")).toEqual(
      expect.arrayContaining([
        { run_id, key: "stage", value: "x" },
        { run_id, key: "mlflow.runName", value: "first" },
      ]),
    );
    expect(await rows("runs_wide")).toEqual([
      {
        run_id,
        experiment_id,
        status,
        artifact_uri,
        start_time: 1000,
        end_time: 2000,
        "metrics.loss": 2,
        "metrics.none": "NaN",
        "params.lr": '0.1 "quoted"\n',
        "tags.mlflow.runName": "first",
        "tags.stage": "x",
      },
    ]);
    expect(await rows("datasets")).toEqual([{ experiment_id, ...dataset, schema: null }]);
    expect(await rows("inputs")).toEqual([
      {
        run_id,
        experiment_id,
        dataset_name: "d",
        dataset_digest: "1",
        context: "training",
        tags: '{"mlflow.data.context": "training"}',
      },
    ]);
    expect(await rows("run_models")).toEqual([{ run_id, model_id: "m-used", direction: "input", step: 0 }]);
    expect(manifest.files.map((file) => file.table)).not.toContain("registered_models");
  });

  test("keeps every digit of integers and says what a number is", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    const metrics = `{"key":"m","value":3,"timestamp":9007199254740993,"step":-9223372036854775808}`;
    accepted(await server.post(`${API}/runs/log-batch`, `{"run_id":"${run_id}","metrics":[${metrics}]}`));
    const { path } = await exported({ experiments: [experiment_id] });
    expect(await textOf(path, "metrics")).toBe(
      `{"run_id":"${run_id}","key":"m","value":3.0,"timestamp":9007199254740993,"step":-9223372036854775808}\n`,
    );
    const parquet = await exported({ experiments: [experiment_id], format: "parquet" });
    expect(parquet.manifest.timestamps_out_of_range).toBe(2);
    expect((await exported({ experiments: [experiment_id] })).manifest.timestamps_out_of_range).toBe(0);
  });

  test("holds logged models and the registry", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    const { model } = accepted(
      await server.post(`${API}/logged-models`, {
        experiment_id,
        name: "lm",
        source_run_id: run_id,
        params: [{ key: "p", value: "1" }],
        tags: [{ key: "t", value: "2" }],
      }),
    );
    const model_id = model.info.model_id as string;
    const metric = { key: "acc", value: 0.5, timestamp: 7, step: 3 };
    await post("runs/log-metric", { run_id, ...metric, model_id, dataset_name: "d", dataset_digest: "1" });
    const name = await newModel(server, { description: "about", tags: [{ key: "a", value: "b" }] });
    const version = Number(
      await newVersion(server, name, { run_id, model_id, tags: [{ key: "c", value: "d" }] }),
    );
    await post("registered-models/alias", { name, alias: "best", version: String(version) });

    const { rows } = await exported();
    const own = (all: Json[]): Json[] => all.filter((row) => row.name === name || row.model_id === model_id);
    expect(own(await rows("logged_models"))).toMatchObject([
      { experiment_id, name: "lm", status: "PENDING", source_run_id: run_id, lifecycle_stage: "active" },
    ]);
    expect(own(await rows("logged_model_params"))).toEqual([{ model_id, key: "p", value: "1" }]);
    // Beside the one Plinth sets itself, as MLflow does.
    expect(own(await rows("logged_model_tags"))).toEqual([
      { model_id, key: "mlflow.modelVersions", value: expect.stringContaining(name) },
      { model_id, key: "t", value: "2" },
    ]);
    expect(own(await rows("logged_model_metrics"))).toEqual([
      { model_id, run_id, ...metric, dataset_name: "d", dataset_digest: "1" },
    ]);
    const workspace = "default";
    expect(own(await rows("registered_models"))).toMatchObject([{ workspace, description: "about" }]);
    expect(own(await rows("registered_model_tags"))).toEqual([{ name, workspace, key: "a", value: "b" }]);
    expect(own(await rows("registered_model_aliases"))).toEqual([
      { name, workspace, alias: "best", version },
    ]);
    const stored = accepted(
      await server.get(`${VERSIONS}/get?name=${encodeURIComponent(name)}&version=${version}`),
    );
    expect(own(await rows("model_versions"))).toEqual([
      {
        name,
        version,
        workspace,
        stage: "None",
        status: "READY",
        status_message: null,
        description: "",
        user_id: null,
        source: stored.model_version.source,
        storage_location: stored.model_version.source,
        run_id,
        run_link: null,
        model_id,
        creation_time: stored.model_version.creation_timestamp,
        last_update_time: expect.any(Number),
      },
    ]);
    expect(own(await rows("model_version_tags"))).toEqual([
      { name, version, workspace, key: "c", value: "d" },
    ]);
  });

  test("leaves out what is deleted, unless asked for", async () => {
    const experiment_id = await newExperiment(server);
    const kept = await newRun(server, { experiment_id });
    const gone = await newRun(server, { experiment_id, tags: [{ key: "only-here", value: "1" }] });
    await post("runs/log-metric", { run_id: gone, key: "m", value: 1, timestamp: 1 });
    await post("runs/delete", { run_id: gone });
    const without = await exported({ experiments: [experiment_id] });
    expect((await without.rows("runs")).map((row) => row.run_id)).toEqual([kept]);
    expect(await without.rows("metrics")).toEqual([]);
    expect(without.manifest.files.find((file) => file.table === "runs_wide")?.columns).not.toContainEqual(
      expect.objectContaining({ name: "tags.only-here" }),
    );
    const all = await exported({ experiments: [experiment_id], includeDeleted: true });
    expect((await all.rows("runs")).map((row) => [row.run_id, row.lifecycle_stage])).toEqual([
      [kept, "active"],
      [gone, "deleted"],
    ]);
    expect(await all.rows("metrics")).toHaveLength(1);

    await post("experiments/delete", { experiment_id });
    await expect(exported({ experiments: [experiment_id] })).rejects.toMatchObject({ code: "not_found" });
    const deleted = await exported({ experiments: [experiment_id], includeDeleted: true });
    expect(await deleted.rows("experiments")).toMatchObject([{ lifecycle_stage: "deleted" }]);
  });

  test("can be of some experiments, by id or name, and of a workspace", async () => {
    const theirs = inWorkspace(server, await newWorkspace(server, "export-a"));
    const name = fresh("in two workspaces");
    const one = (await post("experiments/create", { name })).experiment_id as string;
    const other = accepted(await theirs.post(`${API}/experiments/create`, { name })).experiment_id as string;
    await theirs.post(`${API}/registered-models/create`, { name: "theirs" });
    const idsOf = async (options: Partial<ExportOptions>): Promise<unknown[]> =>
      (await (await exported(options)).rows("experiments")).map((row) => row.experiment_id as string);
    expect(await idsOf({ experiments: [one] })).toEqual([one]);
    expect(await idsOf({ experiments: [name], workspace: "default" })).toEqual([one]);
    expect(await idsOf({ experiments: ["0", other] })).toEqual(["0", other]);
    expect(await idsOf({ workspace: "export-a" })).toEqual([other]);
    const { rows } = await exported({ workspace: "export-a" });
    expect(await rows("registered_models")).toMatchObject([{ name: "theirs", workspace: "export-a" }]);
    await expect(exported({ experiments: [name] })).rejects.toThrow(
      `'${name}' is more than one experiment: ${one} '${name}' in workspace 'default', ` +
        `${other} '${name}' in workspace 'export-a'. Name it by its id.`,
    );
    await expect(exported({ experiments: [other], workspace: "default" })).rejects.toThrow(
      `There is no experiment with the id or name '${other}'`,
    );
    await expect(exported({ workspace: "nobody's" })).rejects.toThrow("There is no workspace 'nobody's'.");
  });

  test("gives columns to the keys that most runs have, and says how many got none", async () => {
    const experiment_id = await newExperiment(server);
    const tag = (key: string): Json => ({ key, value: key });
    for (const keys of [
      ["all", "some"],
      ["all", "some"],
      ["all", "few"],
    ]) {
      const run_id = await newRun(server, { experiment_id, run_name: "r" });
      await post("runs/log-batch", { run_id, params: keys.map(tag), metrics: [] });
    }
    const columnsOf = async (maxWideColumns: number): Promise<unknown> => {
      const { manifest } = await exported({ experiments: [experiment_id], maxWideColumns });
      const wide = manifest.files.find((file) => file.table === "runs_wide");
      return [wide?.columns.slice(6).map((column) => column.name), manifest.keys_without_wide_column];
    };
    expect(await columnsOf(2)).toEqual([
      ["params.all", "tags.mlflow.runName"],
      { metrics: 0, params: 2, tags: 0 },
    ]);
    expect(await columnsOf(3)).toEqual([
      ["params.all", "params.some", "tags.mlflow.runName"],
      { metrics: 0, params: 1, tags: 0 },
    ]);
    expect(await columnsOf(0)).toEqual([undefined, { metrics: 0, params: 0, tags: 0 }]);
  });

  test("holds runs of many pages, each once, with their own values", async () => {
    const experiment_id = await newExperiment(server);
    const ids = await Promise.all(
      Array.from({ length: 130 }, async (_, index) => {
        const run_id = await newRun(server, { experiment_id });
        const metrics = Array.from({ length: 20 }, (_, step) => ({
          key: "m",
          value: index,
          timestamp: step,
          step,
        }));
        await post("runs/log-batch", { run_id, params: [{ key: "p", value: String(index) }], metrics });
        return run_id;
      }),
    );
    const { rows, manifest } = await exported({ experiments: [experiment_id] });
    const wide = await rows("runs_wide");
    expect(new Map(wide.map((row) => [row.run_id, row["params.p"]]))).toEqual(
      new Map(ids.map((id, index) => [id, String(index)])),
    );
    expect(wide.every((row) => String(row["metrics.m"]) === row["params.p"])).toBe(true);
    expect(manifest.files.find((file) => file.table === "metrics")?.rows).toBe(2600);
    const points = await rows("metrics");
    const steps = Map.groupBy(points, (row) => row.run_id as string);
    expect([...steps.values()].every((own) => own.every((row, index) => row.step === index))).toBe(true);
    expect(points.every((row) => row.value === ids.indexOf(row.run_id))).toBe(true);
  });

  test("says in its manifest what each file holds", async () => {
    for (const format of ["parquet", "jsonl"] as const) {
      const { path, manifest } = await exported({ format });
      const stored: unknown = JSON.parse(await readFile(join(path, "manifest.json"), "utf8"));
      expect(stored).toEqual(manifest);
      expect(manifest).toMatchObject({ kind: "plinth-export", format, plinth_version: "1.2.3" });
      const names = manifest.files.map((file) => file.name);
      expect((await readdir(path)).toSorted()).toEqual(["manifest.json", ...names].toSorted());
      for (const file of manifest.files) {
        const bytes = await readFile(join(path, file.name));
        expect([file.name, createHash("sha256").update(bytes).digest("hex")]).toEqual([
          file.name,
          file.sha256,
        ]);
        expect(bytes.length).toBe(file.bytes);
        if (format === "parquet") expect(bytes.toString("latin1", 0, 4)).toBe("PAR1");
        else expect(bytes.toString("utf8").split("\n").length - 1).toBe(file.rows);
      }
    }
  });
});

describe("the folder of an export", () => {
  const neighbours = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => name.startsWith("."));

  test("is never one that holds something", async () => {
    const output = join(folder, "taken");
    await mkdir(output);
    await writeFile(join(output, "thesis.txt"), "mine");
    await expect(exported({ output })).rejects.toThrow(
      `${output} is not empty. Name another folder, or replace an earlier export with --overwrite.`,
    );
    await expect(exported({ output, overwrite: true })).rejects.toThrow(
      `${output} holds something else than an export of Plinth: --overwrite replaces nothing else.`,
    );
    await expect(exported({ output: join(output, "thesis.txt") })).rejects.toThrow("is not a folder");
    await expect(exported({ output: join(output, "thesis.txt", "x") })).rejects.toThrow(
      "a part of its path is not a folder",
    );
    expect(await readFile(join(output, "thesis.txt"), "utf8")).toBe("mine");
    expect(await neighbours()).toEqual([]);
  });

  test("may be empty, and replaces an earlier export whole", async () => {
    const output = join(folder, "again", "and", "again");
    await mkdir(output, { recursive: true });
    await exported({ output });
    await exported({ output, overwrite: true, format: "parquet" });
    const names = await readdir(output);
    expect(names.filter((name) => name.endsWith(".jsonl"))).toEqual([]);
    expect(names).toContain("runs.parquet");
    expect(await readdir(join(output, ".."))).toEqual(["again"]);
  });

  test("does not appear when the export is stopped, and nothing stays", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    await post("runs/log-metric", { run_id, key: "m", value: 1, timestamp: 1 });
    const output = join(folder, "stopped");
    const stop = new AbortController();
    const stopped = exported({
      output,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("stopped here")),
    });
    await expect(stopped).rejects.toThrow("stopped here");
    expect(await neighbours()).toEqual([]);
    expect(await readdir(folder)).not.toContain("stopped");
  });
});
