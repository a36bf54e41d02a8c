import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startTestServer, type Json } from "../../../test/harness.ts";
import {
  endStep,
  getRun,
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
  stepOf,
  stepRequest,
} from "../../../test/pipelines.ts";

const server = await startTestServer();
const project = await projectIdOf(server);
const STEPS = "/api/v1/steps";
const old = { "user-agent": "zenml/0.84.0" };
const store = (await server.get("/api/v1/components?type=artifact_store")).json.items[0].id;

afterAll(() => server[Symbol.asyncDispose]());

const put = (id: string, body: object, headers = {}): ReturnType<typeof server.call> =>
  server.call("PUT", `${STEPS}/${id}`, body, headers);
const statusOf = async (run: string): Promise<string> => (await getRun(server, run)).body.status;
const chain = { one: {}, two: { upstream: ["one"] }, three: { upstream: ["two"] }, apart: {} };

describe("a step", () => {
  it("follows what its snapshot says, and its run follows it", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      steps: { one: {}, two: { upstream: ["one"], inputs: { x: { step_name: "one", output_name: "out" } } } },
      configuration: { substitutions: { foo: "bar" }, extra: { team: "a" } },
    });
    const run = await newRun(server, project, snapshot);
    const one = await newStep(server, project, run.id, "one");
    const out = await newArtifactVersion(server, project, "out");
    const ended = await endStep(server, one.id, { outputs: { out: [out] } });
    expect(ended).toMatchObject({
      body: { status: "completed", end_time: "2026-11-21T05:31:00", version: 1, is_retriable: false },
      resources: { outputs: { out: [{ id: out }] } },
    });
    expect(await statusOf(run.id)).toBe("running");
    const two = await newStep(server, project, run.id, "two", { inputs: { x: [out] } });
    expect(two).toMatchObject({
      body: { substitutions: { foo: "bar", date: "2026_11_21", time: "05_29_59_487996" } },
      metadata: {
        snapshot_id: snapshot,
        deployment_id: snapshot,
        parent_step_ids: [one.id],
        config: { extra: { team: "a" }, substitutions: { foo: "bar", date: "2026_11_21" } },
        spec: { invocation_id: "two", pipeline_parameter_name: "two" },
      },
      resources: { inputs: { x: [{ id: out, input_type: "step_output", index: 0 }] } },
    });
    await endStep(server, two.id);
    expect((await getRun(server, run.id)).body).toMatchObject({ status: "completed", in_progress: false });
    const configuration = await server.get(`${STEPS}/${two.id}/step-configuration`);
    expect(configuration.json.substitutions.date).toBe("2026_11_21");
    expect((await server.get(`${STEPS}/${two.id}/status`)).json).toBe("completed");
  });

  it("is refused where its run or its snapshot has no place for it", async () => {
    const { snapshot } = await newSnapshot(server, project);
    const run = await newRun(server, project, snapshot);
    const status = async (name: string, more: object = {}): Promise<number> =>
      (await server.post(STEPS, stepRequest(project, run.id, name, more))).status;
    expect(await status("unknown")).toBe(404);
    expect(await status("one", { pipeline_run_id: randomUUID() })).toBe(404);
    expect(await status("one", { status: "retrying" })).toBe(403);
    expect(await status("one", { inputs: { x: [randomUUID()] } })).toBe(404);
    expect(await status("one", { original_step_run_id: randomUUID() })).toBe(404);
    expect(await status("one", { dynamic_config: stepOf("one") })).toBe(403);
    expect(await status("one")).toBe(200);
    expect(await status("one")).toBe(409);
    await server.call("PUT", `/api/v1/runs/${run.id}`, { status: "stopping" });
    expect(await status("one")).toBe(403);
  });

  it("is tried again as often as is configured", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      steps: { one: { config: { retry: { max_retries: 1, delay: 0, backoff: 1 } } } },
    });
    const run = await newRun(server, project, snapshot);
    const first = await newStep(server, project, run.id, "one");
    expect(first.body.is_retriable).toBe(true);
    const failed = await endStep(server, first.id, {
      status: "failed",
      exception_info: { traceback: "here", message: "no" },
    });
    expect(failed).toMatchObject({
      body: { status: "retrying" },
      metadata: { exception_info: { traceback: "here", source: null } },
    });
    expect(await statusOf(run.id)).toBe("running");
    const second = await newStep(server, project, run.id, "one");
    expect(second.body).toMatchObject({ version: 2, is_retriable: false, status: "running" });
    expect((await server.get(`${STEPS}/${first.id}`)).json.body.status).toBe("retried");
    expect((await put(first.id, { status: "completed" })).status).toBe(403);
    expect((await endStep(server, second.id, { status: "failed" })).body.status).toBe("failed");
    expect((await server.post(STEPS, stepRequest(project, run.id, "one"))).status).toBe(409);
    expect((await getRun(server, run.id)).body).toMatchObject({ status: "failed", in_progress: false });
    const shown = await server.get(`${STEPS}?project=default&pipeline_run_id=${run.id}&exclude_retried=true`);
    expect(shown.json.items.map((one: Json) => one.id)).toStrictEqual([second.id]);
  });

  it("that fails lets others go on, if its pipeline says so", async () => {
    const { snapshot } = await newSnapshot(server, project, { steps: chain });
    const run = await newRun(server, project, snapshot);
    const one = await newStep(server, project, run.id, "one");
    await endStep(server, one.id, { status: "failed" });
    expect((await getRun(server, run.id)).body).toMatchObject({ status: "failed", in_progress: true });
    const apart = await newStep(server, project, run.id, "apart");
    await endStep(server, apart.id);
    const over = await getRun(server, run.id);
    expect(over.body).toMatchObject({ status: "failed", in_progress: false });
    expect(over.metadata.end_time).not.toBeNull();
    const fast = await newSnapshot(server, project, {
      steps: chain,
      configuration: { execution_mode: "stop_on_failure" },
    });
    const strict = await newRun(server, project, fast.snapshot);
    await endStep(server, (await newStep(server, project, strict.id, "one")).id, { status: "failed" });
    expect((await getRun(server, strict.id)).body).toMatchObject({ status: "failed", in_progress: false });
    expect((await server.post(STEPS, stepRequest(project, strict.id, "apart"))).status).toBe(403);
  });

  it("takes its result from the cache, with what was logged about it", async () => {
    const key = randomUUID().replaceAll("-", "");
    const { snapshot } = await newSnapshot(server, project, {
      configuration: { tags: [{ name: "cascaded", cascade: true }] },
    });
    const run = await newRun(server, project, snapshot);
    const first = await newStep(server, project, run.id, "one", { cache_key: key });
    const [out, loaded] = [
      await newArtifactVersion(server, project),
      await newArtifactVersion(server, project),
    ];
    await server.post("/api/v1/run-metadata", {
      project,
      resources: [{ id: first.id, type: "step_run" }],
      values: { acc: 0.5 },
      types: { acc: "float" },
      publisher_step_id: first.id,
    });
    await endStep(server, first.id, { outputs: { out: [out] }, loaded_artifact_versions: { data: loaded } });
    const query = `project=${project}&cache_key=${key}&status=completed&cache_expired=false&sort_by=desc:created&size=1&hydrate=true`;
    const [found] = (await server.get(`${STEPS}?${query}`)).json.items;
    expect(found).toMatchObject({
      id: first.id,
      metadata: { cache_key: key, config: { name: "one" }, run_metadata: { acc: 0.5 } },
      resources: { inputs: { data: [{ id: loaded, input_type: "manual" }] } },
    });
    const next = await newRun(server, project, snapshot, {
      status: "initializing",
      orchestrator_run_id: null,
    });
    const cached = await newStep(server, project, next.id, "one", {
      status: "cached",
      original_step_run_id: first.id,
      outputs: { out: [out] },
      inputs: { data: [loaded] },
      end_time: "2026-11-21T05:30:00.5",
    });
    expect(cached).toMatchObject({
      body: { status: "cached" },
      metadata: { original_step_run_id: first.id, run_metadata: { acc: 0.5 } },
      resources: { outputs: { out: [{ id: out }] }, inputs: { data: [{ input_type: "manual" }] } },
    });
    expect((await getRun(server, next.id)).body).toMatchObject({ status: "completed", in_progress: false });
    const version = await server.get(`/api/v1/artifact_versions/${out}`);
    expect(version.json.resources.tags.map((tag: Json) => tag.name)).toContain("cascaded");
    const expired = await put(first.id, { cache_expires_at: "2020-01-01T00:00:00" });
    expect(expired.json.metadata.cache_expires_at).toBe("2020-01-01T00:00:00");
    expect((await server.get(`${STEPS}?${query}`)).json.total).toBe(0);
    expect((await server.get(`${STEPS}?${query.replace("expired=false", "expired=true")}`)).json.total).toBe(
      1,
    );
  });

  it("is made up by dynamic pipelines", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      isDynamic: true,
      steps: {},
      configuration: { extra: { a: 1 }, success_hook_source: "hooks.done" },
    });
    const run = await newRun(server, project, snapshot);
    const dynamic = stepOf("inc_2", {
      config: { extra: { b: 2 }, substitutions: { own: "x" }, step_type: "tool_call" },
    });
    const made = await newStep(server, project, run.id, "inc_2", { dynamic_config: dynamic });
    expect(made).toMatchObject({
      body: { type: "tool_call", substitutions: { own: "x", date: "2026_11_21" } },
      metadata: { config: { extra: { a: 1, b: 2 }, success_hook_source: null } },
    });
    await endStep(server, made.id, { status: "failed" });
    expect(await statusOf(run.id)).toBe("running");
  });

  it("is changed once by a request that is repeated", async () => {
    const { snapshot } = await newSnapshot(server, project, { steps: { one: {}, two: {} } });
    const run = await newRun(server, project, snapshot);
    const headers = { "idempotency-key": randomUUID() };
    const body = stepRequest(project, run.id, "one", {
      logs: { uri: "/x", source: "execution", artifact_store_id: store },
    });
    const first = await server.call("POST", STEPS, body, { ...headers, ...old });
    const again = await server.call("POST", STEPS, body, { ...headers, ...old });
    expect([again.status, again.json]).toStrictEqual([200, first.json]);
    expect(again.json.metadata.logs.body).toMatchObject({ uri: "/x", source: "execution" });
    const end = { status: "completed", end_time: "2026-11-21T05:31:00" };
    const ended = await put(first.json.id, end, headers);
    const repeated = await put(first.json.id, end, headers);
    expect([repeated.status, repeated.json]).toStrictEqual([200, ended.json]);
    expect((await put(first.json.id, end)).status).toBe(403);
  });

  it("links logs that are there, which belong to nothing else", async () => {
    const { snapshot } = await newSnapshot(server, project, { steps: { one: {}, two: {} } });
    const run = await newRun(server, project, snapshot);
    const logs = randomUUID();
    await server.post("/api/v1/logs", {
      project,
      id: logs,
      uri: "/logs",
      source: "prepare_step",
      artifact_store_id: store,
    });
    const one = await newStep(server, project, run.id, "one", { logs });
    expect(one.resources.log_collection).toMatchObject([
      { id: logs, body: { step_run_id: one.id, project_id: project } },
    ]);
    expect((await server.post(STEPS, stepRequest(project, run.id, "two", { logs }))).status).toBe(403);
  });

  it("gives signs of life until it is finished", async () => {
    const { snapshot } = await newSnapshot(server, project, {
      steps: { one: { spec: { enable_heartbeat: true }, config: { heartbeat_healthy_threshold: 15 } } },
    });
    const run = await newRun(server, project, snapshot);
    const step = await newStep(server, project, run.id, "one");
    expect(step.body.heartbeat_threshold).toBe(15);
    const beat = await server.call("PUT", `${STEPS}/${step.id}/heartbeat`, {});
    expect(beat.json).toMatchObject({
      id: step.id,
      status: "running",
      pipeline_run_status: "running",
      heartbeat_enabled: true,
      latest_heartbeat: expect.stringMatching(/Z$/),
    });
    expect((await server.call("PUT", `/api/v1/runs/${run.id}/disable_heartbeat`)).json).toBeNull();
    expect((await server.get(`${STEPS}/${step.id}`)).json.body.heartbeat_threshold).toBeNull();
    await endStep(server, step.id);
    expect((await server.call("PUT", `${STEPS}/${step.id}/heartbeat`)).status).toBe(403);
    expect((await server.call("PUT", `${STEPS}/${randomUUID()}/heartbeat`)).status).toBe(404);
  });

  it("of the new states is called as 0.84 knows them", async () => {
    const { snapshot } = await newSnapshot(server, project, { steps: { one: {}, two: {} } });
    const run = await newRun(server, project, snapshot);
    const step = await newStep(server, project, run.id, "one", { status: "skipped" });
    const shown = await server.call("GET", `${STEPS}/${step.id}`, undefined, old);
    expect([step.body.status, shown.json.body.status]).toStrictEqual(["skipped", "cached"]);
  });
});

