import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type Json, type TestServer } from "../../../test/harness.ts";
import { expectedSignature, startReceiver, type Answering, type Receiver } from "../../../test/receiver.ts";
import { createVersion, MODELS, newModel, newVersion, VERSIONS } from "../../../test/registry.ts";
import { accepted, fresh, newRun } from "../../../test/runs.ts";
import { newWebhook, updateWebhook, WEBHOOKS } from "../../../test/webhooks.ts";
import { inWorkspace, newWorkspace } from "../../../test/workspaces.ts";

const flags = {
  "outbound-allowed-hosts": "127.0.0.1",
  "webhook-timeout-seconds": "1",
  "webhook-max-attempts": "2",
  "secrets-key": randomBytes(32).toString("hex"),
};

let server: TestServer;
/** A second process on the same database. */
let beside: TestServer;
let receiver: Receiver;
const answers = new Map<string, Answering>();

beforeAll(async () => {
  server = await startTestServer(flags);
  beside = await startTestServer(flags, server);
  receiver = await startReceiver((response, request, nth) => {
    const answer = answers.get(request.path);
    if (answer === undefined) response.end();
    else return answer(response, request, nth);
  });
});
afterAll(async () => {
  await beside[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** A place at the receiver that nothing else uses. */
function place(answer?: Answering): { path: string; url: string } {
  const path = `/${fresh("place").replaceAll(" ", "-")}`;
  if (answer !== undefined) answers.set(path, answer);
  return { path, url: receiver.url + path };
}

const status =
  (code: number, headers: Record<string, string> = {}): Answering =>
  (response) =>
    response.writeHead(code, headers).end();

const allEvents = [
  "registered_model.created",
  "model_version.created",
  "model_version_tag.set",
  "model_version_tag.deleted",
  "model_version_alias.created",
  "model_version_alias.deleted",
];

type Delivery = {
  event: string;
  data: Json;
  attempts: number;
  due: boolean;
  last_status: number;
  last_error: string;
};

/** What is still to be delivered, or was given up. */
async function deliveriesOf(webhookId: string): Promise<Delivery[]> {
  const text = `
    select event, data, attempts, due_at is not null as due, last_status, last_error
    from registry.webhook_deliveries join registry.webhooks using (webhook_key)
    where webhook_id = $1 order by delivery_key`;
  return server.database.prepared<Delivery>({ name: "test_read_deliveries", text }, [webhookId]);
}

async function until(true_: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await true_())) {
    if (Date.now() > end) throw new Error("It never came.");
    await sleep(20);
  }
}

const untilDelivered = (webhookId: string): Promise<void> =>
  until(async () => (await deliveriesOf(webhookId)).length === 0);

describe("what happens in the registry", () => {
  test("is told, in order, with the fields that MLflow sends", async () => {
    const { path, url } = place();
    const { webhook_id: id } = await newWebhook(server, url, { events: allEvents, secret: "quiet" });
    const before = Date.now();
    const name = fresh("told");
    const runId = await newRun(server);
    const tags = [
      { key: "a", value: "1" },
      { key: "b", value: '"é\n' },
    ];
    accepted(await server.post(`${MODELS}/create`, { name, tags, description: "d" }));
    const source = `runs:/${runId}/model`;
    await newVersion(server, name, { source, run_id: runId, tags, description: "v" });
    const version = { name, version: "1" };
    accepted(await server.post(`${VERSIONS}/set-tag`, { ...version, key: "k", value: "v" }));
    accepted(await server.call("DELETE", `${VERSIONS}/delete-tag`, { ...version, key: "k" }));
    accepted(await server.post(`${MODELS}/alias`, { ...version, alias: "champion" }));
    accepted(await server.call("DELETE", `${MODELS}/alias`, { name, alias: "champion" }));
    const requests = await receiver.wait(6, path);
    const tagsByKey = { a: "1", b: '"é\n' };
    expect(requests.map(({ json }) => [json.entity, json.action, json.data])).toEqual([
      ["registered_model", "created", { name, tags: tagsByKey, description: "d" }],
      ["model_version", "created", { ...version, source, run_id: runId, tags: tagsByKey, description: "v" }],
      ["model_version_tag", "set", { ...version, key: "k", value: "v" }],
      ["model_version_tag", "deleted", { ...version, key: "k" }],
      ["model_version_alias", "created", { ...version, alias: "champion" }],
      ["model_version_alias", "deleted", { name, alias: "champion" }],
    ]);
    for (const request of requests) {
      expect(request.headers["x-mlflow-signature"]).toBe(expectedSignature(request, "quiet"));
      expect(Date.parse(request.json.timestamp)).toBeGreaterThan(before - 5000);
      expect(request.json.workspace).toBe("default");
    }
    expect(new Set(requests.map(({ headers }) => headers["x-mlflow-delivery-id"])).size).toBe(6);
    await untilDelivered(id);
  });

  test("is told with what is absent as MLflow has it", async () => {
    const { path, url } = place();
    await newWebhook(server, url, { events: allEvents });
    const name = await newModel(server);
    await newVersion(server, name);
    accepted(await server.post(`${VERSIONS}/set-tag`, { name, version: "1", key: "k" }));
    const requests = await receiver.wait(3, path);
    expect(requests.map(({ json }) => json.data)).toEqual([
      { name, tags: {}, description: "" },
      { name, version: "1", source: "s3://bucket/model", run_id: null, tags: {}, description: null },
      { name, version: "1", key: "k", value: "" },
    ]);
  });

  test("is told of each of many versions made at once, each to whoever wants it", async () => {
    const [first, second] = [place(), place()];
    await newWebhook(server, first.url, { events: ["model_version.created"] });
    await newWebhook(server, second.url, { events: ["model_version.created"] });
    const name = await newModel(server);
    const other = await newModel(server);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_value, index) =>
        newVersion(index % 2 === 0 ? server : beside, index < 15 ? name : other, {
          tags: [{ key: "nth", value: String(index) }],
        }),
      ),
    );
    for (const { path } of [first, second]) {
      const told = (await receiver.wait(20, path)).map(({ json }) => json.data);
      const expected = made.map((version, index) => ({
        name: index < 15 ? name : other,
        version,
        source: "s3://bucket/model",
        run_id: null,
        tags: { nth: String(index) },
        description: null,
      }));
      const byTag = (a: Json, b: Json): number => Number(a.tags.nth) - Number(b.tags.nth);
      expect(told.toSorted(byTag)).toEqual(expected);
    }
  });

  test("is not told of what failed, what is no event, and what nobody asked for", async () => {
    const { path, url } = place();
    const { webhook_id: id } = await newWebhook(server, url, { events: ["model_version_alias.created"] });
    const name = await newModel(server);
    await newVersion(server, name);
    await server.post(`${MODELS}/alias`, { name, alias: "a", version: "7" });
    await server.post(`${MODELS}/alias`, { name: "nobody", alias: "a", version: "1" });
    await server.post(`${MODELS}/set-tag`, { name, key: "k", value: "v" });
    await server.post(`${VERSIONS}/transition-stage`, { name, version: "1", stage: "Staging" });
    await server.post(`${MODELS}/rename`, { name, new_name: `${name} renamed` });
    accepted(await server.post(`${MODELS}/alias`, { name: `${name} renamed`, alias: "last", version: "1" }));
    const requests = await receiver.wait(1, path);
    await untilDelivered(id);
    expect(requests.map(({ json }) => json.data.alias)).toEqual(["last"]);
  });

  test("is told of a copy as of a version of its own", async () => {
    const { path, url } = place();
    const name = await newModel(server);
    await newVersion(server, name);
    await newWebhook(server, url, { events: ["model_version.created"] });
    const copy = await newModel(server);
    accepted(await createVersion(server, copy, { source: `models:/${name}/1` }));
    const [request] = await receiver.wait(1, path);
    expect(request?.json.data).toMatchObject({ name: copy, version: "1", source: `models:/${name}/1` });
  });

  test("is told within its workspace", async () => {
    const workspace = await newWorkspace(server);
    const apart = inWorkspace(server, workspace);
    const [here, there] = [place(), place()];
    await newWebhook(server, here.url);
    await newWebhook(apart, there.url);
    const inside = await newModel(apart);
    const outside = await newModel(server);
    const [told] = await receiver.wait(1, there.path);
    expect([told?.json.data.name, told?.json.workspace]).toEqual([inside, workspace]);
    expect((await receiver.wait(1, here.path)).map(({ json }) => json.data.name)).toEqual([outside]);
    expect(receiver.received.filter(({ path }) => path === there.path)).toHaveLength(1);
  });

  test("is kept for a webhook that is disabled meanwhile, and forgotten with one that is deleted", async () => {
    const { path, url } = place(status(503));
    const { webhook_id: id } = await newWebhook(server, url);
    await newModel(server);
    await receiver.wait(1, path);
    await until(async () => (await deliveriesOf(id))[0]?.last_status === 503);
    await updateWebhook(server, id, { status: "DISABLED" });
    await newModel(server);
    expect(await deliveriesOf(id)).toHaveLength(1);
    answers.delete(path);
    await updateWebhook(server, id, { status: "ACTIVE" });
    await receiver.wait(2, path);
    await untilDelivered(id);
    answers.set(path, status(503));
    await newModel(server);
    await receiver.wait(3, path);
    accepted(await server.call("DELETE", `${WEBHOOKS}/${id}`));
    expect(await deliveriesOf(id)).toEqual([]);
  });
});

