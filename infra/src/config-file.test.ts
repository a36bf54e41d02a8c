import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigurationError, loadConfiguration } from "./config-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "plinth-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(text: string, extension = "ts"): string {
  const file = join(folder, `${++files}.config.${extension}`);
  writeFileSync(file, text);
  return file;
}

const refusal = async (file: string): Promise<ConfigurationError> => {
  const error = await loadConfiguration(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigurationError)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

test("TypeScript without a package.json beside it is run, and settings are found in its text", async () => {
  const { exported, lineOf } = await loadConfiguration(
    write(`import type { Platform } from "@plinth/infra";

const shared = {
  tracking: {
    replicas: 2 as number,
    models: [
      { name: "a" },
    ],
  },
};

export default {
  name: "acme",
  ...shared,
  "owner": "ml",
  environments: { prod: {
    tracking: { replicas: 3 } } },
} satisfies Platform;
`),
  );
  expect(exported).toMatchObject({ name: "acme", tracking: { replicas: 2 } });
  expect(lineOf(["tracking", "replicas"])).toBe(5);
  expect(lineOf(["tracking", "models", 0, "name"])).toBe(7);
  expect(lineOf(["environments", "prod", "tracking", "replicas"])).toBe(17);
  expect(lineOf(["owner"])).toBe(15);
  // What is not written is at what is nearest around it.
  expect(lineOf(["environments", "prod", "domain"])).toBe(16);
  expect(lineOf(["nothing"])).toBe(12);
});

test("JavaScript and JSON do as well", async () => {
  expect((await loadConfiguration(write("export default { name: 'a' };", "js"))).exported).toEqual({
    name: "a",
  });
  const { exported, lineOf } = await loadConfiguration(write('{\n  "name": "a",\n  "owner": "b"\n}', "json"));
  expect(exported).toEqual({ name: "a", owner: "b" });
  expect(lineOf(["owner"])).toBe(3);
});

test("a constant that is made of itself ends", async () => {
  const { lineOf } = await loadConfiguration(
    write("const a = { x: 1 };\nconst b = { ...a };\nexport default { ...b, ...a };\n"),
  );
  expect(lineOf(["x"])).toBe(1);
});

test.each([
  ["what does not parse", "export default {\n  name: [1,\n};\n", 3],
  ["what throws", "\n\nthrow new Error('not set');\nexport default {};\n", 3],
  ["an import that is not there", "import { x } from 'nowhere-at-all';\nexport default { x };\n", 1],
  ["no default export", "export const platform = {};\n", 1],
])("%s is told with its line", async (_, text, line) => {
  expect((await refusal(write(text))).line).toBe(line);
});

test("a file that changed is read anew", async () => {
  const file = write("export default { name: 'one' };");
  expect((await loadConfiguration(file)).exported).toEqual({ name: "one" });
  await new Promise((resolve) => setTimeout(resolve, 20));
  writeFileSync(file, "export default { name: 'two' };");
  expect((await loadConfiguration(file)).exported).toEqual({ name: "two" });
});
