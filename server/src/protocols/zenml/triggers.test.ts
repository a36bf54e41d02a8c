import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Answer, type Json } from "../../../test/harness.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });
const project = (await root.get("/api/v1/projects/team")).json.id as string;

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/triggers";
let count = 0;

async function insert(table: string, columns: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  const all = { id, created: 1, updated: 1, ...columns };
  const values = Object.keys(all).map((_name, at) => `$${at + 1}`);
  const text = `insert into pipelines.${table} (${Object.keys(all).join(", ")}) values (${values.join(", ")})`;
  await server.database.prepared({ name: `test_insert_${(count += 1)}`, text }, Object.values(all));
  return id;
}

const pipeline = await insert("pipelines", { workspace_id: 2, name: "train" });

/** A snapshot with an image for a stack of one orchestrator. */
async function snapshot(name: string | null, flavor = "kubeflow"): Promise<string> {
  const component = await insert("components", {
    name: randomUUID(),
    type: "orchestrator",
    flavor_name: flavor,
    configuration_json: "{}",
  });
  const stack = await insert("stacks", { name: randomUUID() });
  await server.database.prepared(
    { name: `test_link_${(count += 1)}`, text: "insert into pipelines.stack_components values ($1, $2, 0)" },
    [stack, component],
  );
  const build = await insert("builds", {
    workspace_id: 2,
    pipeline_id: pipeline,
    stack_id: stack,
    images_json: "{}",
    is_local: false,
    contains_code: true,
  });
  const id = await insert("snapshots", {
    workspace_id: 2,
    name,
    pipeline_id: pipeline,
    stack_id: stack,
    build_id: build,
    step_count: 1,
    run_name_template: "run",
    pipeline_configuration_json: '{"name": "train"}',
    client_environment_json: "{}",
  });
  await server.database.prepared(
    {
      name: `test_step_${(count += 1)}`,
      text: `insert into pipelines.snapshot_steps (snapshot_id, name, position, upstream_steps, spec_json, overrides_json,
        config_json) values ($1, 'step', 0, '{}', '{"upstream_steps": []}', '{"name": "step"}', '{"name": "step"}')`,
    },
    [id],
  );
  return id;
}

const schedule = (name: string, about: object = { cron_expression: "0 4 * * *" }): Promise<Answer> =>
  editor.post(API, { type: "schedule", project, name, ...about });
