import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSources, snippetsIn, SourceNotFound } from "./sources.ts";

describe("the sources of a folder", () => {
  let folder = "";
  const write = (name: string, text: string | Buffer): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const found = (...paths: string[]): string[] =>
    readSources(paths.map((path) => join(folder, path))).map(
      ({ file, language }) => `${relative(folder, file)} ${language}`,
    );

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "plinth-sources-"));
    write("in/main.tf", "locals {}\n");
    write("in/main.tf.json", "{}\n");
    write("in/prod.tfvars", "a = 1\n");
    write("in/app/service.yaml.j2", "a: {{ b }}\n");
    write("in/app/Dockerfile", "FROM scratch\n");
    write("in/Makefile", "all:\n\ttrue\n");
    write("in/run.sh", "true\n");
    write("in/guide.md", "# Guide\n\n```yaml\na: 1\n```\n");
    write("in/notes.txt", "only words\n");
    write("in/plan.txt", "# Plan\n\nwords\n");
    write("in/photo.yaml", Buffer.from([0, 1, 2, 3]));
    write("in/.git/config.yaml", "a: 1\n");
    write("in/node_modules/x/a.yaml", "a: 1\n");
    write("in/.terraform/a.tf", "locals {}\n");
    write("in/huge.yaml", `a: ${"x".repeat(5 * 1024 * 1024)}\n`);
    write("out/secret.yaml", "a: 1\n");
    symlinkSync(join(folder, "out"), join(folder, "in", "away"));
    symlinkSync(join(folder, "in"), join(folder, "in", "round"));
    symlinkSync(join(folder, "nowhere"), join(folder, "in", "dead.yaml"));
    symlinkSync(join(folder, "in", "main.tf"), join(folder, "in", "again.tf"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are what a rule can look at, each once, and nothing outside of it", () => {
    expect(found("in").sort()).toEqual([
      "in/Makefile makefile",
      "in/again.tf hcl",
      "in/app/Dockerfile dockerfile",
      "in/app/service.yaml.j2 yaml",
      "in/guide.md text",
      "in/guide.md yaml",
      "in/main.tf.json json",
      "in/plan.txt text",
      "in/prod.tfvars tfvars",
      "in/run.sh shell",
    ]);
  });

  test("are read once, however often they are named", () => {
    expect(found("in/app", "in/app/Dockerfile", "in")).toHaveLength(10);
  });

  test("may be files that are named", () => {
    expect(found("in/run.sh", "in/guide.md")).toEqual([
      "in/run.sh shell",
      "in/guide.md yaml",
      "in/guide.md text",
    ]);
  });

  test("must be there", () => {
    expect(() => readSources([join(folder, "nothing")])).toThrow(SourceNotFound);
  });
});

describe("code blocks of a document", () => {
  const blocks = (text: string): unknown[] =>
    snippetsIn("guide.md", text).map(({ language, firstLine, text }) => [language, firstLine, text]);

  test("have the line at which their text begins, and prose is what is left", () => {
    expect(blocks("# A\n\n```hcl\nlocals {\n}\n```\nword\n")).toEqual([
      ["hcl", 4, "locals {\n}\n"],
      ["text", 1, "# A\n\n\n\n\n\nword\n"],
    ]);
  });

  test("may stand in lists, behind quotes, with words behind the label, and within longer fences", () => {
    expect(blocks("- one\n  ```yaml title=x\n  a:\n    b: 1\n  ```\n")[0]).toEqual([
      "yaml",
      3,
      "a:\n  b: 1\n",
    ]);
    expect(blocks("> ~~~ yml\n> a: 1\n> ~~~\n")[0]).toEqual(["yaml", 2, "a: 1\n"]);
    expect(blocks("````md\n```yaml\na: 1\n```\n````\n")[0]).toEqual(["text", 2, "```yaml\na: 1\n```\n"]);
    expect(blocks("```{.yaml}\na: 1\n")[0]).toEqual(["yaml", 2, "a: 1\n\n"]);
  });

  test("without a label are judged by what is in them", () => {
    const languageOf = (text: string): unknown =>
      snippetsIn("a.md", `\`\`\`\n${text}\n\`\`\`\n`)[0]?.language;
    expect(languageOf("apiVersion: v1\nkind: Pod")).toBe("yaml");
    expect(languageOf('resource "a" "b" {\n  c = 1\n}')).toBe("hcl");
    expect(languageOf("# first\nkubectl get pods")).toBe("shell");
    expect(languageOf('{"a": 1}')).toBe("json");
    expect(languageOf("FROM node\nRUN true")).toBe("dockerfile");
    expect(languageOf("src/\n├── main.tf   # the root module")).toBe("text");
  });

  test("in HCL without a block are values of variables", () => {
    expect(blocks('```hcl\nregion = "a"\n```\n')[0]).toEqual(["tfvars", 2, 'region = "a"\n']);
  });
});
