import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { specRules } from "./checks/rules.ts";
import { lintSnippets } from "./lint/run.ts";
import { snippetsOfText } from "./lint/sources.ts";
import { platform } from "./platform-arbitrary.ts";
import { printFiles } from "./print/files.ts";
import type { JsonObject } from "./spec/merge.ts";
import { resolveEnvironment } from "./spec/resolve.ts";
import { resourcesOf, type OutputFile } from "./synth.ts";

/** How many configurations are tried; more with PLINTH_PLATFORMS. */
const numRuns = Number(process.env["PLINTH_PLATFORMS"] ?? 25);

function filesOf(exported: JsonObject): OutputFile[] {
  const { environment, problems } = resolveEnvironment(exported, "env");
  expect(problems).toEqual([]);
  if (environment === undefined) return [];
  const errors = specRules.flatMap((rule) => (rule.severity === "error" ? rule.check(environment) : []));
  expect(errors).toEqual([]);
  return printFiles(resourcesOf(environment));
}

describe("any valid configuration", () => {
  test("becomes files that pass every check, each reference in them to something that is there", () => {
    fc.assert(
      fc.property(platform, (exported) => {
        const files = filesOf(exported);
        const { findings } = lintSnippets(files.flatMap(({ path, text }) => snippetsOfText(path, text)));
        expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
      }),
      { numRuns },
    );
  });

  test("becomes the same files each time, whatever the order of its keys", () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, below]) => [key, reversed(below)]),
      );
    };
    fc.assert(
      fc.property(platform, (exported) => {
        expect(filesOf(reversed(exported) as JsonObject)).toEqual(filesOf(exported));
      }),
      { numRuns: Math.ceil(numRuns / 3) },
    );
  });
});
