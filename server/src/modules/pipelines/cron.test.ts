import { describe, expect, it } from "vitest";
import { nextOccurrence, parseCron } from "./cron.ts";

const next = (text: string, after: string): string | undefined => {
  const at = nextOccurrence(parseCron(text), Date.parse(`${after}Z`));
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 19).replace(/:00$/, "");
};

describe("cron", () => {
  it.each([
    // As croniter, which ZenML's server asks, has them.
    ["* * * * *", "2026-01-01T00:00", "2026-01-01T00:01"],
    ["*/15 * * * *", "2026-01-01T00:15:30", "2026-01-01T00:30"],
    ["0 9 * * mon-fri", "2026-01-02T09:00", "2026-01-05T09:00"],
    ["30 2 1 * *", "2026-01-31T23:59", "2026-02-01T02:30"],
    ["0 0 29 2 *", "2026-03-01T00:00", "2028-02-29T00:00"],
    ["0 0 13 * 5", "2026-01-01T00:00", "2026-01-02T00:00"],
    ["0 0 l * *", "2026-02-01T00:00", "2026-02-28T00:00"],
    ["0 0 * * 1#2", "2026-01-01T00:00", "2026-01-12T00:00"],
    ["0 0 * * 7", "2026-01-01T00:00", "2026-01-04T00:00"],
    ["0 0 * * fri-mon", "2026-01-06T00:00", "2026-01-09T00:00"],
    ["5/20 * * * *", "2026-01-01T00:06", "2026-01-01T00:25"],
    ["10-20/5,40 3 * nov-jan *", "2026-03-01T00:00", "2026-11-01T03:10"],
    ["@daily", "2026-12-31T12:00", "2027-01-01T00:00"],
    ["0 0 31 4 *", "2026-01-01T00:00", undefined],
    ["0 0 3 * * *", "2026-01-03T00:00:30", "2026-01-03T00:00:31"],
    ["0 0 3 * * */20", "2026-01-03T00:00:40", "2026-02-03T00:00"],
  ])("%s after %s is %s", (text, after, expected) => {
    expect(next(text, after)).toBe(expected);
  });

  it.each([
    "",
    "* * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "a * * * *",
    "*/0 * * * *",
    "5-1 * * * *",
    "* * * * * 60",
    "* * * * * * *",
    "* * * * 1#6",
  ])("%j is refused", (text) => {
    expect(() => parseCron(text)).toThrow("not a valid cron expression");
  });
});
