import { createHmac, randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { type Answer, type Json } from "../../../test/harness.ts";
import { startZenmlTeam } from "../../../test/zenml-team.ts";

const { server, root, editor, viewer, stranger } = await startZenmlTeam("team", { stranger: "admin" });
const project = (await root.get("/api/v1/projects/team")).json.id as string;

afterAll(() => server[Symbol.asyncDispose]());

const API = "/api/v1/webhooks";
const SECRET = "a secret of the test";
const create = (name: string, about: object = {}, headers = {}): Promise<Answer> =>
  editor.call("POST", API, { project, name, webhook_type: "custom", ...about }, headers);
const made = async (name: string, about: object = { secret: SECRET }): Promise<Json> => {
  const answer = await create(name, about);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
};

const sign = (body: string, secret = SECRET): string =>
  createHmac("sha256", secret).update(body).digest("hex");
type Headers = Record<string, string>;
const deliver = (to: string, body: string, headers: Headers): Promise<Answer> =>
  server.call("POST", `${API}/${to}/events`, body, {
    "content-type": "application/json",
    ...headers,
  });
const custom = (id: string, body: string, headers: Headers = {}): Promise<Answer> =>
  deliver(`custom/${id}`, body, {
    "x-zenml-signature-256": `sha256=${sign(body)}`,
    "x-zenml-event": "deployed",
    ...headers,
  });
const statsOf = async (id: string): Promise<Json> => (await editor.get(`${API}/${id}`)).json.metadata.stats;

describe("webhooks", () => {
  it("are made, read, changed and deleted", async () => {
    const hook = (await create("deploys")).json;
    expect(hook).toMatchObject({
      name: "deploys",
      secret: expect.stringMatching(/^[\w-]{43}$/),
      body: {
        project_id: project,
        webhook_type: "custom",
        active: true,
        endpoint_url: `${server.url}${API}/custom/${hook.id}/events`,
      },
      metadata: { stats: { received_count: 0, last_error_summary: null } },
      resources: { user: { name: "ed" } },
    });
    const path = `${API}/${hook.id}`;
    const shown = await viewer.get(path);
    expect(shown.json).not.toHaveProperty("secret");
    expect(shown.text).not.toContain(hook.secret);
    const changed = await editor.call("PUT", path, { name: "renamed", active: false });
    expect(changed.json).toMatchObject({ name: "renamed", body: { active: false } });
    expect(
      (await viewer.get(`${API}?project=team&name=renamed&active=false&webhook_type=custom`)).json.total,
    ).toBe(1);
    expect((await viewer.call("PUT", path, { name: "no" })).status).toBe(403);
    expect((await stranger.get(path)).status).toBe(404);
    expect((await editor.call("DELETE", path)).text).toBe("null");
    expect((await editor.get(path)).status).toBe(404);
  });

  it("show a secret when it is made, to whom may have it", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const first = await create("shown once", {}, headers);
    expect((await create("shown once", {}, headers)).json).toStrictEqual(first.json);
    expect((await made("given")).secret).toBeNull();
    const { id } = await made("rotated");
    expect((await viewer.call("PUT", `${API}/${id}/secret`, {})).status).toBe(403);
    const rotated = (await editor.call("PUT", `${API}/${id}/secret`, {})).json.secret as string;
    expect((await custom(id, "{}")).status).toBe(401);
    const body = "{}";
    expect(
      (await custom(id, body, { "x-zenml-signature-256": `sha256=${sign(body, rotated)}` })).status,
    ).toBe(202);
    expect((await editor.call("PUT", `${API}/${id}/secret`, { secret: SECRET })).json).toStrictEqual({
      secret: SECRET,
    });
    expect((await custom(id, "{}")).status).toBe(202);
    const rows = await server.database.prepared(
      { name: "test_sealed", text: "select sealed_secret from pipelines.webhooks where id = $1" },
      [id],
    );
    expect(JSON.stringify(rows)).not.toContain(SECRET);
  });

  it("refuse what does not fit", async () => {
    const unknown = await create("x", { webhook_type: "carrier pigeon" });
    expect([unknown.status, unknown.json.detail]).toStrictEqual([
      422,
      "Unsupported webhook type: carrier pigeon.",
    ]);
    expect((await create("")).status).toBe(422);
    expect((await create("empty", { secret: "" })).status).toBe(422);
    await made("taken");
    expect((await create("taken")).status).toBe(409);
    expect((await editor.get(`${API}/no-id`)).status).toBe(422);
  });

  it("tell triggers of what they are asked for", async () => {
    const { id } = await made("asked", { webhook_type: "github", secret: SECRET });
    const of = (configuration: object): Promise<Answer> =>
      editor.post("/api/v1/triggers", {
        type: "webhook",
        project,
        name: `of ${randomUUID()}`,
        webhook_id: id,
        configuration,
      });
    for (const bad of [
      {},
      { target_events: [] },
      { target_events: [{ event: "push" }] },
      { target_events: "push" },
      { target_events: [{ type: "push", tag: "v1" }] },
    ]) {
      const refused = await of(bad);
      expect([bad, refused.status, refused.json.detail?.[0]]).toStrictEqual([bad, 422, "ValueError"]);
    }
    expect(
      (await of({ target_events: [{ type: "push", repo: "a/b" }] })).json.body.configuration,
    ).toStrictEqual({
      target_events: [{ type: "push", repo: "a/b", branch: null, actor: null }],
    });
  });

  it("stay as long as a trigger is about them", async () => {
    const { id } = await made("used");
    const trigger = await editor.post("/api/v1/triggers", {
      type: "webhook",
      project,
      name: "by webhook",
      webhook_id: id,
      configuration: { target_events: [{ event_type: "deployed" }], ratio: 1 },
    });
    expect(trigger.json, trigger.text).toMatchObject({
      body: {
        type: "webhook",
        webhook_id: id,
        configuration: { target_events: [{ type: "dynamic", event_type: "deployed", filters: {} }] },
      },
      resources: { webhook: { id, name: "used" } },
    });
    const refused = await editor.call("DELETE", `${API}/${id}`);
    expect([refused.status, refused.json.detail[0]]).toStrictEqual([403, "IllegalOperationError"]);
    const update = { type: "webhook", name: "by webhook", active: true, configuration: {} };
    expect((await editor.call("PUT", `/api/v1/triggers/${trigger.json.id}`, update)).status).toBe(422);
    const whole = { ...update, concurrency: "skip" };
    expect(
      (await editor.call("PUT", `/api/v1/triggers/${trigger.json.id}`, whole)).json.body.webhook_id,
    ).toBe(id);
    await editor.call("DELETE", `/api/v1/triggers/${trigger.json.id}`);
    expect((await editor.call("DELETE", `${API}/${id}`)).status).toBe(200);
    expect((await editor.get(`/api/v1/triggers/${trigger.json.id}`)).json.body.webhook_id).toBeNull();
  });
});

