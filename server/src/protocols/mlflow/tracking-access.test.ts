import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted, API } from "../../../test/runs.ts";
import { permissions, type Permission } from "../../modules/identity/index.ts";
import {
  makeThings,
  startAccessServer,
  type AccessServer,
  type Caller,
  type Things,
} from "./tracking-access-fixture.ts";

let access: AccessServer;

beforeAll(async () => {
  access = await startAccessServer();
});
afterAll(() => access[Symbol.asyncDispose]());

type Request = readonly [method: string, path: string, body?: object];

type Asked = readonly [what: string, needed: Permission, request: (things: Things) => Request];

const onExperiments: readonly Asked[] = [
  ["experiments/get", "READ", (t) => ["GET", `${API}/experiments/get?experiment_id=${t.experimentId}`]],
  [
    "experiments/get of another spelling",
    "READ",
    (t) => ["GET", `${API}/experiments/get?experiment_id=%2B00${t.experimentId}`],
  ],
  [
    "experiments/get-by-name",
    "READ",
    (t) => ["GET", `${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(t.experimentName)}`],
  ],
  [
    "experiments/search-datasets",
    "READ",
    (t) => ["POST", `${API}/experiments/search-datasets`, { experiment_ids: [t.experimentId] }],
  ],
  [
    "experiments/set-experiment-tag",
    "EDIT",
    (t) => [
      "POST",
      `${API}/experiments/set-experiment-tag`,
      { experiment_id: t.experimentId, key: "k", value: "v" },
    ],
  ],
  [
    "experiments/delete-experiment-tag",
    "EDIT",
    (t) => ["POST", `${API}/experiments/delete-experiment-tag`, { experiment_id: t.experimentId, key: "k" }],
  ],
  [
    "experiments/update",
    "EDIT",
    (t) => [
      "POST",
      `${API}/experiments/update`,
      { experiment_id: t.experimentId, new_name: t.experimentName },
    ],
  ],
  [
    "experiments/delete",
    "MANAGE",
    (t) => ["POST", `${API}/experiments/delete`, { experiment_id: t.experimentId }],
  ],
  [
    "experiments/restore",
    "MANAGE",
    (t) => ["POST", `${API}/experiments/restore`, { experiment_id: t.experimentId }],
  ],
  ["runs/create", "EDIT", (t) => ["POST", `${API}/runs/create`, { experiment_id: t.experimentId }]],
  ["logged-models", "EDIT", (t) => ["POST", `${API}/logged-models`, { experiment_id: t.experimentId }]],
];

const point = { key: "m", value: 1, timestamp: 1 };

