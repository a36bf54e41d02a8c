import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../server/test/harness.ts";
import { newModel, newVersion } from "../../server/test/registry.ts";
import { accepted, API, newExperiment, newRun } from "../../server/test/runs.ts";
import { plinth } from "./plinth.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("lineage leads from a version to what it was made from, and back", async () => {
  const experiment_id = await newExperiment(server);
  const run_id = await newRun(server, { experiment_id, run_name: "training", start_time: 0 });
  const dataset = { name: "pay@ments", digest: "2981", source_type: "local", source: "s" };
  const tags = [{ key: "mlflow.data.context", value: "training" }];
  accepted(await server.post(`${API}/runs/log-inputs`, { run_id, datasets: [{ dataset, tags }] }));
  const made = { experiment_id, name: "made", source_run_id: run_id };
  const { model_id } = accepted(await server.post(`${API}/logged-models`, made)).model.info;
  const name = await newModel(server);
  for (let count = 1; count <= 2; count += 1)
    await newVersion(server, name, { run_id, source: "s3://bucket/x", model_id });
  accepted(await server.post(`${API}/registered-models/alias`, { name, alias: "best", version: "2" }));
  const ask = (...args: string[]) => plinth(["lineage", ...args, "--url", server.url]);

  const { stdout, code } = await ask(`${name}@best`);
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["version", `${name}/2`, "@best"],
    ["logged model", model_id, "made"],
    ["run", run_id, "training, RUNNING, 1970-01-01T00:00:00Z"],
    ["experiment", experiment_id, expect.any(String)],
    ["dataset", "pay@ments@2981", "training"],
    [""],
  ]);
  const json: unknown = JSON.parse((await ask(`${name}/2`, "--json")).stdout);
  expect(json).toMatchObject({ model_version: { name, version: 2 }, run: { run_id } });
  for (const back of [
    ["--run", run_id],
    ["--experiment", experiment_id],
    ["--logged-model", model_id],
    ["--dataset", "pay@ments@2981"],
  ]) {
    const lines = (await ask(...back)).stdout.split("\n").map((line) => line.split(/ {2,}/)[0]);
    expect([back, lines]).toEqual([back, ["VERSION", `${name}/2`, `${name}/1`, ""]]);
  }
  expect((await ask("--run", "unknown")).stdout).toBe("No model version was made from it.\n");
});

test("lineage says what it cannot answer", async () => {
  for (const [args, exitCode, message] of [
    [[], 2, "Name one thing"],
    [["a/1", "--run", "r"], 2, "Name one thing"],
    [["a"], 2, "'a' is neither NAME/VERSION nor NAME@ALIAS."],
    [["a/b@c"], 2, "'a/b@c' is neither NAME/VERSION nor NAME@ALIAS."],
    [["--dataset", "d"], 2, "--dataset: 'd' is not NAME@DIGEST."],
    [["nobody/1"], 3, "Model Version (name=nobody, version=1) not found (404)"],
    [["nobody@x"], 3, "Registered model 'nobody' has no alias 'x'. (404)"],
    [["--run", "r", "--workspace", "nobody"], 3, "Workspace 'nobody' not found (404)"],
  ] as const) {
    const { code, stderr } = await plinth(["lineage", ...args, "--url", server.url]);
    expect([args, code, stderr]).toEqual([args, exitCode, expect.stringContaining(message)]);
  }
});
