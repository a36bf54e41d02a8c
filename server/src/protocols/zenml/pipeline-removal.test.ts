import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import { newRun, newSnapshot, newStep, projectIdOf } from "../../../test/pipelines.ts";
import { withHeaders } from "../../../test/workspaces.ts";

const server = await startTestServer();
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
const project = await projectIdOf(server);
const { items: orchestrators } = (await server.get(`${API}/components?type=orchestrator&name=default`)).json;
const clients = ["zenml/0.84.0", "zenml/0.98.0"].map((agent) => withHeaders(server, { "user-agent": agent }));

const post = async (path: string, body: object): Promise<Json> => {
  const answer = await server.post(`${API}${path}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

async function deletedPipeline(): Promise<Record<string, string>> {
  const { pipeline, snapshot, stack } = await newSnapshot(server, project);
  const build = await post("/pipeline_builds", {
    project,
    pipeline,
    stack,
    images: {},
    is_local: true,
    contains_code: true,
  });
  const schedule = await post("/schedules", {
    project,
    name: `schedule-${randomUUID()}`,
    active: true,
    cron_expression: "* * * * *",
    orchestrator_id: orchestrators[0].id,
    pipeline_id: pipeline,
  });
  await post("/run-metadata", {
    project,
    resources: [{ id: schedule.id, type: "schedule" }],
    values: { where: "here" },
    types: { where: "str" },
  });
  const run = await newRun(server, project, snapshot);
  const step = await newStep(server, project, run.id, "one");
  const removed = await server.call("DELETE", `${API}/pipelines/${pipeline}`);
  expect(removed.status, removed.text).toBe(200);
  return { pipeline, snapshot, build: build.id, schedule: schedule.id, run: run.id, step: step.id };
}

describe("a pipeline that is deleted", () => {
  it("takes its snapshots, runs and steps with it", async () => {
    const ids = await deletedPipeline();
    for (const path of [
      `/pipelines/${ids["pipeline"]}`,
      `/pipeline_snapshots/${ids["snapshot"]}`,
      `/runs/${ids["run"]}`,
      `/steps/${ids["step"]}`,
    ]) {
      expect((await server.get(`${API}${path}`)).status).toBe(404);
    }
  });

  it("leaves its builds and schedules, which both clients read and list", async () => {
    const { pipeline, build, schedule } = await deletedPipeline();
    for (const client of clients) {
      const read = async (path: string): Promise<Json> => {
        const answer = await client.get(`${API}${path}`);
        expect(answer.status, answer.text).toBe(200);
        return answer.json;
      };
      expect((await read(`/pipeline_builds/${build}`)).metadata).toMatchObject({
        pipeline: null,
        stack: { name: "default" },
      });
      expect((await read(`/schedules/${schedule}`)).metadata).toMatchObject({
        pipeline_id: null,
        orchestrator_id: orchestrators[0].id,
        run_metadata: { where: "here" },
      });
      for (const path of ["/pipeline_builds", "/schedules"]) {
        const id = path === "/schedules" ? schedule : build;
        const [found] = (await read(`${path}?project=default&id=${id}&hydrate=true`)).items;
        expect(found.id).toBe(id);
        expect((await read(`${path}?project=default&pipeline_id=${pipeline}`)).total).toBe(0);
      }
    }
  });

  it("leaves schedules that are changed and archived as before, and builds that are deleted", async () => {
    const { build, schedule } = await deletedPipeline();
    const changed = await server.call("PUT", `${API}/schedules/${schedule}`, { active: false });
    expect(changed.json).toMatchObject({ body: { active: false }, metadata: { pipeline_id: null } });
    expect((await server.call("DELETE", `${API}/schedules/${schedule}?soft=true`)).status).toBe(200);
    expect((await server.get(`${API}/schedules/${schedule}`)).json.body.is_archived).toBe(true);
    expect((await server.call("DELETE", `${API}/pipeline_builds/${build}`)).status).toBe(200);
    expect((await server.get(`${API}/pipeline_builds/${build}`)).status).toBe(404);
  });
});