const onRuns: readonly Asked[] = [
  ["runs/get", "READ", (t) => ["GET", `${API}/runs/get?run_id=${t.runId}`]],
  ["runs/get by the old name", "READ", (t) => ["GET", `${API}/runs/get?run_uuid=${t.runId}`]],
  ["get-history", "READ", (t) => ["GET", `${API}/metrics/get-history?run_id=${t.runId}&metric_key=loss`]],
  [
    "get-history-bulk",
    "READ",
    (t) => ["GET", `${API}/metrics/get-history-bulk?run_id=${t.runId}&metric_key=loss`],
  ],
  [
    "get-history-bulk-interval",
    "READ",
    (t) => ["GET", `${API}/metrics/get-history-bulk-interval?run_ids=${t.runId}&metric_key=loss`],
  ],
  ["artifacts/list", "READ", (t) => ["GET", `${API}/artifacts/list?run_id=${t.runId}`]],
  ["runs/log-metric", "EDIT", (t) => ["POST", `${API}/runs/log-metric`, { run_id: t.runId, ...point }]],
  ["runs/log-batch", "EDIT", (t) => ["POST", `${API}/runs/log-batch`, { run_id: t.runId, metrics: [point] }]],
  [
    "runs/log-parameter",
    "EDIT",
    (t) => ["POST", `${API}/runs/log-parameter`, { run_id: t.runId, key: "p", value: "1" }],
  ],
  ["runs/set-tag", "EDIT", (t) => ["POST", `${API}/runs/set-tag`, { run_id: t.runId, key: "t", value: "1" }]],
  ["runs/delete-tag", "EDIT", (t) => ["POST", `${API}/runs/delete-tag`, { run_id: t.runId, key: "t" }]],
  ["runs/update", "EDIT", (t) => ["POST", `${API}/runs/update`, { run_id: t.runId, status: "FINISHED" }]],
  ["runs/log-inputs", "EDIT", (t) => ["POST", `${API}/runs/log-inputs`, { run_id: t.runId, datasets: [] }]],
  [
    "runs/outputs",
    "EDIT",
    (t) => ["POST", `${API}/runs/outputs`, { run_id: t.runId, models: [{ model_id: t.modelId, step: 1 }] }],
  ],
  ["runs/log-model", "EDIT", (t) => ["POST", `${API}/runs/log-model`, { run_id: t.runId, model_json: "{}" }]],
  ["runs/delete", "MANAGE", (t) => ["POST", `${API}/runs/delete`, { run_id: t.runId }]],
  ["runs/restore", "MANAGE", (t) => ["POST", `${API}/runs/restore`, { run_id: t.runId }]],
];

const onModels: readonly Asked[] = [
  ["GET logged-models", "READ", (t) => ["GET", `${API}/logged-models/${t.modelId}`]],
  [
    "logged-models/artifacts/directories",
    "READ",
    (t) => ["GET", `${API}/logged-models/${t.modelId}/artifacts/directories`],
  ],
  [
    "PATCH logged-models",
    "EDIT",
    (t) => ["PATCH", `${API}/logged-models/${t.modelId}`, { model_id: t.modelId, status: 2 }],
  ],
  [
    "logged-models/params",
    "EDIT",
    (t) => ["POST", `${API}/logged-models/${t.modelId}/params`, { model_id: t.modelId, params: [] }],
  ],
  [
    "PATCH logged-models/tags",
    "EDIT",
    (t) => ["PATCH", `${API}/logged-models/${t.modelId}/tags`, { tags: [{ key: "k", value: "v" }] }],
  ],
  ["DELETE logged-models/tags", "MANAGE", (t) => ["DELETE", `${API}/logged-models/${t.modelId}/tags/k`]],
  ["DELETE logged-models", "MANAGE", (t) => ["DELETE", `${API}/logged-models/${t.modelId}`]],
];

const everything = [...onExperiments, ...onRuns, ...onModels];

/** By name, who asks, and what that person may do in the experiment. */
type Asker = readonly [who: string, level: Permission, caller: (things: Things) => Promise<Caller>];

const member = ["workspace", "*", "READ"] as const;

const askers: readonly Asker[] = [
  ["somebody without any part", "NO_PERMISSIONS", () => access.caller()],
  ["who reads another experiment", "NO_PERMISSIONS", () => access.caller(["experiment", "0", "READ"])],
  ["a viewer", "READ", () => access.caller(member)],
  ["a contributor", "READ", () => access.caller(["workspace", "*", "USE"])],
  ["an editor", "EDIT", () => access.caller(["workspace", "*", "EDIT"])],
  ["an administrator of the workspace", "MANAGE", () => access.caller(["workspace", "*", "MANAGE"])],
  ["READ on it", "READ", (t) => access.caller(["experiment", t.experimentId, "READ"])],
  ["EDIT on it", "EDIT", (t) => access.caller(["experiment", t.experimentId, "EDIT"])],
  ["MANAGE on it", "MANAGE", (t) => access.caller(["experiment", t.experimentId, "MANAGE"])],
  ["MANAGE on all", "MANAGE", () => access.caller(["experiment", "*", "MANAGE"])],
  [
    "an editor with NO_PERMISSIONS on it",
    "NO_PERMISSIONS",
    (t) => access.caller(["workspace", "*", "EDIT"], ["experiment", t.experimentId, "NO_PERMISSIONS"]),
  ],
  [
    "an editor who is denied it, and all granted",
    "DENY",
    (t) =>
      access.caller(
        ["workspace", "*", "EDIT"],
        ["experiment", "*", "MANAGE"],
        ["experiment", t.experimentId, "DENY"],
      ),
  ],
];

