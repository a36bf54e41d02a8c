import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { Json } from "../../../test/harness.ts";
import {
  endStep,
  getRun,
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
  runRequest,
} from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });
const project = await projectIdOf(server, "team");
const RUNS = "/api/v1/runs";
const old = { "user-agent": "zenml/0.84.0" };

afterAll(() => server[Symbol.asyncDispose]());

const items = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${RUNS}?project=team&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.name);
};

describe("a run", () => {
  it("is announced, and begun by whoever executes it", async () => {
    const { snapshot, pipeline } = await newSnapshot(editor, project);
    const announced = runRequest(project, snapshot, { status: "initializing", orchestrator_run_id: null });
    const [first, isNew] = (await editor.post(RUNS, announced)).json;
    expect([first.body.status, isNew, first.body.index]).toStrictEqual(["initializing", true, 1]);
    expect(first.resources).toMatchObject({ user: { name: "ed" }, pipeline: { id: pipeline } });
    const place = {
      orchestrator_run_id: "job-1",
      orchestrator_environment: { os: "linux", python_packages: [] },
    };
    const begin = runRequest(project, snapshot, { ...place, tags: ["nightly"] });
    const [second, replaced] = (await editor.post(RUNS, begin)).json;
    expect([second.id, replaced, second.name]).toStrictEqual([first.id, true, first.name]);
    expect(second).toMatchObject({
      body: { status: "running", in_progress: true },
      metadata: { orchestrator_run_id: "job-1", orchestrator_environment: { os: "linux" } },
      resources: { tags: [{ name: "nightly" }] },
    });
    const [third, again] = (await editor.post(RUNS, runRequest(project, snapshot, place))).json;
    expect([third.id, again]).toStrictEqual([first.id, false]);
    const other = { orchestrator_run_id: "job-2" };
    const [fourth, isOther] = (await editor.post(RUNS, runRequest(project, snapshot, other))).json;
    expect([isOther, fourth.body.index, fourth.id === first.id]).toStrictEqual([true, 2, false]);
  });

  it("has a name of its own in its project", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const run = await newRun(editor, project, snapshot, { name: "the-run" });
    const taken = await editor.post(RUNS, runRequest(project, snapshot, { name: run.name }));
    expect([taken.status, taken.json.detail[0]]).toStrictEqual([409, "EntityExistsError"]);
  });

  it("is made once by a request that is repeated, also when it takes another's place", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const repeat = async (body: object): Promise<[Json, Json]> => {
      const headers = { "idempotency-key": randomUUID() };
      const first = await editor.call("POST", RUNS, body, headers);
      const again = await editor.call("POST", RUNS, body, headers);
      expect([again.status, again.json]).toStrictEqual([200, first.json]);
      return first.json;
    };
    const [run] = await repeat(
      runRequest(project, snapshot, { status: "initializing", orchestrator_run_id: null }),
    );
    const [begun, created] = await repeat(runRequest(project, snapshot));
    expect([begun.id, created]).toStrictEqual([run.id, true]);
    expect((await editor.get(`${RUNS}?project=team&snapshot_id=${snapshot}`)).json.total).toBe(1);
  });

  it("is announced by clients of 0.84 with a deployment and logs", async () => {
    const { snapshot } = await newSnapshot(editor, project, { steps: { one: {} } });
    const store = (await editor.get("/api/v1/components?type=artifact_store")).json.items[0].id;
    const logs = { uri: "/logs/run.log", source: "client", artifact_store_id: store };
    const { snapshot: _snapshot, ...body } = runRequest(project, snapshot, { logs }) as { snapshot: string };
    const made = await editor.call("POST", RUNS, { ...body, deployment: snapshot }, old);
    expect(made.status, made.text).toBe(200);
    const [run] = made.json;
    expect(run).toMatchObject({
      body: { deployment_id: snapshot, pipeline: { body: {} }, stack: { name: "default" }, build: null },
      resources: { logs: { body: { uri: "/logs/run.log", source: "client" } }, log_collection: [{}] },
    });
    const missing = await editor.call("POST", RUNS, body, old);
    expect([missing.status, missing.json[0]]).toStrictEqual([422, "ValueError"]);
  });

  it("refuses what does not fit", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const status = async (more: object): Promise<number> =>
      (await editor.post(RUNS, runRequest(project, snapshot, more))).status;
    expect(await status({ status: "completed" })).toBe(422);
    expect(await status({ child_key: "a" })).toBe(422);
    expect(await status({ parent_run_id: randomUUID() })).toBe(422);
    expect(await status({ snapshot: randomUUID() })).toBe(404);
    expect(await status({ original_run_id: randomUUID() })).toBe(404);
    expect(await status({ logs: randomUUID() })).toBe(404);
    const own = await newSnapshot(root, await projectIdOf(server, "elsewhere"));
    expect(await status({ snapshot: own.snapshot })).toBe(404);
  });

  it("works on a version of the model that its pipeline names, its steps on the same", async () => {
    const model = { name: "model-{foo}", version: null };
    const { snapshot } = await newSnapshot(editor, project, {
      configuration: { model, substitutions: { foo: "bar" } },
      steps: { one: { config: { model } } },
    });
    const run = await newRun(editor, project, snapshot);
    expect(run.resources.model_version).toMatchObject({ name: "1", body: { model: { name: "model-bar" } } });
    const step = await newStep(editor, project, run.id, "one");
    expect(step.body.model_version_id).toBe(run.resources.model_version.id);
    const next = await newRun(editor, project, snapshot);
    expect(next.resources.model_version.name).toBe("2");
    expect(await items("model=model-bar")).toStrictEqual([run.name, next.name]);
    const fixed = await newSnapshot(editor, project, {
      configuration: { model: { name: "model-bar", version: "9" } },
    });
    expect((await editor.post(RUNS, runRequest(project, fixed.snapshot))).status).toBe(404);
  });

  it("is told its state by the client where its pipeline is dynamic", async () => {
    const { snapshot } = await newSnapshot(editor, project, { isDynamic: true, steps: {} });
    const run = await newRun(editor, project, snapshot, {
      status: "initializing",
      orchestrator_run_id: null,
    });
    const put = (body: object): Promise<Json> => editor.call("PUT", `${RUNS}/${run.id}`, body);
    expect((await put({ orchestrator_run_id: "here" })).json.metadata.orchestrator_run_id).toBe("here");
    expect((await put({ orchestrator_run_id: "there" })).status).toBe(403);
    expect((await put({ status: "provisioning" })).json.body.status).toBe("provisioning");
    expect((await put({ status: "running" })).json.body.status).toBe("running");
    expect((await put({ status: "provisioning" })).json.body.status).toBe("running");
    expect((await put({ status: "resuming" })).status).toBe(403);
    const paused = (await put({ status: "paused", status_reason: "waits" })).json;
    expect(paused.body).toMatchObject({ status: "paused", status_reason: "waits", in_progress: true });
    expect((await editor.call("GET", `${RUNS}/${run.id}`, undefined, old)).json.body.status).toBe("running");
    expect((await put({ status: "resuming" })).json.body).toMatchObject({
      status: "resuming",
      status_reason: null,
    });
    const output = await newArtifactVersion(editor, project, "result");
    expect((await put({ outputs: { sum: randomUUID() } })).status).toBe(404);
    const done = (await put({ status: "completed", outputs: { sum: output } })).json;
    expect(done).toMatchObject({
      body: { status: "completed", in_progress: false },
      resources: { outputs: { sum: { id: output } } },
    });
    expect(done.metadata.end_time).not.toBeNull();
    expect((await put({ status: "running" })).status).toBe(403);
    expect((await put({ status: "cached" })).status).toBe(403);
  });

  it("has children, and roots are listed apart", async () => {
    const { snapshot } = await newSnapshot(editor, project, { isDynamic: true, steps: {} });
    const parent = await newRun(editor, project, snapshot);
    const child = await newRun(editor, project, snapshot, { parent_run_id: parent.id, child_key: "a" });
    expect(child).toMatchObject({
      body: { root_run_id: parent.id, child_key: "a" },
      resources: { parent_run: { id: parent.id } },
    });
    const twice = runRequest(project, snapshot, { parent_run_id: parent.id, child_key: "a" });
    expect((await editor.post(RUNS, twice)).status).toBe(409);
    expect(await items(`snapshot_id=${snapshot}&root_runs_only=true`)).toStrictEqual([parent.name]);
    expect(await items(`parent_run_id=${parent.id}`)).toStrictEqual([child.name]);
    expect((await editor.call("DELETE", `${RUNS}/${parent.id}`)).status).toBe(200);
    expect((await getRun(editor, child.id)).body.root_run_id).toBeNull();
  });

  it("takes its steps, tags and values along when it is deleted", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const run = await newRun(editor, project, snapshot, { tags: ["gone"] });
    const step = await newStep(editor, project, run.id, "one");
    await editor.call("PUT", `${RUNS}/${run.id}`, { add_tags: ["more"], remove_tags: ["gone"] });
    expect((await getRun(editor, run.id)).resources.tags.map((tag: Json) => tag.name)).toStrictEqual([
      "more",
    ]);
    expect((await editor.call("DELETE", `${RUNS}/${run.id}`)).json).toBeNull();
    expect((await editor.get(`${RUNS}/${run.id}`)).status).toBe(404);
    expect((await editor.get(`/api/v1/steps/${step.id}`)).status).toBe(404);
    const [links] = await server.database.prepared<{ count: number }>(
      {
        name: "test_tag_links",
        text: "select count(*) as count from pipelines.tag_resources where resource_id = $1",
      },
      [run.id],
    );
    expect(links?.count).toBe(0);
  });

  it("is stopped: its steps hear of it", async () => {
    const { snapshot } = await newSnapshot(editor, project, { steps: { one: {}, two: {} } });
    const run = await newRun(editor, project, snapshot);
    const step = await newStep(editor, project, run.id, "one");
    expect((await editor.post(`${RUNS}/${run.id}/stop`, {})).status).toBe(501);
    expect((await getRun(editor, run.id)).body).toMatchObject({
      status: "stopping",
      status_reason: "Manual stop requested.",
    });
    expect((await editor.post(`${RUNS}/${run.id}/stop`, {})).status).toBe(403);
    const heartbeat = await editor.call("PUT", `/api/v1/steps/${step.id}/heartbeat`);
    expect(heartbeat.json).toMatchObject({ status: "running", pipeline_run_status: "stopping" });
    await endStep(editor, step.id, { status: "stopped" });
    expect((await getRun(editor, run.id)).body).toMatchObject({
      status: "stopped",
      in_progress: false,
      status_reason: "Manual stop requested.",
    });
  });

  it("is for those with a part in its project", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const run = await newRun(editor, project, snapshot);
    const path = `${RUNS}/${run.id}`;
    expect((await viewer.get(path)).status).toBe(200);
    for (const part of ["status", "dag", "steps", "pipeline-configuration"]) {
      expect((await viewer.get(`${path}/${part}`)).status, part).toBe(200);
      expect((await stranger.get(`${path}/${part}`)).status, part).toBe(404);
    }
    expect((await viewer.call("PUT", path, { status: "failed" })).status).toBe(403);
    expect((await viewer.call("DELETE", path)).status).toBe(403);
    expect((await viewer.post(RUNS, runRequest(project, snapshot))).status).toBe(403);
    expect((await stranger.post(RUNS, runRequest(project, snapshot))).status).toBe(404);
    for (const answer of [await stranger.call("PUT", path, {}), await stranger.get(path)]) {
      expect(answer.text).toContain(`No pipeline run with this ID found`);
    }
    expect((await editor.get(`${path}/events/stream`)).status).toBe(501);
    expect((await editor.post(`${path}/refresh`, {})).status).toBe(501);
  });

  it("is listed by what it is of", async () => {
    const name = `listed-${randomUUID()}`;
    const { snapshot, pipeline, stack } = await newSnapshot(editor, project, { name });
    const one = await newRun(editor, project, snapshot, { tags: ["blue"], name: `${name}-1` });
    const two = await newRun(editor, project, snapshot, { name: `${name}-2` });
    const step = await newStep(editor, project, two.id, "one");
    await endStep(editor, step.id);
    const of = (query: string): Promise<string[]> => items(`pipeline=${name}&${query}`);
    expect(await of("sort_by=desc:created")).toStrictEqual([two.name, one.name]);
    expect(await of("status=completed")).toStrictEqual([two.name]);
    expect(await of("in_progress=true")).toStrictEqual([one.name]);
    expect(await of("tag=blue")).toStrictEqual([one.name]);
    expect(await of("index=gt:1")).toStrictEqual([two.name]);
    expect(await of(`stack=default&stack_id=${stack}`)).toHaveLength(2);
    expect(await of("stack_component=default")).toHaveLength(2);
    expect(await of("stack_component=other")).toStrictEqual([]);
    expect(await of(`pipeline_id=${pipeline}&pipeline_name=startswith:listed`)).toHaveLength(2);
    expect(await of(`deployment_id=${snapshot}`)).toHaveLength(2);
    expect(await of("templatable=false")).toHaveLength(2);
    expect(await of("templatable=true")).toStrictEqual([]);
    expect(await of("unlisted=true")).toStrictEqual([]);
    expect(await of("name=endswith:-2&user=ed")).toStrictEqual([two.name]);
    for (const field of ["stack", "pipeline", "model", "model_version", "user", "tags", "end_time"]) {
      expect(await of(`sort_by=desc:${field}`), field).toHaveLength(2);
    }
    for (const field of [
      "schedule_id",
      "build_id",
      "template_id",
      "code_repository",
      "code_repository_id",
      "trigger_id",
    ]) {
      expect(await of(`${field}=${randomUUID()}`), field).toStrictEqual([]);
    }
    const page = await editor.get(`${RUNS}?project=team&size=2`);
    expect(page.json.total).toBeGreaterThan(10);
    expect(page.json.items[0].metadata).toBeNull();
    const own = await root.get(`${RUNS}?project=elsewhere`);
    expect(own.json.total).toBe(0);
  });

  it("is shown with all that was logged about its steps, if that is asked for", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const run = await newRun(editor, project, snapshot);
    const step = await newStep(editor, project, run.id, "one");
    const log = (type: string, id: string, value: string): Promise<Json> =>
      editor.call(
        "POST",
        "/api/v1/run-metadata",
        `{"project":"${project}","resources":[{"id":"${id}","type":"${type}"}],"values":{"acc":${value}},"types":{"acc":"float"}}`,
        { "content-type": "application/json" },
      );
    expect((await log("pipeline_run", run.id, "1.0")).status).toBe(200);
    expect((await log("step_run", step.id, "0.5")).status).toBe(200);
    const full = await editor.get(`${RUNS}/${run.id}?include_full_metadata=true`);
    expect(full.text).toContain('"run_metadata":{"acc":1.0,"one::acc":0.5}');
    expect((await getRun(editor, run.id)).metadata.run_metadata).toStrictEqual({ acc: 1 });
  });
});
