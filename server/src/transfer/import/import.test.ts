import { describe, expect, test } from "vitest";
import { sql } from "kysely";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { openDatabaseSource } from "./database-source.ts";
import { importSource, type ImportOptions } from "./import.ts";
import { addRuns, makeMlflowDatabase, uuidOf, type MlflowFixture } from "./mlflow-database-fixture.ts";
import { createProblemLog } from "./problem.ts";
import type { ImportProgress } from "./progress.ts";
import type { ImportReport } from "./report.ts";
import { openSqlite } from "./sqlite-reader.ts";

const standard: ImportOptions = {
  workspace: "default",
  skipExisting: false,
  renumber: false,
  dryRun: false,
  restart: false,
  skipBroken: false,
};

type Given = Partial<ImportOptions> & {
  onProgress?: (progress: ImportProgress, stop: AbortController) => void;
};

async function run(server: TestServer, fixture: MlflowFixture, given: Given = {}): Promise<ImportReport> {
  const { onProgress, ...options } = given;
  const source = await openDatabaseSource(openSqlite(fixture.file), fixture.file);
  const stop = new AbortController();
  try {
    return await importSource(
      {
        database: server.database,
        source,
        artifacts: undefined,
        problems: createProblemLog(),
        onProgress: (progress) => onProgress?.(progress, stop),
        onNote: () => undefined,
        signal: stop.signal,
        now: () => 1_700_000_000_000,
      },
      { ...standard, ...options },
    );
  } finally {
    await source.close();
  }
}

const api = "/api/2.0/mlflow";

/** All that clients can see of runs, in order of their ids. */
async function seen(server: TestServer): Promise<unknown[]> {
  const experiments = (
    await server.post(`${api}/experiments/search`, { max_results: 1000, view_type: "ALL" })
  ).json;
  const ids = experiments.experiments.map((one: { experiment_id: string }) => one.experiment_id);
  const runs: { info: { run_id: string } }[] = [];
  for (let token = ""; ;) {
    const body = {
      experiment_ids: ids,
      max_results: 1000,
      run_view_type: "ALL",
      ...(token === "" ? {} : { page_token: token }),
    };
    const page = (await server.post(`${api}/runs/search`, body)).json;
    runs.push(...(page.runs ?? []));
    token = page.next_page_token ?? "";
    if (token === "") break;
  }
  return runs.toSorted((a, b) => (a.info.run_id < b.info.run_id ? -1 : 1));
}

async function countRows(server: TestServer, table: string): Promise<number> {
  const select = sql<{ count: number }>`select count(*) as count from ${sql.raw(table)}`;
  return (await server.database.run(select.compile(server.database.kysely)))[0]?.count ?? -1;
}

const historyOf = async (server: TestServer, index: number, key: string): Promise<unknown[]> =>
  (await server.get(`${api}/metrics/get-history?run_id=${uuidOf(index)}&metric_key=${key}`)).json.metrics ??
  [];

describe.each(["2.9", "3.17"] as const)("a database of MLflow %s", (version) => {
  test("comes over with ids, times, stages and the whole history", async () => {
    await using server = await startTestServer();
    using fixture = makeMlflowDatabase(version);
    addRuns(fixture, 1, 120);
    const report = await run(server, fixture);
    expect(report.entities.filter((one) => one.read !== one.plinth)).toEqual([]);
    expect(report.entities.find((one) => one.entity === "points")).toMatchObject({
      source: 2400,
      plinth: 2400,
    });
    expect(report.runs_compared).toBe(120);
    const { run: first } = (await server.get(`${api}/runs/get?run_id=${uuidOf(4)}`)).json;
    expect(first.info).toMatchObject({
      run_id: uuidOf(4),
      experiment_id: "1",
      run_name: "run 4",
      user_id: "ann",
      status: "FINISHED",
      start_time: 1_600_000_000_004,
      end_time: 1_600_000_000_009,
      lifecycle_stage: "active",
      artifact_uri: `s3://store/1/${uuidOf(4)}/artifacts`,
    });
    expect(first.data.params).toEqual([{ key: "alpha", value: "4" }]);
    expect(first.data.metrics).toEqual([
      { key: "loss", value: 1 / 23, timestamp: 1_600_000_000_023, step: 19 },
    ]);
    expect(await historyOf(server, 4, "loss")).toHaveLength(20);
    const experiment = (await server.get(`${api}/experiments/get?experiment_id=2`)).json.experiment;
    expect(experiment).toMatchObject({
      name: "two",
      lifecycle_stage: "deleted",
      last_update_time: 1_600_000_009_000,
    });
    const zero = (await server.get(`${api}/experiments/get?experiment_id=0`)).json.experiment;
    expect(zero).toMatchObject({
      name: "Default",
      artifact_location: "s3://store/0",
      creation_time: 1_600_000_000_000,
    });
  });

  test("a deleted experiment comes back with the runs that went with it", async () => {
    await using server = await startTestServer();
    using fixture = makeMlflowDatabase(version);
    addRuns(fixture, 1, 21);
    await run(server, fixture);
    await server.post(`${api}/experiments/restore`, { experiment_id: "2" });
    const active = (await server.post(`${api}/runs/search`, { experiment_ids: ["2"] })).json.runs;
    expect(active.map((one: { info: { run_id: string } }) => one.info.run_id)).toContain(uuidOf(5));
    const other = (await server.get(`${api}/runs/get?run_id=${uuidOf(7)}`)).json.run;
    expect(other.info.lifecycle_stage).toBe("deleted");
  });
});

