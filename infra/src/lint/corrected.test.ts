import { join } from "node:path";
import { expect, test } from "vitest";
import { lint } from "./run.ts";

// What the rules were learnt from, written as it should have been: a rule that finds something here is wrong.
const folder = join(import.meta.dirname, "..", "..", "test", "corrected");

test("nothing is found in documents that are right", () => {
  const { findings, snippets } = lint([folder]);
  expect(findings).toEqual([]);
  expect(snippets).toBeGreaterThan(15);
});