describe("a receiver", () => {
  test("that fails is told again, by the same id and with a signature of that moment", async () => {
    const { path, url } = place((response, _request, nth) => response.writeHead(nth === 1 ? 500 : 200).end());
    const { webhook_id: id } = await newWebhook(server, url, { secret: "quiet" });
    await newModel(server);
    const [first, second] = await receiver.wait(2, path);
    await untilDelivered(id);
    expect(second?.headers["x-mlflow-delivery-id"]).toBe(first?.headers["x-mlflow-delivery-id"]);
    expect(second?.text).toBe(first?.text);
    expect(second && expectedSignature(second, "quiet")).toBe(second?.headers["x-mlflow-signature"]);
  });

  test("that goes on failing is given up, and what it said is kept", async () => {
    const { path, url } = place(status(500));
    const { webhook_id: id } = await newWebhook(server, url);
    const name = await newModel(server);
    await receiver.wait(2, path);
    await until(async () => (await deliveriesOf(id)).every(({ due }) => !due));
    expect(await deliveriesOf(id)).toEqual([
      {
        event: "registered_model.created",
        data: { name, tags: {}, description: "" },
        attempts: 2,
        due: false,
        last_status: 500,
        last_error: "the receiver answered 500",
      },
    ]);
    expect(await receiver.wait(2, path)).toHaveLength(2);
  });

  test.each([
    [status(404), "the receiver answered 404"],
    [status(307, { location: "http://169.254.169.254/" }), "'169.254.169.254' is not a public address"],
  ])("that does not want it, or sends it where it must not go, is not told again", async (answer, reason) => {
    const { path, url } = place(answer);
    const { webhook_id: id } = await newWebhook(server, url);
    await newModel(server);
    await receiver.wait(1, path);
    await until(async () => (await deliveriesOf(id)).every(({ due }) => !due));
    expect(await deliveriesOf(id)).toMatchObject([
      { attempts: 1, last_error: expect.stringContaining(reason) },
    ]);
  });

  test("that asks for time is given it", async () => {
    const { path, url } = place((response, _request, nth) => {
      response.writeHead(nth === 1 ? 429 : 200, { "retry-after": "3" }).end();
    });
    await newWebhook(server, url);
    await newModel(server);
    const [first, second] = await receiver.wait(2, path);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2900);
  });

  test("that is down is not asked for every event, and is told all of them when it is back", async () => {
    const { path, url } = place((response, _request, nth) => response.writeHead(nth === 1 ? 503 : 200).end());
    const { webhook_id: id } = await newWebhook(server, url);
    const names = [await newModel(server), await newModel(beside), await newModel(server)];
    const [first, second] = await receiver.wait(4, path);
    await untilDelivered(id);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(900);
    const told = (await receiver.wait(4, path)).map(({ json }) => json.data.name as string);
    expect(new Set(told)).toEqual(new Set(names));
    expect(told).toHaveLength(4);
  });

  test("that is slow keeps nobody else waiting", async () => {
    const held: (() => void)[] = [];
    const slow = place((response) => held.push(() => response.end()));
    const quick = place();
    await newWebhook(server, slow.url);
    await newWebhook(server, quick.url);
    const names = [await newModel(server), await newModel(beside), await newModel(server)];
    const told = await receiver.wait(3, quick.path);
    expect(told.map(({ json }) => json.data.name)).toEqual(names);
    // One at a time, whichever process sends.
    expect(receiver.received.filter(({ path }) => path === slow.path)).toHaveLength(1);
    answers.delete(slow.path);
    for (const release of held) release();
    expect((await receiver.wait(3, slow.path)).map(({ json }) => json.data.name)).toEqual(names);
  });

  test("is told in order of what different processes wrote", async () => {
    const { path, url } = place();
    await newWebhook(server, url);
    const names: string[] = [];
    for (let nth = 0; nth < 20; nth += 1) names.push(await newModel(nth % 2 === 0 ? server : beside));
    expect((await receiver.wait(20, path)).map(({ json }) => json.data.name)).toEqual(names);
    expect(await receiver.wait(20, path)).toHaveLength(20);
  });
});

