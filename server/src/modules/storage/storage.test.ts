import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/harness.ts";
import type { BlobStore } from "../../kernel/blobs/blob-store.ts";
import { createMemoryBlobStore } from "../../kernel/blobs/memory.ts";
import type { Database } from "../../kernel/database.ts";
import { createStorage, type FoundObject, type ListedEntry, type Storage } from "./index.ts";

const BUCKET = "a-bucket";
const INLINE = 16 * 1024;

let ground: Awaited<ReturnType<typeof testDatabase>>;
let database: Database;
let blobs: BlobStore;
let storage: Storage;

beforeAll(async () => {
  ground = await testDatabase();
  database = ground.database;
});

afterAll(() => ground[Symbol.asyncDispose]());

beforeEach(async () => {
  await run(sql`truncate storage.objects, storage.object_parts, storage.uploads, storage.upload_parts,
    storage.pending_blobs, storage.deleted_blobs`);
  blobs = createMemoryBlobStore();
  storage = createStorage({ database, blobs, inlineBytes: INLINE, onBatch: () => undefined });
  await storage.ensureBucket(BUCKET);
});

const run = <R>(query: ReturnType<typeof sql<R>>): Promise<R[]> =>
  database.run(query.compile(database.kysely));

async function* from(...chunks: (Buffer | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function* broken(...chunks: Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
  throw new Error("the client went away");
}

const put = (key: string, ...chunks: (Buffer | string)[]) =>
  storage.putObject({ bucket: BUCKET, key, source: from(...chunks) });

async function bytesOf(found: FoundObject, range = { start: 0, end: found.info.size }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of found.read(range)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const get = async (key: string): Promise<Buffer> => bytesOf(await storage.getObject({ bucket: BUCKET, key }));

const md5 = (bytes: Buffer | string): string => createHash("md5").update(bytes).digest("hex");

async function count(table: string): Promise<number> {
  const rows = await run(
    sql<{ count: number }>`select count(*) as count from ${sql.table(`storage.${table}`)}`,
  );
  return rows[0]?.count ?? -1;
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

describe("listing", () => {
  const names = (entries: readonly ListedEntry[]): string[] =>
    entries.map((entry) => (entry.kind === "object" ? entry.key : entry.prefix));

  async function listAll(prefix: string, limit: number, delimiter?: string): Promise<string[]> {
    const found: string[] = [];
    let next: string | undefined;
    do {
      const options = {
        bucket: BUCKET,
        prefix,
        from: next,
        limit,
        ...(delimiter === undefined ? {} : { delimiter }),
      };
      const page = await storage.listDirectory(options);
      found.push(...names(page.entries));
      next = page.next;
    } while (next !== undefined);
    return found;
  }

  test("shows what is directly below a folder, in byte order, in pages of any size", async () => {
    const keys = ["a", "a.txt", "a/1", "a/2/x", "a/2/y", "a/20", "a0", "b/c/d/e", "z\u{ffff}", "z\u{10000}"];
    await Promise.all(keys.toReversed().map((key) => put(key, "x")));
    for (const limit of [1, 2, 3, 100]) {
      expect(await listAll("", limit)).toEqual(["a", "a.txt", "a/", "a0", "b/", "z\u{ffff}", "z\u{10000}"]);
      expect(await listAll("a/", limit)).toEqual(["a/1", "a/2/", "a/20"]);
      expect(await listAll("a/2/", limit)).toEqual(["a/2/x", "a/2/y"]);
      expect(await listAll("a", limit)).toEqual(["a", "a.txt", "a/", "a0"]);
      expect(await listAll("none/", limit)).toEqual([]);
      expect(await listAll("", limit, "2/")).toEqual([
        "a",
        "a.txt",
        "a/1",
        "a/2/",
        "a/20",
        "a0",
        "b/c/d/e",
        "z\u{ffff}",
        "z\u{10000}",
      ]);
    }
    const behind = await storage.listDirectory({ bucket: BUCKET, prefix: "", after: "a/", limit: 2 });
    expect(names(behind.entries)).toEqual(["a0", "b/"]);
  });

  test("of a folder with 100,000 objects in 3 sub-folders reads three entries, not all", async () => {
    await run(sql`
      insert into storage.objects (bucket_id, key, size, etag, body)
      select bucket_id, 'tree/' || n % 3 || '/' || n, 0, '', '' from storage.buckets, generate_series(1, 100000) as n
      where name = ${BUCKET}`);
    await run(sql`analyze storage.objects`);
    const before = await reads();
    expect(await listAll("tree/", 1000)).toEqual(["tree/0/", "tree/1/", "tree/2/"]);
    expect((await reads()) - before).toBeLessThan(5000);
    expect(await storage.deletePrefix(BUCKET, "tree/")).toBe(100_000);
    expect(await count("objects")).toBe(0);
  });

  /** Rows that were read through the index of objects, counted by PostgreSQL itself. */
  async function reads(): Promise<number> {
    await run(sql`select pg_stat_force_next_flush()`);
    await run(sql`select pg_stat_clear_snapshot()`);
    const rows = await run(sql<{ read: number }>`
      select sum(idx_tup_fetch + seq_tup_read) as read from pg_stat_user_tables where relname = 'objects'`);
    return Number(rows[0]?.read ?? 0);
  }

  test("deleting a prefix leaves its neighbours", async () => {
    await Promise.all(["a/1", "a/2", "a", "a0", "a.txt"].map((key) => put(key, randomBytes(INLINE + 1))));
    expect(await storage.deletePrefix(BUCKET, "a/")).toBe(2);
    expect(await listAll("", 10)).toEqual(["a", "a.txt", "a0"]);
    expect(await count("deleted_blobs")).toBe(2);
  });
});

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
