import { describe, expect, it } from "vitest";
import { durationText, parseDuration } from "./durations.ts";

describe("durations", () => {
  it.each([
    [0, "PT0S"],
    [0.5, "PT0.5S"],
    [60, "PT1M"],
    [3600, "PT1H"],
    [86_399.25, "PT23H59M59.25S"],
    [86_400, "P1D"],
    [34_560_005, "P1Y35DT5S"],
    [0.000001, "PT0.000001S"],
    [-90, "-PT1M30S"],
    [90_061.000001, "P1DT1H1M1.000001S"],
  ])("write %d as %s, and read it", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    ["P1W", 604_800],
    ["P1Y2M", 36_720_000],
    ["P1M", 2_592_000],
    ["01:02", 3720],
    ["1:02:03.5", 3723.5],
    ["1 day, 01:02:03", 90_123],
    [60.5, 60.5],
  ])("read %s as %d", (given, seconds) => {
    expect(parseDuration(given)).toBe(seconds);
  });

  it.each(["", "P", "PT", "5", "abc", "PT1X", null, {}, Number.NaN])("are not %s", (given) => {
    expect(parseDuration(given)).toBeUndefined();
  });
});
