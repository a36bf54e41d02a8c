import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configurationGuide } from "./configuration-guide.ts";

test("docs/guides/configuration.md says what the settings are (node scripts/write-guides.ts writes it)", () => {
  const page = readFileSync(new URL("../../docs/guides/configuration.md", import.meta.url), "utf8");
  expect(page).toBe(configurationGuide());
});