describe("events", () => {
  it("are taken when they are signed, counted and kept as they came", async () => {
    const { id } = await made("events");
    const body = '{"ratio":1.0,"big":12345678901234567890}';
    const taken = await custom(id, body, { "x-zenml-delivery": "d/1" });
    expect([taken.status, taken.text]).toStrictEqual([202, ""]);
    expect((await custom(id, '{"second":true}', { "x-zenml-delivery": "d/1" })).status).toBe(202);
    expect((await viewer.get(`${API}/${id}/events/raw?delivery_id=d%2F1`)).text).toBe(`{"body":${body}}`);
    expect((await viewer.get(`${API}/${id}/events/raw?delivery_id=none`)).json.detail[0]).toBe("KeyError");
    expect((await stranger.get(`${API}/${id}/events/raw?delivery_id=d%2F1`)).status).toBe(404);

    const wrong = await custom(id, body, { "x-zenml-signature-256": `sha256=${sign(`${body} `)}` });
    expect([wrong.status, wrong.json]).toStrictEqual([401, { detail: "Invalid webhook authentication." }]);
    expect((await custom(id, body, { "x-zenml-signature-256": "" })).status).toBe(401);
    expect((await custom(id, "[1]")).json).toStrictEqual({
      detail: "Request body must contain a top-level JSON object.",
    });
    expect((await custom(id, "{")).status).toBe(400);
    expect((await custom(id, body, { "x-zenml-event": "" })).status).toBe(400);
    expect(await statsOf(id)).toMatchObject({
      received_count: 7,
      accepted_count: 2,
      auth_failed_count: 2,
      invalid_payload_count: 3,
      last_accepted_at: expect.any(String),
      last_error_summary: "Missing required x-zenml-event header.",
    });
  });

  it("are of the type in the address, and of a webhook that is on", async () => {
    const { id } = await made("typed");
    const unknown = await deliver(`github/${id}`, "{}", { "x-github-event": "push" });
    expect([unknown.status, unknown.json]).toStrictEqual([404, { detail: "Not Found" }]);
    expect((await deliver(`pigeon/${id}`, "{}", {})).status).toBe(404);
    expect((await custom(randomUUID(), "{}")).status).toBe(404);
    await editor.call("PUT", `${API}/${id}`, { active: false });
    const off = await custom(id, "{}");
    expect([off.status, off.json]).toStrictEqual([409, { detail: "Webhook is inactive." }]);
    expect((await custom(id, "{}", { "x-zenml-signature-256": "sha256=0" })).status).toBe(401);
    expect(await statsOf(id)).toMatchObject({ received_count: 0 });
  });

  it("of GitHub and ClickUp are signed their way", async () => {
    const github = await made("github", { webhook_type: "github", secret: SECRET });
    const push = '{"ref":"main"}';
    const signed = { "x-hub-signature-256": `sha256=${sign(push)}`, "x-github-event": "push" };
    expect((await deliver(`github/${github.id}`, push, signed)).status).toBe(202);
    expect((await deliver(`github/${github.id}`, push, { ...signed, "x-github-event": "" })).status).toBe(
      400,
    );
    const clickup = await made("clickup", { webhook_type: "clickup", secret: SECRET });
    const task = '{"event":"taskCreated","webhook_id":"w","history_items":[{"id":"1"},{"id":"2"}]}';
    expect((await deliver(`clickup/${clickup.id}`, task, { "x-signature": sign(task) })).status).toBe(202);
    expect((await editor.get(`${API}/${clickup.id}/events/raw?delivery_id=w:1,2`)).json.body.event).toBe(
      "taskCreated",
    );
    expect((await deliver(`clickup/${clickup.id}`, task, { "x-signature": sign(push) })).status).toBe(401);
  });

  it("of Slack are not taken again later, and its question is answered", async () => {
    const { id } = await made("slack", { webhook_type: "slack", secret: SECRET });
    const send = (payload: object, ageSeconds = 0): Promise<Answer> => {
      const body = JSON.stringify(payload);
      const at = Math.floor(Date.now() / 1000) - ageSeconds;
      return deliver(`slack/${id}`, body, {
        "x-slack-request-timestamp": String(at),
        "x-slack-signature": `v0=${sign(`v0:${at}:${body}`)}`,
      });
    };
    const question = await send({ type: "url_verification", challenge: "3eZbrw1a" });
    expect([question.status, question.text]).toStrictEqual([200, "3eZbrw1a"]);
    expect(question.headers.get("content-type")).toContain("text/plain");
    const event = { type: "event_callback", event_id: "Ev1", event: { type: "message" } };
    expect((await send(event)).status).toBe(200);
    expect((await send(event, 600)).status).toBe(401);
    expect((await send({ type: "event_callback", event: {} })).status).toBe(400);
    expect((await send({ type: "other" })).status).toBe(400);
  });

  it("of a deleted project arrive nowhere", async () => {
    const short = (await root.post("/api/v1/projects", { name: "short" })).json.id as string;
    const hook = (await root.post(API, { project: short, name: "h", webhook_type: "custom", secret: SECRET }))
      .json;
    expect((await custom(hook.id, "{}")).status).toBe(202);
    await root.call("DELETE", "/api/v1/projects/short");
    expect((await custom(hook.id, "{}")).status).toBe(404);
  });
});
