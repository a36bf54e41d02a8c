import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repeatedDeliveries, webhookDeliveries, type WebhookDeliveries } from "@plinth/contract";
import { startTestServer, type TestServer } from "../../../test/harness.ts";
import { startReceiver, type Receiver } from "../../../test/receiver.ts";
import { newModel } from "../../../test/registry.ts";
import { accepted } from "../../../test/runs.ts";
import { consoleRefusal as refusal } from "../../../test/console.ts";
import { newWebhook } from "../../../test/webhooks.ts";
import { inWorkspace, newWorkspace } from "../../../test/workspaces.ts";

let server: TestServer;
let receiver: Receiver;
let works = false;

beforeAll(async () => {
  server = await startTestServer({ "outbound-allowed-hosts": "127.0.0.1" });
  receiver = await startReceiver((response) => response.writeHead(works ? 200 : 404).end());
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const path = (id: string): string => `/console/api/webhooks/${id}/deliveries`;

const list = async (id: string, query = ""): Promise<WebhookDeliveries> =>
  webhookDeliveries.strict().parse(accepted(await server.get(path(id) + query)));

const repeat = async (id: string): Promise<number> =>
  repeatedDeliveries.strict().parse(accepted(await server.post(`${path(id)}/repeat`, {}))).repeated;

describe("deliveries that were given up", () => {
  test("are shown, the newest first, and sent again when that is asked for", async () => {
    const { webhook_id: id } = await newWebhook(server, receiver.url);
    for (let count = 0; count < 3; count += 1) await newModel(server);
    await receiver.wait(3);
    await expect
      .poll(async () => (await list(id)).deliveries.every((one) => one.next_attempt_at === null))
      .toBe(true);
    const { deliveries } = await list(id);
    const sent = receiver.received.map(({ headers }) => headers["x-mlflow-delivery-id"]);
    expect(deliveries.map((one) => one.delivery_id)).toEqual(sent.toReversed());
    expect(deliveries[0]).toMatchObject({
      event: "registered_model.created",
      attempts: 1,
      next_attempt_at: null,
      last_status: 404,
      last_error: "the receiver answered 404",
    });
    const first = await list(id, "?max_results=2");
    const second = await list(id, `?max_results=2&page_token=${String(first.next_page_token)}`);
    expect([...first.deliveries, ...second.deliveries]).toEqual(deliveries);
    expect(second.next_page_token).toBeUndefined();
    works = true;
    expect(await repeat(id)).toBe(3);
    await receiver.wait(6);
    await expect.poll(async () => (await list(id)).deliveries).toEqual([]);
    expect(await repeat(id)).toBe(0);
  });

  test("are there for their own workspace alone", async () => {
    const workspace = await newWorkspace(server);
    const { webhook_id: id } = await newWebhook(inWorkspace(server, workspace), receiver.url);
    expect(await list(id, `?workspace=${workspace}`)).toEqual({ deliveries: [] });
    const missing = [404, "not_found", `Webhook with ID ${id} not found.`];
    expect(refusal(await server.get(path(id)))).toEqual(missing);
    expect(refusal(await server.post(`${path(id)}/repeat`, {}))).toEqual(missing);
  });

  test.each(["?max_results=0", "?max_results=x", "?colour=red", "?page_token=zzz", "?page_token=WyJ4IiwxXQ"])(
    "are not listed with %s",
    async (query) => {
      const { webhook_id: id } = await newWebhook(server, receiver.url);
      expect(refusal(await server.get(path(id) + query))).toEqual([
        400,
        "invalid_parameter",
        expect.any(String),
      ]);
    },
  );
});
