import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, API, fresh, refusal } from "../../../test/runs.ts";
import { insertExperimentIds, nextLongNumbers } from "../../modules/tracking/bulk/index.ts";

const LONG = "987654321098765432";
let server: TestServer;
let name: string;

/** As an import leaves it: only that makes experiments with such ids. */
async function addExperiment(id: string): Promise<string> {
  const { database } = server;
  const [number = 0] = await nextLongNumbers(database, 1);
  const called = fresh("long");
  await database.transaction(async (transaction) => {
    const insert = sql`
      insert into tracking.experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
      values (${number}, ${called}, ${`mlflow-artifacts:/${id}`}, 1, 1)`;
    await transaction.run(insert.compile(database.kysely));
    await insertExperimentIds(transaction, [{ experiment_id: number, id }]);
  });
  return called;
}

beforeAll(async () => {
  server = await startTestServer();
  name = await addExperiment(LONG);
});
afterAll(() => server[Symbol.asyncDispose]());

const get = async (path: string): Promise<Json> => accepted(await server.get(`${API}/${path}`));
const post = async (path: string, body: unknown): Promise<Json> =>
  accepted(await server.post(`${API}/${path}`, body));

describe("an experiment whose id is longer than 4 bytes hold", () => {
  test("is found by its id and its name, and shows its id", async () => {
    const expected = { experiment: { experiment_id: LONG, name } };
    expect(await get(`experiments/get?experiment_id=${LONG}`)).toMatchObject(expected);
    expect(await get(`experiments/get?experiment_id=%200${LONG}`)).toMatchObject(expected);
    expect(await get(`experiments/get-by-name?experiment_name=${name}`)).toMatchObject(expected);
    const search = { filter: `experiment_id = '${LONG}'`, max_results: 10 };
    expect(await post("experiments/search", search)).toMatchObject({ experiments: [expected.experiment] });
    const others = { filter: `experiment_id NOT IN ('${LONG}', '1')`, max_results: 10 };
    expect((await post("experiments/search", others)).experiments).toHaveLength(1);
  });

  test("has runs, datasets and logged models that name it by its id", async () => {
    const { run } = await post("runs/create", { experiment_id: LONG });
    expect(run.info).toMatchObject({
      experiment_id: LONG,
      artifact_uri: `mlflow-artifacts:/${LONG}/${run.info.run_id}/artifacts`,
    });
    const { run_id } = run.info;
    expect((await get(`runs/get?run_id=${run_id}`)).run.info.experiment_id).toBe(LONG);
    expect((await post("runs/update", { run_id, status: "FINISHED" })).run_info.experiment_id).toBe(LONG);
    const search = { experiment_ids: [LONG, "0"] };
    const expected = { runs: [{ info: { run_id, experiment_id: LONG } }] };
    expect(await post("runs/search", search)).toMatchObject(expected);
    // Once more, from what is remembered.
    expect(await post("runs/search", search)).toMatchObject(expected);
    await post("runs/log-inputs", {
      run_id,
      datasets: [{ tags: [], dataset: { name: "d", digest: "1", source_type: "s", source: "s" } }],
    });
    const summaries = { dataset_summaries: [{ experiment_id: LONG, name: "d", digest: "1" }] };
    expect(await post("experiments/search-datasets", { experiment_ids: [LONG] })).toEqual(summaries);
    const { model } = await post("logged-models", { experiment_id: LONG, name: "m" });
    expect(model.info).toMatchObject({ experiment_id: LONG });
    expect((await get(`logged-models/${model.info.model_id}`)).model.info.experiment_id).toBe(LONG);
    const filter = `experiment_id = ${LONG}`;
    const { models } = await post("logged-models/search", { experiment_ids: [LONG], filter });
    expect(models).toMatchObject([{ info: { experiment_id: LONG, model_id: model.info.model_id } }]);
  });

  test("is part of the lineage of a version by its id", async () => {
    const { run } = await post("runs/create", { experiment_id: LONG });
    const model = fresh("made");
    await post("registered-models/create", { name: model });
    const { run_id } = run.info;
    await post("model-versions/create", { name: model, source: `runs:/${run_id}/m`, run_id });
    const forward = `/console/api/lineage/model-version?name=${model}&version=1`;
    expect(accepted(await server.get(forward)).experiment.experiment_id).toBe(LONG);
    const back = (id: string): Promise<Answer> =>
      server.get(`/console/api/lineage/model-versions?experiment_id=${id}`);
    expect(accepted(await back(LONG)).model_versions).toMatchObject([{ name: model, version: 1 }]);
    for (const id of ["2000000000", "9999999999999999999", "1".repeat(30)]) {
      expect(accepted(await back(id)).model_versions).toEqual([]);
    }
  });

  test("is changed, deleted and restored by its id", async () => {
    const id = "123456789012345678";
    await addExperiment(id);
    const renamed = fresh("renamed");
    await post("experiments/update", { experiment_id: id, new_name: renamed });
    await post("experiments/set-experiment-tag", { experiment_id: id, key: "k", value: "v" });
    expect((await get(`experiments/get?experiment_id=${id}`)).experiment).toMatchObject({
      name: renamed,
      tags: [{ key: "k", value: "v" }],
    });
    await post("experiments/delete", { experiment_id: id });
    expect(refusal(await server.post(`${API}/runs/create`, { experiment_id: id }))).toEqual([
      400,
      "INVALID_PARAMETER_VALUE",
      `The experiment ${id} must be in the 'active' state. Current state is deleted.`,
    ]);
    await post("experiments/restore", { experiment_id: id });
    await post("experiments/delete", { experiment_id: id });
    accepted(await server.post("/console/api/purge", { older_than_seconds: 0 }));
    expect((await server.get(`${API}/experiments/get?experiment_id=${id}`)).status).toBe(404);
    // Imported again it is another experiment with the same id.
    const again = await addExperiment(id);
    expect((await get(`experiments/get?experiment_id=${id}`)).experiment.name).toBe(again);
  });

  test.each(["2000000000", "2147483648", "9223372036854775808", "1".repeat(500)])(
    "is not there by another id: %s",
    async (id) => {
      expect((await server.get(`${API}/experiments/get?experiment_id=${id}`)).status).toBe(404);
      expect((await server.post(`${API}/runs/create`, { experiment_id: id })).status).toBe(404);
      expect(await post("runs/search", { experiment_ids: [id] })).toEqual({});
    },
  );
});
