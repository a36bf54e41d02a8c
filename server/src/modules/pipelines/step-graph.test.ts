import { describe, expect, it } from "vitest";
import { PlinthError } from "../../kernel/errors.ts";
import { checkStepGraph } from "./step-graph.ts";

const graph = (edges: Record<string, string[]>): (() => void) => {
  const steps = Object.entries(edges).map(([name, upstream]) => ({ name, upstream }));
  return () => {
    checkStepGraph(steps);
  };
};

describe("the graph of steps", () => {
  it.each([
    ["nothing", {}],
    ["one step", { a: [] }],
    ["a chain, last one first", { c: ["b"], b: ["a"], a: [] }],
    ["a diamond, with an edge given twice", { a: [], b: ["a"], c: ["a"], d: ["b", "c", "c"] }],
    ["names of JavaScript's own", { constructor: [], toString: ["constructor"] }],
  ])("takes %s", (_what, edges) => {
    expect(graph(edges)).not.toThrow();
  });

  it("names the step that is not there, and who waits for it", () => {
    expect(graph({ a: [], b: ["a", "lost"] })).toThrow(PlinthError);
    expect(graph({ a: [], b: ["a", "lost"] })).toThrow(/'b' has the upstream step 'lost'/);
  });

  it("names a circle, without those who only wait for it", () => {
    expect(graph({ a: ["a"] })).toThrow(/circle: a -> a\./);
    expect(graph({ start: [], a: ["start", "c"], b: ["a"], c: ["b"], after: ["c"] })).toThrow(
      /circle: (a -> c -> b -> a|c -> b -> a -> c|b -> a -> c -> b)\./,
    );
  });

  it("takes 3,000 steps in a chain, in whichever order", () => {
    const names = Array.from({ length: 3000 }, (_, at) => `s${at}`);
    const edges = Object.fromEntries(
      names.toReversed().map((name, at) => [name, names.slice(2998 - at, 2999 - at)]),
    );
    expect(graph(edges)).not.toThrow();
    expect(graph({ ...edges, s0: ["s2999"] })).toThrow(/circle/);
  });
});
