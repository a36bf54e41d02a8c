import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { endStep, newRun, newSnapshot, newStep, projectIdOf } from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/pipelines";
const project = await projectIdOf(server, "team");
const made = async (more: object = {}): Promise<Json> => {
  const answer = await editor.post(API, { project, name: `p-${randomUUID()}`, ...more });
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const names = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${API}?project=team&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.name);
};

describe("pipelines", () => {
  it("are made, read, changed and deleted", async () => {
    const { id, ...created } = await made({ name: "trained", description: "how", tags: ["a"] });
    expect(created).toMatchObject({
      name: "trained",
      body: { project_id: project },
      metadata: { description: "how" },
      resources: {
        user: { name: "ed" },
        latest_run_id: null,
        latest_run_status: null,
        latest_run_user: null,
        tags: [{ name: "a" }],
        visualizations: [],
      },
    });
    const changed = await editor.call("PUT", `${API}/${id}`, {
      description: "",
      add_tags: ["b"],
      remove_tags: ["a"],
    });
    expect(changed.json).toMatchObject({
      metadata: { description: "" },
      resources: { tags: [{ name: "b" }] },
    });
    expect((await editor.call("PUT", `${API}/${id}`, {})).json.metadata.description).toBe("");
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json.metadata).toBeNull();
    expect((await editor.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
    expect((await editor.call("DELETE", `${API}/${id}`)).status).toBe(404);
  });

  it("have names of their own in a project, and are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const given = { project, name: "once", tags: ["once"] };
    const first = await editor.call("POST", API, given, headers);
    expect((await editor.call("POST", API, given, headers)).json).toStrictEqual(first.json);
    const taken = await editor.post(API, given);
    expect([taken.status, taken.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
    const elsewhere = { ...given, project: await projectIdOf(server, "elsewhere") };
    expect((await stranger.post(API, elsewhere)).status).toBe(200);
    expect((await editor.post(API, { project, name: "x".repeat(256) })).status).toBe(422);
  });

  it("show their newest run, in lists too, and are found and ordered by it", async () => {
    const quiet = await made({ name: "run-quiet" });
    const { pipeline: first, snapshot } = await newSnapshot(editor, project, { name: "run-first" });
    const { pipeline: second, snapshot: other } = await newSnapshot(editor, project, { name: "run-second" });
    await newRun(editor, project, snapshot);
    await newRun(editor, project, other);
    const latest = await newRun(editor, project, snapshot);
    const { id: step } = await newStep(editor, project, latest.id, "one");
    await endStep(editor, step);
    const { items } = (await editor.get(`${API}?project=team&name=startswith:run-&sort_by=desc:latest_run`))
      .json;
    expect(items.map((one: Json) => [one.id, one.resources.latest_run_status])).toStrictEqual([
      [first, "completed"],
      [second, "running"],
      [quiet.id, null],
    ]);
    expect(items[0].resources).toMatchObject({ latest_run_id: latest.id, latest_run_user: { name: "ed" } });
    expect(await names("latest_run_status=running&name=startswith:run-")).toStrictEqual(["run-second"]);
    expect(await names("latest_run_user=ed&name=startswith:run-")).toStrictEqual(["run-first", "run-second"]);
    // The newest run counts besides, whatever else is enough.
    expect(await names("logical_operator=or&name=run-quiet&latest_run_status=completed")).toStrictEqual([]);
    expect(await names("sort_by=latest_run&name=startswith:run-")).toStrictEqual([
      "run-quiet",
      "run-second",
      "run-first",
    ]);
    expect((await editor.get(`${API}?project=team&sort_by=latest_run_status`)).status).toBe(422);
  });

  it("are listed by tags and names", async () => {
    await made({ name: "list-a", tags: ["list"] });
    await made({ name: "list-b" });
    expect(await names("tags=list")).toStrictEqual(["list-a"]);
    expect(await names("tag=list")).toStrictEqual(["list-a"]);
    expect(await names('name=oneof:["list-a","list-b"]&sort_by=desc:name')).toStrictEqual([
      "list-b",
      "list-a",
    ]);
  });

  it("go with their runs and snapshots, and all that is about them, but leave builds and schedules", async () => {
    const { pipeline, snapshot, stack } = await newSnapshot(editor, project, { name: "gone" });
    const runs = await Promise.all(
      Array.from({ length: 52 }, () => newRun(editor, project, snapshot, { tags: ["gone"] })),
    );
    const { id: step } = await newStep(editor, project, runs[0].id, "one");
    const about = [
      { id: runs[0].id, type: "pipeline_run" },
      { id: step, type: "step_run" },
    ];
    const logged = await editor.post("/api/v1/run-metadata", {
      project,
      resources: about,
      values: { loss: 1 },
      types: { loss: "int" },
    });
    expect(logged.status, logged.text).toBe(200);
    const build = await editor.post("/api/v1/pipeline_builds", {
      project,
      pipeline,
      stack,
      is_local: true,
      contains_code: false,
    });
    const schedule = await editor.post("/api/v1/schedules", {
      project,
      name: "gone",
      active: true,
      cron_expression: "* * * * *",
      orchestrator_id: null,
      pipeline_id: pipeline,
    });
    expect((await editor.call("DELETE", `${API}/${pipeline}`)).status).toBe(200);
    const gone = [`/runs/${runs[51].id}`, `/steps/${step}`, `/pipeline_snapshots/${snapshot}`];
    for (const path of gone) expect((await editor.get(`/api/v1${path}`)).status, path).toBe(404);
    const kept = [`/pipeline_builds/${build.json.id}`, `/schedules/${schedule.json.id}`];
    for (const path of kept) expect((await editor.get(`/api/v1${path}`)).status, path).toBe(200);
    const [left] = await server.database.prepared<{ links: number; values: number }>(
      {
        name: "test_left",
        text: `select (select count(*) from pipelines.tag_resources as l join pipelines.tags as t on t.id = l.tag_id
          where t.name = 'gone') as links, (select count(*) from pipelines.run_metadata where key = 'loss') as values`,
      },
      [],
    );
    expect(left).toStrictEqual({ links: 0, values: 0 });
  });

  it("are for those with a part in the project", async () => {
    const { id } = await made();
    expect((await viewer.post(API, { project, name: "no" })).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}`)).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { description: "x" })).status).toBe(403);
    expect((await stranger.post(API, { project, name: "no" })).status).toBe(404);
    const unknown = randomUUID();
    const hidden = await stranger.call("DELETE", `${API}/${id}`);
    expect(hidden.status).toBe(404);
    expect(hidden.text.replaceAll(id, unknown)).toBe(
      (await stranger.call("DELETE", `${API}/${unknown}`)).text,
    );
    expect((await editor.get(`${API}/no-id`)).status).toBe(422);
  });
});
