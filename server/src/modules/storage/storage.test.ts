import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { createStorage } from "./index.ts";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { BUCKET, INLINE, bytesOf, from, md5, openStorage } from "./storage-fixture.ts";

const fixture = await openStorage();
const { blobs, count, database, get, put, storage } = fixture;

beforeEach(() => fixture.reset());
afterAll(() => fixture[Symbol.asyncDispose]());

async function* broken(...chunks: Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
  throw new Error("the client went away");
}

describe("objects", () => {
  test.each([
    ["empty", 0],
    ["of one byte", 1],
    ["as large as fits the row", INLINE],
    ["one byte larger", INLINE + 1],
    ["larger than a buffer", 3 * 1024 * 1024 + 5],
  ])("%s come back as they were", async (_name, size) => {
    const bytes = randomBytes(size);
    const info = await put("k", bytes.subarray(0, 7), bytes.subarray(7));
    expect(info).toMatchObject({ key: "k", size, etag: md5(bytes), crc32: crc32(bytes) });
    expect((await get("k")).equals(bytes)).toBe(true);
    expect(await storage.headObject({ bucket: BUCKET, key: "k" })).toEqual(info);
    expect(await count("pending_blobs")).toBe(0);
    const found = await storage.getObject({ bucket: BUCKET, key: "k" });
    expect(found.inline === undefined).toBe(size > INLINE);
    const range = { start: Math.floor(size / 3), end: Math.ceil(size / 2) };
    expect((await bytesOf(found, range)).equals(bytes.subarray(range.start, range.end))).toBe(true);
  });

  test("keep their content type and metadata", async () => {
    const metadata = { author: "someone", "naïve key": "\u{1f600}" };
    await storage.putObject({
      bucket: BUCKET,
      key: "k",
      source: from("x"),
      contentType: "text/plain",
      metadata,
    });
    const info = await storage.headObject({ bucket: BUCKET, key: "k" });
    expect(info).toMatchObject({ content_type: "text/plain", metadata });
  });

  test("are replaced by a later write, whose version is higher, and the old bytes go", async () => {
    const first = await put("k", randomBytes(INLINE * 2));
    const second = await put("k", randomBytes(INLINE * 3));
    const third = await put("k", "small");
    expect(second.version).toBeGreaterThan(first.version);
    expect(third.version).toBeGreaterThan(second.version);
    expect(await count("objects")).toBe(1);
    expect(await count("deleted_blobs")).toBe(2);
    expect(await storage.sweep({ graceSeconds: 0 })).toMatchObject({ blobs: 2 });
    expect((await get("k")).toString()).toBe("small");
  });

  test("can be read to the end although they are deleted, until the time of grace is over", async () => {
    const bytes = randomBytes(INLINE * 2);
    await put("k", bytes);
    const found = await storage.getObject({ bucket: BUCKET, key: "k" });
    expect(await storage.deleteObject({ bucket: BUCKET, key: "k" })).toBe(true);
    expect(await storage.deleteObject({ bucket: BUCKET, key: "k" })).toBe(false);
    await storage.sweep();
    expect((await bytesOf(found)).equals(bytes)).toBe(true);
    await storage.sweep({ graceSeconds: 0 });
    await expect(bytesOf(found)).rejects.toThrow("not in the store");
  });

  test("many at once share commits, and the last write of a key wins", async () => {
    const sizes: number[] = [];
    const counted = createStorage({
      database,
      blobs,
      inlineBytes: INLINE,
      onBatch: (_name, size) => sizes.push(size),
    });
    const writes = Array.from({ length: 300 }, (_none, index) =>
      counted.putObject({ bucket: BUCKET, key: `k${index % 100}`, source: from(`value ${index}`) }),
    );
    await Promise.all(writes);
    expect(sizes.length).toBeLessThan(150);
    expect(await count("objects")).toBe(100);
    expect((await get("k7")).toString()).toMatch(/^value (7|107|207)$/);
  });

  test("written by many at once leave no blob that nobody names", async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_none, index) => put(`k${index % 4}`, randomBytes(INLINE + 1 + index))),
    );
    expect(await count("deleted_blobs")).toBe(36);
    expect(await count("pending_blobs")).toBe(0);
  });

  test("an upload that stops half-way leaves nothing that can be seen, and its blob is swept", async () => {
    const source = broken(randomBytes(INLINE), randomBytes(2 * 1024 * 1024));
    await expect(storage.putObject({ bucket: BUCKET, key: "half", source })).rejects.toThrow("went away");
    await expect(get("half")).rejects.toMatchObject({ code: "not_found" });
    expect(await count("objects")).toBe(0);
    expect(await count("pending_blobs")).toBe(1);
    expect(await storage.sweep({ graceSeconds: 0, pendingSeconds: -1 })).toMatchObject({
      pending: 1,
      blobs: 1,
    });
    expect(await count("pending_blobs")).toBe(0);
  });

  test("fewer or more bytes than announced are refused", async () => {
    for (const expectedSize of [2, 4, INLINE * 4]) {
      const write = storage.putObject({ bucket: BUCKET, key: "k", source: from("abc"), expectedSize });
      await expect(write).rejects.toMatchObject({ code: "bad_request" });
    }
    expect(await count("objects")).toBe(0);
  });

  test("bytes that were swept before they were committed are not taken for an object", async () => {
    const swept = async function* (): AsyncGenerator<Uint8Array> {
      yield randomBytes(INLINE + 1);
      await expect.poll(() => count("pending_blobs")).toBe(1);
      await storage.sweep({ graceSeconds: 0, pendingSeconds: -1 });
    };
    const write = storage.putObject({ bucket: BUCKET, key: "k", source: swept() });
    await expect(write).rejects.toMatchObject({ code: "internal" });
    expect(await count("objects")).toBe(0);
  });

  test("of buckets that are not there are a clear error", async () => {
    const write = storage.putObject({ bucket: "none", key: "k", source: from("x") });
    await expect(write).rejects.toMatchObject({
      code: "not_found",
      message: "Bucket 'none' does not exist.",
    });
  });
});

