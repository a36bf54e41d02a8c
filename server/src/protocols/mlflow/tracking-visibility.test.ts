import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { bearer } from "../../../test/principals.ts";
import { accepted, API } from "../../../test/runs.ts";
import type { Json } from "../../../test/harness.ts";
import type { Permission } from "../../modules/identity/index.ts";
import {
  makeThings,
  startAccessServer,
  type AccessServer,
  type Caller,
  type GrantTexts,
  type Things,
} from "./tracking-access-fixture.ts";

let access: AccessServer;
let things: Things[];

beforeAll(async () => {
  access = await startAccessServer();
  things = [];
  for (let count = 0; count < 12; count += 1) things.push(await makeThings(access.admin));
});
afterAll(() => access[Symbol.asyncDispose]());

type Asker = Pick<Caller, "get" | "post">;
type Page = { max_results: number; page_token?: string };

/** All pages, and how many were not full though another followed. */
async function pagesOf(
  ask: (page: Page) => Promise<Json>,
  size: number,
): Promise<{ items: Json[]; short: number }> {
  const items: Json[] = [];
  let short = 0;
  let token: string | undefined;
  do {
    const answer = await ask({ max_results: size, ...(token === undefined ? {} : { page_token: token }) });
    const page = (answer.experiments ?? answer.runs ?? answer.models ?? []) as Json[];
    items.push(...page);
    token = answer.next_page_token as string | undefined;
    if (token !== undefined && page.length < size) short += 1;
  } while (token !== undefined);
  return { items, short };
}

const allIds = (): string[] => things.map(({ experimentId }) => experimentId);

const searches = {
  experiments: async ({ post }: Asker, size: number) => {
    const found = await pagesOf(
      async (page) => accepted(await post(`${API}/experiments/search`, { ...page, view_type: "ALL" })),
      size,
    );
    const ids = found.items.map((one) => one.experiment_id as string);
    return { ids: ids.filter((id) => allIds().includes(id)), short: found.short };
  },
  runs: async ({ post }: Asker, size: number) => {
    const wanted = { experiment_ids: allIds(), order_by: ["metrics.loss DESC"] };
    const found = await pagesOf(
      async (page) => accepted(await post(`${API}/runs/search`, { ...page, ...wanted })),
      size,
    );
    return { ids: found.items.map((one) => one.info.run_id as string), short: found.short };
  },
  models: async ({ post }: Asker, size: number) => {
    const wanted = { experiment_ids: allIds() };
    const found = await pagesOf(
      async (page) => accepted(await post(`${API}/logged-models/search`, { ...page, ...wanted })),
      size,
    );
    return { ids: found.items.map((one) => one.info.model_id as string), short: found.short };
  },
} as const;

/** What can be read one by one. */
const reads = {
  experiments: ({ get }: Asker) =>
    readable(get, "experimentId", (one) => `${API}/experiments/get?experiment_id=${one.experimentId}`),
  runs: ({ get }: Asker) => readable(get, "runId", (one) => `${API}/runs/get?run_id=${one.runId}`),
  models: ({ get }: Asker) => readable(get, "modelId", (one) => `${API}/logged-models/${one.modelId}`),
} as const;

async function readable(
  get: Caller["get"],
  field: "experimentId" | "runId" | "modelId",
  path: (one: Things) => string,
): Promise<string[]> {
  const answers = await Promise.all(things.map(async (one) => ({ one, answer: await get(path(one)) })));
  expect(answers.filter(({ answer }) => ![200, 403].includes(answer.status))).toEqual([]);
  return answers.filter(({ answer }) => answer.status === 200).map(({ one }) => one[field]);
}

const kinds = ["experiments", "runs", "models"] as const;

async function compare(asker: Asker, size: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) {
    const found = await searches[kind](asker, size);
    const read = await reads[kind](asker);
    expect([kind, found.short, found.ids.toSorted()]).toEqual([kind, 0, read.toSorted()]);
    counts[kind] = read.length;
  }
  return counts;
}