describe("steps that end at once", () => {
  it("leave their run in the state that follows from all of them", async () => {
    const names = Array.from({ length: 50 }, (_one, at) => `step-${at}`);
    const { snapshot } = await newSnapshot(server, project, {
      steps: Object.fromEntries(names.map((name) => [name, {}])),
    });
    const run = await newRun(server, project, snapshot);
    const steps = await Promise.all(names.map((name) => newStep(server, project, run.id, name)));
    expect(await statusOf(run.id)).toBe("running");
    await Promise.all(steps.map(({ id }) => endStep(server, id)));
    const page = await server.get(`/api/v1/runs/${run.id}/steps?size=100`);
    expect([page.json.total, new Set(page.json.items.map((one: Json) => one.name)).size]).toStrictEqual([
      50, 50,
    ]);
    expect((await getRun(server, run.id)).body).toMatchObject({ status: "completed", in_progress: false });
  });

  it("are one, where several begin the same", async () => {
    const { snapshot } = await newSnapshot(server, project, { steps: { one: {} } });
    const run = await newRun(server, project, snapshot);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.post(STEPS, stepRequest(project, run.id, "one"))),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toStrictEqual([
      200,
      ...Array<number>(7).fill(409),
    ]);
  });

  it("belong to one run, where several begin it", async () => {
    const { snapshot } = await newSnapshot(server, project);
    const place = { orchestrator_run_id: randomUUID() };
    const runs = await Promise.all(Array.from({ length: 8 }, () => newRun(server, project, snapshot, place)));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
  });
});
