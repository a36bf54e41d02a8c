import { describe, expect, it } from "vitest";
import { formatTemplate, spliceSubstitutions, withTimes } from "./run-configuration.ts";

describe("substitutions", () => {
  const spliced = (config: object): unknown =>
    JSON.parse(spliceSubstitutions(JSON.stringify(config), '{"date":"d"}'));

  it("take the place of those in a configuration, wherever they are", () => {
    expect(spliced({ name: "a", substitutions: { foo: "}" }, b: 1 })).toStrictEqual({
      name: "a",
      substitutions: { date: "d" },
      b: 1,
    });
    expect(spliced({ substitutions: {} })).toStrictEqual({ substitutions: { date: "d" } });
    expect(spliced({ z: 1, substitutions: null })).toStrictEqual({ z: 1, substitutions: { date: "d" } });
  });

  it("are not taken for parameters of the same name, or for texts", () => {
    const parameters = {
      substitutions: { x: 1 },
      text: '"substitutions":{"a":"b"}',
      escaped: "\\",
      deep: [{ substitutions: "}" }],
    };
    expect(spliced({ parameters, substitutions: { a: '"{' }, after: 2 })).toStrictEqual({
      parameters,
      substitutions: { date: "d" },
      after: 2,
    });
  });

  it("have the day and time of the run, unless they say otherwise themselves", () => {
    const start = Date.UTC(2026, 10, 21, 5, 29, 59) * 1000 + 487_996;
    expect(withTimes({ foo: "bar" }, start)).toStrictEqual({
      foo: "bar",
      date: "2026_11_21",
      time: "05_29_59_487996",
    });
    expect(withTimes({ date: "mine" }, start)).toMatchObject({ date: "mine" });
  });

  it("fill in names", () => {
    expect(formatTemplate("m-{date}-{{x}}", { date: "d" })).toBe("m-d-{x}");
    expect(() => formatTemplate("{other}", {})).toThrow("Missing key: other");
    expect(() => formatTemplate("{", {})).toThrow("a brace stands alone");
    expect(() => formatTemplate("{a}", { a: "" })).toThrow("is empty");
  });
});
