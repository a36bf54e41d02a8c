import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
import {
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
  runRequest,
} from "../../../test/pipelines.ts";
import { newWorkspace, WORKSPACES } from "../../../test/workspaces.ts";

const server = await startTestServer();
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1";
const LISTS = ["runs", "steps", "artifact_versions"];

/** What lists of a project say there is, and what is there when it is counted. */
async function totals(project: string): Promise<{ told: number[]; counted: number[] }> {
  const told: number[] = [];
  const counted: number[] = [];
  for (const list of LISTS) {
    const page = await server.get(`${API}/${list}?project=${project}&size=1`);
    expect(page.status, page.text).toBe(200);
    told.push(page.json.total);
    const rows = await server.database.prepared<{ count: number }>(
      {
        name: `test_count_${list}`,
        text: `select count(*) from pipelines.${list} as t join identity.workspaces as w using (workspace_id)
          where w.uuid = $1::uuid`,
      },
      [project],
    );
    counted.push(rows[0]?.count ?? -1);
  }
  return { told, counted };
}

const expectTotals = async (project: string, expected: number[]): Promise<void> =>
  expect(await totals(project)).toEqual({ told: expected, counted: expected });

const steps = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`s${at}`, {}]));

async function filledRun(project: string): Promise<{ run: string; pipeline: string }> {
  const { snapshot, pipeline } = await newSnapshot(server, project, { steps });
  const run: Json = await newRun(server, project, snapshot);
  await Promise.all(Object.keys(steps).map((name) => newStep(server, project, run.id, name)));
  return { run: run.id, pipeline };
}

const remove = async (path: string): Promise<void> =>
  expect((await server.call("DELETE", `${API}${path}`)).status).toBe(200);

async function made(): Promise<{ name: string; project: string }> {
  const name = await newWorkspace(server);
  return { name, project: await projectIdOf(server, name) };
}

describe("the totals of lists", () => {
  it("are exact after many wrote at once, and after what they wrote was deleted", async () => {
    const { project } = await made();
    await expectTotals(project, [0, 0, 0]);
    const runs = await Promise.all(Array.from({ length: 6 }, () => filledRun(project)));
    const versions = await Promise.all(
      Array.from({ length: 12 }, (_, at) => newArtifactVersion(server, project, `a${at % 3}`)),
    );
    await expectTotals(project, [6, 30, 12]);
    await remove(`/runs/${runs[0]?.run}`);
    await remove(`/pipelines/${runs[1]?.pipeline}`);
    await remove(`/artifact_versions/${versions[0]}`);
    await expectTotals(project, [4, 20, 11]);
    await remove(`/artifact_versions?project_name_or_id=${project}`);
    await expectTotals(project, [4, 20, 0]);
  });

  it("count a request that is repeated once, and one that is refused never", async () => {
    const { project } = await made();
    const { snapshot } = await newSnapshot(server, project);
    const headers = { "idempotency-key": "9f0b6e34-54c6-4a5c-a7f5-2f6e3f0d1c11" };
    const body = runRequest(project, snapshot);
    for (let at = 0; at < 3; at += 1) {
      expect((await server.call("POST", `${API}/runs`, body, headers)).status).toBe(200);
    }
    expect((await server.post(`${API}/runs`, { ...body, orchestrator_run_id: "another" })).status).toBe(409);
    await expectTotals(project, [1, 0, 0]);
  });

  it("are of what fits a filter, and of each project alone", async () => {
    const [one, other] = [await made(), await made()];
    const { run } = await filledRun(one.project);
    await filledRun(one.project);
    await filledRun(other.project);
    const total = async (of: TestServer, query: string): Promise<number> =>
      (await of.get(`${API}/steps?${query}`)).json.total;
    expect(await total(server, `project=${one.project}&pipeline_run_id=${run}`)).toBe(5);
    expect(await total(server, `project=${one.project}&name=s1`)).toBe(2);
    expect(await total(server, `project=${one.project}&page=5&size=2`)).toBe(10);
    expect(await total(server, `project=${other.project}`)).toBe(5);
  });

  it("go with what is in a workspace", async () => {
    const { name, project } = await made();
    const into = await projectIdOf(server);
    const [before] = [await totals(into)];
    await filledRun(project);
    await newArtifactVersion(server, project, `moved-${name}`);
    const moved = await server.call("DELETE", `${WORKSPACES}/${name}?mode=SET_DEFAULT`);
    expect(moved.status, moved.text).toBe(204);
    const more = [1, 5, 1];
    await expectTotals(
      into,
      before.told.map((count, at) => count + (more[at] ?? 0)),
    );
  });
});
