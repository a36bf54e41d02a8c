import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { float8Array, int4Array, int8Array, readFloat8s, readInt4s, readInt8s } from "./pg-arrays.ts";

describe("arrays in PostgreSQL's binary format", () => {
  it("come back as they went out", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        expect(readInt4s(int4Array(values))).toEqual(values);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        expect(readFloat8s(float8Array(values))).toEqual(values);
      }),
    );
  });

  it("keep 64-bit integers exact, as numbers where a number can hold them", () => {
    const edges = [
      0,
      1,
      -1,
      2 ** 32,
      -(2 ** 32) - 1,
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    expect(readInt8s(int8Array(edges))).toEqual(edges);
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), (values) => {
        expect(readInt8s(int8Array(values))).toEqual(values.map((value) => value + 0));
      }),
    );
  });
});
