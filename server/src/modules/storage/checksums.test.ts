import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { combineCrc32, multipartEtag } from "./checksums.ts";
import { afterPrefix } from "./keys.ts";

test("the CRC-32 of two pieces is that of both together", () => {
  const pieces = fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }));
  fc.assert(
    fc.property(pieces, ([first, second]) => {
      expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(
        crc32(Buffer.concat([first, second])),
      );
    }),
  );
});

test("the CRC-32 of pieces longer than 4 GiB can be combined", () => {
  // Twice 3 GiB of zeros, by way of 1 KiB doubled.
  let crc = crc32(Buffer.alloc(1024));
  let length = 1024;
  const all = crc32(randomBytes(10));
  let direct = all;
  for (let times = 0; times < 22; times += 1) {
    crc = combineCrc32(crc, crc, length);
    length *= 2;
  }
  direct = combineCrc32(combineCrc32(all, crc, length), crc, length);
  expect(direct).toBe(combineCrc32(all, combineCrc32(crc, crc, length), 2 * length));
});

test("the ETag of an upload in parts is S3's", () => {
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const both = Buffer.concat([Buffer.from(md5("a"), "hex"), Buffer.from(md5("b"), "hex")]);
  expect(multipartEtag([md5("a"), md5("b")])).toBe(`${createHash("md5").update(both).digest("hex")}-2`);
});

test("nothing lies between the keys of a prefix and what comes after it", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(text, text, (prefix, rest) => {
      const after = Buffer.from(afterPrefix(prefix));
      expect(Buffer.compare(Buffer.from(prefix + rest), after)).toBe(-1);
      expect(Buffer.compare(Buffer.from(prefix), after)).toBe(-1);
    }),
  );
  expect(afterPrefix("a/")).toBe("a0");
  expect(afterPrefix("\u{10ffff}").length).toBeGreaterThan(256);
  expect(afterPrefix("\ud7ff")).toBe("\ue000");
});