test("new experiments get ids beyond the imported ones", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  fixture.database
    .exec(`insert into experiments (experiment_id, name, lifecycle_stage, creation_time, last_update_time)
    values (70, 'seventy', 'active', 1, 1)`);
  await run(server, fixture);
  const made = await server.post(`${api}/experiments/create`, { name: "next" });
  expect(Number(made.json.experiment_id)).toBeGreaterThan(70);
});

test("stopped at any moment, it shows nothing, and goes on where it was", async () => {
  await using whole = await startTestServer();
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 300);
  await run(whole, fixture);
  let stops = 0;
  for (let at = 1; ; at += 1) {
    let told = 0;
    const onProgress: Given["onProgress"] = (_progress, stop) => {
      told += 1;
      if (told === at) stop.abort(new Error("stopped"));
    };
    try {
      await run(server, fixture, { onProgress });
      break;
    } catch (error) {
      expect(error).toMatchObject({ message: "stopped" });
      stops += 1;
      expect(await seen(server)).toEqual([]);
      expect(
        (await server.post(`${api}/experiments/search`, { max_results: 9 })).json.experiments,
      ).toHaveLength(1);
    }
  }
  expect(stops).toBeGreaterThan(8);
  expect(await seen(server)).toEqual(await seen(whole));
  expect(await seen(server)).toHaveLength(300);
  for (const table of ["tracking.metric_points", "tracking.run_metrics", "tracking.params"]) {
    expect(await countRows(server, table)).toBe(await countRows(whole, table));
  }
  expect(await countRows(server, "identity.workspaces where hidden")).toBe(0);
});

test("--restart throws away what was loaded, and other options than before are refused", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 300);
  const onProgress: Given["onProgress"] = ({ phase, done }, stop) => {
    if (phase === "runs" && done > 0) stop.abort(new Error("stopped"));
  };
  await expect(run(server, fixture, { onProgress })).rejects.toThrow("stopped");
  expect(await countRows(server, "tracking.runs")).toBeGreaterThan(0);
  await expect(run(server, fixture, { workspace: "other" })).rejects.toThrow("--restart");
  await run(server, fixture, { workspace: "other", restart: true });
  expect(await countRows(server, "tracking.runs")).toBe(300);
  expect(await countRows(server, "tracking.metric_points")).toBe(6000);
});

test("a source that was imported is not imported again, but what came since can be brought", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 30);
  await run(server, fixture);
  const before = await seen(server);
  await expect(run(server, fixture)).rejects.toThrow(/was imported on .*--skip-existing/s);
  addRuns(fixture, 31, 40);
  const report = await run(server, fixture, { skipExisting: true });
  expect(report.remarks).toMatchObject({ skipped_runs: 30, merged_experiments: 3 });
  const after = await seen(server);
  expect(after).toHaveLength(40);
  expect(after).toEqual(expect.arrayContaining(before));
  const { run: added } = (await server.get(`${api}/runs/get?run_id=${uuidOf(34)}`)).json;
  expect(added.info.experiment_id).toBe("1");
  expect(await historyOf(server, 34, "loss")).toHaveLength(20);
});

