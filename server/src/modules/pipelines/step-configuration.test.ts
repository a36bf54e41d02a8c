import { describe, expect, it } from "vitest";
import { maxRetriesOf, mergeStepConfiguration, propagatedBy } from "./step-configuration.ts";

/** Numbers from 0 to 1 that look random, the same ones for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
  };
}

const propagated = [
  "settings",
  "extra",
  "retry",
  "substitutions",
  "environment",
  "secrets",
  "cache_policy",
  "failure_hook_source",
  "success_hook_source",
  "start_hook_source",
  "end_hook_source",
];
const others = ["name", "enable_cache", "parameters", "outputs", "step_operator", "model", "command"];

function draw(random: () => number, depth = 0): unknown {
  const kind = random();
  if (kind < 0.15) return null;
  if (kind < 0.5 || depth > 3) return [1, 0, "text", "", true, [1, null], []][Math.floor(random() * 7)];
  return drawObject(random, depth + 1);
}

const drawObject = (random: () => number, depth: number): Record<string, unknown> =>
  Object.fromEntries(["a", "b", "c"].filter(() => random() < 0.6).map((key) => [key, draw(random, depth)]));

function drawConfiguration(random: () => number): Record<string, unknown> {
  const said = propagated.map((field): [string, unknown] => {
    if (random() < 0.3) return [field, null];
    if (field === "secrets") return [field, random() < 0.5 ? [] : ["one"]];
    return [field, drawObject(random, 1)];
  });
  return { ...Object.fromEntries(said), ...Object.fromEntries(others.map((field) => [field, draw(random)])) };
}

/** Every leaf that is not null, with its path. */
function leavesOf(value: unknown, path: readonly string[] = []): [path: string, leaf: unknown][] {
  if (value === null) return [];
  const isObject = typeof value === "object" && !Array.isArray(value);
  if (!isObject) return [[path.join("."), value]];
  return Object.entries(value).flatMap(([key, one]) => leavesOf(one, [...path, key]));
}

const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], value);

describe("the configuration of a step", () => {
  it("wins over its pipeline's, of which the rest stays, and nothing else changes", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomOf(seed);
      const step = drawConfiguration(random);
      const pipeline = drawConfiguration(random);
      const before = JSON.stringify([step, pipeline]);
      const isDynamic = random() < 0.3;
      const merged = mergeStepConfiguration(step, propagatedBy(pipeline, { isDynamic }));

      expect(JSON.stringify([step, pipeline])).toBe(before);
      for (const field of others) expect(merged[field]).toStrictEqual(step[field]);
      for (const field of propagated.filter((one) => one !== "secrets")) {
        const hooksAreOwn = isDynamic && field.endsWith("_hook_source");
        for (const [path, leaf] of leavesOf({ [field]: step[field] })) {
          expect(at(merged, path), `${seed} ${path}`).toStrictEqual(leaf);
        }
        if (hooksAreOwn) expect(merged[field]).toStrictEqual(step[field]);
        if (step[field] !== null || hooksAreOwn) continue;
        for (const [path, leaf] of leavesOf({ [field]: pipeline[field] })) {
          expect(at(merged, path), `${seed} ${path}`).toStrictEqual(leaf);
        }
      }
      expect(Object.keys(merged).toSorted()).toStrictEqual(Object.keys(step).toSorted());
    }
  });

  it("adds its secrets to its pipeline's", () => {
    const merged = mergeStepConfiguration(
      { secrets: ["b"] },
      propagatedBy({ secrets: ["a"] }, { isDynamic: false }),
    );
    expect(merged["secrets"]).toStrictEqual(["a", "b"]);
  });

  it("is no way into JavaScript's own objects", () => {
    const hostile = '{"__proto__":{"polluted":true},"constructor":{"x":1},';
    const merged = mergeStepConfiguration(
      JSON.parse(`{"extra":${hostile}"a":1}}`) as Record<string, unknown>,
      propagatedBy(JSON.parse(`{"extra":${hostile}"b":2}}`) as Record<string, unknown>, { isDynamic: false }),
    );
    expect({}).not.toHaveProperty("polluted");
    expect(JSON.stringify(merged["extra"])).toBe(
      '{"__proto__":{"polluted":true},"constructor":{"x":1},"b":2,"a":1}',
    );
  });

  it("says how often a step is tried again", () => {
    expect(maxRetriesOf({ retry: { max_retries: 3 } })).toBe(3);
    expect(maxRetriesOf({ retry: null })).toBe(0);
  });
});
