import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, API, getRun, invalid, newExperiment, newRun, refusal } from "../../../test/runs.ts";

let server: TestServer;
let experiments: string[];
let model: Run[];

/** What a run was given, as the reference sort and filters see it. */
type Run = {
  id: string;
  experiment: string;
  name: string;
  user: string;
  status: string;
  start: number;
  end: number | undefined;
  deleted: boolean;
  metrics: Record<string, number | undefined>;
  params: Record<string, string | undefined>;
  tags: Record<string, string | undefined>;
  dataset: string | undefined;
};

const search = (body: Record<string, unknown>): Promise<Answer> => server.post(`${API}/runs/search`, body);

const idsOf = (runs: Json[] = []): string[] => runs.map((run) => run.info.run_id as string);

/** All pages of a search, one after the other. */
async function pages(body: Record<string, unknown>): Promise<string[][]> {
  const found: string[][] = [];
  let page_token = "";
  do {
    const page = accepted(await search({ ...body, page_token }));
    found.push(idsOf(page.runs));
    page_token = page.next_page_token ?? "";
  } while (page_token !== "" && found.length < 500);
  return found;
}

const pick = <T>(list: readonly T[], number: number): T => list[number % list.length] as T;

async function makeRun(index: number): Promise<Run> {
  const experiment = pick(experiments, index);
  const metrics = {
    a: pick([1, 2, 2, Number.NaN, undefined, -5.5, 1e300], index),
    "b c": pick([0, undefined, 3], index >> 1),
  };
  const params = {
    p: pick(["x", "Xy", "100%", "a_b", undefined, ""], index),
    q: pick([undefined, "same"], index >> 2),
  };
  const tags = { t: pick(["red", "Green", undefined, "it's"], index >> 1), u: `${index}` };
  const dataset = pick([undefined, "train", "test"], index);
  const run = {
    experiment,
    name: `run ${index % 9}`,
    user: pick(["ada", "Bob", ""], index),
    status: pick(["RUNNING", "FINISHED", "FAILED"], index),
    start: 1000 + (index % 5),
    end: pick([undefined, 5, 6, 2 ** 40], index),
    deleted: index % 10 === 0,
    metrics,
    params,
    tags,
    dataset,
  };
  const id = await newRun(server, {
    experiment_id: experiment,
    run_name: run.name,
    user_id: run.user,
    start_time: run.start,
  });
  const texts = (values: Record<string, string | undefined>): Json[] =>
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  accepted(
    await server.post(`${API}/runs/log-batch`, {
      run_id: id,
      metrics: Object.entries(metrics).flatMap(([key, value]) =>
        value === undefined ? [] : [{ key, value: Number.isNaN(value) ? "NaN" : value, timestamp: 1 }],
      ),
      params: texts(params),
      tags: texts(tags),
    }),
  );
  if (dataset !== undefined) {
    const datasets = [{ dataset: { name: dataset, digest: "1", source_type: "s", source: "s" } }];
    accepted(await server.post(`${API}/runs/log-inputs`, { run_id: id, datasets }));
  }
  const ended = run.end === undefined ? {} : { end_time: run.end };
  accepted(await server.post(`${API}/runs/update`, { run_id: id, status: run.status, ...ended }));
  if (run.deleted) accepted(await server.post(`${API}/runs/delete`, { run_id: id }));
  return { id, ...run };
}

beforeAll(async () => {
  server = await startTestServer();
  experiments = await Promise.all([newExperiment(server), newExperiment(server), newExperiment(server)]);
  model = await Promise.all(Array.from({ length: 90 }, (_one, index) => makeRun(index)));
});
afterAll(() => server[Symbol.asyncDispose]());

