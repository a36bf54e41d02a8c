import { describe, expect, test } from "vitest";
import type { Finding } from "../finding.ts";
import { ruleEntries, rulesReport, textReport } from "./report.ts";
import { rules } from "./rules.ts";
import { lintSnippets, type LintOptions } from "./run.ts";
import { sarifReport } from "./sarif.ts";
import { snippetsIn } from "./sources.ts";
import { unseen } from "./unseen.ts";

const lintText = (text: string, options?: LintOptions): Finding[] =>
  lintSnippets(snippetsIn("a.yaml", text), options).findings;
const seen = (text: string): string[] => lintText(text).map(({ rule, line }) => `${rule}:${line}`);

describe("an ignore", () => {
  const image = "image: quay.io/minio/minio:1";

  test("silences its rule on its line or the next, when it says why", () => {
    expect(seen(`${image}\n`)).toEqual(["image/ended:1"]);
    expect(seen(`${image} # plinth-lint-ignore image/ended only in the tests\n`)).toEqual([]);
    expect(seen(`# plinth-lint-ignore image/ended only in the tests\n${image}\n`)).toEqual([]);
  });

  test("silences nothing else", () => {
    expect(seen(`${image} # plinth-lint-ignore secret/literal only in the tests\n`)).toEqual([
      "image/ended:1",
      "lint/unused-ignore:1",
    ]);
    expect(seen(`# plinth-lint-ignore image/ended only in the tests\na: 1\n---\n${image}\n`)).toEqual([
      "lint/unused-ignore:1",
      "image/ended:4",
    ]);
  });

  test("needs a reason and a rule that there is", () => {
    expect(seen(`# plinth-lint-ignore image/ended\n${image}\n`)).toEqual([
      "lint/ignore-without-reason:1",
      "image/ended:2",
    ]);
    expect(seen("a: 1 # plinth-lint-ignore no/such-rule because\n")).toEqual(["lint/unknown-ignore:1"]);
  });

  test("of a rule that was not asked for is left alone", () => {
    const text = `${image} # plinth-lint-ignore image/ended only in the tests\n`;
    expect(lintText(text, { only: ["syntax"] })).toEqual([]);
  });

  test("may stand in Terraform and Markdown too", () => {
    const hcl = 'locals {\n  // plinth-lint-ignore secret/literal a test\n  password = "hunter22"\n}\n';
    expect(lintSnippets(snippetsIn("a.tf", hcl)).findings).toEqual([]);
    const markdown =
      "# Guide on GCP\n<!-- plinth-lint-ignore prose/no-public-subnets quoted -->\nA public subnet.\n";
    expect(lintSnippets(snippetsIn("a.md", markdown)).findings).toEqual([]);
  });
});

test("findings can be limited by severity", () => {
  const text = "image: quay.io/minio/minio:1\npassword: hunter22\n";
  expect(lintText(text).map(({ severity }) => severity)).toEqual(["warning", "error"]);
  expect(lintText(text, { atLeast: "error" }).map(({ severity }) => severity)).toEqual(["error"]);
});

describe("the rules", () => {
  test("have ids that stay apart, and say everything that a reader needs", () => {
    const ids = rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of rules) {
      expect(rule.id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*\/[a-z0-9]+(?:-[a-z0-9]+)*$/);
      expect(rule.title.length, rule.id).toBeGreaterThan(10);
      expect(rule.why.length, rule.id).toBeGreaterThan(20);
      expect(rule.remedy.length, rule.id).toBeGreaterThan(5);
      for (const mistake of rule.covers) expect(mistake, rule.id).toMatch(/^E(?:0[1-9]|[1-5]\d|6[01])$/);
    }
  });

  test("cover every mistake of the catalogue that is not listed as unseen", () => {
    const covered = new Set([
      ...rules.flatMap(({ covers }) => covers),
      ...unseen.map(({ mistake }) => mistake),
    ]);
    const all = Array.from({ length: 61 }, (_, index) => `E${String(index + 1).padStart(2, "0")}`);
    expect(all.filter((mistake) => !covered.has(mistake))).toEqual([]);
  });

  test("are listed with what they cover, then what nobody sees", () => {
    const lines = rulesReport(ruleEntries(), unseen);
    expect(lines.find((line) => line.startsWith("rest/mlflow-route "))).toMatch(/error .*\(E29\)$/);
    expect(lines.at(-1)).toMatch(/^E61 {2}/);
  });
});

describe("reports", () => {
  const findings: Finding[] = [
    { rule: "image/ended", severity: "warning", file: "a b.yaml", line: 3, message: "Old", remedy: "New." },
    { rule: "lint/unused-ignore", severity: "error", file: "a b.yaml", line: 12, message: "x.", remedy: "y" },
  ];

  test("for people are by file, and coloured only where it is seen", () => {
    expect(textReport(findings, false)).toEqual([
      "a b.yaml",
      "   3  warning  Old  image/ended",
      "               -> New.",
      "  12  error    x.  lint/unused-ignore",
      "               -> y",
      "",
      "1 error, 1 warning.",
    ]);
    expect(textReport(findings, true).join("")).toContain("\u001b[31merror  \u001b[0m");
    expect(textReport([], true)).toEqual(["No problems found."]);
  });

  test("in SARIF have what its schema asks for", () => {
    const report = sarifReport(findings, ruleEntries(), "1.2.3");
    expect(report).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "plinth", version: "1.2.3", rules: [{ id: "image/ended" }] } },
          results: [
            {
              ruleId: "image/ended",
              ruleIndex: 0,
              level: "warning",
              message: { text: "Old. New." },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: "a%20b.yaml" },
                    region: { startLine: 3 },
                  },
                },
              ],
            },
            { ruleId: "lint/unused-ignore", level: "error", message: { text: "x. y" } },
          ],
        },
      ],
    });
    expect(JSON.stringify(report)).not.toContain("undefined");
  });
});