test("what is taken is named before anything is copied", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 5);
  fixture.database.exec("insert into registered_models (name, creation_time) values ('churn', 1)");
  await server.post(`${api}/experiments/create`, { name: "mine" });
  await server.post(`${api}/registered-models/create`, { name: "churn" });
  const dry = await run(server, fixture, { dryRun: true });
  expect(dry.conflicts).toEqual([
    expect.stringContaining("experiment 1 'one'"),
    expect.stringContaining("registered model 'churn'"),
  ]);
  await expect(run(server, fixture)).rejects.toThrow(
    /2 of what is to be imported are taken.*experiment 'mine' has this id/s,
  );
  expect(await countRows(server, "transfer.imports")).toBe(0);
  expect(await countRows(server, "tracking.runs")).toBe(0);
  const report = await run(server, fixture, { renumber: true, workspace: "team-a" });
  expect(report.remarks["renumbered_experiments"]).toBe(2);
  const headers = { "x-mlflow-workspace": "team-a" };
  const found = await server.call(
    "GET",
    `${api}/experiments/get-by-name?experiment_name=one`,
    undefined,
    headers,
  );
  expect(found.json.experiment.tags).toContainEqual({ key: "plinth.importedExperimentId", value: "1" });
});

test("a name that somebody takes meanwhile stops it at its end; nothing is seen, and it goes on when the name is free", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 5);
  let theirs: Promise<unknown> | undefined;
  const onProgress: Given["onProgress"] = ({ phase }) => {
    if (phase === "runs") theirs ??= server.post(`${api}/experiments/create`, { name: "one" });
  };
  await expect(run(server, fixture, { onProgress })).rejects.toThrow("Since the import began");
  await theirs;
  expect(await seen(server)).toEqual([]);
  const { experiment } = (await server.get(`${api}/experiments/get-by-name?experiment_name=one`)).json;
  await server.post(`${api}/experiments/update`, {
    experiment_id: experiment.experiment_id,
    new_name: "theirs",
  });
  await run(server, fixture);
  expect(await seen(server)).toHaveLength(5);
});

test("odd values come over, and what cannot is said", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 1);
  const uuid = uuidOf(1);
  fixture.database.exec(`
    insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values
      ('odd', 0, 1, '${uuid}', 1, 1), ('odd', 1.7976931348623157e308, 2, '${uuid}', 2, 0), ('odd', -0.0, 3, '${uuid}', 3, 0),
      ('odd', 9e999, 4, '${uuid}', 4, 0), ('wide', 1, 9007199254740993, '${uuid}', 9223372036854775807, 0);
    insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) values ('pruned', 7, 1, '${uuid}', 5, 0),
      ('odd', 9e999, 4, '${uuid}', 4, 0), ('wide', 1, 9007199254740993, '${uuid}', 9223372036854775807, 0);
    insert into params (key, value, run_uuid) values ('nul', 'a' || char(0) || 'b', '${uuid}');
    insert into trace_info values ('t1'), ('t2');
    insert into registered_models (name, creation_time) values ('churn', 1), ('greeting', 1);
    insert into registered_model_tags (key, value, name) values ('mlflow.prompt.is_prompt', 'true', 'greeting');
    insert into model_versions (name, version, creation_time, current_stage, source, storage_location) values
      ('churn', 1, 1, 'Production', 's3://m/1', 's3://m/1'), ('churn', 2, 1, 'Deleted_Internal', '', ''),
      ('greeting', 1, 1, 'None', 'x', 'x');
    insert into registered_model_aliases (alias, version, name) values ('champion', 1, 'churn'), ('lost', 2, 'churn')`);
  const report = await run(server, fixture);
  expect(report.not_imported).toEqual({ traces: 2, prompts: 1, prompt_versions: 1 });
  expect(report.remarks).toMatchObject({
    metrics_without_history: 1,
    replaced_characters: 1,
    aliases_without_version: 1,
  });
  const odd = await historyOf(server, 1, "odd");
  expect(odd.map((point) => (point as { value: unknown }).value)).toEqual([
    "NaN",
    Number.MAX_VALUE,
    0,
    Number.MAX_VALUE,
  ]);
  const wide = await server.get(`${api}/metrics/get-history?run_id=${uuid}&metric_key=wide`);
  expect(wide.text).toContain("9007199254740993");
  expect(wide.text).toContain("9223372036854775807");
  const { run: one } = (await server.get(`${api}/runs/get?run_id=${uuid}`)).json;
  expect(one.data.metrics).toContainEqual({ key: "pruned", value: 7, timestamp: 1, step: 5 });
  expect(one.data.params).toContainEqual({ key: "nul", value: "a\uFFFDb" });
  const model = (await server.get(`${api}/registered-models/get?name=churn`)).json.registered_model;
  expect(model.aliases).toEqual([{ alias: "champion", version: "1" }]);
  const next = await server.post(`${api}/model-versions/create`, { name: "churn", source: "s3://m/3" });
  expect(next.json.model_version.version).toBe("3");
});

