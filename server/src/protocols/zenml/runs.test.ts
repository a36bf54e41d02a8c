import { afterAll, describe, expect, it } from "vitest";
import { startTestServer } from "../../../test/harness.ts";
import { endStep, getRun, newRun, newSnapshot, newStep, projectIdOf, newArtifactVersion } from "../../../test/pipelines.ts";

const server = await startTestServer();
const project = await projectIdOf(server);
afterAll(() => server[Symbol.asyncDispose]());

describe("runs", () => {
  it("go on until their steps are done", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      steps: { one: {config:{outputs:{number:{materializer_source:[]}}}}, two: { upstream: ["one"], inputs: {x: {step_name:"one", output_name:"number"}} } },
      configuration: { substitutions: { foo: "bar" } },
    });
    const run = await newRun(server, project, snapshot);
    console.log(JSON.stringify((await server.get(`/api/v1/runs/${run.id}/dag`)).json));
    const one = await newStep(server, project, run.id, "one");
    const version = await newArtifactVersion(server, project);
    await endStep(server, one.id, {outputs: {number: [version]}});
    expect((await getRun(server, run.id)).body.status).toBe("running");
    const two = await newStep(server, project, run.id, "two", {inputs: {x: [version]}});
    expect(two.metadata.parent_step_ids).toStrictEqual([one.id]);
    await endStep(server, two.id);
    expect((await getRun(server, run.id)).body.status).toBe("completed");
    console.log(JSON.stringify((await server.get(`/api/v1/runs/${run.id}/dag`)).json));
    console.log(JSON.stringify(two));
  });
});
