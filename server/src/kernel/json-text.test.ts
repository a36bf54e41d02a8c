import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, parseFaithfulJson, plainNumber, writeJson } from "./json-text.ts";

describe("writeJson", () => {
  it("puts texts in as they are", () => {
    expect(writeJson({ a: jsonText('{"lr":1.0, "n":12345678901234567890}'), b: [jsonText("null")] })).toBe(
      '{"a":{"lr":1.0, "n":12345678901234567890},"b":[null]}',
    );
  });

  it("leaves dollar signs of a text alone", () => {
    expect(writeJson([jsonText('"$1 $& $$"')])).toBe('["$1 $& $$"]');
  });

  it("writes null for nothing", () => expect(writeJson(undefined)).toBe("null"));

  it("cannot be nested into JSON.stringify by mistake", () => {
    expect(() => JSON.stringify(jsonText("1"))).toThrow(TypeError);
  });
});

describe("parseFaithfulJson", () => {
  const roundTrip = (text: string): string => writeJson(parseFaithfulJson(Buffer.from(text)));

  it.each([
    '{"a":1.0}',
    '{"a":[1.50,2]}',
    '{"a":12345678901234567890123}',
    '{"a":1e-5,"b":1E400}',
    '{"a":-0.0,"b":-0}',
    "[9007199254740993]",
    "3.0",
    '{"a":"1.0"}',
  ])("keeps %s", (text) => expect(roundTrip(text)).toBe(text));

  it("gives plain numbers where nothing would change", () => {
    expect(parseFaithfulJson(Buffer.from('{"a":1,"b":2.5}'))).toStrictEqual({ a: 1, b: 2.5 });
  });

  it("can be read as a number", () => {
    const { a } = parseFaithfulJson(Buffer.from('{"a":3.0}')) as { a: unknown };
    expect(plainNumber(a)).toBe(3);
    expect(plainNumber("x")).toBe("x");
  });

  it.each([
    '{"__proto__":1.0,"a":[{"__proto__":{"b":2.50}}]}',
    '{"a":"in a text: 1.0, and \\"quoted\\": 2.0","b":3.0}',
    '{"ends with a backslash\\\\":1.0}',
    '{"\\ud83d\\ude00":1.0}',
    "[0.12345678901234567890]",
  ])("keeps what stands beside: %s", (text) =>
    expect(JSON.parse(roundTrip(text), asSource)).toStrictEqual(JSON.parse(text, asSource)),
  );

  it.each([
    "[01.0]",
    "{1.0:2}",
    "{ 1.0 :2}",
    "[1.0 2]",
    "[1.0",
    '{"a":1.0',
    "[- 1.0]",
    "[1.0.0]",
    "[.10, 1.0e]",
  ])("refuses %s", (text) => expect(parseFaithfulJson(Buffer.from(text))).toBeUndefined());

  it("reads bare NaN beside a number that would change", () => {
    expect(parseFaithfulJson(Buffer.from('{"a":NaN,"b":1.0}'))).toStrictEqual({ a: "NaN", b: 1 });
  });

  it.each(['{"a":"\\ud83d","b":1.0}', '{"\\ude00":1.0}'])("refuses half of a pair: %s", (text) => {
    expect(() => parseFaithfulJson(Buffer.from(text))).toThrow(/surrogate/);
  });

  it("reads what is nested deeply", () => {
    const depth = 100_000;
    let read = parseFaithfulJson(Buffer.from(`${"[".repeat(depth)}1.0${"]".repeat(depth)}`));
    while (Array.isArray(read)) read = (read as unknown[])[0];
    expect(JSON.stringify(read)).toBe("1.0");
  });

  /** What any number was written as, where it is told. */
  const asSource = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" ? `number ${context?.source ?? String(value)}` : value;

  const number = fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,25})([.][0-9]{1,20})?([eE][-+]?[0-9]{1,3})?$/),
  );
  const space = fc.constantFrom("", "", " ", "\n", "\t ");
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("1.0", ": 1.0,", '"', "\\", '\\": [1.0]', "[1e5]", "__proto__"),
  );
  const { value: json } = fc.letrec<{ value: string }>((tie) => ({
    value: fc
      .tuple(
        fc.oneof(
          { maxDepth: 4 },
          number,
          text.map((one) => JSON.stringify(one)),
          fc.constantFrom("null", "true", "false"),
          fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
          fc
            // V8 tells the source of a number that another of its name took the place of.
            .uniqueArray(fc.tuple(text, space, tie("value")), { maxLength: 4, selector: ([key]) => key })
            .map(
              (members) =>
                `{${members.map(([key, s, value]) => `${JSON.stringify(key)}${s}:${value}`).join(",")}}`,
            ),
        ),
        space,
        space,
      )
      .map(([value, before, after]) => `${before}${value}${after}`),
  }));

  it("reads any JSON as JSON.parse does, and keeps every number that is whole but for its digits", () => {
    fc.assert(
      fc.property(json, (written) => {
        const read = parseFaithfulJson(Buffer.from(written));
        const plain: unknown = JSON.parse(JSON.stringify(read));
        expect(plain).toStrictEqual(JSON.parse(written));
        const numbers = (of: string): unknown => JSON.parse(of, asSource);
        const kept = numbers(JSON.stringify(read));
        const asTheyCame = numbers(written);
        expect(changed(kept, asTheyCame)).toStrictEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("takes the last of several members of one name", () => {
    const read = parseFaithfulJson(Buffer.from('{"a": 1.0, "b": [2.0], "a": 3.0, "b": 0}'));
    expect(JSON.stringify(read)).toBe('{"a":3.0,"b":0}');
  });

  it("refuses what JSON.parse refuses", () => {
    fc.assert(
      fc.property(
        json,
        fc.nat(),
        fc.constantFrom("", ",", "1.0", " ", ":", '"', "]", "0"),
        (written, at, part) => {
          const place = at % (written.length + 1);
          const broken = written.slice(0, place) + part + written.slice(place + 1);
          let valid = true;
          try {
            JSON.parse(broken);
          } catch {
            valid = false;
          }
          expect(parseFaithfulJson(Buffer.from(broken)) !== undefined).toBe(valid);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** Numbers that Python would tell from what they were: integers and doubles that are written differently now. */
function changed(kept: unknown, came: unknown): string[] {
  if (typeof kept === "string" && typeof came === "string") {
    if (kept === came || !came.startsWith("number ")) return [];
    const [now, before] = [kept.slice(7), came.slice(7)];
    const isDouble = (number: string): boolean => /[.eE]/.test(number);
    const same =
      isDouble(now) === isDouble(before) && (isDouble(now) ? Number(now) === Number(before) : now === before);
    return same ? [] : [`${before} became ${now}`];
  }
  if (typeof kept !== "object" || kept === null || typeof came !== "object" || came === null) return [];
  return Object.keys(came).flatMap((key) => changed((kept as never)[key], (came as never)[key]));
}
