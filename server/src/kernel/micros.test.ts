import { describe, expect, it } from "vitest";
import { createMicroClock, isoToMicros, microsToIso } from "./micros.ts";

describe("microseconds", () => {
  it.each([
    ["2026-11-21T10:00:00.123456", "2026-11-21T10:00:00.123456"],
    ["2026-11-21T10:00:00", "2026-11-21T10:00:00"],
    ["2026-11-21 10:00:00.5", "2026-11-21T10:00:00.500000"],
    ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00"],
    ["2026-11-21T10:00:00.000001+02:00", "2026-11-21T08:00:00.000001"],
    ["2026-11-21T10:00:00-0530", "2026-11-21T15:30:00"],
    ["2026-11-21T10:00", "2026-11-21T10:00:00"],
    ["2026-11-21", "2026-11-21T00:00:00"],
    ["1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999"],
    ["2254-01-01T00:00:00.000001", "2254-01-01T00:00:00.000001"],
  ])("reads %s", (given, written) => expect(microsToIso(isoToMicros(given) ?? Number.NaN)).toBe(written));

  it.each(["", "today", "2026-13-01", "2026-11-21T25:00:00", "10:00", "2026-11-21T10:00:00 CET"])(
    "refuses %j",
    (given) => expect(isoToMicros(given)).toBeUndefined(),
  );

  it("never gives a time twice", () => {
    const clock = createMicroClock(() => 5);
    expect([clock(), clock(), clock()]).toStrictEqual([5000, 5001, 5002]);
  });
});
