// README.md's tour, pasted block after block into one shell, as its readers do. Two things differ from what they do:
// the `npm run up` of the section before it is the server this suite starts, so its address stands in for the one in
// the text; and a line that is only `python` gets the Python blocks that follow it as what is typed into it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plinthOfThisFile } from "./src/flow-test.ts";
import { startChild } from "./src/process.ts";

type Block = { language: string; text: string };

const ADDRESS = "http://127.0.0.1:5000";

function readTour(): Block[] {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const section = readme.split(/^## /m).find((part) => part.startsWith("A tour")) ?? "";
  return [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
}

/** One shell script: Python blocks are typed, line by line, into the `python` that the shell block before them ends with. */
function asTyped(blocks: readonly Block[], url: string): string {
  const script: string[] = ["set -e"];
  let typed: string[] = [];
  const flush = (): void => {
    if (typed.length > 0) script.push(`python -i -q <<'END_OF_TYPING'\n${typed.join("")}END_OF_TYPING`);
    typed = [];
  };
  for (const { language, text } of blocks) {
    if (language === "python") typed.push(text);
    if (language !== "sh") continue;
    flush();
    const lines = text.replaceAll(ADDRESS, url).trimEnd().split("\n");
    script.push(...lines.filter((line) => line !== "python"));
  }
  flush();
  return `${script.join("\n")}\n`;
}

const plinth = plinthOfThisFile();

describe("README's tour", () => {
  const blocks = readTour();
  const folder = mkdtempSync(join(tmpdir(), "readme-tour-"));
  let output = "";
  let code: number | string = "not run";

  beforeAll(async () => {
    const script = join(folder, "tour.sh");
    writeFileSync(script, asTyped(blocks, plinth().url));
    const child = startChild("bash", [script], {
      cwd: folder,
      env: {
        HOME: folder,
        TMPDIR: folder,
        // The environment that the tour makes goes away with all that it holds.
        PYTHONPYCACHEPREFIX: "",
        MLFLOW_DISABLE_TELEMETRY: "true",
        GIT_PYTHON_REFRESH: "quiet",
      },
    });
    code = await child.ended;
    output = child.output();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has the blocks it is read by", () => {
    expect(blocks.map(({ language }) => language).filter((language) => language !== "text")).toEqual([
      "sh",
      "python",
      "python",
      "python",
      "python",
    ]);
    expect(blocks[0]?.text).toContain(`MLFLOW_TRACKING_URI=${ADDRESS}`);
    expect(blocks[0]?.text.trimEnd().endsWith("\npython")).toBe(true);
  });

  it("runs to its end without an error", () => {
    // An interactive Python goes on after an error: its exit code does not tell.
    expect(output).not.toMatch(/Traceback|SyntaxError|IndentationError/);
    expect({ code, said: code === 0 ? "" : output }).toEqual({ code: 0, said: "" });
  });

  it("prints what it says", () => {
    const said = blocks.filter(({ language }) => language === "text").map(({ text }) => text.trim());
    expect(said.length).toBeGreaterThan(0);
    for (const line of said) expect(output).toContain(line);
  });

  it("logged its runs here", async () => {
    const api = `${plinth().url}/api/2.0/mlflow`;
    const found = await fetch(`${api}/experiments/get-by-name?experiment_name=iris`);
    expect(found.status).toBe(200);
    const { experiment } = (await found.json()) as { experiment: { experiment_id: string } };
    const searched = await fetch(`${api}/runs/search`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ experiment_ids: [experiment.experiment_id] }),
    });
    const { runs } = (await searched.json()) as { runs: { info: { status: string } }[] };
    expect(runs.map((run) => run.info.status)).toEqual(["FINISHED", "FINISHED"]);
  });
});