const reaches = (level: Permission, needed: Permission): boolean =>
  permissions.indexOf(level) >= permissions.indexOf(needed);

test.each(askers)("%s: has %s in every request", async (_who, level, caller) => {
  const things = await makeThings(access.admin);
  const asker = await caller(things);
  const [found, expected]: [unknown[], unknown[]] = [[], []];
  for (const [what, needed, request] of everything) {
    const { status } = await asker.call(...request(things));
    found.push([what, status === 403, status < 500]);
    expected.push([what, !reaches(level, needed), true]);
  }
  expect(found).toEqual(expected);
});

test("the administrator's requests are answered, so that no refusal above is one by chance", async () => {
  const things = await makeThings(access.admin);
  const answers = await Promise.all(
    everything
      .filter(([what]) => !/delete|restore|log-model/i.test(what))
      .map(async ([what, , request]) => [what, (await access.admin.call(...request(things))).status]),
  );
  expect(answers.filter(([, status]) => status !== 200)).toEqual([]);
});

describe("creating", () => {
  test.each([
    ["READ", 403],
    ["USE", 200],
    ["EDIT", 200],
    ["MANAGE", 200],
  ] as const)("with %s in the workspace is %i", async (permission, status) => {
    const creator = await access.caller(["workspace", "*", permission]);
    const answer = await creator.post(`${API}/experiments/create`, { name: `by ${creator.name}` });
    expect(answer.status).toBe(status);
  });

  test("is not allowed by rights on what there is, nor where making is denied", async () => {
    const manager = await access.caller(["experiment", "*", "MANAGE"]);
    expect((await manager.post(`${API}/experiments/create`, { name: "x" })).status).toBe(403);
    const denied = await access.caller(["workspace", "*", "EDIT"], ["experiment", "*", "DENY"]);
    expect((await denied.post(`${API}/experiments/create`, { name: "x" })).status).toBe(403);
  });

  test("an experiment gives MANAGE on it to who made it, at once and in every process", async () => {
    const creator = await access.caller(["workspace", "*", "USE"]);
    const things = await makeThings(creator);
    for (const path of ["runs/delete", "runs/restore"]) {
      accepted(await creator.post(`${API}/${path}`, { run_id: things.runId }));
    }
    accepted(await creator.post(`${API}/experiments/delete`, { experiment_id: things.experimentId }));
    const others = await makeThings(access.admin);
    expect((await creator.post(`${API}/runs/delete`, { run_id: others.runId })).status).toBe(403);
  });

  test("is not allowed where another's artifacts are, but beside", async () => {
    const { experimentId } = await makeThings(access.admin);
    const creator = await access.caller(["workspace", "*", "USE"]);
    const create = (artifact_location: string): Promise<unknown> =>
      creator
        .post(`${API}/experiments/create`, { name: `at ${artifact_location}`, artifact_location })
        .then(({ status }) => status);
    expect(await create(`mlflow-artifacts:/${experimentId}`)).toBe(403);
    expect(await create(`mlflow-artifacts:/${experimentId}/models`)).toBe(403);
    expect(await create(`mlflow-artifacts:///${experimentId}//models/`)).toBe(403);
    expect(await create("mlflow-artifacts:/")).toBe(403);
    expect(await create("mlflow-artifacts:/beside")).toBe(200);
    expect(await create("s3://bucket/path")).toBe(200);
  });
});
