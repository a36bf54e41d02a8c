import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { goldenFolder, goldens } from "./golden.ts";

// When the output changes on purpose: node infra/scripts/write-goldens.ts, and look at the diff.
describe.each(await goldens())("the example $name", ({ name, environment, files, findings }) => {
  test("passes every check, of its settings and of what it becomes", () => {
    // Development is told what it lacks on purpose: copies, backups.
    const expected =
      environment === "prod" ? findings : findings.filter(({ severity }) => severity === "error");
    expect(expected).toEqual([]);
  });

  test("becomes the files in golden/, byte for byte", () => {
    const folder = goldenFolder(name);
    const there = globSync("**/*", { cwd: folder, withFileTypes: false })
      .concat(globSync("**/.*", { cwd: folder }))
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => statSync(join(folder, path)).isFile() && path !== ".plinth-synth.json");
    expect([...new Set(there)].sort()).toEqual(files.map(({ path }) => path).sort());
    for (const { path, text } of files) {
      expect({ path, text: readFileSync(join(folder, path), "utf8") }).toEqual({ path, text });
    }
    expect(JSON.parse(readFileSync(join(folder, ".plinth-synth.json"), "utf8"))).toMatchObject({
      environment,
    });
  });
});
