import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  float8Array,
  int4Array,
  int8Array,
  readFloats,
  readInt8s,
  readInts,
  readTexts,
} from "./pg-arrays.ts";

/** The same layout by another way: header of five 4-byte words, then length and bytes of each. */
const layout = (oid: number, items: readonly Buffer[]): Buffer => {
  const word = (value: number): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32BE(value);
    return buffer;
  };
  const header = [1, 0, oid, items.length, 1].map(word);
  return Buffer.concat([...header, ...items.flatMap((item) => [word(item.length), item])]);
};

describe("parameters in PostgreSQL's binary format", () => {
  it("hold 4-byte integers", () => {
    const bytes = (value: number): Buffer => Buffer.from(new Int32Array([value]).buffer).swap32();
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        expect(int4Array(values)).toEqual(layout(23, values.map(bytes)));
      }),
    );
  });

  it("hold 8-byte integers, also those a number cannot hold", () => {
    const bytes = (value: number | bigint): Buffer =>
      Buffer.from(new BigInt64Array([BigInt(value)]).buffer).swap64();
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
    expect(int8Array(edges)).toEqual(layout(20, edges.map(bytes)));
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger(), { minLength: 1 }), (values) => {
        expect(int8Array(values)).toEqual(layout(20, values.map(bytes)));
      }),
    );
  });

  it("hold doubles", () => {
    const bytes = (value: number): Buffer => Buffer.from(new Float64Array([value]).buffer).swap64();
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 1 }), (values) => {
        expect(float8Array(values)).toEqual(layout(701, values.map(bytes)));
      }),
    );
  });
});

describe("columns that come back as text", () => {
  it("give integers, exact beyond 2^53, and nulls", () => {
    expect(readInts("{1,-2,3}")).toEqual([1, -2, 3]);
    expect(readInts(null)).toEqual([]);
    expect(readInt8s("{1,NULL,9223372036854775807}")).toEqual([1, null, 9223372036854775807n]);
    expect(readInt8s("{1795239303323,NULL}")).toEqual([1795239303323, null]);
  });

  it("give doubles with NaN, and texts with anything in them", () => {
    expect(readFloats("{1.5,NaN,-1e+300}")).toEqual([1.5, Number.NaN, -1e300]);
    expect(readTexts('["a,b\\"{}",null,"NULL"]')).toEqual(['a,b"{}', null, "NULL"]);
  });
});
