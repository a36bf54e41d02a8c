import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { BUCKET, bytesOf, from, md5, openStorage } from "./storage-fixture.ts";

const fixture = await openStorage();
const { count, get, storage } = fixture;

beforeEach(() => fixture.reset());
afterAll(() => fixture[Symbol.asyncDispose]());

describe("uploads in parts", () => {
  const address = { bucket: BUCKET, key: "big" };
  const part = (uploadId: string, number: number, bytes: Buffer) =>
    storage.uploads.putPart(uploadId, number, { source: from(bytes), expectedSize: bytes.length });

  test("become one object that is read over the borders of its parts", async () => {
    const pieces = [randomBytes(100_000), randomBytes(5), randomBytes(70_000), randomBytes(1)];
    const whole = Buffer.concat(pieces);
    const uploadId = await storage.uploads.create({ ...address, contentType: "text/csv" });
    const stored = await Promise.all(pieces.map((bytes, index) => part(uploadId, index * 10 + 1, bytes)));
    expect(await storage.uploads.listParts(uploadId, { after: 1, limit: 2 })).toMatchObject([
      { partNumber: 11, size: 5 },
      { partNumber: 21, size: 70_000 },
    ]);
    await expect(get("big")).rejects.toMatchObject({ code: "not_found" });
    const info = await storage.uploads.complete(uploadId, address, stored);
    expect(info).toMatchObject({ size: whole.length, crc32: crc32(whole), content_type: "text/csv" });
    expect(info.etag).toBe(`${md5(Buffer.concat(pieces.map((bytes) => Buffer.from(md5(bytes), "hex"))))}-4`);
    expect((await get("big")).equals(whole)).toBe(true);
    const found = await storage.getObject(address);
    for (const [start, end] of [
      [0, 1],
      [99_999, 100_006],
      [100_000, 100_005],
      [170_005, 170_006],
      [50, 170_000],
    ] as const) {
      expect((await bytesOf(found, { start, end })).equals(whole.subarray(start, end))).toBe(true);
    }
    expect(await count("deleted_blobs")).toBe(0);
    await storage.deleteObject(address);
    expect([await count("object_parts"), await count("deleted_blobs"), await count("uploads")]).toEqual([
      0, 4, 0,
    ]);
  });

  test("of one part make an object of one blob", async () => {
    const uploadId = await storage.uploads.create(address);
    const stored = await part(uploadId, 3, Buffer.from("small"));
    const info = await storage.uploads.complete(uploadId, address, [stored]);
    expect(info.etag).toMatch(/-1$/);
    expect(await count("object_parts")).toBe(0);
    expect((await get("big")).toString()).toBe("small");
  });

  test("parts sent again or left out go", async () => {
    const uploadId = await storage.uploads.create(address);
    await part(uploadId, 1, Buffer.from("first try"));
    await part(uploadId, 2, Buffer.from("left out"));
    const again = await part(uploadId, 1, Buffer.from("second try"));
    await storage.uploads.complete(uploadId, address, [again]);
    expect((await get("big")).toString()).toBe("second try");
    expect(await count("deleted_blobs")).toBe(2);
  });

  test("replace an object in parts, whose blobs go", async () => {
    for (let times = 0; times < 2; times += 1) {
      const uploadId = await storage.uploads.create(address);
      const parts = [await part(uploadId, 1, randomBytes(10)), await part(uploadId, 2, randomBytes(10))];
      await storage.uploads.complete(uploadId, address, parts);
    }
    expect([await count("object_parts"), await count("deleted_blobs")]).toEqual([2, 2]);
  });

  test.each([
    ["no parts", [], "At least one part"],
    ["a part that was not sent", [{ partNumber: 5, etag: "x" }], "Part 5 was not uploaded"],
    ["a wrong ETag", [{ partNumber: 1, etag: '"wrong"' }], "uploaded with ETag"],
    [
      "parts in descending order",
      [
        { partNumber: 2, etag: "x" },
        { partNumber: 1, etag: "x" },
      ],
      "ascending",
    ],
    ["part 0", [{ partNumber: 0, etag: "x" }], "from 1 to 10000"],
  ])("completing with %s is refused and changes nothing", async (_name, parts, message) => {
    const uploadId = await storage.uploads.create(address);
    await part(uploadId, 1, Buffer.from("one"));
    await expect(storage.uploads.complete(uploadId, address, parts)).rejects.toThrow(message);
    expect(await count("upload_parts")).toBe(1);
  });

  test("belong to their key: another one cannot complete or abort them", async () => {
    const uploadId = await storage.uploads.create(address);
    const stored = await part(uploadId, 1, Buffer.from("one"));
    const other = { bucket: BUCKET, key: "other" };
    await expect(storage.uploads.complete(uploadId, other, [stored])).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(storage.uploads.abort(uploadId, other)).rejects.toMatchObject({ code: "not_found" });
  });

  test("that are aborted take no more parts and leave nothing", async () => {
    const uploadId = await storage.uploads.create(address);
    await part(uploadId, 1, Buffer.from("one"));
    await storage.uploads.abort(uploadId, address);
    await expect(part(uploadId, 2, Buffer.from("two"))).rejects.toMatchObject({ code: "not_found" });
    await expect(storage.uploads.abort(uploadId)).rejects.toMatchObject({ code: "not_found" });
    await expect(storage.uploads.abort("'; --")).rejects.toMatchObject({ code: "not_found" });
    expect([await count("uploads"), await count("upload_parts"), await count("deleted_blobs")]).toEqual([
      0, 0, 1,
    ]);
  });

  test("that are forgotten are aborted by the sweep", async () => {
    const uploadId = await storage.uploads.create(address);
    await part(uploadId, 1, Buffer.from("one"));
    expect(await storage.sweep({ graceSeconds: 0, uploadSeconds: -1 })).toMatchObject({
      uploads: 1,
      blobs: 1,
    });
    expect(await count("uploads")).toBe(0);
  });
});
