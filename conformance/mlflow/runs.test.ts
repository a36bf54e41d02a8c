import { expect } from "vitest";
import { plinthOfThisFile, testFlow } from "../src/flow-test.ts";

const plinth = plinthOfThisFile();

testFlow(plinth, {
  script: "runs",
  checks: {
    "finds one experiment by its name every time": (seen) => {
      expect(seen).toMatchObject({ same_experiment: true, by_name: true });
      expect(seen["experiment_name"]).toMatch(/^runs flow /);
    },
    "gives runs a proxied artifact root": (seen) => expect(seen["artifact_uri_is_proxied"]).toBe(true),
    "keeps params as they were written": (seen) => {
      expect(seen["params"]).toEqual({ lr: "0.1", depth: "3", nothing: "None", text: "ä 値" });
      expect(seen["long_param"]).toBe(6000);
    },
    "answers the latest metrics, NaN kept and infinity clipped": (seen) =>
      expect(seen["metrics"]).toEqual({ loss: 0.25, acc: 0.9, odd: "NaN", huge: Number.MAX_VALUE }),
    "keeps every point of a history": (seen) =>
      expect(seen["loss_history"]).toEqual([
        [1.5, 0],
        [0.5, 1],
        [0.25, 2],
      ]),
    "sets and deletes tags": (seen) => {
      expect(seen["tags"]).toEqual({ team: "vision", stage: "test", "a/b": "1" });
      expect(seen).toMatchObject({ deleted_tag: false, note: "the whole day" });
    },
    "nests runs two deep": (seen) =>
      expect(seen["tree"]).toEqual([
        [true, true],
        [true, true],
        [true, true],
      ]),
    "resumes and finishes a run": (seen) =>
      expect(seen).toMatchObject({
        status: "FINISHED",
        status_resumed: "RUNNING",
        lifecycle_stage: "active",
      }),
    "marks a run that crashed": (seen) => expect(seen["crashed"]).toBe("FAILED"),
    "takes a whole batch": (seen) =>
      expect(seen["batched"]).toEqual({
        params: 100,
        tags: 100,
        m: 49.9,
        name: "renamed",
        status: "FAILED",
        start: 1234,
        end: 5678,
      }),
  },
});

testFlow(plinth, {
  script: "curve",
  checks: {
    "keeps all 10,000 steps and one late point": (seen) =>
      expect(seen).toMatchObject({ points: 10_001, distinct_steps: 10_000, empty: 0 }),
    "answers them in full precision": (seen) => {
      expect(seen["first"]).toEqual([1, 0, 1_600_000_000_000]);
      expect(seen["last"]).toEqual([0.0001, 9999, 1_600_009_999_000]);
      expect(seen["total"]).toBe(seen["expected_total"]);
    },
    "takes the last step as the latest": (seen) => expect(seen["latest"]).toBe(seen["expected_latest"]),
  },
});