type Compare = (a: Run, b: Run) => number;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What is missing comes last in both directions. */
function missingLast<T>(
  of: (run: Run) => T | undefined,
  compare: (a: T, b: T) => number,
  sign: 1 | -1,
): Compare {
  return (a, b) => {
    const [x, y] = [of(a), of(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * compare(x, y);
  };
}

const byNumber = (a: number, b: number): number => a - b;

/** Numbers, then NaN, then runs without the metric, in both directions. */
const byMetric = (key: string, sign: 1 | -1): Compare => {
  const rank = (run: Run): number =>
    run.metrics[key] === undefined ? 2 : Number.isNaN(run.metrics[key]) ? 1 : 0;
  const value = (run: Run): number => (rank(run) === 0 ? (run.metrics[key] as number) : 0);
  return (a, b) => rank(a) - rank(b) || sign * (value(a) - value(b));
};

const sortable: Record<string, (sign: 1 | -1) => Compare> = {
  "metrics.a": (sign) => byMetric("a", sign),
  "metrics.`b c`": (sign) => byMetric("b c", sign),
  "metric.`never logged`": (sign) => byMetric("never", sign),
  "params.p": (sign) => missingLast((run) => run.params["p"], byText, sign),
  "parameter.q": (sign) => missingLast((run) => run.params["q"], byText, sign),
  "tags.t": (sign) => missingLast((run) => run.tags["t"], byText, sign),
  "attributes.status": (sign) => missingLast((run) => run.status, byText, sign),
  run_name: (sign) => missingLast((run) => run.name, byText, sign),
  "attribute.user_id": (sign) => missingLast((run) => run.user, byText, sign),
  end_time: (sign) => missingLast((run) => run.end, byNumber, sign),
  start_time: (sign) => missingLast((run) => run.start, byNumber, sign),
  "attributes.run_id": (sign) => missingLast((run) => run.id, byText, sign),
};

const compareNumber: Record<string, (a: number, b: number) => boolean> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** Filters with what they mean. */
const filters: [string, (run: Run) => boolean][] = [
  ...Object.entries(compareNumber).flatMap(([sign, holds]): [string, (run: Run) => boolean][] => [
    [`metrics.a ${sign} 2`, ({ metrics: { a } }) => a !== undefined && holds(a, 2)],
    [
      `metrics.\`b c\` ${sign} -1.5`,
      ({ metrics }) => metrics["b c"] !== undefined && holds(metrics["b c"], -1.5),
    ],
    [`attributes.start_time ${sign} 1002`, ({ start }) => holds(start, 1002)],
    [`end_time ${sign} 6`, ({ end }) => end !== undefined && holds(end, 6)],
  ]),
  ["params.p = 'x'", ({ params }) => params["p"] === "x"],
  ["params.p = ''", ({ params }) => params["p"] === ""],
  ["params.p != 'x'", ({ params }) => params["p"] !== undefined && params["p"] !== "x"],
  ["params.p LIKE 'X%'", ({ params }) => params["p"]?.startsWith("X") === true],
  ["params.p ILIKE 'X%'", ({ params }) => params["p"]?.toLowerCase().startsWith("x") === true],
  ["params.p LIKE 'a_b'", ({ params }) => params["p"] === "a_b"],
  ["params.q IS NULL", ({ params }) => params["q"] === undefined],
  ["params.q IS NOT NULL", ({ params }) => params["q"] !== undefined],
  ["params.`never logged` IS NULL", () => true],
  ["params.`never logged` != 'x'", () => false],
  ['tags.t = "it\'s"', ({ tags }) => tags["t"] === "it's"],
  ["tags.t ILIKE '%GREEN%'", ({ tags }) => tags["t"] === "Green"],
  ["tags.`mlflow.runName` = 'run 3'", ({ name }) => name === "run 3"],
  ["attributes.status != 'RUNNING'", ({ status }) => status !== "RUNNING"],
  ["status = 'FAILED'", ({ status }) => status === "FAILED"],
  ["run_name LIKE 'run %'", () => true],
  ["attributes.user_id = 'ada'", ({ user }) => user === "ada"],
  ["dataset.name = 'train'", ({ dataset }) => dataset === "train"],
  ["datasets.digest IN ('1', '2')", ({ dataset }) => dataset !== undefined],
];

const views = {
  ACTIVE_ONLY: (run: Run) => !run.deleted,
  DELETED_ONLY: (run: Run) => run.deleted,
  ALL: () => true,
} as const;

describe("runs/search", () => {
  const order = fc.uniqueArray(
    fc.tuple(fc.constantFrom(...Object.keys(sortable)), fc.constantFrom("", " ASC", " DESC", " desc")),
    {
      selector: ([key]) => key,
      maxLength: 3,
    },
  );
  const query = fc.record({
    order,
    filter: fc.array(fc.constantFrom(...filters), { maxLength: 2 }),
    view: fc.constantFrom(...(Object.keys(views) as (keyof typeof views)[])),
    scope: fc.constantFrom([0], [1, 2], [2, 0, 1]),
    size: fc.constantFrom(1, 7, 30, 1000),
  });

  test("pages of any size are the reference sort of the runs that a filter leaves", async () => {
    await fc.assert(
      fc.asyncProperty(query, async ({ order, filter, view, scope, size }) => {
        const experiment_ids = scope.map((index) => experiments[index] as string);
        const compares = order.map(([key, direction]) =>
          (sortable[key] as (sign: 1 | -1) => Compare)(direction.toUpperCase() === " DESC" ? -1 : 1),
        );
        const newestFirst: Compare = (a, b) => b.start - a.start;
        const byId: Compare = (a, b) => byText(a.id, b.id);
        const all = [
          ...compares,
          ...(order.some(([key]) => key === "start_time") ? [] : [newestFirst]),
          byId,
        ];
        const expected = model
          .filter((run) => experiment_ids.includes(run.experiment) && views[view](run))
          .filter((run) => filter.every(([, holds]) => holds(run)))
          .toSorted((a, b) => all.reduce((result, compare) => result || compare(a, b), 0))
          .map((run) => run.id);
        const found = await pages({
          experiment_ids,
          filter: filter.map(([text]) => text).join(" AND "),
          order_by: order.map(([key, direction]) => key + direction),
          run_view_type: view,
          // Small pages of many runs prove nothing that those of few do not.
          max_results: Math.max(size, Math.ceil(expected.length / 20)),
        });
        expect(found.flat()).toEqual(expected);
        expect(found.slice(0, -1).every((page) => page.length > 0)).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  test.each(filters)("filter: %s", async (filter, holds) => {
    const found = (await pages({ experiment_ids: experiments, filter })).flat();
    const expected = model.filter((run) => !run.deleted && holds(run)).map((run) => run.id);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  test("finds runs by id, also in lists", async () => {
    const [a, b, c] = model.slice(1, 4).map((run) => run.id) as [string, string, string];
    const found = async (filter: string): Promise<string[]> =>
      (await pages({ experiment_ids: experiments, filter, order_by: ["run_id"] })).flat();
    expect(await found(`run_id = '${a}'`)).toEqual([a]);
    expect(await found(`attributes.run_id IN ('${a}', '${b}')`)).toEqual([a, b].toSorted());
    expect(await found(`run_id IN ('${a}','${b}','${c}') AND run_id NOT IN ('${b}')`)).toEqual(
      [a, c].toSorted(),
    );
    expect(await found(`run_id = '${a.toUpperCase()}'`)).toEqual([]);
  });

  test("gives each run as runs/get does", async () => {
    const { runs } = accepted(await search({ experiment_ids: experiments, run_view_type: "ALL" }));
    for (const run of runs as Json[])
      expect(inOrder(run)).toEqual(inOrder(await getRun(server, run.info.run_id)));
    expect(runs).toHaveLength(model.length);
  });

  /** Its lists have no order: the database gives them as it finds them. */
  function inOrder(run: Json): Json {
    for (const list of Object.values<Json[]>(run.data)) list.sort((a, b) => (a.key < b.key ? -1 : 1));
    return run;
  }

  test("shows every change at once, whatever was remembered", async () => {
    const experiment_id = await newExperiment(server);
    const run_id = await newRun(server, { experiment_id });
    const { model_id } = accepted(await server.post(`${API}/logged-models`, { experiment_id })).model.info;
    const dataset = { name: "d", digest: "1", source_type: "s", source: "s" };
    const changes: [string, Record<string, unknown>][] = [
      ["log-metric", { key: "m", value: 1, timestamp: 1 }],
      ["log-metric", { key: "m", value: 2, timestamp: 2 }],
      ["log-parameter", { key: "p", value: "1" }],
      ["set-tag", { key: "t", value: "1" }],
      ["set-tag", { key: "t", value: "2" }],
      ["delete-tag", { key: "t" }],
      ["log-batch", { tags: [{ key: "mlflow.runName", value: "renamed" }] }],
      ["update", { status: "FINISHED", end_time: 5 }],
      ["update", { run_name: "again" }],
      ["log-inputs", { datasets: [{ dataset }] }],
      ["log-inputs", { models: [{ model_id }] }],
      ["outputs", { models: [{ model_id, step: 3 }] }],
      [
        "log-model",
        { model_json: JSON.stringify({ run_id, artifact_path: "m", utc_time_created: "now", flavors: {} }) },
      ],
      ["delete", {}],
      ["restore", {}],
    ];
    let before = "";
    for (const [path, body] of changes) {
      for (let time = 0; time < 2; time += 1)
        accepted(await search({ experiment_ids: [experiment_id], run_view_type: "ALL" }));
      accepted(await server.post(`${API}/runs/${path}`, { run_id, ...body }));
      const [run] = accepted(await search({ experiment_ids: [experiment_id], run_view_type: "ALL" })).runs;
      expect([path, run]).toEqual([path, await getRun(server, run_id)]);
      expect([path, JSON.stringify(run)]).not.toEqual([path, before]);
      before = JSON.stringify(run);
    }
  });

  test("pages of the runs that stay lose and repeat none while others come and go", async () => {
    const experiment_id = await newExperiment(server);
    const make = (start_time: number): Promise<string> => newRun(server, { experiment_id, start_time });
    const staying = await Promise.all(Array.from({ length: 20 }, (_one, index) => make(10 + index)));
    const body = { experiment_ids: [experiment_id], max_results: 4 };
    const seen: string[] = [];
    let page_token = "";
    do {
      const page = accepted(await search({ ...body, page_token }));
      seen.push(...idsOf(page.runs));
      page_token = page.next_page_token ?? "";
      // One that is seen already goes, one comes where pages have been already.
      accepted(await server.post(`${API}/runs/delete`, { run_id: seen.at(-1) }));
      await make(1000);
    } while (page_token !== "");
    expect(seen).toEqual(staying.toReversed());
  });

  test("a long answer is streamed whole; without a size a page holds 1000", async () => {
    const experiment_id = await newExperiment(server);
    const ids = await Promise.all(Array.from({ length: 1203 }, () => newRun(server, { experiment_id })));
    const page = accepted(await search({ experiment_ids: [experiment_id] }));
    expect(page.runs).toHaveLength(1000);
    const rest = accepted(
      await search({ experiment_ids: [experiment_id], page_token: page.next_page_token }),
    );
    expect([...idsOf(page.runs), ...idsOf(rest.runs)].toSorted()).toEqual(ids.toSorted());
    const whole = accepted(await search({ experiment_ids: [experiment_id], max_results: 50_000 }));
    expect(idsOf(whole.runs)).toEqual([...idsOf(page.runs), ...idsOf(rest.runs)]);
    expect(whole).not.toHaveProperty("next_page_token");
  });

  test.each([[{}], [{ experiment_ids: [] }], [{ experiment_ids: ["999999", "99999999999999999999"] }]])(
    "finds nothing with %j",
    async (body) => {
      expect((await search(body)).text).toBe("{}");
    },
  );

  test.each([
    [
      { max_results: 0 },
      "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
    ],
    [{ max_results: 50_001 }, "Invalid value 50001 for parameter 'max_results' supplied"],
    [{ max_results: "many" }, "for parameter 'max_results' supplied"],
    [{ experiment_ids: ["abc"] }, "Invalid experiment ID 'abc'"],
    [{ experiment_ids: "0" }, "for parameter 'experiment_ids' supplied"],
    [{ order_by: [7] }, "for parameter 'order_by' supplied"],
    [{ order_by: ["metrics.a", "metrics.a DESC"] }, "metrics.a"],
    [{ filter: "metrics.a > 'x'" }, "Expected numeric value type for metric."],
    [{ page_token: "garbage" }, "page token"],
    [{ page_token: Buffer.from('{"offset":5}').toString("base64") }, "page token"],
  ])("refuses %j", async (body, message) => {
    const answer = await search({ experiment_ids: ["0"], ...body });
    expect(refusal(answer)).toEqual(invalid(expect.stringContaining(message)));
  });

  test("refuses a filter of a million parentheses, in few words", async () => {
    const answer = await search({ experiment_ids: ["0"], filter: "(".repeat(1_000_000) });
    expect(refusal(answer)).toEqual(invalid(expect.stringContaining("filter")));
    expect(answer.text.length).toBeLessThan(10_000);
  });

  test("refuses the token of another search", async () => {
    const body = { experiment_ids: experiments, max_results: 2, order_by: ["metrics.a"] };
    const { next_page_token: page_token } = accepted(await search(body));
    accepted(await search({ ...body, page_token }));
    for (const other of [
      { order_by: ["metrics.a DESC"] },
      { order_by: [] },
      { filter: "params.p = 'x'" },
      { run_view_type: "ALL" },
    ]) {
      expect((await search({ ...body, ...other, page_token })).status).toBe(400);
    }
  });
});
