import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { holdTable } from "../../../test/database-locks.ts";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import { accepted, API, fresh, newExperiment, newRun, refusal } from "../../../test/runs.ts";

let server: TestServer;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plinth-purge-"));
  server = await startTestServer({ "data-dir": folder, "inline-object-kib": "1" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Files of the blob store. */
const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();

const post = async (path: string, body: unknown): Promise<unknown> =>
  accepted(await server.post(`${API}/${path}`, body));

const purge = async (older_than_seconds = 0): Promise<unknown> =>
  accepted(await server.post("/console/api/purge", { older_than_seconds }));

/** Rows of every table of tracking and storage but dictionaries and settings. */
async function rows(): Promise<Record<string, number>> {
  const { database } = server;
  const tables = await database.run(
    sql<{ name: string }>`
      select table_schema || '.' || table_name as name from information_schema.tables
      where table_schema in ('tracking', 'storage') and table_type = 'BASE TABLE'
        and table_name not in ('keys', 'signing_keys') order by 1`.compile(database.kysely),
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await database.run(
      sql<{ count: number }>`select count(*)::integer as count from ${sql.raw(name)}`.compile(
        database.kysely,
      ),
    );
    counts[name] = row?.count ?? 0;
  }
  return counts;
}

const artifact = (path: string): string => `/api/2.0/mlflow-artifacts/artifacts/${path}`;

/** A run with something in every table that a run can have something in. */
async function fullRun(experiment_id: string): Promise<string> {
  const run_id = await newRun(server, { experiment_id, tags: [{ key: "t", value: "1" }] });
  const created = await server.post(`${API}/logged-models`, {
    experiment_id,
    name: "m",
    source_run_id: run_id,
    params: [{ key: "p", value: "1" }],
    tags: [{ key: "t", value: "1" }],
  });
  const { model_id } = accepted(created).model.info;
  await post("runs/log-batch", {
    run_id,
    metrics: [
      ...Array.from({ length: 50 }, (_one, step) => ({ key: "m", value: step, timestamp: step, step })),
      { key: "of a model", value: 1, timestamp: 1, model_id },
    ],
    params: [{ key: "p", value: "1" }],
    tags: [{ key: "t", value: "2" }],
  });
  const dataset = { name: fresh("d"), digest: "1", source_type: "s", source: "s" };
  await post("runs/log-inputs", {
    run_id,
    datasets: [{ dataset, tags: [{ key: "mlflow.data.context", value: "training" }] }],
    models: [{ model_id }],
  });
  await post("runs/outputs", { run_id, models: [{ model_id, step: 1 }] });
  for (const [name, size] of [
    ["small", 10],
    ["large", 5000],
  ] as const) {
    const path = artifact(`${experiment_id}/${run_id}/artifacts/${name}`);
    expect((await server.call("PUT", path, Buffer.alloc(size, 1))).status).toBe(200);
  }
  return run_id;
}

const answerOf = (run_id: string): Promise<Answer> => server.get(`${API}/runs/get?run_id=${run_id}`);

describe("purge", () => {
  test("removes a deleted experiment with all that belongs to it, and frees its name", async () => {
    const before = await rows();
    const filesBefore = await files();
    const name = fresh("purged");
    const { experiment_id } = accepted(
      await server.post(`${API}/experiments/create`, { name, tags: [{ key: "t", value: "1" }] }),
    );
    const runs = [await fullRun(experiment_id), await fullRun(experiment_id)];
    const filled = await rows();
    expect(await files()).toHaveLength(filesBefore.length + 2);
    // The test fills every table there is, or it would prove nothing of those it leaves out.
    const untouched = Object.keys(filled).filter((table) => filled[table] === before[table]);
    expect(untouched).toEqual([
      "storage.buckets",
      "storage.deleted_blobs",
      "storage.object_parts",
      "storage.pending_blobs",
      "storage.upload_parts",
      "storage.uploads",
      "tracking.experiment_ids",
    ]);
    await post("experiments/delete", { experiment_id });
    expect(await purge()).toEqual({ runs: 2, logged_models: expect.any(Number), experiments: 1 });
    expect(await rows()).toEqual(before);
    expect(await files()).toEqual(filesBefore);
    expect((await answerOf(runs[0] as string)).status).toBe(404);
    for (const what of ["small", "large"]) {
      expect((await server.get(artifact(`${experiment_id}/${runs[0]}/artifacts/${what}`))).status).toBe(404);
    }
    accepted(await server.post(`${API}/experiments/create`, { name }));
    expect(await purge()).toEqual({ runs: 0, logged_models: 0, experiments: 0 });
  });

  test("removes deleted runs alone, and leaves their neighbours whole", async () => {
    const experiment_id = await newExperiment(server);
    const kept = await fullRun(experiment_id);
    const whole = (await answerOf(kept)).text;
    const counted = await rows();
    const gone = await fullRun(experiment_id);
    await post("runs/delete", { run_id: gone });
    expect(await purge()).toMatchObject({ runs: 1, experiments: 0 });
    expect((await answerOf(kept)).text).toBe(whole);
    expect((await server.get(artifact(`${experiment_id}/${kept}/artifacts/large`))).text).toHaveLength(5000);
    const left = await rows();
    // Its dataset and its model are the experiment's.
    for (const table of [
      "runs",
      "metric_points",
      "run_metrics",
      "params",
      "tags",
      "run_datasets",
      "run_models",
      "logged_model_metrics",
    ]) {
      expect([table, left[`tracking.${table}`]]).toEqual([table, counted[`tracking.${table}`]]);
    }
  });

  test("leaves what was deleted too recently, and what was restored", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    await post("experiments/delete", { experiment_id });
    expect(await purge(3600)).toEqual({ runs: 0, logged_models: 0, experiments: 0 });
    await post("experiments/restore", { experiment_id });
    expect(await purge()).toEqual({ runs: 0, logged_models: 0, experiments: 0 });
    accepted(await answerOf(run_id));
  });

  test("takes more than one batch of runs", async () => {
    const experiment_id = await newExperiment(server);
    await Promise.all(Array.from({ length: 450 }, () => newRun(server, { experiment_id })));
    await post("experiments/delete", { experiment_id });
    expect(await purge()).toEqual({ runs: 450, logged_models: 0, experiments: 1 });
  });

  test("never takes the default experiment, only its deleted runs", async () => {
    const run_id = await newRun(server);
    await post("experiments/delete", { experiment_id: "0" });
    expect(await purge()).toMatchObject({ runs: 1, experiments: 0 });
    await post("experiments/restore", { experiment_id: "0" });
    expect((await answerOf(run_id)).status).toBe(404);
  });

  test("leaves nothing behind of a run that is written to while it goes", async () => {
    const run_id = await newRun(server);
    const params = await holdTable(server, "tracking.params");
    const write = server.post(`${API}/runs/log-batch`, {
      run_id,
      metrics: [{ key: "late", value: 1, timestamp: 1 }],
      params: [{ key: "late", value: "1" }],
      tags: [{ key: "late", value: "1" }],
    });
    await params.waiters(1);
    await post("runs/delete", { run_id });
    const removed = purge();
    await params.waiters(2);
    await params.release();
    expect(await removed).toMatchObject({ runs: 1 });
    expect(refusal(await write)).toEqual([404, "RESOURCE_DOES_NOT_EXIST", `Run with id=${run_id} not found`]);
    const { database } = server;
    const orphans = sql<{ count: number }>`
      select (select count(*) from tracking.run_metrics where run_id not in (select run_id from tracking.runs))
        + (select count(*) from tracking.params where run_id not in (select run_id from tracking.runs))
        + (select count(*) from tracking.tags where run_id not in (select run_id from tracking.runs))
        + (select count(*) from tracking.metric_points
            where series_id not in (select series_id from tracking.run_metrics))
        as count`;
    expect(await database.run(orphans.compile(database.kysely))).toEqual([{ count: 0 }]);
  });

  test("leaves a run that is restored at that moment whole, artifacts and all", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await fullRun(experiment_id);
    await post("runs/delete", { run_id });
    const restorer = new pg.Client(server.connection);
    await restorer.connect();
    await restorer.query("begin");
    await restorer.query("update tracking.runs set deleted_at = null where run_uuid = $1", [run_id]);
    const purged = purge();
    await vi.waitFor(async () => {
      const { rows: waiting } = await restorer.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      expect(waiting).toHaveLength(1);
    }, 10_000);
    await restorer.query("commit");
    await restorer.end();
    expect(await purged).toMatchObject({ runs: 0 });
    accepted(await answerOf(run_id));
    for (const [name, size] of [
      ["small", 10],
      ["large", 5000],
    ] as const) {
      const path = artifact(`${experiment_id}/${run_id}/artifacts/${name}`);
      expect((await server.get(path)).text).toHaveLength(size);
    }
  });

  test("a run deleted while it is written to has none of it", async () => {
    const run_id = await newRun(server);
    const points = await holdTable(server, "tracking.metric_points");
    const write = server.post(`${API}/runs/log-metric`, { run_id, key: "late", value: 1, timestamp: 1 });
    await points.waiters(1);
    await post("runs/delete", { run_id });
    await points.release();
    expect(refusal(await write)).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      expect.stringContaining("deleted"),
    ]);
    expect(accepted(await answerOf(run_id)).run.data.metrics).toBeUndefined();
    await purge();
  });

  test.each([{ older_than_seconds: -1 }, { older_than_seconds: "soon" }, { older: 1 }, []])(
    "refuses %j and removes nothing",
    async (body) => {
      const run_id = await newRun(server);
      await post("runs/delete", { run_id });
      expect((await server.post("/console/api/purge", body)).status).toBe(400);
      accepted(await answerOf(run_id));
    },
  );
});
