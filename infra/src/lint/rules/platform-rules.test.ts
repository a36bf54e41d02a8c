import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lint } from "../run.ts";
import { readSources } from "../sources.ts";
import { buildWorkspace } from "../workspace-builder.ts";
import { platformRules } from "./platform-rules.ts";

const SAMPLES = fileURLToPath(new URL("../../../samples", import.meta.url));

test("correct files have no findings", () => {
  expect(readdirSync(SAMPLES).length).toBeGreaterThan(4);
  const { findings } = lint([SAMPLES]);
  expect(
    findings.map(
      ({ rule, file, line, message }) => `${rule} ${file.slice(SAMPLES.length)}:${line} ${message}`,
    ),
  ).toEqual([]);
});

test("each of the correct files alone has none, either: the others may be elsewhere", () => {
  for (const file of readdirSync(SAMPLES)) {
    const workspace = buildWorkspace(readSources([`${SAMPLES}/${file}`]));
    const found = platformRules.flatMap((rule) =>
      [...rule.check(workspace)].map(({ line, message }) => `${rule.id} ${file}:${line} ${message}`),
    );
    expect(found).toEqual([]);
  }
});

test("rules have ids of their own and name mistakes of the catalogue", () => {
  const ids = platformRules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, covers } of platformRules) {
    expect(id).toMatch(/^[a-z]+\/[a-z\d-]+$/);
    for (const mistake of covers) expect(mistake).toMatch(/^E(?:0[1-9]|[1-5]\d|6[01])$/);
  }
});