describe("searches find what can be read one by one, on full pages", () => {
  const on = (indexes: readonly number[], permission: Permission): GrantTexts =>
    indexes.map((index) => ["experiment", things[index]?.experimentId ?? "", permission] as const);

  test.each<[string, () => GrantTexts, number[]]>([
    ["a viewer", () => [["workspace", "*", "READ"]], [12, 12, 12]],
    ["with READ on some", () => on([1, 4, 5, 9, 11], "READ"), [5, 5, 5]],
    [
      "a viewer who is refused some",
      () => [["workspace", "*", "READ"], ...on([0, 3, 4], "NO_PERMISSIONS"), ...on([7], "DENY")],
      [8, 8, 8],
    ],
    [
      "an editor who is denied all runs",
      () => [
        ["workspace", "*", "EDIT"],
        ["run", "*", "DENY"],
      ],
      [12, 0, 12],
    ],
    [
      "with MANAGE on all, but no logged models",
      () => [
        ["experiment", "*", "MANAGE"],
        ["logged_model", "*", "NO_PERMISSIONS"],
      ],
      [12, 12, 0],
    ],
    ["runs of experiments that cannot be read", () => [["run", "*", "MANAGE"]], [0, 0, 0]],
    [
      "a pattern in another spelling",
      () => [["experiment", `0${things[1]?.experimentId}`, "READ"]],
      [0, 0, 0],
    ],
  ])("%s", async (_who, grants, counts) => {
    const asker = await access.caller();
    // As rows: some of these patterns no command would take.
    for (const [type, pattern, permission] of grants()) await insertGrant(asker, [type, pattern, permission]);
    for (const size of [3, 100]) {
      expect(Object.values(await compare(asker, size))).toEqual(counts);
    }
  });

  test("whatever the grants are", async () => {
    const permission = fc.constantFrom<Permission>("READ", "USE", "EDIT", "MANAGE", "NO_PERMISSIONS", "DENY");
    const single = fc.tuple(fc.nat({ max: 11 }), permission);
    const grants = fc.record({
      workspace: fc.option(fc.constantFrom<Permission>("READ", "USE", "EDIT")),
      all: fc.option(permission),
      run: fc.option(permission),
      logged_model: fc.option(permission),
      singles: fc.uniqueArray(single, { selector: ([index]) => index, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(grants, async ({ workspace, all, run, logged_model, singles }) => {
        // Who is in the workspace by something may search, even where nothing is found.
        const given: GrantTexts = [
          ["registered_model", "some model", "READ"],
          ...(workspace === null ? [] : ([["workspace", "*", workspace]] as const)),
          ...(all === null ? [] : ([["experiment", "*", all]] as const)),
          ...(run === null ? [] : ([["run", "*", run]] as const)),
          ...(logged_model === null ? [] : ([["logged_model", "*", logged_model]] as const)),
          ...singles.flatMap(([index, one]) => on([index], one)),
        ];
        await compare(await access.caller(...given), 3);
      }),
      { numRuns: 15 },
    );
  });
});

async function insertGrant({ principalId }: Caller, grant: GrantTexts[number]): Promise<void> {
  const { database, app } = access.server;
  const marker = { resource_type: "registered_model", pattern: "marker", permission: "READ" } as const;
  const { role_id } = await app.identity.roles.grantDirectly({ principalId }, 1, {
    ...marker,
    replace: true,
  });
  await database.prepared(
    {
      name: "test_insert_grant",
      text: "insert into identity.grants (role_id, resource_type, pattern, permission) values ($1, $2, $3, $4)",
    },
    [role_id, ...grant],
  );
  // Says that something changed.
  await app.identity.roles.grantDirectly({ principalId }, 1, { ...marker, replace: true });
}

describe("what stands beside", () => {
  test("a run does not name logged models to whom they are not shown, nor a model its runs", async () => {
    const [one] = things as [Things];
    const viewer = await access.caller(["workspace", "*", "READ"]);
    const withoutModels = await access.caller(["workspace", "*", "READ"], ["logged_model", "*", "DENY"]);
    const withoutRuns = await access.caller(["workspace", "*", "READ"], ["run", "*", "NO_PERMISSIONS"]);
    const runs = { experiment_ids: [one.experimentId] };
    for (const { get, post } of [viewer, withoutModels]) {
      const got = accepted(await get(`${API}/runs/get?run_id=${one.runId}`)).run;
      const found = accepted(await post(`${API}/runs/search`, runs)).runs;
      expect(found).toEqual([got]);
      const named = get === viewer.get ? [{ model_id: one.modelId, step: 1 }] : undefined;
      expect(got.outputs.model_outputs).toEqual(named);
    }
    for (const { get, post } of [viewer, withoutRuns]) {
      const { model } = accepted(await get(`${API}/logged-models/${one.modelId}`));
      const found = accepted(await post(`${API}/logged-models/search`, runs)).models;
      expect(found).toEqual([model]);
      const named = get === viewer.get ? one.runId : undefined;
      expect([model.info.source_run_id, model.data.metrics[0].run_id]).toEqual([named, named]);
    }
    const byRun = { ...runs, filter: `source_run_id = '${one.runId}'` };
    const inOrder = { ...runs, order_by: [{ field_name: "source_run_id" }] };
    for (const search of [byRun, inOrder]) {
      expect((await viewer.post(`${API}/logged-models/search`, search)).status).toBe(200);
      expect((await withoutRuns.post(`${API}/logged-models/search`, search)).status).toBe(403);
    }
  });

  test("nobody logs to a model that they may not change, whatever they may do with their run", async () => {
    const mine = await makeThings(access.admin);
    const theirs = await makeThings(access.admin);
    const owner = await access.caller(
      ["experiment", mine.experimentId, "MANAGE"],
      ["experiment", theirs.experimentId, "READ"],
    );
    const point = { key: "m", value: 1, timestamp: 1 };
    const run = { run_id: mine.runId };
    const writes = (model_id: string): [string, object][] => [
      ["log-metric", { ...run, ...point, model_id }],
      ["log-metric", { ...run, ...point, modelId: model_id }],
      ["log-batch", { ...run, metrics: [point, { ...point, key: "n", model_id }] }],
      ["log-inputs", { ...run, models: [{ model_id }] }],
      ["outputs", { ...run, models: [{ modelId: model_id, step: 1 }] }],
    ];
    for (const [path, body] of writes(theirs.modelId)) {
      expect([path, (await owner.post(`${API}/runs/${path}`, body)).status]).toEqual([path, 403]);
    }
    for (const [path, body] of writes(mine.modelId)) {
      expect([path, (await owner.post(`${API}/runs/${path}`, body)).status]).toEqual([path, 200]);
    }
    const from = { experiment_id: mine.experimentId, source_run_id: things[2]?.runId };
    expect((await owner.post(`${API}/logged-models`, from)).status).toBe(403);
    const made = { experiment_id: mine.experimentId, source_run_id: theirs.runId };
    expect((await owner.post(`${API}/logged-models`, made)).status).toBe(200);
  });

  test("one run among many that cannot be read refuses them all", async () => {
    const [mine, theirs] = things as [Things, Things];
    const reader = await access.caller(["experiment", mine.experimentId, "READ"]);
    const ask = (field: string, path: string, ids: readonly string[]): Promise<number> => {
      const query = ids.map((id) => `${field}=${id}`).join("&");
      return reader.get(`${API}/metrics/${path}?metric_key=loss&${query}`).then(({ status }) => status);
    };
    for (const [field, path] of [
      ["run_id", "get-history-bulk"],
      ["run_ids", "get-history-bulk-interval"],
    ] as const) {
      expect(await ask(field, path, [mine.runId])).toBe(200);
      expect(await ask(field, path, [mine.runId, theirs.runId])).toBe(403);
    }
  });
});

describe("what is not there", () => {
  const unknownRun = "0123456789abcdef0123456789abcdef";

  test("is unknown to who reads everything, and forbidden to others", async () => {
    const viewer = await access.caller(["workspace", "*", "READ"]);
    const reader = await access.caller(["experiment", things[0]?.experimentId ?? "", "READ"]);
    for (const path of [
      `runs/get?run_id=${unknownRun}`,
      "logged-models/m-0",
      "experiments/get?experiment_id=999999",
      "experiments/get?experiment_id=99999999999999",
      "experiments/get-by-name?experiment_name=nothing",
    ]) {
      expect([path, (await viewer.get(`${API}/${path}`)).status]).toEqual([path, 404]);
      expect([path, (await reader.get(`${API}/${path}`)).status]).toEqual([path, 403]);
    }
  });

  test("can be asked for by name before it is made, also by who is refused some experiments", async () => {
    const refused = things[0] as Things;
    const creator = await access.caller(
      ["workspace", "*", "USE"],
      ["experiment", refused.experimentId, "NO_PERMISSIONS"],
    );
    const byName = (name: string): Promise<number> =>
      creator
        .get(`${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`)
        .then(({ status }) => status);
    expect(await byName("soon")).toBe(404);
    expect(await byName(refused.experimentName)).toBe(403);
    // Whether a run is unknown or one of those that are refused is not told.
    expect((await creator.get(`${API}/runs/get?run_id=${unknownRun}`)).status).toBe(403);
  });
});

describe("a limited key", () => {
  test("reads, whatever its owner may", async () => {
    const [one] = things as [Things];
    const owner = await access.caller(["workspace", "*", "MANAGE"]);
    const { key } = await access.server.app.identity.apiKeys.createApiKey(
      { principalId: owner.principalId },
      { name: "reader", maxPermission: "READ" },
    );
    const reader = access.as(bearer(key));
    expect(await compare(reader, 5)).toEqual({ experiments: 12, runs: 12, models: 12 });
    for (const [path, body] of [
      ["runs/set-tag", { run_id: one.runId, key: "k", value: "v" }],
      ["experiments/create", { name: "by a reader" }],
      ["runs/delete", { run_id: one.runId }],
    ] as const) {
      expect([path, (await reader.post(`${API}/${path}`, body)).status]).toEqual([path, 403]);
    }
  });
});

describe("another process", () => {
  test("lets the creator of an experiment go on there at once, and forgets what was revoked", async () => {
    await using beside = await startTestServer({ login: "required" }, access.server);
    const creator = await access.caller(["workspace", "*", "USE"]);
    const { apiKeys, roles } = access.server.app.identity;
    const { key } = await apiKeys.createApiKey({ principalId: creator.principalId }, { name: "beside" });
    const there = access.as(bearer(key), beside);
    // Known there before anything was granted.
    expect((await there.get(`${API}/runs/get?run_id=${things[0]?.runId}`)).status).toBe(200);
    const made = await makeThings(creator);
    accepted(await there.post(`${API}/runs/delete`, { run_id: made.runId }));
    await roles.revokeDirectly({ principalId: creator.principalId }, 1, {
      resource_type: "experiment",
      pattern: made.experimentId,
    });
    expect((await creator.post(`${API}/runs/restore`, { run_id: made.runId })).status).toBe(403);
    await expect
      .poll(async () => (await there.post(`${API}/runs/restore`, { run_id: made.runId })).status, {
        timeout: 10_000,
      })
      .toBe(403);
  });
});
