import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, plinth } from "./plinth.ts";

const findingsOf = (stdout: string): Record<string, unknown>[] =>
  (JSON.parse(stdout) as { findings: Record<string, unknown>[] }).findings;

test("files with an error end with 1, and the findings have exactly the fields that others parse", async () => {
  await using folder = await newFolder();
  mkdirSync(join(folder.path, "k8s"));
  writeFileSync(join(folder.path, "k8s", "a.yaml"), "a: 1\npassword: hunter22\n");
  const { code, stdout, stderr } = await plinth(["lint", folder.path, "--json"]);
  expect([code, stderr]).toEqual([1, ""]);
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual(["findings"]);
  expect(findingsOf(stdout)).toEqual([
    {
      rule: "secret/literal",
      severity: "error",
      file: join(folder.path, "k8s", "a.yaml"),
      line: 2,
      message: expect.any(String),
      remedy: expect.any(String),
    },
  ]);
});

test("warnings and information alone end with 0", async () => {
  await using folder = await newFolder();
  const file = join(folder.path, "a.yaml");
  writeFileSync(file, "image: quay.io/minio/minio:1\n");
  const { code, stdout } = await plinth(["lint", file]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/a\.yaml\n {2}1 {2}warning .*image\/ended\n.*\n\n1 warning\.\n$/);
  expect(findingsOf((await plinth(["lint", file, "--json", "--severity", "error"])).stdout)).toEqual([]);
});

test("a wrong call ends with 2 and says what is wrong", async () => {
  await using folder = await newFolder();
  const nowhere = join(folder.path, "nowhere");
  expect(await plinth(["lint", nowhere])).toEqual({
    code: 2,
    stdout: "",
    stderr: `plinth: There is no file or folder at ${nowhere}\n`,
  });
  expect((await plinth(["lint"])).code).toBe(2);
  expect((await plinth(["lint", folder.path, "--severity", "bad"])).stderr).toMatch(/error, warning or info/);
  expect((await plinth(["lint", folder.path, "--only", "no/rule"])).stderr).toMatch(/no rule no\/rule/);
  expect((await plinth(["lint", folder.path, "--jsn"])).code).toBe(2);
});

test("the rules are listed with the mistakes they cover, and with those that no rule sees", async () => {
  const { code, stdout } = await plinth(["lint", "--rules", "--json"]);
  expect(code).toBe(0);
  const { rules, unseen } = JSON.parse(stdout) as {
    rules: Record<string, unknown>[];
    unseen: Record<string, unknown>[];
  };
  expect(rules).toContainEqual(
    expect.objectContaining({
      id: "rest/mlflow-route",
      severity: "error",
      covers: ["E29"],
      title: expect.any(String),
      why: expect.any(String),
      remedy: expect.any(String),
    }),
  );
  expect(unseen.map(({ mistake }) => mistake)).toEqual(["E57", "E61"]);
});

test("findings can be had as SARIF", async () => {
  await using folder = await newFolder();
  writeFileSync(join(folder.path, "a.yaml"), "password: hunter22\n");
  const { code, stdout } = await plinth(["lint", folder.path, "--sarif"]);
  expect(code).toBe(1);
  const report = JSON.parse(stdout) as { version: string; runs: { results: { ruleId: string }[] }[] };
  expect(report.version).toBe("2.1.0");
  expect(report.runs[0]?.results.map(({ ruleId }) => ruleId)).toEqual(["secret/literal"]);
});
