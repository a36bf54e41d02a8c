import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { expectedSignature, startReceiver, type Receiver } from "../../../test/receiver.ts";
import { accepted, invalid, refusal } from "../../../test/runs.ts";
import { eventOf, newWebhook, updateWebhook, WEBHOOKS } from "../../../test/webhooks.ts";
import { inWorkspace, newWorkspace, WORKSPACES } from "../../../test/workspaces.ts";

let server: TestServer;
let receiver: Receiver;

beforeAll(async () => {
  server = await startTestServer({ "outbound-allowed-hosts": "127.0.0.1", "webhook-timeout-seconds": "1" });
  receiver = await startReceiver((response, { path }) => {
    if (path === "/fails") response.writeHead(503);
    if (path === "/moved") response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" });
    if (path === "/long") response.write("x".repeat(100_000));
    if (path !== "/silent") response.end("seen");
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const PUBLIC = "https://8.8.8.8/hook";
const created = "registered_model.created";

const missing = (id: string): unknown[] => [
  404,
  "RESOURCE_DOES_NOT_EXIST",
  `Webhook with ID ${id} not found.`,
];

const create = async (fields: Record<string, unknown>): Promise<unknown[]> =>
  refusal(await server.post(WEBHOOKS, { name: "hook", url: PUBLIC, events: [eventOf(created)], ...fields }));

describe("a webhook", () => {
  test("is created, read, changed and deleted; its secret is never shown", async () => {
    const events = ["prompt_tag.deleted", "model_version.created", "budget_policy.exceeded"];
    const hook = await newWebhook(server, PUBLIC, { events, secret: "quiet", description: "d" });
    const expected = {
      webhook_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: "hook",
      description: "d",
      url: PUBLIC,
      events: ["budget_policy.exceeded", "model_version.created", "prompt_tag.deleted"].map(eventOf),
      status: "ACTIVE",
      creation_timestamp: expect.any(Number),
      last_updated_timestamp: expect.any(Number),
    };
    expect(hook).toEqual(expected);
    const path = `${WEBHOOKS}/${hook.webhook_id}`;
    expect(accepted(await server.get(path)).webhook).toEqual(hook);
    const changes = { name: "other", description: "", status: "DISABLED", events: [eventOf(created)] };
    const changed = await updateWebhook(server, hook.webhook_id, changes);
    const { description: _gone, ...rest } = expected;
    expect(changed).toEqual({ ...rest, name: "other", status: "DISABLED", events: [eventOf(created)] });
    // What is empty is none given.
    expect(await updateWebhook(server, hook.webhook_id, { name: "", url: "", events: [] })).toMatchObject({
      name: "other",
      url: PUBLIC,
      events: [eventOf(created)],
    });
    expect(accepted(await server.call("DELETE", path))).toEqual({});
    for (const method of ["GET", "DELETE"]) {
      expect(refusal(await server.call(method, path))).toEqual(missing(hook.webhook_id));
    }
  });

  test("stands in the list, the newest first, page by page", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift((await newWebhook(server, PUBLIC)).webhook_id);
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = token === undefined ? "" : `&page_token=${token}`;
      const { webhooks, next_page_token: next } = accepted(
        await server.get(`${WEBHOOKS}?max_results=2${page}`),
      );
      expect(webhooks.length).toBeLessThanOrEqual(2);
      seen.push(...webhooks.map((one: { webhook_id: string }) => one.webhook_id));
      token = next;
    } while (token !== undefined);
    expect(seen.slice(0, 5)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test.each(["-1", "1001"])("is not listed %s at a time", async (count) => {
    const answer = await server.get(`${WEBHOOKS}?max_results=${count}`);
    expect(refusal(answer)).toEqual(invalid("max_results must be between 1 and 1000."));
  });

  test.each(["nobody", "%00", "..%2f..%2fetc", "x".repeat(5000)])("called %s is not there", async (id) => {
    for (const [method, more, body] of [
      ["GET", ""],
      ["PATCH", "", { name: "x" }],
      ["DELETE", ""],
      ["POST", "/test", {}],
    ] as const) {
      const answer = await server.call(method, `${WEBHOOKS}/${id}${more}`, body);
      expect([answer.status, answer.json.error_code]).toEqual([404, "RESOURCE_DOES_NOT_EXIST"]);
    }
  });

  test.each(["-a", "a b", "é", "a\n", "x".repeat(64)])("cannot be called %j", async (name) => {
    expect(await create({ name })).toEqual(
      invalid(expect.stringContaining("must start and end with a letter")),
    );
  });

  test.each([
    [[], "Webhook events must be a non-empty list of WebhookEvent objects: []."],
    [
      [{ entity: "REGISTERED_MODEL", action: "SET" }],
      "Invalid action 'set' for entity 'registered_model'. Valid actions are: ['created']",
    ],
    [
      [{ entity: "MODEL_VERSION_TAG", action: "CREATED" }],
      "Invalid action 'created' for entity 'model_version_tag'. Valid actions are: ['deleted', 'set']",
    ],
    [[{}], expect.stringContaining("needs an entity and an action")],
    [[{ entity: "REGISTERED_MODEL" }], expect.stringContaining("needs an entity and an action")],
    [[{ entity: "NOBODY", action: "SET" }], expect.stringContaining("needs an entity and an action")],
    [
      [{ entity: "ENTITY_UNSPECIFIED", action: "SET" }],
      expect.stringContaining("needs an entity and an action"),
    ],
  ])("cannot be told of %j", async (events, message) => {
    expect(await create({ events })).toEqual(invalid(message));
  });

  test("is told of an event once, however often it is listed", async () => {
    expect((await newWebhook(server, PUBLIC, { events: [created, created] })).events).toEqual([
      eventOf(created),
    ]);
  });

  test("of too much text is refused", async () => {
    for (const [field, length] of [
      ["description", 5001],
      ["secret", 4097],
    ] as const) {
      const message = `'${field}' exceeds the maximum length of ${length - 1} characters`;
      expect(await create({ [field]: "x".repeat(length) })).toEqual(invalid(message));
    }
    expect(await create({ url: `https://8.8.8.8/${"x".repeat(2048)}` })).toEqual(
      invalid("'url' exceeds the maximum length of 2048 characters"),
    );
  });

  test("is refused where there are a thousand", async () => {
    const apart = inWorkspace(server, await newWorkspace(server));
    await newWebhook(apart, PUBLIC);
    const text = `
      insert into registry.webhooks
        (workspace_id, webhook_id, name, url, events, status, creation_timestamp, last_updated_timestamp)
      select workspace_id, 'filler ' || nth, name, url, events, status, 1, 1
      from registry.webhooks cross join generate_series(1, 999) as nth
      where workspace_id = (select max(workspace_id) from registry.webhooks)`;
    await server.database.prepared({ name: "test_fill_webhooks", text }, []);
    const answer = await apart.post(WEBHOOKS, { name: "hook", url: PUBLIC, events: [eventOf(created)] });
    expect(refusal(answer)).toEqual([400, "INVALID_STATE", expect.stringContaining("holds 1000 webhooks")]);
    await newWebhook(server, PUBLIC);
  });

  test("keeps its secret encrypted", async () => {
    const { webhook_id: id } = await newWebhook(server, PUBLIC, { secret: "very quiet" });
    const read = { name: "read_secret", text: "select secret from registry.webhooks where webhook_id = $1" };
    const [row] = await server.database.prepared<{ secret: string }>(read, [id]);
    expect(row?.secret).toMatch(/^v1\.[0-9a-f]{8}\./);
    await updateWebhook(server, id, { secret: "" });
    expect(await server.database.prepared(read, [id])).toEqual([{ secret: null }]);
  });
});

describe("a server on a database that others may share", () => {
  test("takes a secret only when it was given a key", async () => {
    await using shared = await startTestServer({ "database-url": "postgres://database.test/plinth" });
    const { webhook_id: id } = await newWebhook(shared, PUBLIC);
    for (const [method, path] of [
      ["POST", WEBHOOKS],
      ["PATCH", `${WEBHOOKS}/${id}`],
    ] as const) {
      const body = { name: "hook", url: PUBLIC, events: [eventOf(created)], secret: "quiet" };
      const answer = await shared.call(method, path, body);
      expect(refusal(answer)).toEqual([400, "INVALID_STATE", expect.stringContaining("--secrets-key-file")]);
    }
    const key = randomBytes(32).toString("base64");
    await using keyed = await startTestServer(
      { "database-url": "postgres://database.test/plinth", "secrets-key": key },
      shared,
    );
    await newWebhook(keyed, PUBLIC, { secret: "quiet" });
  });
});

describe("an address", () => {
  test.each([
    [" ", "Webhook URL cannot be empty or just whitespace: ' '"],
    ["ftp://8.8.8.8/", "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: http, https."],
    ["nothing", "Invalid webhook URL scheme: ''. Allowed schemes are: http, https."],
    ["https://", "Webhook URL must include a hostname: 'https://'"],
    ["https:///x", "Webhook URL must include a hostname: 'https:///x'"],
    ["https:/8.8.8.8/x", "Webhook URL must include a hostname: 'https:/8.8.8.8/x'"],
    ["http://8.8.8.8/", expect.stringContaining("use https")],
    ["https://u:p@8.8.8.8/", expect.stringContaining("user name or password")],
    [
      "https://nobody.invalid/",
      expect.stringContaining("Cannot resolve Webhook URL hostname: 'nobody.invalid'"),
    ],
  ])("%s is refused", async (url, message) => {
    expect(await create({ url })).toEqual(invalid(message));
  });

  // CVE-2026-2393
  test.each([
    "https://127.0.0.2/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.2]/",
    "https://2130706434/",
    "https://0177.0.0.2/",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/",
    "https://100.100.100.200/",
  ])("%s is refused, at first and later", async (url) => {
    const expected = invalid(expect.stringContaining("not a public address"));
    expect(await create({ url })).toEqual(expected);
    const { webhook_id: id } = await newWebhook(server, PUBLIC);
    expect(refusal(await server.call("PATCH", `${WEBHOOKS}/${id}`, { url }))).toEqual(expected);
  });
});

describe("a test call", () => {
  const call = async (
    path: string,
    fields: Record<string, unknown> = {},
    body: object = {},
  ): Promise<unknown> => {
    const { webhook_id: id } = await newWebhook(server, receiver.url + path, fields);
    return accepted(await server.post(`${WEBHOOKS}/${id}/test`, body)).result;
  };

  test("sends an example, signed, to a disabled webhook too", async () => {
    const result = await call("/signed", { secret: "quiet", status: "DISABLED" });
    expect(result).toEqual({ success: true, response_status: 200, response_body: "seen" });
    const [request] = await receiver.wait(1, "/signed");
    expect(request?.json).toEqual({
      entity: "registered_model",
      action: "created",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/),
      data: {
        name: "example_model",
        tags: { example_key: "example_value" },
        description: "An example registered model",
      },
      workspace: "default",
    });
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "x-mlflow-delivery-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "x-mlflow-timestamp": expect.stringMatching(/^\d{10}$/),
      "x-mlflow-signature": request === undefined ? "" : expectedSignature(request, "quiet"),
    });
  });

  test("sends the event that is asked for, unsigned where there is no secret", async () => {
    await call("/plain", {}, { event: eventOf("model_version_tag.set") });
    const [request] = await receiver.wait(1, "/plain");
    expect(request?.json).toMatchObject({
      entity: "model_version_tag",
      action: "set",
      data: { name: "example_model", version: "1", key: "example_key", value: "example_value" },
    });
    expect(request?.headers).not.toHaveProperty("x-mlflow-signature");
  });

  test("answers what came of it", async () => {
    const failed = (message: unknown): object => ({ success: false, error_message: message });
    expect(await call("/fails")).toEqual({ success: false, response_status: 503, response_body: "seen" });
    expect(await call("/silent")).toEqual(
      failed("Failed to test webhook: no complete answer within 1000 ms"),
    );
    expect(await call("/long")).toMatchObject({ success: true, response_body: "x".repeat(64 * 1024) });
    // GHSA-7gwp-5pfp-969j
    expect(await call("/moved")).toEqual(
      failed(expect.stringContaining("Failed to test webhook: '169.254.169.254' is not a public address")),
    );
  });

  test("waits for its turn when many are made", async () => {
    const { webhook_id: id } = await newWebhook(server, `${receiver.url}/silent`);
    const calls = Array.from({ length: 9 }, () => server.post(`${WEBHOOKS}/${id}/test`, {}));
    const statuses = (await Promise.all(calls)).map((answer) => answer.status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
  });

  test("of an event that never happens is refused", async () => {
    const { webhook_id: id } = await newWebhook(server, PUBLIC);
    for (const event of [{}, 5, { entity: "MODEL_VERSION", action: "SET" }]) {
      const answer = await server.post(`${WEBHOOKS}/${id}/test`, { event });
      expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_PARAMETER_VALUE"]);
    }
  });
});

describe("webhooks of a workspace", () => {
  test("are not there for another one", async () => {
    const apart = inWorkspace(server, await newWorkspace(server));
    const { webhook_id: id } = await newWebhook(apart, PUBLIC);
    expect((await apart.get(`${WEBHOOKS}/${id}`)).status).toBe(200);
    expect(refusal(await server.get(`${WEBHOOKS}/${id}`))).toEqual(missing(id));
    expect(accepted(await apart.get(WEBHOOKS)).webhooks).toHaveLength(1);
    for (const [method, more] of [
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const) {
      expect(refusal(await server.call(method, `${WEBHOOKS}/${id}${more}`, {}))).toEqual(missing(id));
    }
  });

  test("keep it, or move or go with it", async () => {
    const [moved, gone] = [await newWorkspace(server), await newWorkspace(server)];
    const first = await newWebhook(inWorkspace(server, moved), PUBLIC);
    const second = await newWebhook(inWorkspace(server, gone), PUBLIC);
    const kept = await server.call("DELETE", `${WORKSPACES}/${moved}?mode=RESTRICT`);
    expect([kept.status, kept.json.message]).toEqual([400, expect.stringContaining("webhooks")]);
    expect((await server.call("DELETE", `${WORKSPACES}/${moved}?mode=SET_DEFAULT`)).status).toBe(204);
    expect((await server.get(`${WEBHOOKS}/${first.webhook_id}`)).status).toBe(200);
    expect((await server.call("DELETE", `${WORKSPACES}/${gone}?mode=CASCADE`)).status).toBe(204);
    expect((await server.get(`${WEBHOOKS}/${second.webhook_id}`)).status).toBe(404);
  });
});
