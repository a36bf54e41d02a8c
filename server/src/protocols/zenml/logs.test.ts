import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { startS3Server } from "../../../test/s3-server.ts";
import { logLine, logWorld, newLogs, s3Configuration } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const s3 = await startS3Server();
const { server, editor, viewer, stranger, ids } = await startZenmlTeam("team", {
  stranger: "admin",
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const API = "/api/v1/logs";
const world = await logWorld(server, "team", ids.editor);
const other = await logWorld(server, "elsewhere", ids.stranger);
const store = await world.component({ name: "store" }, s3Configuration(s3));
const ofRun = { project: world.projectId, artifact_store_id: store, pipeline_run_id: world.runId };
const uriOf = (name: string): string => `s3://${s3.bucket}/store/logs/${name}`;

describe("records of logs", () => {
  it("are made by the id that the client gives, once, and belong to something later", async () => {
    const id = randomUUID();
    const given = {
      id,
      project: world.projectId,
      source: "client",
      uri: uriOf(id),
      artifact_store_id: store,
    };
    const made = await editor.post(API, given);
    expect(made.json).toMatchObject({
      id,
      body: { project_id: world.projectId, uri: uriOf(id), source: "client", pipeline_run_id: null },
      metadata: { artifact_store_id: store, log_store_id: null, hook_invocation_id: null },
      resources: { user: { name: "ed" } },
    });
    expect((await editor.post(API, given)).json).toStrictEqual(made.json);
    expect((await editor.get(`${API}/${id}`)).status).toBe(403);
    const attached = await editor.call("PUT", `${API}/${id}`, { pipeline_run_id: world.runId });
    expect(attached.json.body.pipeline_run_id).toBe(world.runId);
    expect((await editor.call("PUT", `${API}/${id}`, { pipeline_run_id: world.runId })).status).toBe(200);
    const moved = await editor.call("PUT", `${API}/${id}`, { step_run_id: world.stepId });
    expect([moved.status, moved.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    expect((await viewer.get(`${API}/${id}?hydrate=false`)).json).toMatchObject({ id, metadata: null });
  });

  it("show 0.84 what it needs", async () => {
    const about = { project: world.projectId, log_store_id: store, source: "s", step_run_id: world.stepId };
    const id = await newLogs(editor, about);
    const old = await editor.call("GET", `${API}/${id}`, undefined, { "user-agent": "zenml/0.84.0" });
    expect(old.json).toMatchObject({ body: { uri: "" }, metadata: { artifact_store_id: store } });
    expect((await editor.get(`${API}/${id}`)).json.body.uri).toBeNull();
  });

  it("refuse what does not fit", async () => {
    const none = await editor.post(API, { project: world.projectId, source: "client", uri: "s3://x/y" });
    expect([none.status, none.json[0]]).toStrictEqual([422, "ValueError"]);
    expect(none.json[1]).toContain("Either an `artifact_store_id` or a `log_store_id` must be set.");
    const two = await editor.post(API, { ...ofRun, source: "x", step_run_id: world.stepId });
    expect([two.status, two.json[0]]).toStrictEqual([422, "ValueError"]);
    const unknown = await editor.post(API, { ...ofRun, source: "x", artifact_store_id: randomUUID() });
    expect([unknown.status, unknown.json.detail[0]]).toStrictEqual([404, "KeyError"]);
    for (const run of [randomUUID(), other.runId]) {
      const answer = await editor.post(API, { ...ofRun, source: "x", pipeline_run_id: run });
      expect([run, answer.status]).toStrictEqual([run, 404]);
    }
    expect((await editor.get(`${API}/${randomUUID()}`)).status).toBe(404);
    expect((await editor.get(`${API}/none`)).status).toBe(422);
  });

  it("are for those with a part in the project", async () => {
    const id = await newLogs(editor, { ...ofRun, source: "guarded", uri: uriOf("guarded.log") });
    expect((await viewer.post(API, { ...ofRun, source: "no" })).status).toBe(403);
    expect((await viewer.call("PUT", `${API}/${id}`, { pipeline_run_id: world.runId })).status).toBe(403);
    const unknown = randomUUID();
    for (const path of ["", "/entries"]) {
      const hidden = await stranger.get(`${API}/${id}${path}`);
      const missing = await stranger.get(`${API}/${unknown}${path}`);
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(id, unknown)).toBe(missing.text);
    }
    const taken = await stranger.post(API, {
      id,
      project: other.projectId,
      source: "mine",
      artifact_store_id: store,
    });
    expect(taken.status).toBe(409);
  });
});

describe("entries of a log", () => {
  const count = 3000;
  const lines = Array.from({ length: count }, (_, at) => logLine(at, at % 10 === 0 ? { level: 40 } : {}));
  const read = async (
    id: string,
    query: string,
  ): Promise<{ items: string[]; before: string; after: string }> => {
    const answer = await viewer.get(`${API}/${id}/entries?${query}`);
    expect(answer.status, answer.text).toBe(200);
    const { items, before, after } = answer.json;
    return { items: items.map((entry: { message: string }) => entry.message), before, after };
  };

  it("are read by page from either end, of a file or of a folder of them", async () => {
    s3.put("store/logs/one.log", lines.join(""));
    for (let at = 0; at < 30; at += 1) {
      s3.put(`store/logs/many/${1_700_000_000 + at}.5.log`, lines.slice(at * 100, at * 100 + 100).join(""));
    }
    for (const name of ["one.log", "many"]) {
      const id = await newLogs(editor, { ...ofRun, source: name, uri: uriOf(name) });
      const first = await read(id, "limit=3");
      expect(first).toMatchObject({ items: ["message 0", "message 1", "message 2"], before: null });
      const second = await read(id, `limit=2&after=${first.after}`);
      expect(second.items).toStrictEqual(["message 3", "message 4"]);
      expect((await read(id, `before=${second.before}`)).items).toStrictEqual(first.items);
      const last = await read(id, "limit=2&start=newest");
      expect(last).toMatchObject({ items: ["message 2998", "message 2999"], after: null });
      expect((await read(id, `limit=1&before=${last.before}`)).items).toStrictEqual(["message 2997"]);
      const filtered = await read(id, "limit=2&level=error&search=MESSAGE%202&since=2026-01-01T00:30:00");
      expect(filtered.items).toStrictEqual(["message 2000", "message 2010"]);
      const more = await read(id, `limit=1&after=${filtered.after}`);
      expect(more.items).toStrictEqual(["message 2020"]);
      const until = await read(id, "start=newest&limit=1&until=2026-01-01%2000:20:00");
      expect(until.items).toStrictEqual(["message 1200"]);
      expect((await read(id, "")).items).toHaveLength(1000);
    }
  });

  it("stay where they are when files are merged", async () => {
    s3.put("store/logs/merging/1.log", lines.slice(0, 10).join(""));
    s3.put("store/logs/merging/2.log", lines.slice(10, 20).join(""));
    const id = await newLogs(editor, { ...ofRun, source: "merging", uri: uriOf("merging") });
    const first = await read(id, "limit=12");
    s3.put("store/logs/merging/3_merged.log", lines.slice(0, 20).join(""));
    s3.delete("store/logs/merging/1.log");
    s3.delete("store/logs/merging/2.log");
    s3.put("store/logs/merging/4.log", lines.slice(20, 25).join(""));
    const rest = await read(id, `after=${first.after}`);
    expect(rest.items.slice(0, 2)).toStrictEqual(["message 12", "message 13"]);
    expect(rest).toMatchObject({ after: null });
  });

  it("have the fields that the client wrote", async () => {
    s3.put(
      "store/logs/fields.log",
      `${logLine(1, { lineno: 7, filename: "a.py" })}[2026-01-01 00:00:02 UTC] old\n`,
    );
    const id = await newLogs(editor, { ...ofRun, source: "fields", uri: uriOf("fields.log") });
    const { items } = (await viewer.get(`${API}/${id}/entries`)).json;
    expect(items[0]).toStrictEqual({
      message: "message 1",
      name: "unknown",
      level: 20,
      timestamp: "2026-01-01T00:00:01.000Z",
      module: null,
      filename: "a.py",
      lineno: 7,
      chunk_index: 0,
      total_chunks: 1,
      id: "00000000-0000-4000-8000-000000000001",
    });
    expect(items[1]).toMatchObject({ message: "old", level: 20, timestamp: "2026-01-01T00:00:02Z" });
  });

  it("are none before the first was written", async () => {
    const id = await newLogs(editor, { ...ofRun, source: "empty", uri: uriOf("empty.log") });
    expect(await read(id, "")).toStrictEqual({ items: [], before: null, after: null });
  });

  it("refuse what does not fit", async () => {
    const id = await newLogs(editor, { ...ofRun, source: "bad", uri: uriOf("one.log") });
    const another = await newLogs(editor, { ...ofRun, source: "bad", uri: uriOf("one.log") });
    for (const query of ["limit=0", "limit=x", "level=loud", "level=7", "since=soon", "start=middle"]) {
      const answer = await viewer.get(`${API}/${id}/entries?${query}`);
      expect([query, answer.status, answer.json[0]]).toStrictEqual([query, 422, "ValueError"]);
    }
    const inverted = await viewer.get(`${API}/${id}/entries?since=2026-01-02&until=2026-01-01`);
    expect([inverted.status, inverted.json.detail[0]]).toStrictEqual([422, "ValueError"]);
    const { after } = await read(id, "limit=1&level=info");
    for (const query of [
      `after=${after}&before=${after}`,
      `before=${after}`,
      `after=${after}&start=newest`,
      `after=${after}&level=error`,
      "after=x",
      `after=${Buffer.from(JSON.stringify([id, "after", -1, null, null, null, null])).toString("base64url")}`,
    ]) {
      const answer = await viewer.get(`${API}/${id}/entries?${query}`);
      expect([query, answer.status, answer.json.detail?.[0]]).toStrictEqual([query, 400, "ValueError"]);
    }
    expect((await viewer.get(`${API}/${another}/entries?after=${after}`)).status).toBe(400);
  });
});
