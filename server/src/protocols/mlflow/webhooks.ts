import { manages } from "../../kernel/access.ts";
import { readEvent, type Registry, type Webhook, type WebhookEvent } from "../../modules/registry/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { needs } from "./guard.ts";
import { required, text } from "./registry-fields.ts";
import { enumOf, int64, isObject, message, nested, repeated, string, type Values } from "./wire.ts";

const PATH = "/2.0/mlflow/webhooks";

/** `webhooks.proto` of 3.17.2; in lower case they are the names in deliveries. */
const entityNames = {
  ENTITY_UNSPECIFIED: 0,
  REGISTERED_MODEL: 1,
  MODEL_VERSION: 2,
  MODEL_VERSION_TAG: 3,
  MODEL_VERSION_ALIAS: 4,
  PROMPT: 5,
  PROMPT_VERSION: 6,
  PROMPT_TAG: 7,
  PROMPT_VERSION_TAG: 8,
  PROMPT_ALIAS: 9,
  BUDGET_POLICY: 10,
};
const actionNames = { ACTION_UNSPECIFIED: 0, CREATED: 1, UPDATED: 2, DELETED: 3, SET: 4, EXCEEDED: 5 };
const statuses = enumOf({ ACTIVE: 1, DISABLED: 2 });

const event = message({ entity: enumOf(entityNames), action: enumOf(actionNames) });

const fields = {
  name: string,
  description: string,
  url: string,
  events: repeated(nested(event)),
  secret: string,
  status: statuses,
};

const optionalText = ["string"] as const;

/** A webhook tells another server of everything in the workspace. */
const adminOfWorkspace = [needs("manage", { type: "workspace" })];

export function webhookEndpoints(registry: Registry): Endpoint[] {
  return [
    {
      method: "POST",
      path: PATH,
      access: manages("webhook"),
      needs: () => adminOfWorkspace,
      request: message(fields),
      checks: {
        name: required,
        url: required,
        events: ["array", "required"],
        description: optionalText,
        secret: optionalText,
        status: optionalText,
      },
      async handle(values, { scope }) {
        const webhook = await registry.createWebhook(scope, {
          name: values["name"] as string,
          url: values["url"] as string,
          events: readEvents(values["events"]),
          description: text(values["description"]),
          secret: text(values["secret"]),
          status: readStatus(values["status"]),
        });
        return { webhook: webhookJson(webhook) };
      },
    },
    {
      method: "GET",
      path: PATH,
      access: manages("webhook"),
      needs: () => adminOfWorkspace,
      request: message({ max_results: int64, page_token: string }),
      checks: { max_results: ["int"], page_token: optionalText },
      async handle(values, { scope }) {
        const { webhooks, nextPageToken } = await registry.listWebhooks(scope, {
          maxResults: Number(values["max_results"] ?? 0) || DEFAULT_RESULTS,
          pageToken: text(values["page_token"]) || undefined,
        });
        return {
          ...(webhooks.length === 0 ? {} : { webhooks: webhooks.map(webhookJson) }),
          ...(nextPageToken === undefined ? {} : { next_page_token: nextPageToken }),
        };
      },
    },
    {
      method: "GET",
      path: `${PATH}/:webhook_id`,
      access: manages("webhook"),
      needs: () => adminOfWorkspace,
      request: message({}),
      async handle(_values, { scope, path }) {
        return { webhook: webhookJson(await registry.getWebhook(scope, text(path["webhook_id"]))) };
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/:webhook_id`,
      access: manages("webhook"),
      needs: () => adminOfWorkspace,
      request: message(fields),
      checks: {
        name: optionalText,
        description: optionalText,
        url: optionalText,
        events: ["array"],
        secret: optionalText,
        status: optionalText,
      },
      async handle(values, { scope, path }) {
        const events = readEvents(values["events"]);
        const webhook = await registry.updateWebhook(scope, text(path["webhook_id"]), {
          name: text(values["name"]) || undefined,
          url: text(values["url"]) || undefined,
          events: events.length === 0 ? undefined : events,
          description: values["description"] as string | undefined,
          secret: values["secret"] as string | undefined,
          status: readStatus(values["status"]),
        });
        return { webhook: webhookJson(webhook) };
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:webhook_id`,
      access: manages("webhook"),
      needs: () => adminOfWorkspace,
      request: message({}),
      async handle(_values, { scope, path }) {
        await registry.deleteWebhook(scope, text(path["webhook_id"]));
        return "{}";
      },
    },
    testEndpoint(registry),
  ];
}

const DEFAULT_RESULTS = 100;

function testEndpoint(registry: Registry): Endpoint {
  return {
    method: "POST",
    path: `${PATH}/:webhook_id/test`,
    access: manages("webhook"),
    needs: () => adminOfWorkspace,
    request: message({ event: nested(event) }),
    checks: { event: [checkIsEvent] },
    async handle(values, { scope, path }) {
      const [wanted] = values["event"] === undefined ? [] : readEvents([values["event"]]);
      const result = await registry.testWebhook(scope, text(path["webhook_id"]), wanted);
      const { success, responseStatus, responseBody, errorMessage } = result;
      return {
        result: {
          success,
          ...(responseStatus === undefined ? {} : { response_status: responseStatus }),
          ...(responseBody === undefined ? {} : { response_body: responseBody }),
          ...(errorMessage === undefined ? {} : { error_message: errorMessage }),
        },
      };
    },
  };
}

function checkIsEvent(value: unknown): void {
  if (!isObject(value)) readEvent(undefined, undefined);
}

const readEvents = (list: unknown): WebhookEvent[] =>
  ((list ?? []) as { entity?: number; action?: number }[]).map(({ entity, action }) =>
    readEvent(nameOf(entityNames, entity), nameOf(actionNames, action)),
  );

function nameOf(names: Readonly<Record<string, number>>, value: number | undefined): string | undefined {
  if (value === undefined || value === 0) return undefined;
  return Object.keys(names)
    .find((name) => names[name] === value)
    ?.toLowerCase();
}

const readStatus = (value: unknown): "ACTIVE" | "DISABLED" | undefined => {
  if (value === undefined) return undefined;
  return value === 2 ? "DISABLED" : "ACTIVE";
};

function webhookJson(webhook: Webhook): Values {
  return {
    webhook_id: webhook.webhook_id,
    name: webhook.name,
    ...(webhook.description === null ? {} : { description: webhook.description }),
    url: webhook.url,
    events: webhook.events.map((one) => {
      const [entity = "", action = ""] = one.toUpperCase().split(".");
      return { entity, action };
    }),
    status: webhook.status,
    creation_timestamp: webhook.creation_timestamp,
    last_updated_timestamp: webhook.last_updated_timestamp,
  };
}
