// Two hundred steps beside each other and one that takes in what all of them made, by both clients at once on one
// Plinth; read back by value, and drawn.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureZenml, zenmlClients } from "../src/environment.ts";
import { startGuardedPlinth, type Target } from "../src/target.ts";
import { asAdmin, runZenmlFlow } from "./flow.ts";

const count = 200;

let target: Target;
const folders: string[] = [];

beforeAll(async () => {
  target = await startGuardedPlinth();
});
afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (target) expect(await target.stop()).toBe(0);
});

/**
 * The client 0.84.0 runs `pip freeze` once for each step, which is a second of two hundred steps' 1.1 each: this `pip`
 * says the same at once.
 */
function folderOfPip(environment: string): string {
  const folder = mkdtempSync(join(tmpdir(), "pip-"));
  folders.push(folder);
  const lines = [
    `#!${join(environment, "bin", "python")}`,
    "from importlib.metadata import distributions",
    'print("\\n".join(sorted(f"{one.name}=={one.version}" for one in distributions())))',
  ];
  writeFileSync(join(folder, "pip"), `${lines.join("\n")}\n`, { mode: 0o755 });
  return folder;
}

it.concurrent.each(zenmlClients)("zenml %s fans out to 200 steps and joins them", async (version) => {
  const isNew = version === "0.98.0";
  const environment = await ensureZenml(version);
  const seen = await runZenmlFlow({
    version,
    script: "fan_out",
    url: target.url,
    args: [`v${version.replaceAll(".", "")}`, String(count)],
    env: {
      ...asAdmin(target.url),
      PATH: [folderOfPip(environment), process.env["PATH"]].join(delimiter),
      // The client remembers a hundred steps of a run, and does not find the first of more than that as inputs.
      ZENML_EXECUTION_CONTEXT_STEP_RUN_CACHE_SIZE: "1000",
    },
  });
  const { seconds, ...rest } = seen;
  process.stderr.write(`zenml ${version}, ${count} steps: ${JSON.stringify(seconds)} s\n`);
  // While it runs, 0.98.0 finds the numbers by one more step, whose one artifact every step of the fan takes in.
  const first = isNew ? 1 : 0;
  expect(rest).toEqual({
    status: ["completed", "completed", true],
    steps: [count + 1 + first, count, ["completed"]],
    values: true,
    total: true,
    joined: true,
    nodes: { artifact: count + 1 + first + (isNew ? 1 : 0), step: count + 1 + first },
    "step nodes": true,
    "node states": ["completed"],
    "made by": count,
    "taken in": count,
    edges: isNew ? 3 * count + 3 : 2 * count + 1,
    "known nodes": true,
  });
});