const made = async (name: string, about?: object): Promise<Json> => {
  const answer = await schedule(name, about);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

describe("triggers by time", () => {
  it("are made, changed, archived and deleted", async () => {
    const trigger = await made("nightly");
    expect(trigger).toMatchObject({
      body: {
        name: "nightly",
        type: "schedule",
        flavor: "native schedule",
        active: true,
        concurrency: "skip",
        is_archived: false,
        cron_expression: "0 4 * * *",
        interval: null,
        max_runs: null,
        next_occurrence: expect.stringMatching(/T04:00:00/),
      },
      metadata: {},
      resources: {
        user: { name: "ed" },
        snapshots: [],
        executable_snapshots: [],
        latest_run: null,
        webhook: null,
      },
    });
    const path = `${API}/${trigger.id}`;
    const start = "2040-01-01T00:00:30";
    const hourly = { type: "schedule", name: "hourly", interval: 3600, start_time: start, active: false };
    expect((await editor.call("PUT", path, hourly)).json.body).toMatchObject({
      interval: 3600,
      cron_expression: null,
      active: false,
      next_occurrence: null,
    });
    const on = (await editor.call("PUT", path, { ...hourly, active: true, concurrency: "submit" })).json.body;
    expect(on).toMatchObject({ concurrency: "submit", start_time: "2040-01-01T00:00:30" });
    expect(on.next_occurrence).toMatch(/^2040-01-01T00:00:30/);
    const { active: _active, ...silent } = hourly;
    expect((await editor.call("PUT", path, silent)).json.body).toMatchObject({
      active: true,
      concurrency: "submit",
    });
    expect((await editor.call("DELETE", path)).text).toBe("null");
    const gone = (await editor.get(path)).json;
    expect(gone.body.name).toMatch(/^hourly_\([0-9a-f]{8}\)$/);
    expect(gone.body).toMatchObject({ is_archived: true, active: false });
    for (const refused of [await editor.call("DELETE", path), await editor.call("PUT", path, hourly)]) {
      expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    }
    expect((await editor.call("DELETE", `${path}?soft=false`)).status).toBe(200);
    expect((await editor.get(path)).status).toBe(404);
  });

  it("are when it is said, or at a next time of an interval that began before", async () => {
    const once = await made("once", { run_once_start_time: "2039-05-06T07:08:09" });
    expect(once.body.next_occurrence).toMatch(/^2039-05-06T07:08:09/);
    const since = await made("since", { interval: 600, start_time: "2020-01-01T00:00:00" });
    expect(since.body.next_occurrence).toMatch(/:\d0:00/);
    expect(Date.parse(`${since.body.next_occurrence}Z`)).toBeGreaterThan(Date.now());
  });

  it("say one way of being next, and one that there is", async () => {
    const bad: [object, number][] = [
      [{}, 422],
      [{ cron_expression: "* * * * *", interval: 60, start_time: "2030-01-01T00:00:00" }, 422],
      [{ interval: 60 }, 422],
      [{ interval: 5, start_time: "2030-01-01T00:00:00" }, 422],
      [
        { cron_expression: "* * * * *", start_time: "2030-01-02T00:00:00", end_time: "2030-01-01T00:00:00" },
        422,
      ],
      [{ cron_expression: "* * * * *", max_runs: 0 }, 422],
      [{ cron_expression: "every day" }, 422],
      [{ cron_expression: "0 0 31 4 *" }, 422],
    ];
    for (const [about, status] of bad) {
      expect([about, (await schedule("bad", about)).status]).toStrictEqual([about, status]);
    }
    expect((await editor.post(API, { project, name: "typeless" })).status).toBe(422);
    await made("taken");
    expect((await schedule("taken")).status).toBe(409);
  });

  it("are listed with filters, archived ones apart", async () => {
    const kept = await made("list-a");
    const archived = await made("list-b");
    await editor.call("DELETE", `${API}/${archived.id}`);
    const names = async (query: string): Promise<string[]> =>
      (await viewer.get(`${API}?project=team&name=startswith:list-&${query}`)).json.items.map(
        (one: { body: { name: string } }) => one.body.name,
      );
    expect(await names("")).toStrictEqual(["list-a"]);
    expect(await names("type=schedule&flavor=native%20schedule&active=true&concurrency=skip")).toStrictEqual([
      "list-a",
    ]);
    expect(await names("type=webhook")).toStrictEqual([]);
    expect(await names("type=webhook&type=schedule&logical_operator=or")).toStrictEqual(["list-a"]);
    for (const filter of ["pipeline_id", "snapshot_id"]) {
      expect((await viewer.get(`${API}?project=team&${filter}=nothing`)).status).toBe(400);
    }
    expect(await names("is_archived=true")).toStrictEqual([expect.stringMatching(/^list-b_/)]);
    expect(await names("next_occurrence=gt:2020-01-01 00:00:00")).toStrictEqual(["list-a"]);
    expect((await viewer.call("DELETE", `${API}/${kept.id}`)).status).toBe(403);
    expect((await stranger.get(`${API}/${kept.id}`)).status).toBe(404);
    const old = await editor.call("GET", `${API}?project=team`, undefined, { "user-agent": "zenml/0.84.0" });
    expect([old.status, old.json]).toStrictEqual([404, { detail: "Not Found" }]);
  });
});

describe("triggers by what happens", () => {
  it("name an entity of their project and events that it has", async () => {
    const of = (source_entity: object, target_events: string[]): Promise<Answer> =>
      editor.post(API, {
        type: "platform_event",
        project,
        name: `of-${(count += 1)}`,
        source_entity,
        target_events,
      });
    const ok = await of({ type: "pipeline", id: pipeline }, ["run_completed"]);
    expect(ok.json.body, ok.text).toMatchObject({
      type: "platform_event",
      flavor: "platform event",
      source_entity: { type: "pipeline", id: pipeline },
      target_events: ["run_completed"],
    });
    expect((await of({ type: "pipeline", id: pipeline }, ["completed"])).status).toBe(422);
    expect((await of({ type: "pipeline", id: pipeline }, [])).status).toBe(422);
    expect((await of({ type: "pipeline", id: randomUUID() }, ["run_failed"])).status).toBe(404);
    const other = { type: "schedule", name: "x", cron_expression: "* * * * *" };
    expect((await editor.call("PUT", `${API}/${ok.json.id}`, other)).json.detail[0]).toBe(
      "IllegalOperationError",
    );
    const events = await server.get("/api/v1/supported-events?source_type=pipeline_run");
    expect(events.json.map((one: { value: string }) => one.value)).toStrictEqual(["completed", "failed"]);
    expect((await server.get("/api/v1/supported-events")).status).toBe(422);
  });
});

describe("snapshots of triggers", () => {
  const attach = (trigger: string, id: string, headers = {}): Promise<Answer> =>
    editor.call("PUT", `${API}/${trigger}/pipeline_snapshots/${id}`, {}, headers);

  it("are attached as copies that stay, replaced and detached", async () => {
    const { id } = await made("with snapshots");
    const source = await snapshot("release");
    const headers = { "idempotency-key": randomUUID() };
    expect((await attach(id, source, headers)).text).toBe("null");
    expect((await attach(id, source, headers)).status).toBe(200);
    const { snapshots, executable_snapshots: executable } = (await editor.get(`${API}/${id}`)).json.resources;
    expect(snapshots).toMatchObject([{ id: source, name: "release" }]);
    expect(executable).toHaveLength(1);
    expect(executable[0].id).not.toBe(source);
    const steps = await server.database.prepared(
      { name: "test_steps", text: "select name from pipelines.snapshot_steps where snapshot_id = $1" },
      [executable[0].id],
    );
    expect(steps).toStrictEqual([{ name: "step" }]);
    const again = await attach(id, source);
    expect([again.status, again.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect((await attach(id, `${source}?allow_replace=true`)).status).toBe(200);
    for (const filter of [`snapshot_id=${source}`, `pipeline_id=${pipeline}`]) {
      expect((await editor.get(`${API}?project=team&${filter}`)).json.items[0].id).toBe(id);
    }
    const path = `${API}/${id}/pipeline_snapshots/${source}`;
    expect((await editor.call("DELETE", path)).status).toBe(200);
    expect((await editor.call("DELETE", path)).json.detail[0]).toBe("KeyError");
    expect((await editor.get(`${API}/${id}`)).json.resources.snapshots).toStrictEqual([]);
  });

  it("are such that a server could run", async () => {
    const { id } = await made("picky");
    const status = async (of: string): Promise<unknown[]> => {
      const answer = await attach(id, of);
      return [answer.status, answer.json?.detail?.[0]];
    };
    expect(await status(await snapshot(null))).toStrictEqual([403, "IllegalOperationError"]);
    expect(await status(await snapshot("at home", "local"))).toStrictEqual([400, "ValueError"]);
    expect(await status(randomUUID())).toStrictEqual([404, "KeyError"]);
    const errors = `${API}/${id}/dispatch_state?snapshot_id=`;
    expect((await editor.call("DELETE", `${errors}nothing`)).status).toBe(422);
    expect((await editor.call("DELETE", `${errors}${randomUUID()}`)).status).toBe(404);
  });

  it("forget what went wrong when they were to be run", async () => {
    const { id } = await made("failing");
    const source = await snapshot("broken");
    await attach(id, source);
    const state = { last_status: "SUCCESS", last_error_message: "no", last_error_count: 3 };
    const set = (value: object): Promise<unknown> =>
      server.database.prepared(
        {
          name: "test_set_state",
          text: "update pipelines.trigger_snapshots set dispatch_state_json = $2 where trigger_id = $1",
        },
        [id, JSON.stringify(value)],
      );
    const states = async (): Promise<Json> =>
      (await editor.get(`${API}/${id}`)).json.resources.snapshot_dispatch_states;
    await set(state);
    expect((await states())[source]).toMatchObject(state);
    expect((await editor.call("DELETE", `${API}/${id}/dispatch_state?snapshot_id=${source}`)).status).toBe(
      200,
    );
    expect((await states())[source]).toMatchObject({
      last_status: "SUCCESS",
      last_error_message: null,
      last_error_count: 0,
    });
    await set({ last_status: "ERROR", last_error_count: 1 });
    expect((await editor.call("DELETE", `${API}/${id}/dispatch_state`)).text).toBe("null");
    expect(await states()).toStrictEqual({});
    expect(
      (await editor.call("DELETE", `${API}/${id}/dispatch_state?snapshot_id=${randomUUID()}`)).status,
    ).toBe(404);
  });
});
