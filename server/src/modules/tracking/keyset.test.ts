import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { decodePlace, encodePlace, type OrderTerm } from "./keyset.ts";

const terms: OrderTerm[] = [
  { expression: sql`metric.value`, type: "float8", ascending: false, nullable: true },
  { expression: sql`created`, type: "bigint", ascending: false, nullable: false },
  { expression: sql`name`, type: "text", ascending: true, nullable: false },
];

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof PlinthError) return error.code;
    throw error;
  }
  return "accepted";
};

describe("page tokens", () => {
  test("give back the place they were made of", () => {
    for (const place of [
      ["0.1", "1795253858771", "a"],
      [null, "-9223372036854775808", "Ω'\"\\"],
      ["1e-308", "0", ""],
    ]) {
      expect(decodePlace(["x"], terms, encodePlace(["x"], place))).toEqual(place);
    }
  });

  test("are refused for another search", () => {
    const token = encodePlace([["1"], "name = 'a'"], ["1", "2", "c"]);
    expect(refusal(() => decodePlace([["1"], "name = 'b'"], terms, token))).toBe("invalid_parameter");
  });

  test("are refused when they hold what no row can have", () => {
    const places = [
      ["x", "1", "a"],
      ["1", "1.5", "a"],
      ["1", "1); drop table", "a"],
      ["1", null, "a"],
      ["1", "1", "a\0b"],
      ["", "1", "a"],
    ];
    for (const place of places) {
      expect([place, refusal(() => decodePlace([], terms, encodePlace([], place)))]).toEqual([
        place,
        "invalid_parameter",
      ]);
    }
  });

  test("are refused when they are no tokens", () => {
    for (const token of ["xx", "e30=", "W10", "bnVsbA", "é", "{"]) {
      expect([token, refusal(() => decodePlace([], terms, token))]).toEqual([token, "invalid_parameter"]);
    }
  });
});