test("workspaces of the source go to those of the same name", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  fixture.database.exec(`
    insert into workspaces values ('default', null, null), ('team-b', 'The second team', 's3://b');
    insert into experiments (experiment_id, name, lifecycle_stage, creation_time, last_update_time, workspace)
      values (5, 'Default', 'active', 1, 1, 'team-b');
    insert into registered_models (name, creation_time, workspace) values ('churn', 1, 'default'), ('churn', 2, 'team-b')`);
  await run(server, fixture);
  const headers = { "x-mlflow-workspace": "team-b" };
  const found = await server.call("GET", `${api}/registered-models/get?name=churn`, undefined, headers);
  expect(found.json.registered_model.creation_timestamp).toBe(2);
  const mine = await server.get(`${api}/registered-models/get?name=churn`);
  expect(mine.json.registered_model.creation_timestamp).toBe(1);
});

test("a dry run writes nothing", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 5);
  const report = await run(server, fixture, { dryRun: true });
  expect(report).toMatchObject({ state: "dry run", conflicts: [] });
  expect(report.entities).toContainEqual({ entity: "runs", source: 5, read: 0, plinth: 0 });
  for (const table of ["transfer.imports", "tracking.runs", "identity.workspaces where hidden"]) {
    expect(await countRows(server, table)).toBe(0);
  }
});

test("ids of 18 digits, as MLflow's file store makes them, are kept", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("2.9");
  addRuns(fixture, 1, 6);
  const id = "187366451083512345";
  fixture.database.exec(`
    insert into experiments (experiment_id, name, lifecycle_stage, creation_time, last_update_time)
      values (${id}, 'long', 'active', 1, 1);
    update runs set experiment_id = ${id} where run_uuid = '${uuidOf(4)}'`);
  await run(server, fixture);
  const found = (await server.get(`${api}/experiments/get?experiment_id=${id}`)).json.experiment;
  expect(found).toMatchObject({
    experiment_id: id,
    name: "long",
    artifact_location: `mlflow-artifacts:/${id}`,
  });
  const runs = (await server.post(`${api}/runs/search`, { experiment_ids: [id] })).json.runs;
  expect(runs[0].info).toMatchObject({ run_id: uuidOf(4), experiment_id: id });
  using again = makeMlflowDatabase("2.9");
  again.database
    .exec(`insert into experiments (experiment_id, name, lifecycle_stage, creation_time, last_update_time)
    values (${id}, 'other', 'active', 1, 1)`);
  again.database.exec("delete from experiments where experiment_id = 0");
  await expect(run(server, again)).rejects.toThrow("experiment 'long' has this id already");
});

test("a source that changes between two tries is reported, and what came can be brought afterwards", async () => {
  await using server = await startTestServer();
  using fixture = makeMlflowDatabase("3.17");
  addRuns(fixture, 1, 200);
  const onProgress: Given["onProgress"] = ({ phase, done }, stop) => {
    if (phase === "runs" && done > 0) stop.abort(new Error("stopped"));
  };
  await expect(run(server, fixture, { onProgress })).rejects.toThrow("stopped");
  addRuns(fixture, 201, 230);
  const report = await run(server, fixture);
  const read = report.entities.find((one) => one.entity === "runs")?.read ?? 0;
  expect(read).toBeGreaterThanOrEqual(200);
  expect(read).toBeLessThan(230);
  expect(report.notes.join("\n")).toContain(`it now has ${230 - read} runs more than were read`);
  expect(await seen(server)).toHaveLength(read);
  await run(server, fixture, { skipExisting: true });
  expect(await seen(server)).toHaveLength(230);
});
