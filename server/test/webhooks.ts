import type { Json, TestServer } from "./harness.ts";
import { accepted, API } from "./runs.ts";

/** Short words for what tests of webhooks do. */
export const WEBHOOKS = `${API}/webhooks`;

/** `model_version.created` as requests write it. */
export function eventOf(name: string): { entity: string; action: string } {
  const [entity = "", action = ""] = name.toUpperCase().split(".");
  return { entity, action };
}

export async function newWebhook(
  server: TestServer,
  url: string,
  { events = ["registered_model.created"], ...fields }: { events?: string[]; [field: string]: unknown } = {},
): Promise<Json> {
  const body = { name: "hook", url, events: events.map(eventOf), ...fields };
  return accepted(await server.post(WEBHOOKS, body)).webhook;
}

export const updateWebhook = async (server: TestServer, id: string, fields: object): Promise<Json> =>
  accepted(await server.call("PATCH", `${WEBHOOKS}/${id}`, fields)).webhook;
