import fc from "fast-check";
import { expect, test } from "vitest";
import { createPrincipalCache } from "./principal-cache.ts";

type Step =
  | { do: "set"; key: string; principalId: number; until: number }
  | { do: "forget"; principalId: number }
  | { do: "forget all" }
  | { do: "get"; key: string; now: number };

const key = fc.integer({ min: 0, max: 30 }).map((number) => `key ${number}`);
const principalId = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("set"), key, principalId, until: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("get"), key, now: fc.integer({ min: 0, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("forget"), principalId }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget all") }) },
);

const change = (
  principal_id: number | null,
): Parameters<ReturnType<typeof createPrincipalCache>["forget"]>[0] => [
  { change_id: 1, principal_id, role_id: null, workspace_id: null },
];

test("what was forgotten, replaced or is over never comes back, whatever was thrown out meanwhile", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const cache = createPrincipalCache<number>(8);
      const model = new Map<string, { value: number; principalId: number; until: number }>();
      for (const [value, one] of steps.entries()) {
        if (one.do === "set") {
          cache.set(one.key, value, one);
          model.set(one.key, { value, principalId: one.principalId, until: one.until });
        } else if (one.do === "get") {
          const known = model.get(one.key);
          const right = known !== undefined && one.now < known.until ? known.value : undefined;
          const got = cache.get(one.key, one.now);
          if (got !== undefined) expect(got).toBe(right);
        } else {
          cache.forget(one.do === "forget" ? change(one.principalId) : "all");
          for (const [name, known] of model) {
            if (one.do === "forget all" || known.principalId === one.principalId) model.delete(name);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("it is bounded, and keeps what is asked for", () => {
  const cache = createPrincipalCache<number>(100);
  for (let index = 0; index < 10_000; index += 1) {
    cache.set(`key ${index}`, index, { principalId: index, until: Infinity });
    expect(cache.get("key 0", 0)).toBe(0);
  }
  const kept = Array.from({ length: 10_000 }, (_, index) => cache.get(`key ${index}`, 0)).filter(
    (value) => value !== undefined,
  );
  expect(kept.length).toBeGreaterThanOrEqual(50);
  expect(kept.length).toBeLessThanOrEqual(100);
});

test("changes of roles and workspaces leave credentials alone", () => {
  const cache = createPrincipalCache<string>(100);
  cache.set("key", "value", { principalId: 1, until: Infinity });
  cache.forget(change(null));
  expect(cache.get("key", 0)).toBe("value");
});
