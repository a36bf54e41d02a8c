import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitsFilter, parseLogLine, type LogFilter, type PlacedEntry } from "./log-lines.ts";
import { readLogPage, type LogBytes } from "./log-page.ts";

const LOG_ID = "6f0f3a52-7e3c-4a07-9d92-8f5a52c7d1aa";
const START = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;

type Counted = LogBytes & { readonly read: LogBytes["read"]; taken: number; requests: number };

function bytesOf(text: string): Counted {
  const all = Buffer.from(text);
  const counted: Counted = {
    size: all.length,
    taken: 0,
    requests: 0,
    read: async (start, end) => {
      const found = all.subarray(start, end);
      counted.taken += found.length;
      counted.requests += 1;
      return found;
    },
  };
  return counted;
}

const LEVEL_OF = [10, 20, 20, 20, 30, 40];
const line = (at: number): string =>
  JSON.stringify({
    message: `line ${at} of the step`,
    level: LEVEL_OF[at % LEVEL_OF.length],
    timestamp: new Date((START + at * 1_000_000) / 1000).toISOString(),
    id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
  });
const long = Array.from({ length: 20_000 }, (_, at) => `${line(at)}\n`).join("");

const page = (bytes: LogBytes, options: Partial<Parameters<typeof readLogPage>[1]> = {}) =>
  readLogPage(bytes, {
    logId: LOG_ID,
    from: options.backwards === true ? bytes.size : 0,
    backwards: false,
    limit: 10,
    filter: {},
    ...options,
  });
const messages = (entries: readonly PlacedEntry[]): string[] => entries.map(({ entry }) => entry.message);

/** All that fit, as a reader would find them who reads everything. */
function expected(text: string, filter: LogFilter): string[] {
  return text.split("\n").flatMap((one) => {
    const placed = parseLogLine(one, { logId: LOG_ID, start: 0, end: 0 });
    return placed !== undefined && fitsFilter(placed, filter) ? [placed.entry.message] : [];
  });
}

async function all(bytes: LogBytes, filter: LogFilter, backwards: boolean): Promise<string[]> {
  const found: string[] = [];
  for (let from = backwards ? bytes.size : 0; backwards ? from > 0 : from < bytes.size;) {
    const one = await page(bytes, { from, backwards, limit: 7, filter });
    if (backwards) found.unshift(...messages(one.entries));
    else found.push(...messages(one.entries));
    from = backwards ? one.start : one.end;
  }
  return found;
}