describe("keys", () => {
  test.each([
    "a b",
    "ü/ß/\u{1f600}",
    "..",
    "../../etc/passwd",
    "/absolute",
    "a//b",
    "back\\slash",
    "line\nbreak",
    "'; drop table x; --",
    "%2e%2e%2f",
    "\u{10ffff}",
    "k".repeat(1024),
  ])("%j is only a name", async (key) => {
    await put(key, "bytes");
    expect((await get(key)).toString()).toBe("bytes");
    const { entries } = await storage.listDirectory({
      bucket: BUCKET,
      prefix: "",
      delimiter: "\u{2}",
      limit: 10,
    });
    expect(entries).toMatchObject([{ kind: "object", key }]);
  });

  test.each([
    ["empty", "", "must not be empty"],
    ["with a null character", "a\0b", "null character"],
    ["too long", "ü".repeat(513), "at most 1024 bytes of UTF-8; this one has 1026"],
    ["half a character", "a\ud800", "valid Unicode"],
  ])("%s is refused", async (_name, key, message) => {
    await expect(put(key, "x")).rejects.toThrow(message);
    await expect(get(key)).rejects.toMatchObject({ code: "invalid_parameter" });
  });
});

test("a signed token is good for its time and its claim only, on any process", async () => {
  const token = await storage.signer.sign(["part", "1"], 60);
  const other = createStorage({ database, blobs, inlineBytes: INLINE, onBatch: () => undefined });
  expect(await other.signer.verify(token)).toEqual(["part", "1"]);
  const expired = await storage.signer.sign(["part", "1"], -1);
  await expect(other.signer.verify(expired)).rejects.toMatchObject({ code: "permission_denied" });
  const [claim = "", signature = ""] = token.split(".");
  const forged = Buffer.from(Buffer.from(claim, "base64url").toString().replace('"1"', '"2"')).toString(
    "base64url",
  );
  for (const wrong of [`${forged}.${signature}`, claim, "", "..", `${claim}.`, `${token}.x`]) {
    await expect(other.signer.verify(wrong)).rejects.toMatchObject({ code: "permission_denied" });
  }
});

test("several sweepers at once delete everything once", async () => {
  await Promise.all(Array.from({ length: 30 }, (_none, index) => put(`k${index}`, randomBytes(INLINE + 1))));
  await storage.deletePrefix(BUCKET, "");
  const swept = await Promise.all([1, 2, 3].map(() => storage.sweep({ graceSeconds: 0 })));
  expect(swept.reduce((sum, { blobs: some }) => sum + some, 0)).toBe(30);
  expect(await count("deleted_blobs")).toBe(0);
});
