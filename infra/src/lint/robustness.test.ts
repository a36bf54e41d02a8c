import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lintSnippets } from "./run.ts";
import { snippetsIn } from "./sources.ts";

const folder = join(import.meta.dirname, "..", "..", "test", "corrected");
const documents = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
const lines = [...new Set(documents.flatMap((text) => text.split("\n")))];

/** What breaks a line into something that no parser expects. */
const twist = fc.constantFrom(
  "{",
  "}",
  "[",
  "]",
  '"',
  "'",
  ":",
  "-",
  "#",
  "$",
  "{{",
  "}}",
  "<<EOT",
  "|",
  "&a",
  "*a",
  "\t",
  "\\",
  "",
);

const damaged = fc
  .record({
    document: fc.constantFrom(...documents),
    damages: fc.array(
      fc.record({
        at: fc.nat(),
        column: fc.nat(),
        insert: twist,
        remove: fc.nat({ max: 12 }),
        other: fc.nat(),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ document, damages }) => {
    const text = document.split("\n");
    for (const { at, column, insert, remove, other } of damages) {
      const index = at % text.length;
      const line = other % 3 === 0 ? (lines[other % lines.length] ?? "") : (text[index] ?? "");
      const cut = column % (line.length + 1);
      text[index] = line.slice(0, cut) + insert + line.slice(cut + remove);
    }
    return text.join("\n");
  });

test("damaged files are judged, whatever is wrong with them, and findings stay within them", () => {
  fc.assert(
    fc.property(
      damaged,
      fc.constantFrom("a.md", "a.yaml", "a.tf", "a.tfvars", "a.json", "a.sh", "Makefile", "Dockerfile"),
      (text, file) => {
        const last = text.split("\n").length + 1;
        for (const finding of lintSnippets(snippetsIn(file, text)).findings) {
          expect(finding.line, JSON.stringify(finding)).toBeGreaterThan(0);
          expect(finding.line, JSON.stringify(finding)).toBeLessThanOrEqual(last);
          expect(finding.message).not.toMatch(/\bundefined\b|\[object Object\]/);
        }
      },
    ),
    { numRuns: 150 },
  );
});