describe("pages of a log", () => {
  it("begin at either end and go on where the last one stopped", async () => {
    const bytes = bytesOf(long);
    const first = await page(bytes);
    expect(messages(first.entries)).toStrictEqual(
      Array.from({ length: 10 }, (_, at) => `line ${at} of the step`),
    );
    const second = await page(bytes, { from: first.end, limit: 2 });
    expect(messages(second.entries)).toStrictEqual(["line 10 of the step", "line 11 of the step"]);
    const last = await page(bytes, { backwards: true, limit: 2 });
    expect(messages(last.entries)).toStrictEqual(["line 19998 of the step", "line 19999 of the step"]);
    const before = await page(bytes, { backwards: true, from: last.start, limit: 1 });
    expect(messages(before.entries)).toStrictEqual(["line 19997 of the step"]);
  });

  it("read little of what they do not show", async () => {
    const bytes = bytesOf(long);
    await page(bytes, { backwards: true });
    expect(bytes.taken).toBeLessThanOrEqual(64 * 1024);
    bytes.taken = 0;
    const since = START + 15_000 * 1_000_000;
    const found = await page(bytes, { filter: { since } });
    expect(messages(found.entries)[0]).toBe("line 15000 of the step");
    expect(bytes.taken).toBeLessThan(300 * 1024);
    bytes.taken = 0;
    const until = await page(bytes, { backwards: true, filter: { until: since } });
    expect(messages(until.entries).at(-1)).toBe("line 15000 of the step");
    expect(bytes.taken).toBeLessThan(300 * 1024);
  });

  it("stop behind the time that was asked for", async () => {
    const bytes = bytesOf(long);
    const until = START + 3_000_000;
    const found = await page(bytes, { filter: { until }, limit: 1000 });
    expect(found.entries).toHaveLength(4);
    expect(found.end).toBe(bytes.size);
    expect(bytes.taken).toBeLessThanOrEqual(64 * 1024);
  });

  it("show the same entries whatever the size of pages, filters and direction", async () => {
    const someLine = fc.oneof(
      fc.nat(5000).map(line),
      fc.constantFrom(
        "",
        "plain text",
        "[2026-01-02 03:04:05 UTC] old",
        '{"message": 3}',
        "ünïcode ✓ \\u0041",
        "{",
      ),
      fc.integer({ min: 1, max: 3000 }).map((length) => "x".repeat(length)),
    );
    const filters: LogFilter[] = [
      {},
      { level: 30 },
      { search: "LINE 1" },
      { search: "✓" },
      { level: 20, search: "x" },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(someLine, { maxLength: 120, size: "max" }),
        fc.constantFrom(...filters),
        fc.boolean(),
        async (lines, filter, backwards) => {
          const text = lines.join("\n");
          expect(await all(bytesOf(text), filter, backwards)).toStrictEqual(expected(text, filter));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("find the few that fit among many", async () => {
    const text = `${long}[2026-01-02 08:00:00 UTC] LINE 777 of plain text\n`;
    for (const filter of [{ level: 40 }, { search: "LINE 777" }, { search: "line 1999", level: 30 }]) {
      const wanted = expected(text, filter);
      expect(wanted.length).toBeGreaterThan(0);
      for (const backwards of [false, true]) {
        expect(await all(bytesOf(text), filter, backwards)).toStrictEqual(wanted);
      }
    }
  });

  it("find what lies between two times", async () => {
    const bytes = bytesOf(long);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -5, max: 20_005 }),
        fc.integer({ min: 0, max: 60 }),
        fc.boolean(),
        async (from, length, backwards) => {
          const filter = { since: START + from * 1_000_000, until: START + (from + length) * 1_000_000 };
          const wanted = Array.from({ length: length + 1 }, (_, at) => from + at)
            .filter((at) => at >= 0 && at < 20_000)
            .map((at) => `line ${at} of the step`);
          expect(await all(bytes, filter, backwards)).toStrictEqual(wanted);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("begin at a line wherever a cursor points", async () => {
    const bytes = bytesOf(long);
    const first = `${line(0)}\n`.length;
    expect(messages((await page(bytes, { from: 3, limit: 1 })).entries)).toStrictEqual([
      "line 1 of the step",
    ]);
    expect((await page(bytes, { from: first })).start).toBe(first);
    expect((await page(bytes, { from: 1e15 })).entries).toStrictEqual([]);
    expect((await page(bytes, { from: 1e15, backwards: true })).entries).toHaveLength(10);
  });

  it("show lines that are longer than what is read at once, and too long ones in parts", async () => {
    const text = `short\n${"y".repeat(300_000)}\n${"z".repeat(2_500_000)}\nend\n`;
    const forwards = await page(bytesOf(text));
    const backwards = await page(bytesOf(text), { backwards: true });
    for (const { entries } of [forwards, backwards]) {
      const lengths = messages(entries).map((message) => message.length);
      expect(lengths.slice(0, 2)).toStrictEqual([5, 300_000]);
      expect(lengths.slice(2, -1).reduce((sum, length) => sum + length, 0)).toBe(2_500_000);
      expect(messages(entries).at(-1)).toBe("end");
    }
  });

  it("end when much was read in vain, and say where to go on", async () => {
    const text = `${`${line(1)}\n`.repeat(300_000)}{"message":"found","level":40}\n`;
    const bytes = bytesOf(text);
    const first = await page(bytes, { filter: { search: "found" } });
    expect(first.entries).toStrictEqual([]);
    expect(first.end).toBeLessThan(bytes.size);
    const second = await page(bytes, { from: first.end, filter: { search: "found" } });
    expect(messages(second.entries)).toStrictEqual(["found"]);
  });
});

describe("a line of a log", () => {
  const at = { logId: LOG_ID, start: 0, end: 9 };
  it("is JSON, text behind a time, or text", () => {
    expect(parseLogLine('{"message":"m","level":40,"timestamp":"2026-01-02T03:04:05.5Z"}', at)).toMatchObject(
      {
        entry: {
          message: "m",
          level: 40,
          timestamp: "2026-01-02T03:04:05.5Z",
          chunk_index: 0,
          total_chunks: 1,
        },
        time: START + 500_000,
      },
    );
    expect(parseLogLine("[2026-01-02 03:04:05 UTC] hello", at)).toMatchObject({
      entry: { message: "hello", level: 20, timestamp: "2026-01-02T03:04:05Z" },
      time: START,
    });
    expect(parseLogLine("hello", at)?.entry).toMatchObject({ message: "hello", level: 20, timestamp: null });
    expect(parseLogLine("  \r", at)).toBeUndefined();
  });

  it("is shown as it is where its JSON is something else", () => {
    for (const text of ['{"a":1}', '{"message":"m","level":7}', '{"message":"m","id":"x"}', "{]}"]) {
      expect(parseLogLine(text, at)?.entry).toMatchObject({ message: text, level: 20 });
    }
  });

  it("has the same id whenever it is read", () => {
    expect(parseLogLine("hello", at)?.entry.id).toBe(parseLogLine("hello", at)?.entry.id);
    expect(parseLogLine("hello", at)?.entry.id).not.toBe(
      parseLogLine("hello", { ...at, start: 1 })?.entry.id,
    );
  });
});
