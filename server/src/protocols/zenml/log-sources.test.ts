import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import type { Answer } from "../../../test/harness.ts";
import { startS3Server } from "../../../test/s3-server.ts";
import { logLine, logWorld, newLogs, s3Configuration } from "../../../test/zenml-logs.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const s3 = await startS3Server();
const { server, editor, stranger, ids } = await startZenmlTeam("team", {
  flags: { "outbound-allowed-hosts": "127.0.0.1" },
});
const world = await logWorld(server, "team", ids.editor);
const store = await world.component({}, s3Configuration(s3));

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const base = { project: world.projectId, artifact_store_id: store };
const uri = (name: string): string => `s3://${s3.bucket}/store/${name}`;
const text = "[2026-01-01 00:00:00 UTC] first ✓\n[2026-01-01 00:00:01 UTC] second\nwithout a time\n";
s3.put("store/run.log", logLine(1) + logLine(2));
s3.put("store/step/1.log", text);
s3.put("store/step/2.log", "[2026-01-01 00:00:02 UTC] third\n");
const ofRun = await newLogs(editor, {
  ...base,
  source: "client",
  uri: uri("run.log"),
  pipeline_run_id: world.runId,
});
const ofStep = await newLogs(editor, {
  ...base,
  source: "step",
  uri: uri("step"),
  step_run_id: world.stepId,
});
const steps = `/api/v1/steps/${world.stepId}/logs`;
const runs = `/api/v1/runs/${world.runId}/logs`;

const old = (path: string): Promise<Answer> =>
  editor.call("GET", path, undefined, { "user-agent": "zenml/0.84.0" });

describe("logs of runs and steps", () => {
  it("are entries for 0.98, by their source or id", async () => {
    const bySource = await editor.get(`${runs}?source=client`);
    expect(bySource.json.map((entry: { message: string }) => entry.message)).toStrictEqual([
      "message 1",
      "message 2",
    ]);
    expect((await editor.get(`${runs}?logs_id=${ofRun}`)).json).toStrictEqual(bySource.json);
    expect((await editor.get(`${steps}?logs_id=${ofStep}`)).json).toHaveLength(4);
  });

  it("are named by one of both", async () => {
    for (const path of [runs, steps]) {
      for (const query of ["", `?source=step&logs_id=${ofStep}`]) {
        const answer = await editor.get(path + query);
        expect([answer.status, answer.json.detail[0]]).toStrictEqual([400, "ValueError"]);
      }
      for (const query of ["?source=none", `?logs_id=${randomUUID()}`]) {
        const answer = await editor.get(path + query);
        expect([answer.status, answer.json.detail[0]]).toStrictEqual([404, "KeyError"]);
      }
      expect((await editor.get(`${path}?logs_id=x`)).status).toBe(422);
    }
  });

  it("are none of a server that starts runs", async () => {
    const about = { project: world.projectId, source: "runner", pipeline_run_id: world.runId };
    const before = await editor.get(`${runs}?source=runner`);
    const id = await newLogs(editor, about);
    const answers = [
      before,
      await editor.get(`${runs}?source=runner`),
      await editor.get(`/api/v1/logs/${id}/entries`),
    ];
    for (const { status, json } of answers) {
      expect([status, json.detail]).toStrictEqual([
        400,
        ["ValueError", "Runner logs are unavailable for this run."],
      ]);
    }
  });

  it("are a text for 0.84, of which parts are read", async () => {
    const whole = text + "[2026-01-01 00:00:02 UTC] third\n";
    expect((await old(steps)).json).toBe(whole);
    expect((await old(`${steps}?offset=26&length=5`)).json).toBe("first");
    expect((await old(`${steps}?offset=-6`)).json).toBe("third\n");
    expect((await old(`${steps}?offset=-9999`)).json).toBe(whole);
    expect((await old(`${steps}?strip_timestamp=true`)).json).toBe(
      "first ✓\nsecond\nwithout a time\nthird\n",
    );
    expect((await old(`${runs}?source=client`)).json).toBe(logLine(1) + logLine(2));
    expect((await old(runs)).status).toBe(422);
    expect((await old(`${runs}?source=none`)).status).toBe(404);
    expect((await old(`${steps}?offset=x`)).status).toBe(422);
  });

  it("are for those with a part in the project", async () => {
    const unknown = randomUUID();
    for (const [path, id] of [
      [runs, world.runId],
      [steps, world.stepId],
    ] as const) {
      const hidden = await stranger.get(`${path}?source=client`);
      const missing = await stranger.get(`${path.replace(id, unknown)}?source=client`);
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(id, unknown)).toBe(missing.text);
    }
  });
});
