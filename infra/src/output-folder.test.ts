import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { planFolder, writeFolder, type FolderPlan } from "./output-folder.ts";
import type { OutputFile } from "./synth.ts";

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "plinth-output-"));
  folder = join(base, "out");
});
afterEach(() => rmSync(base, { recursive: true }));

const file = (path: string, text: string, executable = false): OutputFile => ({ path, text, executable });

function write(files: OutputFile[], environment = "prod"): FolderPlan {
  const plan = planFolder(folder, files, environment);
  if (plan.conflicts.length === 0) writeFolder(folder, files, { environment, changes: plan.changes });
  return plan;
}

const read = (path: string): string => readFileSync(join(folder, path), "utf8");

test("files are added, changed and removed as the output changes, and the second time nothing is", () => {
  const first = [file("a.tf", "a\n"), file("k/b.yaml", "b\n"), file("run.sh", "#!/bin/sh\n", true)];
  expect(write(first).changes.map(({ kind }) => kind)).toEqual(["added", "added", "added"]);
  expect(statSync(join(folder, "run.sh")).mode & 0o111).not.toBe(0);
  expect(write(first)).toEqual({ changes: [], conflicts: [], unchanged: 3 });

  const second = [file("a.tf", "changed\n"), file("c.tf", "c\n")];
  expect(write(second).changes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    "changed a.tf",
    "added c.tf",
    "removed k/b.yaml",
    "removed run.sh",
  ]);
  expect(readdirSync(folder).sort()).toEqual([".plinth-synth.json", "a.tf", "c.tf"]);
});

describe("nothing is overwritten silently:", () => {
  test("a file that a person edited", () => {
    write([file("a.tf", "a\n"), file("b.tf", "b\n")]);
    writeFileSync(join(folder, "a.tf"), "mine\n");
    const { conflicts } = write([file("a.tf", "new\n"), file("b.tf", "new\n")]);
    expect(conflicts).toEqual([{ path: "a.tf", reason: "edited by hand since it was written" }]);
    expect([read("a.tf"), read("b.tf")]).toEqual(["mine\n", "b\n"]);
  });

  test("a file that was there before", () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "Makefile"), "mine\n");
    expect(write([file("Makefile", "ours\n")]).conflicts).toHaveLength(1);
    expect(read("Makefile")).toBe("mine\n");
  });

  test("a file that is no longer needed, but was edited", () => {
    write([file("a.tf", "a\n"), file("b.tf", "b\n")]);
    writeFileSync(join(folder, "b.tf"), "mine\n");
    expect(write([file("a.tf", "a\n")]).conflicts).toEqual([
      { path: "b.tf", reason: "no longer needed, but edited by hand" },
    ]);
  });

  test("the folder of another environment", () => {
    write([file("a.tf", "a\n")], "prod");
    expect(write([file("a.tf", "a\n")], "dev").conflicts).toHaveLength(1);
  });

  test("anything, when the record of what was written is damaged", () => {
    write([file("a.tf", "a\n")]);
    writeFileSync(join(folder, ".plinth-synth.json"), "{");
    expect(() => planFolder(folder, [file("a.tf", "b\n")], "prod")).toThrow(/damaged/);
  });

  test("a file that a person edited to what is now wanted is no conflict", () => {
    write([file("a.tf", "a\n")]);
    writeFileSync(join(folder, "a.tf"), "b\n");
    expect(write([file("a.tf", "b\n")])).toEqual({ changes: [], conflicts: [], unchanged: 1 });
  });
});

describe("nothing outside of the folder is touched:", () => {
  test.each(["../x", "/etc/x", "a/../../x", "a//b", "./a"])("the path %s", (path) => {
    expect(planFolder(folder, [file(path, "x")], "prod").conflicts).toHaveLength(1);
  });

  test("through a link to a folder", () => {
    const elsewhere = join(base, "elsewhere");
    mkdirSync(elsewhere);
    mkdirSync(folder);
    symlinkSync(elsewhere, join(folder, "k"));
    expect(write([file("k/b.yaml", "b\n")]).conflicts).toHaveLength(1);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test("through a link to a file, also when it is to be removed", () => {
    write([file("a.tf", "a\n")]);
    const target = join(base, "target");
    writeFileSync(target, "a\n");
    rmSync(join(folder, "a.tf"));
    symlinkSync(target, join(folder, "a.tf"));
    expect(write([file("a.tf", "new\n")]).conflicts).toHaveLength(1);
    write([]);
    expect(existsSync(target)).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("a\n");
  });
});
