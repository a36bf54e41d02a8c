import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import type { Database } from "../../kernel/database.ts";
import { compilePolicy, type Grant } from "../identity/policy.ts";
import { defaultWorkspace, fullScope, type Scope } from "../identity/scope.ts";
import { createExperimentIds, insertExperimentIds, nextLongNumbers } from "./experiment-ids.ts";
import { createTracking, type Tracking } from "./index.ts";
import { canonicalExperimentId } from "./object-owners.ts";
import { visibleExperiments } from "./visible-experiments.ts";

let server: TestServer;
let database: Database;
let tracking: Tracking;
let now = 1_000_000;
const batches: string[] = [];
const scope = fullScope(defaultWorkspace);

beforeAll(async () => {
  server = await startTestServer();
  ({ database } = server);
  tracking = createTracking({
    database,
    now: () => now,
    onBatch: (name, size) => batches.push(`${name} ${size}`),
    deleteArtifacts: async () => undefined,
    grants: server.app.identity.roles,
  });
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;

const newExperiment = async (): Promise<string> => {
  count += 1;
  return String(await tracking.createExperiment(scope, { name: `experiment ${count}`, tags: [] }));
};

async function newRun(experimentId: string): Promise<string> {
  const given = { experimentId, userId: "", name: "", startTime: 0, tags: [] };
  return (await tracking.createRun(scope, given)).row.run_uuid;
}

const limited = (...grants: Grant[]): Scope => ({
  ...defaultWorkspace,
  policy: compilePolicy(grants, { isPlatformAdmin: false, ceiling: undefined }),
});

describe("the experiment of a run", () => {
  test("is asked for once, with all that are asked for at the same moment", async () => {
    const [one, other] = [await newExperiment(), await newExperiment()];
    const runs = [await newRun(one), await newRun(one), await newRun(other)];
    const before = batches.length;
    expect(await Promise.all(runs.map(async (id) => tracking.experimentOfRun(id)))).toEqual([
      one,
      one,
      other,
    ]);
    expect(batches.slice(before)).toEqual(["run_owner 3"]);
    expect(runs.map((id) => tracking.experimentOfRun(id))).toEqual([one, one, other]);
  });

  test("is known from the start to who has just made it, and may not do everything", async () => {
    const experimentId = await newExperiment();
    const editor = limited({ resource_type: "experiment", pattern: experimentId, permission: "EDIT" });
    const given = { experimentId, userId: "", name: "", startTime: 0, tags: [] };
    const { row } = await tracking.createRun(editor, given);
    expect(tracking.experimentOfRun(row.run_uuid)).toBe(experimentId);
    const model = await tracking.createLoggedModel(editor, {
      experimentId,
      modelType: "",
      sourceRunId: "",
      params: [],
      tags: [],
    });
    expect(tracking.experimentOfLoggedModel(model.model_id)).toBe(experimentId);
  });

  test("is not remembered where there is none, nor for ever", async () => {
    const [one, other] = [await newExperiment(), await newExperiment()];
    expect(await tracking.experimentOfRun("none")).toBeUndefined();
    expect(await tracking.experimentOfRun("x".repeat(10_000))).toBeUndefined();
    const run = await newRun(one);
    expect(await tracking.experimentOfRun(run)).toBe(one);
    // As when it is purged, and imported again.
    const moved = sql`update tracking.runs set experiment_id = ${Number(other)} where run_uuid = ${run}`;
    await database.run(moved.compile(database.kysely));
    now += 59_000;
    expect(tracking.experimentOfRun(run)).toBe(one);
    now += 62_000;
    expect(await tracking.experimentOfRun(run)).toBe(other);
  });
});

describe("ids of experiments", () => {
  test.each([
    ["7", "7"],
    [" +007 ", "7"],
    ["0", "0"],
    ["987654321098765432", "987654321098765432"],
    ["+0987654321098765432", "987654321098765432"],
    ["-1", undefined],
    ["99999999999999999999", undefined],
    ["7.0", undefined],
    ["*", undefined],
    ["", undefined],
  ])("%j is %j", (given, expected) => {
    expect(canonicalExperimentId(given)).toBe(expected);
  });

  test("that are long are granted, and found, too", async () => {
    const id = "987654321098765432";
    const [number = 0] = await nextLongNumbers(database, 1);
    await database.transaction(async (transaction) => {
      const insert = sql`
        insert into tracking.experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
        values (${number}, 'long', ${`mlflow-artifacts:/${id}`}, 1, 1)`;
      await transaction.run(insert.compile(database.kysely));
      await insertExperimentIds(transaction, [{ experiment_id: number, id }]);
    });
    const reader = limited(
      { resource_type: "experiment", pattern: id, permission: "READ" },
      { resource_type: "experiment", pattern: "1", permission: "READ" },
      { resource_type: "experiment", pattern: "007", permission: "READ" },
    );
    const ids = createExperimentIds(database);
    const expected = { kind: "only", numbers: [1, number] };
    expect(await visibleExperiments(reader, ids)).toEqual(expected);
    const search = { view: "all", maxResults: 10, filter: "name = 'long'", orderBy: [] } as const;
    expect((await tracking.searchExperiments(reader, search)).experiments).toHaveLength(1);
    expect((await tracking.searchExperiments(limited(), search)).experiments).toHaveLength(0);
    const run = await newRun(id);
    expect(await tracking.experimentOfRun(run)).toBe(id);
    expect(await tracking.placesOfKey(`${id}/${run}/artifacts/file`)).toEqual([
      { experimentId: id, rest: `${run}/artifacts/file` },
    ]);
    expect(await tracking.experimentsBelow(id.slice(0, 5))).toEqual([]);
    expect(await tracking.experimentsBelow("")).toContain(id);
  });
});
