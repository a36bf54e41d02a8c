import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { doubleJson, parseJson } from "../../kernel/json.ts";
import {
  bool,
  checkParameters,
  double,
  enumOf,
  int64,
  json,
  message,
  nested,
  pythonJson,
  readMessage,
  repeated,
  string,
} from "./wire.ts";

const pair = message({ key: string, value: string });

const shape = message({
  run_id: string,
  count: int64,
  value: double,
  is_new: bool,
  status: enumOf({ RUNNING: 1, FINISHED: 3 }),
  names: repeated(string),
  pairs: repeated(nested(pair)),
  one_pair: nested(pair),
  any: json,
});

const read = (source: unknown): unknown => readMessage(shape, source).values;

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
};

describe("a message", () => {
  test("is read field by field, in either spelling; what is unknown or null is left out", () => {
    const source = {
      runId: "r",
      count: 5,
      value: 1.5,
      isNew: true,
      status: "FINISHED",
      names: ["a", "b"],
      pairs: [{ key: "k", value: "v", other: 1 }, {}],
      onePair: { key: "k" },
      any: [{ x: 1 }],
      unknown: 1,
      __proto__: { run_id: "inherited" },
    };
    expect(read(source)).toEqual({
      run_id: "r",
      count: 5,
      value: 1.5,
      is_new: true,
      status: 3,
      names: ["a", "b"],
      pairs: [{ key: "k", value: "v" }, {}],
      one_pair: { key: "k" },
      any: [{ x: 1 }],
    });
    expect(read({ run_id: null, count: null, pairs: null })).toEqual({});
  });

  test.each([
    { run_id: "a", runId: "a" },
    { one_pair: {}, onePair: {} },
  ])("is refused in both spellings: %j", (source) => {
    expect(messageOf(() => read(source))).toMatch(
      /^Request specifies both '\w+' and '\w+'; provide only one of them\.$/,
    );
  });

  test.each([
    [0, 0],
    ["-5", -5],
    ["+5", 5],
    [5.9, 5],
    [-5.9, -5],
    [1e3, 1000],
    ["9007199254740993", 9_007_199_254_740_993n],
    ["9223372036854775807", 9_223_372_036_854_775_807n],
    ["-9223372036854775808", -9_223_372_036_854_775_808n],
    [9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
  ])("int64 %s is %s", (raw, expected) => {
    expect(read({ count: raw })).toEqual({ count: expected });
  });

  test.each([
    "",
    " ",
    "5.0",
    "0x10",
    "1e3",
    "9223372036854775808",
    "-9223372036854775809",
    1e300,
    Number.NaN,
    true,
    [],
    {},
    "NaN",
  ])("int64 cannot be %s", (raw) => {
    expect(readMessage(shape, { count: raw })).toEqual({
      values: {},
      complete: false,
      exact: expect.any(Boolean),
    });
  });

  test.each([
    [1, 1],
    ["1.5", 1.5],
    [" 1e3 ", 1000],
    [".5", 0.5],
    ["NaN", Number.NaN],
    [true, 1],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    [9_007_199_254_740_993n, 9_007_199_254_740_992],
  ])("double %s is %s", (raw, expected) => {
    expect(read({ value: raw })).toEqual({ value: expected });
  });

  test.each(["", "nan", "infinity", "1,5", "0x1", [1], {}])("double cannot be %j", (raw) => {
    expect(readMessage(shape, { value: raw })).toEqual({
      values: {},
      complete: false,
      exact: expect.any(Boolean),
    });
  });

  test.each([
    ["RUNNING", 1],
    [3, 3],
    ["BOGUS", undefined],
    ["toString", undefined],
  ])("of the enum's names, %s is %s", (raw, expected) => {
    expect(readMessage(shape, { status: raw })).toEqual({
      values: expected === undefined ? {} : { status: expected },
      complete: true,
      exact: true,
    });
  });

  test("ends at the first value of a wrong type; what came before it stays", () => {
    expect(readMessage(shape, { run_id: "r", names: ["a", 1], count: 5 })).toEqual({
      values: { run_id: "r" },
      complete: false,
      exact: true,
    });
    expect(readMessage(shape, { pairs: [{ key: "k" }, { key: 1 }] })).toEqual({
      values: {},
      complete: false,
      exact: true,
    });
    expect(readMessage(shape, [])).toEqual({ values: {}, complete: false, exact: expect.any(Boolean) });
  });

  test("of any JSON is read without a fault of ours", () => {
    const keys = fc.constantFrom(
      "run_id",
      "runId",
      "count",
      "value",
      "status",
      "names",
      "pairs",
      "one_pair",
      "any",
      "x",
    );
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true });
    fc.assert(
      fc.property(fc.dictionary(keys, anything), (source) => {
        try {
          const { values } = readMessage(shape, source);
          for (const name of Object.keys(values))
            expect(shape.camel.concat("count", "value", "status", "names", "pairs", "any")).toContain(name);
        } catch (error) {
          expect(error).toBeInstanceOf(PlinthError);
        }
      }),
    );
  });
});

