import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer, Json } from "../../../test/harness.ts";
import {
  getRun,
  newArtifactVersion,
  newRun,
  newSnapshot,
  newStep,
  projectIdOf,
} from "../../../test/pipelines.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });
const project = await projectIdOf(server, "team");
const API = "/api/v1/run_wait_conditions";
const dynamic = await newSnapshot(editor, project, { isDynamic: true, steps: {} });

afterAll(() => server[Symbol.asyncDispose]());

const waitFor = (run: string, more: object = {}): Promise<Answer> =>
  editor.post(API, { project, run, name: "ask", type: "external_input", question: "Go on?", ...more });
const lease = (id: string, mode: string): Promise<Answer> =>
  editor.call("PUT", `${API}/${id}`, {
    mode,
    poller_instance_id: "p1",
    poller_lease_expires_at: "2126-01-01T00:00:00",
  });
const resolve = (id: string, body: object): Promise<Answer> =>
  editor.call("PUT", `${API}/${id}/resolve`, body);
const stateOf = async (run: Json): Promise<Json> => (await getRun(editor, run.id)).body;

describe("a condition that a run waits for", () => {
  it("is asked for, waited for and answered", async () => {
    const run = await newRun(editor, project, dynamic.snapshot);
    const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
    const made = await waitFor(run.id, { data_schema: schema, metadata: { ratio: 0.5 } });
    expect(made.json, made.text).toMatchObject({
      name: "ask",
      body: { status: "pending", type: "external_input", resolved_at: null },
      metadata: { question: "Go on?", data_schema: schema, run_metadata: { ratio: 0.5 } },
      resources: { user: { name: "ed" }, run: { id: run.id } },
    });
    const { id } = made.json;
    expect((await waitFor(run.id, { data_schema: schema })).json.id).toBe(id);
    expect((await waitFor(run.id, { question: "What?" })).status).toBe(409);
    expect((await waitFor(run.id, { name: "second" })).status).toBe(403);
    expect((await getRun(editor, run.id)).resources.active_wait_condition).toMatchObject({ id });
    expect((await lease(id, "refresh")).json).toBe("pending");
    expect((await lease(id, "finalize")).json).toBe("pending");
    expect(await stateOf(run)).toMatchObject({ status: "paused", status_reason: "Waiting for input." });
    expect((await resolve(id, { resolution: "continue", result: { ok: "yes" } })).status).toBe(400);
    expect((await resolve(id, { resolution: "continue" })).status).toBe(400);
    const answered = await resolve(id, { resolution: "continue", result: { ok: true } });
    expect(answered.json).toMatchObject({
      body: { status: "resolved", resolved_by_user_id: made.json.body.user_id },
      metadata: { resolution: "continue", result: { ok: true } },
    });
    expect((await resolve(id, { resolution: "abort" })).status).toBe(403);
    expect(await stateOf(run)).toMatchObject({
      status: "paused",
      status_reason: "Waiting for manual resume.",
    });
    expect((await lease(id, "refresh")).json).toBe("resolved");
    expect((await getRun(editor, run.id)).resources.active_wait_condition).toBeNull();
  });

  it("ends the run when it is given up", async () => {
    const run = await newRun(editor, project, dynamic.snapshot);
    const { id } = (await waitFor(run.id)).json;
    await lease(id, "refresh");
    expect((await resolve(id, { resolution: "continue", result: 1 })).status).toBe(403);
    expect((await resolve(id, { resolution: "abort" })).status).toBe(200);
    expect(await stateOf(run)).toMatchObject({
      status: "stopped",
      status_reason: "Wait condition was aborted.",
    });
  });

  it("leaves the run alone while somebody polls for the answer", async () => {
    const run = await newRun(editor, project, dynamic.snapshot);
    const { id } = (await waitFor(run.id)).json;
    await lease(id, "refresh");
    await resolve(id, { resolution: "continue" });
    expect((await stateOf(run)).status).toBe("running");
    expect((await lease(id, "abandon")).json).toBe("resolved");
    expect((await stateOf(run)).status).toBe("paused");
  });

  it("is of dynamic pipelines, and for those with a part in the project", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    expect((await waitFor((await newRun(editor, project, snapshot)).id)).status).toBe(403);
    const run = await newRun(editor, project, dynamic.snapshot);
    const { id } = (await waitFor(run.id)).json;
    const list = await viewer.get(`${API}?project=team&pipeline_run=${run.name}&status=pending&hydrate=true`);
    expect(list.json.items.map((one: Json) => one.id)).toStrictEqual([id]);
    expect((await viewer.get(`${API}?project=team&resolved_by=ed`)).json.total).toBeGreaterThan(0);
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json.metadata).toBeNull();
    expect((await viewer.call("PUT", `${API}/${id}/resolve`, { resolution: "abort" })).status).toBe(403);
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
    expect((await waitFor(randomUUID())).status).toBe(404);
  });
});

describe("a hook", () => {
  const HOOKS = "/api/v1/hook_invocations";

  it("is recorded with what it made", async () => {
    const { snapshot } = await newSnapshot(editor, project);
    const run = await newRun(editor, project, snapshot);
    const step = await newStep(editor, project, run.id, "one");
    const [out, store] = [
      await newArtifactVersion(editor, project),
      (await editor.get("/api/v1/components?type=artifact_store")).json.items[0].id,
    ];
    const logs = (
      await editor.post("/api/v1/logs", {
        project,
        uri: "/h",
        source: "hook:x",
        artifact_store_id: store,
        step_run_id: step.id,
      })
    ).json.id;
    const body = {
      id: randomUUID(),
      project,
      hook_type: "step_success",
      name: "notify",
      status: "completed",
      start_time: "2026-11-21T05:30:00",
      source: "hooks.notify",
      pipeline_run_id: run.id,
      step_run_id: step.id,
      outputs: { sent: [out] },
      logs_id: logs,
    };
    const made = await editor.post(HOOKS, body);
    expect(made.json, made.text).toMatchObject({
      id: body.id,
      name: "notify",
      body: { hook_type: "step_success", status: "completed", step_run_id: step.id },
      metadata: { source: "hooks.notify", exception_info: null },
      resources: { outputs: { sent: [{ id: out }] }, log_collection: [{ id: logs }] },
    });
    expect((await editor.post(HOOKS, body)).json).toStrictEqual(made.json);
    expect((await editor.post(HOOKS, { ...body, id: randomUUID(), name: "1st" })).status).toBe(422);
    expect(
      (await editor.post(HOOKS, { ...body, id: randomUUID(), outputs: { x: [randomUUID()] } })).status,
    ).toBe(404);
    expect((await editor.post(HOOKS, { ...body, id: randomUUID(), step_run_id: randomUUID() })).status).toBe(
      404,
    );
    const list = await viewer.get(`${HOOKS}?project=team&pipeline_run_id=${run.id}&hook_type=step_success`);
    expect(list.json.items).toMatchObject([{ id: body.id, metadata: null }]);
    expect((await viewer.call("DELETE", `${HOOKS}/${body.id}`)).status).toBe(403);
    expect((await stranger.get(`${HOOKS}/${body.id}`)).status).toBe(404);
    expect((await editor.call("DELETE", `${HOOKS}/${body.id}`)).json).toBeNull();
    expect((await editor.get(`${HOOKS}/${body.id}`)).status).toBe(404);
  });
});
