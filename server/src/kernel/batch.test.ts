import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createBatch, type Batch, type BatchOptions } from "./batch.ts";
import { notFound, PlinthError } from "./errors.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** A gate that holds every run of a batch until it is opened, and remembers what ran. */
function gated<Item>(options: Partial<BatchOptions<Item, Item>> = {}): {
  batch: Batch<Item, Item>;
  runs: Item[][];
  open(): void;
} {
  const runs: Item[][] = [];
  let held: (() => void)[] = [];
  let closed = true;
  const batch = createBatch<Item, Item>({
    name: "test",
    maxWeight: 1000,
    concurrency: 1,
    async run(items) {
      runs.push([...items]);
      if (closed) await new Promise<void>((resolve) => held.push(resolve));
      return items;
    },
    ...options,
  });
  return {
    batch,
    runs,
    open() {
      closed = false;
      for (const release of held) release();
      held = [];
    },
  };
}

/** Lets everything that can happen without a timer happen. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const failure = (code: string, message = "refused"): Error => Object.assign(new Error(message), { code });

const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (error: unknown) => error,
  );

describe("batch", () => {
  test("what arrives while one is committed shares the next", async () => {
    const { batch, runs, open } = gated<number>();
    const first = batch.add(1);
    await settled();
    const others = [2, 3, 4].map((item) => batch.add(item));
    await settled();
    expect(runs).toEqual([[1]]);
    open();
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 3, 4]);
    expect(runs).toEqual([[1], [2, 3, 4]]);
  });

  test("what arrives in one turn of the event loop shares the first", async () => {
    const { batch, runs, open } = gated<string>();
    open();
    expect(await Promise.all(["a", "b", "c"].map((item) => batch.add(item)))).toEqual(["a", "b", "c"]);
    expect(runs).toEqual([["a", "b", "c"]]);
  });

  test("nobody is answered before the commit", async () => {
    const { batch, open } = gated<number>();
    const answered: number[] = [];
    for (const item of [1, 2]) void batch.add(item).then((result) => answered.push(result));
    await settled();
    expect(answered).toEqual([]);
    open();
    await batch.drain();
    expect(answered).toEqual([1, 2]);
  });

  test("runs as many at once as it may, and no more", async () => {
    const { batch, runs, open } = gated<number>({ concurrency: 2, maxWeight: 1 });
    const all = [1, 2, 3, 4].map((item) => batch.add(item));
    await settled();
    expect(runs).toEqual([[1], [2]]);
    open();
    await Promise.all(all);
    expect(runs).toEqual([[1], [2], [3], [4]]);
  });

  test("every item is run exactly once and in order, within the weight, whatever they weigh", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 10 }),
        async (weights, maxWeight) => {
          const sizes: number[] = [];
          const { batch, runs, open } = gated<{ index: number; cost: number }>({
            maxWeight,
            weight: (item) => item.cost,
            onBatch: (_name, size) => sizes.push(size),
          });
          open();
          const items = weights.map((cost, index) => ({ index, cost }));
          expect(await Promise.all(items.map((item) => batch.add(item)))).toEqual(items);
          expect(runs.flat()).toEqual(items);
          expect(sizes).toEqual(runs.map((run) => run.length));
          for (const run of runs) {
            const total = run.reduce((sum, item) => sum + item.cost, 0);
            // One that is too heavy goes alone.
            expect(total <= maxWeight || run.length === 1).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test("one that clashes waits for the next, and those behind it too", async () => {
    const { batch, runs, open } = gated<string>({
      clashes: (item, taken) => taken.some((other) => other.startsWith(item.slice(0, 1))),
    });
    open();
    await Promise.all(["a1", "b1", "a2", "c1"].map((item) => batch.add(item)));
    expect(runs).toEqual([
      ["a1", "b1"],
      ["a2", "c1"],
    ]);
  });

  test("items of one lane are never in two batches at once, and others pass them", async () => {
    const { batch, runs, open } = gated<string>({ concurrency: 2, lane: (item) => item.slice(0, 1) });
    const first = batch.add("a1");
    await settled();
    const others = ["a2", "b1", "a3"].map((item) => batch.add(item));
    await settled();
    expect(runs).toEqual([["a1"], ["b1"]]);
    open();
    await Promise.all([first, ...others]);
    expect(runs).toEqual([["a1"], ["b1"], ["a2", "a3"]]);
  });

  test("whatever arrives when, a lane keeps its order and is in one batch at a time", async () => {
    const arrivals = fc.array(
      fc.record({
        lane: fc.constantFrom("a", "b", "c"),
        cost: fc.integer({ min: 1, max: 4 }),
        pause: fc.boolean(),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 3 }), async (items, concurrency) => {
        const busy = new Set<string>();
        const done: (typeof items)[number][] = [];
        const batch = createBatch<(typeof items)[number], void>({
          name: "test",
          maxWeight: 5,
          concurrency,
          weight: (item) => item.cost,
          lane: (item) => item.lane,
          async run(taken) {
            const lanes = new Set(taken.map((item) => item.lane));
            expect(busy.intersection(lanes).size).toBe(0);
            for (const lane of lanes) busy.add(lane);
            for (const item of taken) if (item.pause) await new Promise((resolve) => setImmediate(resolve));
            for (const lane of lanes) busy.delete(lane);
            done.push(...taken);
            return taken.map(() => undefined);
          },
        });
        const all: Promise<void>[] = [];
        for (const item of items) {
          all.push(batch.add(item));
          if (item.pause) await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(all);
        await batch.drain();
        for (const lane of ["a", "b", "c"]) {
          const inLane = (list: typeof items): number[] =>
            list.filter((item) => item.lane === lane).map((item) => items.indexOf(item));
          expect(inLane(done)).toEqual(inLane(items));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("an answer that is an error fails its own caller alone", async () => {
    const { batch } = gated<number>({
      run: async (items) => items.map((item) => (item === 2 ? notFound("two") : item)),
    });
    const answers = await Promise.allSettled([1, 2, 3].map((item) => batch.add(item)));
    expect(answers).toEqual([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: expect.objectContaining({ code: "not_found", message: "two" }) },
      { status: "fulfilled", value: 3 },
    ]);
  });

  test("a value the database refuses fails its own caller alone", async () => {
    const runs: number[][] = [];
    const { batch } = gated<number>({
      async run(items) {
        runs.push([...items]);
        if (items.includes(2)) throw failure("22003", "value 2 is out of range");
        return items;
      },
    });
    const answers = await Promise.allSettled([1, 2, 3].map((item) => batch.add(item)));
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(runs).toEqual([[1, 2, 3], [1], [2], [3]]);
    const { reason } = answers[1] as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(PlinthError);
    expect(reason).toMatchObject({ code: "invalid_parameter" });
    expect((reason as Error).message).not.toContain("value 2");
  });

  test("any other failure fails all that shared it, and later ones work", async () => {
    let broken = true;
    const { batch } = gated<number>({
      async run(items) {
        if (broken) throw new Error("broken");
        return items;
      },
    });
    const answers = await Promise.allSettled([1, 2].map((item) => batch.add(item)));
    expect(answers).toEqual([
      { status: "rejected", reason: expect.objectContaining({ code: "internal" }) },
      { status: "rejected", reason: expect.objectContaining({ code: "internal" }) },
    ]);
    broken = false;
    expect(await batch.add(3)).toBe(3);
  });

  test.each(["57P01", "08006", "ECONNREFUSED"])("runs again after a lost connection (%s)", async (code) => {
    let losses = 2;
    const { batch } = gated<number>({
      async run(items) {
        losses -= 1;
        if (losses >= 0) throw failure(code);
        return items;
      },
    });
    expect(await Promise.all([batch.add(1), batch.add(2)])).toEqual([1, 2]);
  });

  test("gives up on a database that stays away, with an answer that may be retried", async () => {
    vi.useFakeTimers();
    const run = vi.fn<() => Promise<never>>().mockRejectedValue(failure("ECONNREFUSED"));
    const { batch } = gated<number>({ run });
    const reason = reasonOf(batch.add(1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await reason).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
    expect(run.mock.calls.length).toBeGreaterThan(2);
  });

  test("drain waits for all that was added, and returns at once when there is nothing", async () => {
    const { batch, open } = gated<number>({ maxWeight: 1 });
    await batch.drain();
    const order: string[] = [];
    const all = [1, 2, 3].map((item) => batch.add(item).finally(() => order.push(`item ${item}`)));
    const end = batch.drain().finally(() => order.push("drained"));
    await settled();
    expect(order).toEqual([]);
    open();
    await end;
    await Promise.all(all);
    expect(order).toEqual(["item 1", "item 2", "item 3", "drained"]);
    await batch.drain();
  });
});
