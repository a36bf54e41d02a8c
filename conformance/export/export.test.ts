// `plinth export` of what the real client logged, read by DuckDB and pandas and compared value by value with what the
// client itself sees. The examples of docs/guides/export.md run on the same files.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureAnalysis, ensureClient } from "../src/environment.ts";
import { plinthOfThisFile } from "../src/flow-test.ts";
import { startChild } from "../src/process.ts";

const root = join(import.meta.dirname, "..", "..");
const guide = join(root, "docs", "guides", "export.md");

const plinth = plinthOfThisFile();
const folder = mkdtempSync(join(tmpdir(), "plinth-export-"));
const expected = join(folder, "expected.json");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script in the folder and answers what it observed. */
async function python(environment: string, script: string, args: string[]): Promise<Record<string, unknown>> {
  const child = startChild(
    join(environment, "bin", "python"),
    [join(import.meta.dirname, "python", `${script}.py`), ...args],
    {
      cwd: folder,
      env: {
        PATH: `${join(environment, "bin")}:${process.env["PATH"] ?? ""}`,
        HOME: folder,
        TMPDIR: folder,
        PYTHONWARNINGS: "ignore",
        OMP_NUM_THREADS: "1",
        MLFLOW_DISABLE_TELEMETRY: "true",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: "1",
        GIT_PYTHON_REFRESH: "quiet",
      },
    },
  );
  const code = await child.ended;
  const line = child
    .output()
    .split("\n")
    .findLast((one) => one.startsWith("OBSERVED "));
  if (code !== 0 || line === undefined)
    throw new Error(`${script}.py ended with ${code}:\n${child.output()}`);
  return JSON.parse(line.slice("OBSERVED ".length)) as Record<string, unknown>;
}

async function plinthExport(output: string, format: string): Promise<void> {
  const command = join(root, "cli", "src", "main.ts");
  const where = ["--data-dir", plinth().dataDir ?? "", "--output", join(folder, output), "--format", format];
  const child = startChild(join(root, "node_modules", ".bin", "node"), [command, "export", ...where], {
    cwd: root,
  });
  const code = await child.ended;
  if (code !== 0) throw new Error(`plinth export ended with ${code}:\n${child.output()}`);
}

// An export reads the data folder of the server, which nobody knows of a server that somebody else runs.
const given = process.env["PLINTH_URL"];
if (given) process.stderr.write(`conformance: no export of ${given}: its data folder is not known here\n`);

describe.skipIf(given)("an export", () => {
  let logged: Record<string, unknown> = {};
  let analysis = "";

  beforeAll(async () => {
    logged = await python(await ensureClient("3.17.2"), "log", [plinth().url, expected]);
    analysis = await ensureAnalysis();
    await plinthExport("export", "parquet");
    await plinthExport("export-jsonl", "jsonl");
  });

  it("is of something in every file", () => {
    expect(Object.entries(logged).filter(([, rows]) => !(Number(rows) > 0))).toEqual([]);
    expect(logged["metrics"]).toBeGreaterThan(7500);
  });

  it.each([
    ["parquet", "export"],
    ["jsonl", "export-jsonl"],
  ])("as %s holds for DuckDB and pandas what MLflow's client sees", async (format, output) => {
    const seen = await python(analysis, "compare", [join(folder, output), format, expected]);
    expect(seen["wrong"]).toEqual({});
  });

  it("is read by the examples of the guide", async () => {
    const { printed } = (await python(analysis, "guide", [guide])) as { printed: string[] };
    expect(printed).toHaveLength(4);
    expect(printed[0]).toContain("learning_rate");
    expect(printed[1]).toContain("smooth");
    expect(printed[2]).toContain("metrics.loss");
    expect(printed[3]).toContain("0.0004");
  });
});