describe("checks of parameters", () => {
  const refusal = (source: Record<string, unknown>, checks: Parameters<typeof checkParameters>[0]): string =>
    messageOf(() => checkParameters(checks, source, readMessage(shape, source).complete));
  const docs = " See the API docs for more information about request parameters.";

  test("a required one must be there and not empty", () => {
    for (const source of [{}, { run_id: "" }, { run_id: null }]) {
      expect(refusal(source, { run_id: ["required", "string"] })).toBe(
        `Missing value for required parameter 'run_id'.${docs}`,
      );
    }
    expect(refusal({ run_uuid: "x" }, { run_id: ["required", "string"] })).toBe("no error");
    expect(refusal({}, { count: ["int"] })).toBe("no error");
  });

  test.each([
    [5, "5", "int"],
    [5.5, "5.5", "float"],
    [true, "true", "bool"],
    [["a", { b: 1, a: 2 }], '["a",{"a":2,"b":1}]', "list"],
    [{ ü: null }, '{"\\u00fc":null}', "dict"],
  ])("%j is shown as Python shows it", (run_id, shown, type) => {
    expect(refusal({ run_id }, { run_id: ["string"] })).toBe(
      `Invalid value ${shown} for parameter 'run_id' supplied:  Hint: Value was of type '${type}'.${docs}`,
    );
  });

  test.each(["int", "array", "bool", "double"] as const)("a text is no %s", (check) => {
    expect(refusal({ run_id: 1, names: "x" }, { names: [check] })).toBe(
      `Invalid value "x" for parameter 'names' supplied:  Hint: Value was of type 'str'.${docs}`,
    );
  });

  test("what is shown is never long, however long or deep the value is", () => {
    const deep = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`) as unknown;
    expect(pythonJson(deep).length).toBeLessThan(3000);
    expect(pythonJson("\u{1f600}".repeat(1_000_000)).length).toBeLessThan(20_000);
    expect(pythonJson([9_223_372_036_854_775_807n]).length).toBeLessThan(3000);
  });
});

test("a body with an integer that a number cannot hold is to be parsed anew", () => {
  expect(readMessage(shape, { count: 9_007_199_254_740_992 }).exact).toBe(false);
  expect(readMessage(shape, { count: 9_007_199_254_740_991 }).exact).toBe(true);
  expect(readMessage(shape, { count: 9_007_199_254_740_993n }).exact).toBe(true);
  expect(readMessage(shape, { value: 1e300 }).exact).toBe(true);
});

describe("JSON", () => {
  const parse = (text: string): unknown => parseJson(Buffer.from(text), true);

  test("keeps integers beyond 2^53, and only those, as bigint", () => {
    expect(parse('{"a":9007199254740993,"b":-9223372036854775808,"c":1234567890123456.5,"d":5}')).toEqual({
      a: 9_007_199_254_740_993n,
      b: -9_223_372_036_854_775_808n,
      c: 1_234_567_890_123_456.5,
      d: 5,
    });
  });

  test("takes NaN and Infinity bare, as Python writes them, and leaves texts alone", () => {
    expect(parse('{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN \\" Infinity","NaN":1}')).toEqual({
      a: "NaN",
      b: ["Infinity", "-Infinity"],
      c: 'NaN " Infinity',
      NaN: 1,
    });
  });

  test.each(["", "{", '{"a":}', "NaNa", '{"a":"x', "undefined", "'a'", '"\\'])("%j is none", (text) => {
    expect(parse(text)).toBeUndefined();
  });

  test("bytes that are not UTF-8 are none", () => {
    expect(parseJson(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
    expect(parseJson(undefined)).toBeUndefined();
  });

  test("half of a surrogate pair is refused, a whole one and its look-alike are not", () => {
    for (const text of ['"\\ud800"', '{"\\udc00":1}', '["\\ud800\\ud800"]', '"\\uDC00\\uD800"']) {
      expect(messageOf(() => parse(text))).toContain("half of a surrogate pair");
    }
    expect(parse('"\\ud83d\\ude00"')).toBe("\u{1f600}");
    expect(parse('"C:\\\\ud800"')).toBe("C:\\ud800");
  });

  test("ten million characters that look like unfinished texts are read in one pass", () => {
    expect(parse(`NaN${'\\"'.repeat(5_000_000)}`)).toBeUndefined();
    expect(parse(`[NaN,"${"x".repeat(10_000_000)}`)).toBeUndefined();
  });

  test("any value comes back as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const plain = (_key: string, inner: unknown): unknown =>
          typeof inner === "bigint" ? Number(inner) : inner;
        expect(JSON.parse(JSON.stringify(parse(text), plain))).toEqual(JSON.parse(text));
      }),
    );
  });

  test("doubles come back exactly, and whole ones are seen to be doubles", () => {
    expect([0, -0, 1, -3, 1e15, 0.1, 1e-7].map(doubleJson)).toEqual([
      "0.0",
      "-0.0",
      "1.0",
      "-3.0",
      "1000000000000000.0",
      "0.1",
      "1e-7",
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(doubleJson)).toEqual([
      '"NaN"',
      '"Infinity"',
      '"-Infinity"',
    ]);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(JSON.parse(doubleJson(value)), value)).toBe(true);
        expect(doubleJson(value)).toMatch(/[.e]|\d{17}/);
      }),
    );
  });
});
