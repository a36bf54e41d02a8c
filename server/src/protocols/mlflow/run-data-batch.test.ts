import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Answer, type Json, type TestServer } from "../../../test/harness.ts";
import { accepted, API, dataOf, getRun, historyOf, invalid, newRun, refusal } from "../../../test/runs.ts";

let server: TestServer;
let second: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  second = await startTestServer({}, server);
});
afterAll(async () => {
  await second[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const logBatch = (body: unknown, to = server): Promise<Answer> => to.post(`${API}/runs/log-batch`, body);

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_one, index) => make(index));

const points = (count: number): Json[] =>
  times(count, (step) => ({ key: "m", value: step, timestamp: 1, step }));
const texts = (count: number): Json[] => times(count, (index) => ({ key: `k${index}`, value: `${index}` }));

describe("log-batch", () => {
  test("takes as much as it may, and no more", async () => {
    const run_id = await newRun(server);
    accepted(await logBatch({ run_id, metrics: points(1000) }));
    accepted(await logBatch({ run_id, metrics: points(800), params: texts(100), tags: texts(100) }));
    accepted(await logBatch({ run_id }));
    const tooMany = (what: string, limit: number, count: number): unknown[] =>
      invalid(
        `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. ` +
          `Please split up ${what} across multiple requests and try again.`,
      );
    expect(refusal(await logBatch({ run_id, metrics: points(1001) }))).toEqual(
      tooMany("metrics", 1000, 1001),
    );
    expect(refusal(await logBatch({ run_id, params: texts(101) }))).toEqual(tooMany("params", 100, 101));
    expect(refusal(await logBatch({ run_id, tags: texts(101) }))).toEqual(tooMany("tags", 100, 101));
    expect(refusal(await logBatch({ run_id, metrics: points(901), params: texts(100) }))).toEqual(
      tooMany("metrics, params, and tags", 1000, 1001),
    );
    expect(await historyOf(server, run_id, "m")).toHaveLength(1000);
  });

  const good = {
    metrics: [{ key: "m", value: 1, timestamp: 1 }],
    params: [{ key: "p", value: "1" }],
    tags: [{ key: "t", value: "1" }],
  };

  test.each([
    [{ metrics: [...good.metrics, { key: "n", value: 1, timestamp: -1 }] }, "'metrics[1].timestamp'"],
    [{ metrics: [...good.metrics, { key: "../n", value: 1, timestamp: 1 }] }, "'metrics[1].name'"],
    [{ metrics: [...good.metrics, { key: "n", timestamp: 1 }] }, "parameter 'metrics[1].value'"],
    [{ metrics: [...good.metrics, { value: 1, timestamp: 1 }] }, "parameter 'metrics[1].key'"],
    [{ metrics: [...good.metrics, { key: "n", value: 1 }] }, "parameter 'metrics[1].timestamp'"],
    [{ metrics: [...good.metrics, { key: "n", value: "high", timestamp: 1 }] }, "parameter 'metrics'"],
    [{ metrics: {} }, "parameter 'metrics'"],
    [{ params: [...good.params, { key: "a*b", value: "1" }] }, "'params[1].key'"],
    [{ params: [...good.params, { value: "1" }] }, "parameter 'params[1].key'"],
    [{ params: [...good.params, { key: "q", value: "\0" }] }, "null byte"],
    [{ params: [{ key: "q" }, { key: "r" }, { key: "q" }, { key: "r" }] }, "Duplicate parameter keys"],
    [{ params: "p" }, "parameter 'params'"],
    [{ params: [...good.params, { key: "held", value: "other" }] }, "Changing param values is not allowed"],
    [{ tags: [...good.tags, { key: "x".repeat(251), value: "1" }] }, "exceeds the maximum length of 250"],
    [{ tags: [...good.tags, null] }, "tags[1].key"],
  ])("stores nothing of %j", async (bad, message) => {
    const run_id = await newRun(server, { run_name: "n" });
    accepted(await logBatch({ run_id, params: [{ key: "held", value: "held" }] }));
    // A neighbour that is committed together with it is not harmed.
    const [refused, neighbour] = await Promise.all([
      logBatch({ run_id, ...good, ...bad }),
      logBatch({ run_id, tags: [{ key: "neighbour", value: "1" }] }),
    ]);
    expect(refusal(refused)).toEqual(invalid(expect.stringContaining(message)));
    accepted(neighbour);
    expect(await dataOf(server, run_id)).toEqual({
      metrics: {},
      params: { held: "held" },
      tags: { "mlflow.runName": "n", neighbour: "1" },
    });
    expect(await historyOf(server, run_id, "m")).toEqual([]);
  });

  test("names every parameter that would change", async () => {
    const run_id = await newRun(server);
    accepted(await logBatch({ run_id, params: texts(3) }));
    // The same again is fine, together with new ones.
    accepted(await logBatch({ run_id, params: texts(4) }));
    const params = [
      { key: "k0", value: "x" },
      { key: "k1", value: "1" },
      { key: "k2", value: "it's" },
    ];
    expect(refusal(await logBatch({ run_id, params }))).toEqual(
      invalid(
        "Changing param values is not allowed. Params were already logged='[" +
          "{'key': 'k0', 'old_value': '0', 'new_value': 'x'}, " +
          `{'key': 'k2', 'old_value': '2', 'new_value': "it's"}]' for run ID='${run_id}'.`,
      ),
    );
  });

  test("a tag twice keeps its last value", async () => {
    const run_id = await newRun(server);
    const tags = ["1", "2", "3"].map((value) => ({ key: "t", value }));
    accepted(await logBatch({ run_id, tags }));
    expect((await dataOf(server, run_id)).tags["t"]).toBe("3");
  });

  test("needs a run id that could be one", async () => {
    expect(refusal(await logBatch({ run_id: "../x" }))).toEqual(
      invalid("Invalid value \"../x\" for parameter 'run_id' supplied."),
    );
  });
});

describe("writers at once", () => {
  const either = (index: number): TestServer => (index % 2 === 0 ? server : second);

  test("of 200 that give one parameter different values exactly one wins", async () => {
    const run_id = await newRun(server);
    const answers = await Promise.all(
      times(200, (index) =>
        either(index).post(`${API}/runs/log-parameter`, {
          run_id,
          key: "contested",
          value: `value ${index}`,
        }),
      ),
    );
    const winners = answers.flatMap(({ status }, index) => (status === 200 ? [`value ${index}`] : []));
    expect(winners).toEqual([(await dataOf(server, run_id)).params["contested"]]);
    answers.forEach((answer, index) => {
      if (answer.status === 200) return;
      expect(refusal(answer)).toEqual(
        invalid(
          `Changing param values is not allowed. Param with key='contested' was already logged with ` +
            `value='${winners[0]}' for run ID='${run_id}'. Attempted logging new value 'value ${index}'.`,
        ),
      );
    });
  });

  test("all that give a parameter the same value are served", async () => {
    const run_id = await newRun(server);
    const params = texts(20);
    const answers = await Promise.all(
      times(40, (index) =>
        logBatch({ run_id, params: index % 3 === 0 ? params : params.toReversed() }, either(index)),
      ),
    );
    for (const answer of answers) accepted(answer);
    expect(Object.keys((await dataOf(server, run_id)).params)).toHaveLength(20);
  });

  test("100 batches over the same keys of the same runs, from two processes: all are stored, none is refused", async () => {
    const runs = await Promise.all(times(4, () => newRun(server)));
    const sent = times(100, (index) => ({
      run_id: runs[index % runs.length] as string,
      metrics: times(30, (at) => ({
        key: `m${(at * 7 + index) % 10}`,
        value: index + at / 100,
        timestamp: 1000 + ((index * 13) % 50),
        step: (index * 31 + at) % 40,
      })),
      params: times(5, (at) => ({ key: `p${(at + index) % 5}`, value: "same" })),
      tags: [
        ...times(5, (at) => ({ key: `t${(index - at + 5) % 5}`, value: `${index}` })),
        { key: "mlflow.runName", value: `${index}` },
      ],
    }));
    const answers = await Promise.all(sent.map((body, index) => logBatch(body, either(index))));
    expect(
      answers.map(({ status, text }) => (status === 200 ? "" : text)).filter((text) => text !== ""),
    ).toEqual([]);
    for (const run_id of runs) {
      const mine = sent.filter((body) => body.run_id === run_id);
      const stored = await dataOf(second, run_id);
      for (let number = 0; number < 10; number += 1) {
        const key = `m${number}`;
        const expected = mine.flatMap((body) => body.metrics.filter((metric) => metric.key === key));
        expect(await historyOf(server, run_id, key)).toHaveLength(expected.length);
        const newest = expected
          .toSorted((a, b) => a.step - b.step || a.timestamp - b.timestamp || a.value - b.value)
          .at(-1);
        expect(stored.metrics[key]).toEqual([newest?.value, newest?.timestamp, newest?.step]);
      }
      expect(stored.params).toEqual({ p0: "same", p1: "same", p2: "same", p3: "same", p4: "same" });
      // Whoever came last named the run, in both places.
      expect((await getRun(server, run_id)).info.run_name).toBe(stored.tags["mlflow.runName"]);
    }
  });

  test("the same points sent to two processes at once are stored once", async () => {
    for (let round = 0; round < 10; round += 1) {
      const run_id = await newRun(server);
      const bodies = times(8, () => ({ run_id, metrics: points(50) }));
      const answers = await Promise.all(bodies.map((body, index) => logBatch(body, either(index))));
      for (const answer of answers) accepted(answer);
      expect(await historyOf(server, run_id, "m")).toHaveLength(50);
    }
  });

  test("updates and tags that name one run at once agree in the end", async () => {
    const run_id = await newRun(server);
    const answers = await Promise.all(
      times(60, (index) =>
        index % 3 === 0
          ? either(index).post(`${API}/runs/update`, { run_id, run_name: `u${index}`, status: "FINISHED" })
          : either(index).post(`${API}/runs/set-tag`, { run_id, key: "mlflow.runName", value: `t${index}` }),
      ),
    );
    for (const answer of answers) accepted(answer);
    const { info } = await getRun(second, run_id);
    expect(info.run_name).toBe((await dataOf(server, run_id)).tags["mlflow.runName"]);
    expect(info.status).toBe("FINISHED");
  });
});