describe("a process", () => {
  test("that stops leaves the rest to the next one", async () => {
    const patient = { ...flags, "webhook-timeout-seconds": "30" };
    await using gone = await startTestServer(patient);
    const hanging = place(() => undefined);
    const { webhook_id: id } = await newWebhook(gone, hanging.url, { secret: "quiet" });
    const names = [await newModel(gone), await newModel(gone)];
    await receiver.wait(1, hanging.path);
    answers.delete(hanging.path);
    await gone.listener.drain(0);
    await gone.app.close();
    // Only its connections are still there: the process is gone.
    await using next = await startTestServer(patient, gone);
    const [first, again, second] = await receiver.wait(3, hanging.path);
    expect([first, again, second].map((one) => one?.json.data.name)).toEqual([names[0], ...names]);
    expect(again?.headers["x-mlflow-delivery-id"]).toBe(first?.headers["x-mlflow-delivery-id"]);
    expect(again && expectedSignature(again, "quiet")).toBe(again?.headers["x-mlflow-signature"]);
    expect(accepted(await next.get(`${WEBHOOKS}/${id}`)).webhook.webhook_id).toBe(id);
  });

  test("without the key says so, and delivers nothing unsigned", async () => {
    const { path, url } = place();
    await using other = await startTestServer({ ...flags, "secrets-key": randomBytes(32).toString("hex") });
    const { webhook_id: id } = await newWebhook(other, url, { secret: "quiet" });
    await using wrong = await startTestServer(
      { ...flags, "secrets-key": randomBytes(32).toString("hex") },
      other,
    );
    const answer = await wrong.post(`${WEBHOOKS}/${id}/test`, {});
    expect([answer.status, answer.json.error_code]).toEqual([400, "INVALID_STATE"]);
    expect(answer.json.message).toContain("which this server was not given");
    expect(receiver.received.filter((one) => one.path === path)).toEqual([]);
  });
});
