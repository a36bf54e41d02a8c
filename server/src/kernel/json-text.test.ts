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
});
