import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type TestServer } from "../../../test/harness.ts";
import {
  accepted,
  API,
  dataOf,
  fresh,
  getRun,
  historyOf,
  invalid,
  newRun,
  refusal,
  type Point,
} from "../../../test/runs.ts";

let server: TestServer;
let run: string;

beforeAll(async () => {
  server = await startTestServer();
  run = await newRun(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: unknown): Promise<Answer> => server.post(`${API}/runs/${path}`, body);

const data = (id = run): ReturnType<typeof dataOf> => dataOf(server, id);

const EMOJI = "\u{1f600}";

describe("log-metric", () => {
  test("stores a point; without a step it is step 0", async () => {
    accepted(await post("log-metric", { run_id: run, key: "loss", value: 0.5, timestamp: 1000, step: 3 }));
    accepted(await post("log-metric", { run_id: run, key: "acc", value: 1, timestamp: 1000 }));
    expect((await data()).metrics).toMatchObject({ loss: [0.5, 1000, 3], acc: [1, 1000, 0] });
    expect(await historyOf(server, run, "acc")).toEqual([{ value: 1, timestamp: 1000, step: 0 }]);
  });

  test.each([
    ["NaN", "NaN", '"NaN"'],
    ["an infinity, clipped", "Infinity", "1.7976931348623157e+308"],
    ["a negative infinity, clipped", "-Infinity", "-1.7976931348623157e+308"],
    ["the smallest double", 5e-324, "5e-324"],
    ["a number in a text", " 1.25e1 ", "12.5"],
    ["a whole number", 7, "7.0"],
    ["a negative zero", "-0.0", "-0.0"],
    ["a third", 1 / 3, "0.3333333333333333"],
  ])("keeps %s", async (name, value, written) => {
    const key = `value ${name.replaceAll(",", "")}`;
    accepted(await post("log-metric", { run_id: run, key, value, timestamp: 5 }));
    const { text } = await server.get(`${API}/runs/get?run_id=${run}`);
    expect(text).toContain(`{"key":"${key}","value":${written},"timestamp":5,"step":0}`);
    const history = await server.get(
      `${API}/metrics/get-history?run_id=${run}&metric_key=${encodeURIComponent(key)}`,
    );
    expect(history.text).toContain(`"value":${written},"timestamp":5`);
  });

  test.each([
    ["9223372036854775807", "-9223372036854775808"],
    ["9007199254740993", "9007199254740993"],
    ["2147483648", "-2147483649"],
    ["0", "2147483647"],
  ])("keeps timestamp %s and step %s digit for digit, as number and as text", async (timestamp, step) => {
    const key = fresh("int64");
    for (const [quote, value] of [
      ["", 1],
      ['"', 2],
    ] as const) {
      const numbers = `"timestamp":${quote}${timestamp}${quote},"step":${quote}${step}${quote}`;
      accepted(await post("log-metric", `{"run_id":"${run}","key":"${key}","value":${value},${numbers}}`));
    }
    const point = (value: number): string =>
      `{"key":"${key}","value":${value}.0,"timestamp":${timestamp},"step":${step}}`;
    expect((await server.get(`${API}/runs/get?run_id=${run}`)).text).toContain(point(2));
    const query = `run_id=${run}&metric_key=${encodeURIComponent(key)}`;
    expect((await server.get(`${API}/metrics/get-history?${query}`)).text).toBe(
      `{"metrics":[${point(1)},${point(2)}]}`,
    );
  });

  test("the newest is the greatest of (step, timestamp, value), and a point counts once, in whatever order they come", async () => {
    const point = fc.record({
      step: fc.constantFrom(-1, 0, 1, 2 ** 40),
      timestamp: fc.constantFrom(0, 1, 65_536, 1_700_000_000_000),
      value: fc.constantFrom(-1.5, -1, 2, "NaN"),
    });
    const requests = fc.array(fc.array(point, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(requests, fc.boolean(), async (batches, atOnce) => {
        const key = fresh("any order");
        const send = async (points: Point[]): Promise<unknown> =>
          accepted(await post("log-batch", { run_id: run, metrics: points.map((one) => ({ key, ...one })) }));
        if (atOnce) await Promise.all(batches.map(send));
        else for (const points of batches) await send(points);
        const expected = ordered(batches.flat());
        expect(await historyOf(server, run, key)).toEqual(expected);
        expect(await bulkHistory(key)).toEqual(expected);
        const { value, timestamp, step } = newest(expected);
        expect((await data()).metrics[key]).toEqual([value, timestamp, step]);
      }),
      { numRuns: 60 },
    );
  });

  test("a request sent again changes nothing", async () => {
    const id = await newRun(server);
    const metrics = Array.from({ length: 50 }, (_one, step) => ({
      key: "m",
      value: step / 7,
      timestamp: 9,
      step,
    }));
    for (let time = 0; time < 3; time += 1) accepted(await post("log-batch", { run_id: id, metrics }));
    accepted(await post("log-metric", { run_id: id, ...metrics[7] }));
    expect(await historyOf(server, id, "m")).toHaveLength(50);
  });

  test("takes a run by its old name, and a field by one of its spellings", async () => {
    accepted(await post("log-metric", { run_uuid: run, key: "old name", value: 1, timestamp: 1, other: {} }));
    expect((await data()).metrics).toMatchObject({ "old name": [1, 1, 0] });
    const both = await post("log-metric", { run_id: run, runId: run, key: "both", value: 1, timestamp: 1 });
    expect(refusal(both)).toEqual(invalid(expect.stringContaining("'run_id' and 'runId'")));
    expect((await data()).metrics).not.toHaveProperty("both");
  });

  test("takes JSON within a JSON text, as old clients send it", async () => {
    const inner = JSON.stringify({ run_id: run, key: "twice", value: 2, timestamp: 1 });
    accepted(await post("log-metric", JSON.stringify(inner)));
    expect((await data()).metrics).toHaveProperty("twice");
  });

  const missing = (name: string): string =>
    `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`;

  test.each([
    [{}, missing("run_id")],
    [{ run_id: "" }, missing("run_id")],
    [{ run_id: "x" }, missing("key")],
    [{ run_id: "x", key: "k" }, missing("value")],
    [{ run_id: "x", key: "k", value: 1 }, missing("timestamp")],
    [{ run_id: 7, key: "k", value: 1, timestamp: 1 }, "Invalid value 7 for parameter 'run_id' supplied:"],
    [
      { run_id: "x", key: "k", value: "high", timestamp: 1 },
      "Invalid value \"high\" for parameter 'value' supplied:",
    ],
    [
      { run_id: "x", key: "k", value: 1, timestamp: "noon" },
      "Invalid value \"noon\" for parameter 'timestamp' supplied:",
    ],
    [
      { run_id: "x", key: "k", value: 1, timestamp: 1, step: [] },
      "Invalid value [] for parameter 'step' supplied:",
    ],
    [
      { run_id: "x", key: "k", value: 1, timestamp: -1 },
      "Timestamp must be a nonnegative long (64-bit integer)",
    ],
  ])("refuses %j", async (body, message) => {
    expect(refusal(await post("log-metric", body))).toEqual(invalid(expect.stringContaining(message)));
  });
});

/** MLflow compares NaN as 0, the value it keeps for it. */
const rank = (value: Point["value"]): number => (value === "NaN" ? Number.MIN_VALUE : Number(value));

/** As one list without repeats, by (timestamp, step, value). */
function ordered(points: readonly Point[]): Point[] {
  const distinct = new Map(points.map((one) => [JSON.stringify([one.timestamp, one.step, one.value]), one]));
  return [...distinct.values()]
    .toSorted((a, b) => a.timestamp - b.timestamp || a.step - b.step || rank(a.value) - rank(b.value))
    .map(({ value, timestamp, step }) => ({ value, timestamp, step }));
}

const newest = (points: readonly Point[]): Point =>
  points
    .toSorted((a, b) => a.step - b.step || a.timestamp - b.timestamp || rank(a.value) - rank(b.value))
    .at(-1) as Point;

async function bulkHistory(key: string): Promise<Point[]> {
  const query = new URLSearchParams({ run_id: run, metric_key: key });
  const { metrics } = accepted(
    await server.get(`/ajax-api/2.0/mlflow/metrics/get-history-bulk?${query.toString()}`),
  );
  return (metrics as Point[]).map(({ value, timestamp, step }) => ({ value, timestamp, step }));
}

describe("keys", () => {
  test.each(["a/b c:d-e_f.g", "größe", "損失", "\u{1d49c}lpha", "x".repeat(250), "\u{1d49c}".repeat(250)])(
    "%s may name a metric, a parameter and a tag",
    async (key) => {
      accepted(await post("log-metric", { run_id: run, key, value: 1, timestamp: 1 }));
      accepted(await post("log-parameter", { run_id: run, key, value: "1" }));
      accepted(await post("set-tag", { run_id: run, key, value: "1" }));
      const { metrics, params, tags } = await data();
      expect([metrics[key], params[key], tags[key]]).toEqual([[1, 1, 0], "1", "1"]);
      expect(await historyOf(server, run, key)).toHaveLength(1);
    },
  );

  const resolves = "must not resolve to other names when treated as such";
  test.each([
    ["a*b", "Names may only contain alphanumerics"],
    ["a\0b", "Names may only contain alphanumerics"],
    [EMOJI, "Names may only contain alphanumerics"],
    ["\ud800", "half of a surrogate pair"],
    ["../up", resolves],
    ["/root", resolves],
    ["a//b", resolves],
    ["a/./b", resolves],
    ["a/", resolves],
    [".", resolves],
    ["x".repeat(251), "exceeds the maximum length of 250 characters"],
    ["\u{1d49c}".repeat(251), "exceeds the maximum length of 250 characters"],
  ])("%j may not", async (key, message) => {
    const refused = invalid(expect.stringContaining(message));
    expect(refusal(await post("log-metric", { run_id: run, key, value: 1, timestamp: 1 }))).toEqual(refused);
    expect(refusal(await post("log-parameter", { run_id: run, key, value: "1" }))).toEqual(refused);
    expect(refusal(await post("set-tag", { run_id: run, key, value: "1" }))).toEqual(refused);
  });
});

describe("log-parameter", () => {
  test("a value stays: the same again is fine, another is refused", async () => {
    accepted(await post("log-parameter", { run_id: run, key: "lr", value: "0.1" }));
    accepted(await post("log-parameter", { run_id: run, key: "lr", value: "0.1" }));
    expect(refusal(await post("log-parameter", { run_id: run, key: "lr", value: "0.2" }))).toEqual(
      invalid(
        "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run ID=" +
          `'${run}'. Attempted logging new value '0.2'.`,
      ),
    );
    expect((await data()).params["lr"]).toBe("0.1");
  });

  test("an absent value is an empty one", async () => {
    accepted(await post("log-parameter", { run_id: run, key: "absent" }));
    accepted(await post("log-parameter", { run_id: run, key: "absent", value: "" }));
    expect((await data()).params["absent"]).toBe("");
  });

  test("a long value is cut to 6000 characters, not bytes or halves of them", async () => {
    const value = `${"x".repeat(5999)}${EMOJI}${EMOJI}`;
    accepted(await post("log-parameter", { run_id: run, key: "long", value }));
    expect((await data()).params["long"].slice(5990)).toBe(`xxxxxxxxx${EMOJI}`);
    // Cut the same way it is the same value.
    accepted(await post("log-parameter", { run_id: run, key: "long", value: `${value}more` }));
    accepted(await post("log-parameter", { run_id: run, key: "full", value: EMOJI.repeat(6000) }));
    expect((await data()).params["full"]).toHaveLength(12_000);
  });

  test("a null character cannot be stored, and the request beside it is not harmed", async () => {
    const [bad, good] = await Promise.all([
      post("log-parameter", { run_id: run, key: "null", value: "a\0b" }),
      post("log-parameter", { run_id: run, key: "beside", value: "fine" }),
    ]);
    expect(refusal(bad)).toEqual(invalid(expect.stringContaining("null byte")));
    accepted(good);
    const { params } = await data();
    expect([params["null"], params["beside"]]).toEqual([undefined, "fine"]);
  });
});

describe("tags", () => {
  test("are replaced, cut to 8000 characters, and deleted", async () => {
    accepted(await post("set-tag", { run_id: run, key: "t", value: "1" }));
    accepted(await post("set-tag", { run_id: run, key: "t", value: EMOJI.repeat(8001) }));
    const { tags } = await data();
    expect([tags["t"].length, tags["t"] === EMOJI.repeat(8000)]).toEqual([16_000, true]);
    accepted(await post("delete-tag", { run_id: run, key: "t" }));
    expect((await data()).tags).not.toHaveProperty("t");
    const gone = [404, "RESOURCE_DOES_NOT_EXIST", `No tag with name: t in run with id ${run}`];
    expect(refusal(await post("delete-tag", { run_id: run, key: "t" }))).toEqual(gone);
  });

  test("mlflow.runName names the run; an empty one changes nothing", async () => {
    const id = await newRun(server, { run_name: "first" });
    accepted(await post("set-tag", { run_id: id, key: "mlflow.runName", value: "second" }));
    expect((await getRun(server, id)).info.run_name).toBe("second");
    accepted(await post("log-batch", { run_id: id, tags: [{ key: "mlflow.runName", value: "third" }] }));
    accepted(await post("set-tag", { run_id: id, key: "mlflow.runName", value: "" }));
    const { info } = await getRun(server, id);
    expect([info.run_name, (await data(id)).tags["mlflow.runName"]]).toEqual(["third", "third"]);
  });
});

describe("runs that cannot be written to", () => {
  const writes = (id: string): Promise<Answer>[] => [
    post("log-metric", { run_id: id, key: "k", value: 1, timestamp: 1 }),
    post("log-parameter", { run_id: id, key: "k", value: "1" }),
    post("set-tag", { run_id: id, key: "k", value: "1" }),
    post("delete-tag", { run_id: id, key: "before" }),
    post("log-batch", { run_id: id }),
    post("update", { run_id: id, status: "FINISHED" }),
  ];

  test("an unknown one is 404", async () => {
    const id = "0".repeat(32);
    for (const answer of await Promise.all(writes(id))) {
      expect(refusal(answer)).toEqual([404, "RESOURCE_DOES_NOT_EXIST", `Run with id=${id} not found`]);
    }
  });

  test("a deleted one is 400 until it is restored, and nothing is stored", async () => {
    const id = await newRun(server, { tags: [{ key: "before", value: "1" }] });
    accepted(await post("delete", { run_id: id }));
    const message = `The run ${id} must be in the 'active' state. Current state is deleted.`;
    for (const answer of await Promise.all(writes(id))) expect(refusal(answer)).toEqual(invalid(message));
    accepted(await post("restore", { run_id: id }));
    expect(await data(id)).toMatchObject({ metrics: {}, params: {}, tags: { before: "1" } });
    for (const answer of await Promise.all(writes(id))) accepted(answer);
  });
});
