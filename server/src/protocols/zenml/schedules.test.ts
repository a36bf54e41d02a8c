import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Json } from "../../../test/harness.ts";
import { newSnapshot, projectIdOf } from "../../../test/pipelines.ts";
import { withHeaders } from "../../../test/workspaces.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, editor, viewer, stranger } = await startZenmlTeam("default");
afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/schedules";
const project = await projectIdOf(server);
const { pipeline } = await newSnapshot(editor, project);
const orchestrator = (await editor.get("/api/v1/components?type=orchestrator")).json.items[0].id;

const body = (more: object = {}): object => ({
  project,
  name: `s-${randomUUID()}`,
  active: true,
  cron_expression: "* * * * *",
  orchestrator_id: orchestrator,
  pipeline_id: pipeline,
  ...more,
});
const made = async (more: object = {}): Promise<Json> => {
  const answer = await editor.post(API, body(more));
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};
const names = async (query: string): Promise<string[]> => {
  const answer = await editor.get(`${API}?project=default&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.items.map((one: Json) => one.name);
};

describe("schedules", () => {
  it("are made, read, changed and deleted", async () => {
    const { id, ...created } = await made({
      name: "nightly",
      start_time: "2026-01-01T02:00:00+02:00",
      interval_second: 90.5,
      catchup: true,
    });
    expect(created).toMatchObject({
      name: "nightly",
      body: {
        active: true,
        cron_expression: "* * * * *",
        start_time: "2026-01-01T00:00:00",
        end_time: null,
        interval_second: "PT1M30.5S",
        catchup: true,
        run_once_start_time: null,
        is_archived: false,
      },
      metadata: { orchestrator_id: orchestrator, pipeline_id: pipeline, run_metadata: {} },
      resources: { user: { name: "ed" } },
    });
    const changed = await editor.call("PUT", `${API}/${id}`, {
      active: false,
      cron_expression: "",
      name: "n2",
    });
    expect(changed.json).toMatchObject({ name: "n2", body: { active: false, cron_expression: "* * * * *" } });
    // Clients of 0.84 do not say how.
    const old = withHeaders(editor, { "user-agent": "zenml/0.84.0" });
    expect((await old.call("DELETE", `${API}/${id}`)).json).toBeNull();
    expect((await editor.get(`${API}/${id}`)).status).toBe(404);
  });

  it.each([
    [3600, "PT1H"],
    ["PT1H", "PT1H"],
    ["01:00:00", "PT1H"],
    [172_800, "P2D"],
  ])("take an interval of %s", async (interval_second, shown) => {
    const { body: read } = await made({ interval_second, start_time: "2026-01-01T00:00:00" });
    expect(read.interval_second).toBe(shown);
  });

  it.each([
    ["nothing that says when", { cron_expression: null }],
    ["an empty expression", { cron_expression: "" }],
    ["an interval without a start", { cron_expression: null, interval_second: 60 }],
    ["an interval of nothing", { cron_expression: null, interval_second: 0, start_time: "2026-01-01" }],
    ["an interval that is none", { interval_second: "often" }],
    ["no time", { start_time: "yesterday" }],
    ["no pipeline, not even null", { pipeline_id: undefined }],
    ["no name", { name: undefined }],
  ])("are refused with %s", async (_what, more) => {
    expect((await editor.post(API, body(more))).status).toBe(422);
  });

  it("run once, or refer to nothing", async () => {
    const once = { cron_expression: null, run_once_start_time: "2030-05-01T10:00:00.5" };
    const { body: read } = await made({ ...once, orchestrator_id: null, pipeline_id: null });
    expect(read.run_once_start_time).toBe("2030-05-01T10:00:00.500000");
    expect((await editor.post(API, body({ pipeline_id: orchestrator }))).status).toBe(404);
    expect((await editor.post(API, body({ orchestrator_id: pipeline }))).status).toBe(404);
    const where = await projectIdOf(server, "elsewhere");
    const { pipeline: foreign } = await newSnapshot(stranger, where);
    expect((await editor.post(API, body({ pipeline_id: foreign }))).status).toBe(404);
  });

  it("are archived: they stay, set their name free, and change no more", async () => {
    const { id } = await made({ name: "archived" });
    expect((await editor.call("DELETE", `${API}/${id}?soft=true`)).json).toBeNull();
    const { json } = await editor.get(`${API}/${id}`);
    expect(json.name).toMatch(/^archived_.+/);
    expect(json.body).toMatchObject({ is_archived: true, active: false });
    const refused = await editor.call("PUT", `${API}/${id}`, { active: true });
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    await editor.call("DELETE", `${API}/${id}?soft=true`);
    expect((await editor.get(`${API}/${id}`)).json.name).toBe(json.name);
    await made({ name: "archived" });
    expect(await names("name=startswith:archived&is_archived=true")).toStrictEqual([json.name]);
    expect(await names("name=startswith:archived&is_archived=false")).toStrictEqual(["archived"]);
    expect((await editor.call("DELETE", `${API}/${id}?soft=maybe`)).status).toBe(422);
    expect((await editor.call("DELETE", `${API}/${id}?soft=false`)).json).toBeNull();
  });

  it("have names of their own, and are made once by a request that is repeated", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const given = body({ name: "once" });
    const first = await editor.call("POST", API, given, headers);
    expect((await editor.call("POST", API, given, headers)).json).toStrictEqual(first.json);
    expect((await editor.post(API, given)).status).toBe(409);
    const { id } = await made();
    expect((await editor.call("PUT", `${API}/${id}`, { name: "once" })).status).toBe(409);
  });

  it("show what was logged about them", async () => {
    const { id } = await made();
    const logged = await editor.post("/api/v1/run-metadata", {
      project,
      resources: [{ id, type: "schedule" }],
      values: { url: "http://scheduler/1" },
      types: { url: "str" },
    });
    expect(logged.status, logged.text).toBe(200);
    const { metadata } = (await editor.get(`${API}/${id}`)).json;
    expect(metadata.run_metadata).toStrictEqual({ url: "http://scheduler/1" });
  });

  it("are narrowed by all that both versions ask", async () => {
    const interval = {
      cron_expression: null,
      start_time: "2031-01-01T00:00:00",
      end_time: "2031-02-01T00:00:00",
    };
    await made({ name: "f-interval", ...interval, interval_second: 7200, active: false });
    await made({ name: "f-cron", cron_expression: "5 * * * *", catchup: true });
    expect(await names("interval_second=gte:7200&name=startswith:f-")).toStrictEqual(["f-interval"]);
    expect(await names("cron_expression=startswith:5")).toStrictEqual(["f-cron"]);
    expect(await names("catchup=true&name=startswith:f-")).toStrictEqual(["f-cron"]);
    expect(await names("active=false&name=startswith:f-")).toStrictEqual(["f-interval"]);
    expect(await names("start_time=in:2030-12-31 00:00:00,2031-01-02 00:00:00")).toStrictEqual([
      "f-interval",
    ]);
    expect(await names("end_time=gt:2031-01-31 00:00:00")).toStrictEqual(["f-interval"]);
    expect(await names(`pipeline_id=${pipeline}&name=startswith:f-&sort_by=name`)).toStrictEqual([
      "f-cron",
      "f-interval",
    ]);
    expect(await names(`orchestrator_id=${randomUUID()}`)).toStrictEqual([]);
    expect(await names("run_once_start_time=isnotnull:&name=startswith:f-")).toStrictEqual([]);
  });

  it("are for those with a part in the project", async () => {
    const { id } = await made();
    expect((await viewer.post(API, body())).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { active: false })).status).toBe(403);
    expect((await viewer.call("DELETE", `${API}/${id}?soft=true`)).status).toBe(403);
    expect((await stranger.get(`${API}/${id}`)).status).toBe(404);
    expect((await stranger.post(API, body())).status).toBe(404);
  });
});
