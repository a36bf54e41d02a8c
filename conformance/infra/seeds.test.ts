import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, copyFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

// The documents that Plinth's rules were learnt from stand beside the repository where it is developed. They are not part of it.
const root = join(import.meta.dirname, "..", "..");
const documents = join(root, "..", "shared", "seeds");

type Finding = {
  rule: string;
  severity: string;
  file: string;
  line: number;
  message: string;
  remedy: string;
};
type Listed = { rules: { id: string; covers: string[] }[]; unseen: { mistake: string; why: string }[] };

/** Where each mistake stands: document, then the lines around which a finding has to be. */
const places: readonly (readonly [mistake: string, document: string, ...lines: number[]])[] = [
  ["E01", "000", 216],
  ["E02", "000", 182, 185],
  ["E03", "000", 192],
  ["E04", "000", 218],
  ["E05", "000", 396],
  ["E06", "000", 408],
  ["E07", "000", 265, 290],
  ["E08", "000", 311],
  ["E09", "000", 317],
  ["E10", "000", 128, 129, 132, 136, 142],
  ["E11", "000", 129, 216],
  ["E12", "000", 146],
  ["E13", "000", 152],
  ["E14", "000", 176],
  ["E15", "000", 210],
  ["E16", "000", 418],
  ["E17", "000", 108, 171, 235],
  ["E18", "000", 251, 327, 337, 357, 375],
  ["E19", "000", 216, 396],
  ["E20", "000", 265],
  ["E21", "000", 9],
  ["E22", "000", 78, 104, 167],
  ["E23", "001", 65],
  ["E24", "001", 68, 199, 335, 340, 341],
  ["E25", "001", 73, 206, 362, 569],
  ["E26", "001", 67, 194],
  ["E27", "001", 45],
  ["E28", "001", 375],
  ["E29", "001", 451],
  ["E30", "001", 364],
  ["E31", "001", 350],
  ["E32", "001", 404],
  ["E33", "001", 505, 644],
  ["E34", "001", 577],
  ["E35", "001", 566],
  ["E36", "001", 608],
  ["E37", "001", 621],
  ["E38", "001", 612],
  ["E39", "001", 55],
  ["E39", "003", 20],
  ["E40", "001", 506, 507, 508],
  ["E41", "002", 156],
  ["E42", "002", 164],
  ["E43", "002", 129],
  ["E44", "002", 130],
  ["E45", "003", 49],
  ["E46", "003", 29],
  ["E47", "002", 182, 191],
  ["E48", "003", 13],
  ["E49", "003", 10],
  ["E50", "002", 94],
  ["E51", "004", 159],
  ["E52", "004", 162],
  ["E53", "004", 104, 175],
  ["E54", "004", 143],
  ["E55", "004", 44, 47],
  ["E56", "004", 77, 78],
  ["E58", "004", 169, 296],
  ["E59", "004", 284],
  ["E60", "004", 85],
];

/** A finding may stand on the head of the block whose part is wrong. */
const NEAR = 4;

const here = existsSync(documents);
if (!here) {
  process.stderr.write(
    `seeds.test.ts: nothing at ${documents}, so only corrected files are tried; the unit tests of the rules have the same mistakes\n`,
  );
}

test("the same files, corrected, have no findings", () => {
  expect(answerOf("lint", join(root, "infra", "test", "corrected"), "--json")).toEqual({ findings: [] });
});

describe.runIf(here)("the rules, on the documents they were learnt from", () => {
  const folder = mkdtempSync(join(tmpdir(), "plinth-lint-"));
  let findings: Finding[] = [];
  let listed: Listed = { rules: [], unseen: [] };

  beforeAll(() => {
    for (const name of readdirSync(documents)) copyFileSync(join(documents, name), join(folder, name));
    findings = (answerOf("lint", folder, "--json") as { findings: Finding[] }).findings;
    listed = answerOf("lint", "--rules", "--json") as Listed;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.for(places)("%s is seen in %s", ([mistake, document, ...lines]) => {
    const covering = new Set(
      listed.rules.filter(({ covers }) => covers.includes(mistake)).map(({ id }) => id),
    );
    const seen = findings.filter(
      ({ rule, file }) => covering.has(rule) && file.startsWith(join(folder, document)),
    );
    expect([...covering], `no rule covers ${mistake}`).not.toEqual([]);
    for (const line of lines) {
      const near = seen.filter((finding) => Math.abs(finding.line - line) <= NEAR);
      expect(
        near,
        `${document}:${line}; ${mistake} is seen at ${seen.map((one) => one.line).join(", ")}`,
      ).not.toEqual([]);
    }
  });

  test("what is not looked for is listed with its reason, and there is nothing else", () => {
    const all = Array.from({ length: 61 }, (_, index) => `E${String(index + 1).padStart(2, "0")}`);
    const known = new Set([
      ...places.map(([mistake]) => mistake),
      ...listed.unseen.map(({ mistake }) => mistake),
    ]);
    expect(all.filter((mistake) => !known.has(mistake))).toEqual([]);
    for (const { why } of listed.unseen) expect(why.length).toBeGreaterThan(40);
  });

  test("the flavor gcp of artifact stores is no mistake", () => {
    expect(
      findings.filter(({ message }) => /flavor gcp\b/.test(message) && /no flavor/.test(message)),
    ).toEqual([]);
  });
});

function answerOf(...words: string[]): unknown {
  const run = spawnSync(process.execPath, [join(root, "cli", "src", "main.ts"), ...words], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  // 1 says that there are errors among the findings.
  if (run.status !== 0 && run.status !== 1) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}
