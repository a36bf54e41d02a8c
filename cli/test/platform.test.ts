import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plinth } from "./plinth.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-platform-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const targets = ["civo", "gcp", "kubernetes"] as const;

describe.each(targets)("a new configuration for %s", (target) => {
  const place = (): string => join(folder, target);
  const config = (): string => join(place(), "plinth.config.ts");

  test("is written without questions, and not over one that is there", async () => {
    const made = await plinth(["init", "--target", target, "--yes", place()]);
    expect(made).toMatchObject({ code: 0 });
    const text = readFileSync(config(), "utf8");
    const again = await plinth(["init", "--target", target, "--yes", place()]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("is there already");
    expect(readFileSync(config(), "utf8")).toBe(text);
  });

  test("has no errors", async () => {
    const { code, stdout } = await plinth(["check", "--config", config(), "--json"]);
    const { findings } = JSON.parse(stdout) as { findings: { severity: string }[] };
    expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(code).toBe(0);
  });

  test("becomes files, the second time none, and lint finds no errors in them", async () => {
    const out = join(place(), "out");
    const call = ["synth", "--config", config(), "--env", "prod", "--out", out, "--json"];
    const first = await plinth(call);
    expect(first.code).toBe(0);
    const { added } = JSON.parse(first.stdout) as { added: string[] };
    expect(added).toContain("README.md");
    expect(added.every((path) => existsSync(join(out, path)))).toBe(true);
    const second = await plinth(call);
    expect(JSON.parse(second.stdout)).toMatchObject({
      added: [],
      changed: [],
      removed: [],
      unchanged: added.length,
    });
    const linted = await plinth(["lint", out, "--json"]);
    expect(JSON.parse(linted.stdout)).toMatchObject({ findings: [] });
    expect(linted.code).toBe(0);
  });

  test("tells what a change changes, and explains what is there", async () => {
    const out = join(place(), "out");
    const same = await plinth(["diff", "prod", "--config", config(), "--out", out, "--exit-code"]);
    expect(same).toMatchObject({ code: 0, stdout: "Nothing would change.\n" });
    const other = join(place(), "other.config.ts");
    writeFileSync(
      other,
      readFileSync(config(), "utf8").replace(/prod: \{/, "prod: { tracking: { replicas: 4 },"),
    );
    const changed = await plinth(["diff", "prod", "--config", other, "--out", out, "--exit-code"]);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/^\+.*4$/m);
    const explained = await plinth([
      "explain",
      "Deployment/plinth",
      "--env",
      "prod",
      "--config",
      other,
      "--json",
    ]);
    const { environments } = JSON.parse(explained.stdout) as {
      environments: { explanations: { reasons: { setting: string; why: string }[] }[] }[];
    };
    expect(environments[0]?.explanations[0]?.reasons[0]?.why).not.toBe("");
  });

  test("shows its settings with their sources", async () => {
    const { stdout } = await plinth(["config", "show", "prod", "--config", config(), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      "tracking.replicas": { value: 2, source: "default" },
      "tracking.engine": { value: "plinth", source: "platform" },
    });
  });
});

describe("a wrong call", () => {
  test.each([
    ["a file that is not there", ["check", "--config", "/nowhere/plinth.config.ts"], /there is no file/],
    [
      "an environment that is not there",
      ["check", "--config", "CONFIG", "--env", "prd"],
      /Did you mean prod/,
    ],
    ["two environments", ["synth", "dev", "--env", "prod", "--config", "CONFIG"], /two environments/],
    [
      "no environment where there are several",
      ["synth", "--config", "CONFIG"],
      /name an environment: dev, staging, prod/,
    ],
    ["an unknown target", ["init", "--target", "aws", "--yes", "x"], /civo, gcp, kubernetes/],
    ["no target and no terminal", ["init", "x"], /no terminal/],
    [
      "something that is not in the output",
      ["explain", "Deployment/plint", "--config", "CONFIG"],
      /Did you mean/,
    ],
    ["an unknown option", ["synth", "--ot", "x"], /--out/],
  ])("with %s ends with 2", async (_, args, words) => {
    const config = join(folder, "wrong", "plinth.config.ts");
    if (!existsSync(config)) await plinth(["init", "--target", "gcp", "--yes", join(folder, "wrong")]);
    const { code, stderr } = await plinth(args.map((word) => (word === "CONFIG" ? config : word)));
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });
});

describe("a configuration with an error", () => {
  const write = (name: string, change: (text: string) => string): string => {
    const place = join(folder, name);
    mkdirSync(place);
    const file = join(place, "plinth.config.ts");
    writeFileSync(file, change(readFileSync(join(folder, "gcp", "plinth.config.ts"), "utf8")));
    return file;
  };

  test("is told by file and line with the nearest name, and nothing is written", async () => {
    const file = write("typo", (text) => text.replace("prod: {}", "prod: { trakcing: {} }"));
    const checked = await plinth(["check", "--config", file, "--json"]);
    expect(checked.code).toBe(1);
    const { findings } = JSON.parse(checked.stdout) as { findings: { line: number; remedy: string }[] };
    const line =
      readFileSync(file, "utf8")
        .split("\n")
        .findIndex((text) => text.includes("trakcing")) + 1;
    expect(findings).toMatchObject([{ file, line, severity: "error", rule: "config/invalid-setting" }]);
    expect(findings[0]?.remedy).toMatch(/tracking/);
    const out = join(folder, "typo", "out");
    expect((await plinth(["synth", "prod", "--config", file, "--out", out])).code).toBe(1);
    expect(existsSync(out)).toBe(false);
  });

  test("as SARIF names the rule and the place", async () => {
    const file = write("sarif", (text) => text.replace('kind: "gcp"', 'kind: "gpc"'));
    const { stdout, code } = await plinth(["check", "--config", file, "--sarif"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ ruleId: "config/invalid-setting", level: "error" }] }],
    });
  });
});

test("a file that a person edited is kept, and replaced when that is said", async () => {
  const out = join(folder, "edited");
  const call = ["synth", "dev", "--config", join(folder, "gcp", "plinth.config.ts"), "--out", out];
  expect((await plinth(call)).code).toBe(0);
  writeFileSync(join(out, "Makefile"), "mine:\n");
  const refused = await plinth(call);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain("Makefile: edited by hand");
  expect(readFileSync(join(out, "Makefile"), "utf8")).toBe("mine:\n");
  expect((await plinth([...call, "--overwrite"])).code).toBe(0);
  expect(readFileSync(join(out, "Makefile"), "utf8")).not.toBe("mine:\n");
});

test("nothing is written through a link that leads elsewhere, not even when told to overwrite", async () => {
  const out = join(folder, "linked");
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(out);
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(out, "terraform"));
  const call = [
    "synth",
    "dev",
    "--config",
    join(folder, "gcp", "plinth.config.ts"),
    "--out",
    out,
    "--overwrite",
  ];
  expect((await plinth(call)).code).toBe(1);
  expect(existsSync(join(elsewhere, "cluster"))).toBe(false);
});
