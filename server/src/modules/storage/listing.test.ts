import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { ListedEntry } from "./index.ts";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { BUCKET, INLINE, openStorage } from "./storage-fixture.ts";

const fixture = await openStorage();
const { count, put, run, storage } = fixture;

beforeEach(() => fixture.reset());
afterAll(() => fixture[Symbol.asyncDispose]());

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
      select sum(idx_tup_fetch + seq_tup_read)::bigint as read from pg_stat_user_tables where relname = 'objects'`);
    return rows[0]?.read ?? 0;
  }

  test("deleting a prefix leaves its neighbours", async () => {
    await Promise.all(["a/1", "a/2", "a", "a0", "a.txt"].map((key) => put(key, randomBytes(INLINE + 1))));
    expect(await storage.deletePrefix(BUCKET, "a/")).toBe(2);
    expect(await listAll("", 10)).toEqual(["a", "a.txt", "a0"]);
    expect(await count("deleted_blobs")).toBe(2);
  });
});
