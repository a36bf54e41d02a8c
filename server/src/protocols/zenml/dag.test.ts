import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import {
  endStep,
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
  source,
  stepOf,
} from "../../../test/pipelines.ts";

const server = await startTestServer();
const project = await projectIdOf(server);
afterAll(() => server[Symbol.asyncDispose]());

const dagOf = async (run: string, query = ""): Promise<Json> => {
  const answer = await server.get(`/api/v1/runs/${run}/dag${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const outputs = (...names: string[]): Record<string, unknown> => ({
  outputs: Object.fromEntries(names.map((name) => [name, { materializer_source: [source("M")] }])),
});
const edges = ({ edges: all }: Json): [string, string][] =>
  all.map((edge: Json) => [edge.source, edge.target]);

describe("the graph of a run", () => {
  it("shows what is planned, and what came of it", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      configuration: { substitutions: { foo: "bar" } },
      steps: {
        load: { config: outputs("data-{foo}") },
        train: {
          upstream: ["load"],
          inputs: { x: { step_name: "load", output_name: "data-{foo}" } },
          config: { ...outputs("model"), external_input_artifacts: { seed: { id: randomUUID() } } },
        },
        report: { upstream: ["train"] },
      },
    });
    const run = await newRun(server, project, snapshot);
    const planned = await dagOf(run.id);
    expect(planned.status).toBe("running");
    expect(planned.nodes.map((node: Json) => node.node_id)).toStrictEqual([
      "step/load",
      "step/train",
      "step/report",
      "load/outputs/step_output/data-bar",
      "train/inputs/external/seed",
      "train/outputs/step_output/model",
    ]);
    expect(edges(planned)).toStrictEqual([
      ["step/load", "load/outputs/step_output/data-bar"],
      ["load/outputs/step_output/data-bar", "step/train"],
      ["train/inputs/external/seed", "step/train"],
      ["step/train", "train/outputs/step_output/model"],
      ["step/train", "step/report"],
    ]);
    const load = await newStep(server, project, run.id, "load");
    const data = await newArtifactVersion(server, project, "data");
    await endStep(server, load.id, { outputs: { "data-bar": [data] } });
    const train = await newStep(server, project, run.id, "train", { inputs: { x: [data] } });
    const other = await newArtifactVersion(server, project, "other");
    await endStep(server, train.id, { status: "failed", loaded_artifact_versions: { found: other } });
    const shown = await dagOf(run.id);
    expect(shown.status).toBe("failed");
    const byId = new Map<string, Json>(shown.nodes.map((node: Json) => [node.node_id, node]));
    expect(byId.get("step/load")).toStrictEqual({
      node_id: "step/load",
      type: "step",
      id: load.id,
      name: "load",
      metadata: { status: "completed", start_time: "2026-11-21T05:30:00.500000", duration: 59.5 },
    });
    expect(byId.get("load/outputs/step_output/data-bar")).toMatchObject({
      id: data,
      metadata: { type: "DataArtifact", data_type: "builtins.int", save_type: "step_output" },
    });
    expect(byId.get(`train/inputs/manual/${other}`)).toMatchObject({ id: other, name: "found" });
    expect(shown.edges).toContainEqual({
      source: "load/outputs/step_output/data-bar",
      target: "step/train",
      metadata: { input_name: "x", type: "step_output", index: 0, chunk_index: null, chunk_size: null },
    });
    expect(byId.get("train/outputs/step_output/model")).toMatchObject({ id: null });
  });

  it("shows what dynamic pipelines made up, what they wait for, and the runs they began", async () => {
    const { snapshot } = await newSnapshot(server, project, { isDynamic: true, steps: {} });
    const run = await newRun(server, project, snapshot);
    const step = await newStep(server, project, run.id, "a/b", {
      dynamic_config: stepOf("a/b", { config: { group: { id: "g", name: "G" } } }),
    });
    await server.post("/api/v1/run-metadata", {
      project,
      resources: [{ id: step.id, type: "step_run" }],
      values: { acc: 0.5, other: 1 },
      types: { acc: "float", other: "int" },
    });
    const waiting = { project, run: run.id, name: "ask", type: "external_input", question: "Go on?" };
    await server.post("/api/v1/run_wait_conditions", waiting);
    const child = await newRun(server, project, snapshot, { parent_run_id: run.id, child_key: "c" });
    const triggered = await newRun(server, project, snapshot, { trigger_info: { step_run_id: step.id } });
    expect(triggered.metadata.trigger_info).toStrictEqual({ step_run_id: step.id, deployment_id: null });
    const shown = await dagOf(run.id, "?include_step_metadata=acc");
    expect(shown.nodes).toMatchObject([
      { node_id: "step/a-b", metadata: { group: { id: "g" }, run_metadata: { acc: 0.5 } } },
      {
        node_id: "wait_condition/ask",
        type: "wait_condition",
        metadata: { status: "pending", question: "Go on?" },
      },
      { node_id: `run/${triggered.name}`, type: "triggered_run", metadata: { status: "running" } },
      { node_id: `child_run/${child.name}`, type: "triggered_run", id: child.id },
    ]);
    expect(edges(shown)).toStrictEqual([["step/a-b", `run/${triggered.name}`]]);
  });
});
