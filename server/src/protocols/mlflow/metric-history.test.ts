import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, API, fresh, historyOf, invalid, newRun, refusal, type Point } from "../../../test/runs.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Query = Record<string, string | number | readonly string[]>;

function ask(path: string, query: Query): Promise<Answer> {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of [value].flat()) search.append(key, String(one));
  }
  return server.get(`${API}/metrics/${path}?${search.toString()}`);
}

async function logPoints(run_id: string, key: string, points: readonly Point[]): Promise<void> {
  for (let at = 0; at < points.length; at += 1000) {
    const metrics = points.slice(at, at + 1000).map((point) => ({ key, ...point }));
    accepted(await server.post(`${API}/runs/log-batch`, { run_id, metrics }));
  }
}

const plain = (metrics: Json[] = []): Point[] =>
  metrics.map(({ value, timestamp, step }) => ({ value, timestamp, step }));

/** All pages, one after the other. */
async function pages(run_id: string, metric_key: string, max_results: number): Promise<Point[][]> {
  const found: Point[][] = [];
  let page_token = "";
  do {
    const page = accepted(await ask("get-history", { run_id, metric_key, max_results, page_token }));
    found.push(plain(page.metrics));
    page_token = page.next_page_token ?? "";
  } while (page_token !== "" && found.length < 1000);
  return found;
}

const inOrder = (points: readonly Point[]): Point[] =>
  points.toSorted(
    (a, b) => a.timestamp - b.timestamp || a.step - b.step || Number(a.value) - Number(b.value),
  );

describe("get-history", () => {
  test("pages over 10,000 points, most of them of equal times, lose and repeat none", async () => {
    const run_id = await newRun(server);
    // Seven points a moment, moments on both sides of the 65,536 ms that share an entry of the index.
    const points = Array.from({ length: 10_000 }, (_one, index) => ({
      value: (index * 7919) % 10_007,
      timestamp: Math.floor(index / 7) * 97,
      step: index % 3,
    }));
    await logPoints(run_id, "m", points.toReversed());
    const expected = inOrder(points);
    for (const size of [997, 2500, 10_000]) {
      const found = await pages(run_id, "m", size);
      expect(found.map((page) => page.length).slice(0, -1)).toEqual(found.slice(1).map(() => size));
      expect(found.flat()).toEqual(expected);
    }
    expect(await historyOf(server, run_id, "m")).toEqual(expected);
  });

  test("pages of any size hold the same as the whole, whatever the points are", async () => {
    const run_id = await newRun(server);
    const point = fc.record({
      value: fc.oneof(
        fc.constantFrom(0, 1),
        fc
          .double({ noNaN: true, noDefaultInfinity: true, maxExcluded: true })
          .filter((value) => !Object.is(value, -0)),
        fc.constant("NaN"),
      ),
      timestamp: fc.constantFrom(0, 1, 65_535, 65_536, 2 ** 50),
      step: fc.constantFrom(-(2 ** 40), -1, 0, 2 ** 31),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(point, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        async (points, size) => {
          const key = fresh("m");
          await logPoints(run_id, key, points);
          const whole = await historyOf(server, run_id, key);
          expect(new Set(whole.map((one) => JSON.stringify(one)))).toEqual(
            new Set(points.map(({ value, timestamp, step }) => JSON.stringify({ value, timestamp, step }))),
          );
          expect(whole).toHaveLength(new Set(points.map((one) => JSON.stringify(one))).size);
          expect((await pages(run_id, key, size)).flat()).toEqual(whole);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("points logged behind the place of a token come with the next page, those before it do not", async () => {
    const run_id = await newRun(server);
    await logPoints(
      run_id,
      "m",
      [10, 20, 30].map((timestamp) => ({ value: 1, timestamp, step: 0 })),
    );
    const first = accepted(await ask("get-history", { run_id, metric_key: "m", max_results: 2 }));
    await logPoints(
      run_id,
      "m",
      [5, 25].map((timestamp) => ({ value: 1, timestamp, step: 0 })),
    );
    const query = { run_id, metric_key: "m", max_results: 2, page_token: first.next_page_token };
    const second = accepted(await ask("get-history", query));
    expect(plain(second.metrics).map((point) => point.timestamp)).toEqual([25, 30]);
    expect(second).not.toHaveProperty("next_page_token");
  });

  test("a metric or a run that is not there has no points", async () => {
    const run_id = await newRun(server);
    expect((await ask("get-history", { run_id, metric_key: "none" })).text).toBe("{}");
    await logPoints(run_id, "m", [{ value: 1, timestamp: 1, step: 1 }]);
    expect((await ask("get-history", { run_uuid: run_id, metric_key: "m" })).text).toBe(
      '{"metrics":[{"key":"m","value":1.0,"timestamp":1,"step":1}]}',
    );
  });

  test("a deleted run can be read still", async () => {
    const run_id = await newRun(server);
    await logPoints(run_id, "m", [{ value: 1, timestamp: 1, step: 1 }]);
    accepted(await server.post(`${API}/runs/delete`, { run_id }));
    expect(await historyOf(server, run_id, "m")).toHaveLength(1);
  });

  test.each([
    [{ metric_key: "m" }, "Missing value for required parameter 'run_id'."],
    [{ run_id: "x" }, "Missing value for required parameter 'metric_key'."],
    [
      { run_id: "x", metric_key: "m", max_results: 0 },
      "Invalid value 0 for parameter 'max_results' supplied.",
    ],
    [
      { run_id: "x", metric_key: "m", max_results: -5 },
      "Invalid value -5 for parameter 'max_results' supplied.",
    ],
  ])("refuses %j", async (query, message) => {
    expect(refusal(await ask("get-history", query))).toEqual(invalid(expect.stringContaining(message)));
  });

  test.each([
    "x",
    "W10",
    "WyIxIiwiMSJd",
    Buffer.from('["a","1","1"]').toString("base64url"),
    Buffer.from('["99999999999999999999","1","1"]').toString("base64url"),
    Buffer.from('["9999999999999999999","1","1"]').toString("base64url"),
    Buffer.from('{"offset":5}').toString("base64"),
  ])("refuses the page token %s", async (page_token) => {
    const run_id = await newRun(server);
    await logPoints(run_id, "m", [{ value: 1, timestamp: 1, step: 1 }]);
    const [status, code] = refusal(
      await ask("get-history", { run_id, metric_key: "m", max_results: 1, page_token }),
    );
    expect([status, code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
  });
});

describe("get-history-bulk", () => {
  test("gives the histories of several runs, run by run", async () => {
    const runs = (await Promise.all([newRun(server), newRun(server), newRun(server)])).toSorted();
    const [a, b, empty] = runs as [string, string, string];
    const points = [3, 1, 2].map((timestamp) => ({ value: 1, timestamp, step: -timestamp }));
    for (const id of [a, b]) await logPoints(id, "m", points);
    const found = accepted(
      await ask("get-history-bulk", { run_id: [b, empty, a, b], metric_key: "m" }),
    ).metrics;
    expect(found).toEqual(
      [a, b].flatMap((run_id) => inOrder(points).map((point) => ({ key: "m", ...point, run_id }))),
    );
    const some = accepted(
      await ask("get-history-bulk", { run_id: [a, b], metric_key: "m", max_results: 4 }),
    ).metrics;
    expect(some).toEqual(found.slice(0, 4));
    expect((await ask("get-history-bulk", { run_id: ["none", empty], metric_key: "m" })).json).toEqual({
      metrics: [],
    });
  });

  test("needs runs, not too many, and a key", async () => {
    expect(refusal(await ask("get-history-bulk", { metric_key: "m" }))).toEqual(
      invalid("GetMetricHistoryBulk request must specify at least one run_id."),
    );
    expect(refusal(await ask("get-history-bulk", { run_id: "x" }))).toEqual(
      invalid("GetMetricHistoryBulk request must specify a metric_key."),
    );
    const run_id = Array.from({ length: 101 }, (_one, index) => `r${index}`);
    expect(refusal(await ask("get-history-bulk", { run_id, metric_key: "m" }))).toEqual(
      invalid("GetMetricHistoryBulk request cannot specify more than 100 run_ids. Received 101 run_ids."),
    );
  });
});

describe("get-history-bulk-interval", () => {
  const sample = async (query: Query): Promise<Json[]> =>
    accepted(await ask("get-history-bulk-interval", query)).metrics ?? [];

  test("gives all of a short series, by step, each point with its run", async () => {
    const [a, b] = await Promise.all([newRun(server), newRun(server)]);
    const points = [5, 3, 4].map((step) => ({ value: 1, timestamp: 10 - step, step }));
    for (const id of [a, b]) await logPoints(id, "m", points);
    const expected = (run_id: string): Json[] =>
      points.toSorted((x, y) => x.step - y.step).map((point) => ({ key: "m", ...point, run_id }));
    expect(await sample({ run_ids: [b, a], metric_key: "m" })).toEqual([...expected(b), ...expected(a)]);
  });

  test("takes an even sample of a long one, with its first and last point", async () => {
    const run_id = await newRun(server);
    const points = Array.from({ length: 3001 }, (_one, step) => ({ value: step, timestamp: 1, step }));
    await logPoints(run_id, "m", points);
    for (const max_results of [2, 3, 100, 320, 2500]) {
      const found = (await sample({ run_ids: run_id, metric_key: "m", max_results })).map(
        (point) => point.step as number,
      );
      expect(found).toHaveLength(max_results);
      expect([found[0], found.at(-1)]).toEqual([0, 3000]);
      const gaps = found.slice(1).map((step, index) => step - (found[index] as number));
      // The last gap takes up what the division leaves.
      expect(Math.min(...gaps)).toBeGreaterThan(0);
      expect(Math.max(...gaps.slice(0, -1), 0) - Math.min(...gaps.slice(0, -1), 3001)).toBeLessThanOrEqual(1);
    }
    expect(await sample({ run_ids: run_id, metric_key: "m", max_results: 1 })).toMatchObject([
      { step: 3000 },
    ]);
    expect(await sample({ run_ids: run_id, metric_key: "m" })).toHaveLength(2500);
  });

  test("is bounded also where all points are of one step", async () => {
    const run_id = await newRun(server);
    await logPoints(
      run_id,
      "m",
      Array.from({ length: 3000 }, (_one, at) => ({ value: at, timestamp: at, step: 0 })),
    );
    const found = await sample({ run_ids: run_id, metric_key: "m", max_results: 50 });
    expect([found.length, found[0]?.value, found.at(-1)?.value]).toEqual([50, 0, 2999]);
  });

  test("keeps to a range of steps, both ends included", async () => {
    const run_id = await newRun(server);
    await logPoints(
      run_id,
      "m",
      Array.from({ length: 20 }, (_one, step) => ({ value: 1, timestamp: 1, step: step - 10 })),
    );
    const steps = async (start_step: number, end_step: number): Promise<number[]> =>
      (await sample({ run_ids: run_id, metric_key: "m", start_step, end_step })).map(
        (point) => point.step as number,
      );
    expect(await steps(-2, 2)).toEqual([-2, -1, 0, 1, 2]);
    expect(await steps(3, 3)).toEqual([3]);
    expect(await steps(50, 60)).toEqual([]);
  });

  test("writes what is no number as text", async () => {
    const run_id = await newRun(server);
    await logPoints(run_id, "m", [{ value: "NaN", timestamp: 1, step: 1 }]);
    expect(await sample({ run_ids: run_id, metric_key: "m" })).toMatchObject([{ value: "NaN" }]);
  });

  test.each([
    [{ metric_key: "m" }, "Missing value for required parameter 'run_ids'."],
    [{ run_ids: "x" }, "Missing value for required parameter 'metric_key'."],
    [{ run_ids: "x", metric_key: "m", start_step: 1 }, "both must be specified."],
    [{ run_ids: "x", metric_key: "m", start_step: 2, end_step: 1 }, "Found start_step=2 and end_step=1."],
    [{ run_ids: "x", metric_key: "m", max_results: 0 }, "max_results must be between 1 and 2500."],
    [{ run_ids: "x", metric_key: "m", max_results: 2501 }, "max_results must be between 1 and 2500."],
    [
      { run_ids: Array.from({ length: 101 }, (_one, at) => `r${at}`), metric_key: "m" },
      "must specify at most 100 run_ids.",
    ],
  ])("refuses %j", async (query, message) => {
    expect(refusal(await ask("get-history-bulk-interval", query))).toEqual(
      invalid(expect.stringContaining(message)),
    );
  });
});

test("a point costs at most 80 bytes of table and index", async () => {
  await using bare = await startTestServer();
  const runs = await Promise.all(Array.from({ length: 4 }, () => newRun(bare)));
  const started = 1_760_000_000_000;
  // Four trainings side by side: ten metrics an epoch, an epoch every few seconds, in batches as clients send them.
  for (let epoch = 0; epoch < 500; epoch += 1) {
    const timestamp = started + epoch * 2500;
    const answers = await Promise.all(
      runs.map((run_id, index) => {
        const metrics = Array.from({ length: 10 }, (_one, at) => ({
          key: `metric ${at}`,
          value: Math.sin(epoch + at) / (index + 1),
          timestamp: timestamp + index * 131 + at,
          step: epoch,
        }));
        return bare.post(`${API}/runs/log-batch`, { run_id, metrics });
      }),
    );
    for (const answer of answers) accepted(answer);
  }
  const { database } = bare;
  const size = sql<{ points: number; bytes: number }>`
    select count(*)::integer as points, pg_total_relation_size('tracking.metric_points')::integer as bytes
    from tracking.metric_points`;
  const [row] = await database.run(size.compile(database.kysely));
  expect(row?.points).toBe(20_000);
  expect((row?.bytes ?? 0) / 20_000).toBeLessThanOrEqual(80);
});
