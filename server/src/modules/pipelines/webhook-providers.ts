import { createHmac, timingSafeEqual } from "node:crypto";
import { invalidParameter, unauthenticated } from "../../kernel/errors.ts";

/** What a request says of a delivery, in lower-case names. */
export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

export type WebhookDelivery = {
  /** Undefined for what is no event, such as a question whether anybody is there. */
  event?: { type: string; deliveryId: string | undefined };
  answer: { status: number; text?: string };
};

export type WebhookProvider = {
  /** What has to be there before anything is looked at. Throws `invalid_parameter`. */
  preCheck?(headers: WebhookHeaders): void;
  /** Throws `unauthenticated` for what is not signed with the secret. `now` is in milliseconds since 1970. */
  authenticate(body: Buffer, headers: WebhookHeaders, options: { secret: string; now: number }): void;
  /** Of a body that is a JSON object. Throws `invalid_parameter`. */
  read(payload: Readonly<Record<string, unknown>>, headers: WebhookHeaders): WebhookDelivery;
};

const ACCEPTED = { status: 202 } as const;
const OK = { status: 200 } as const;

/** What Slack allows a delivery to be late: longer ago, somebody may have kept it to send it again. */
const SLACK_TOLERANCE_SECONDS = 5 * 60;

const github: WebhookProvider = {
  preCheck(headers) {
    if (!header(headers, "x-github-event")) throw invalidParameter("Missing or empty x-github-event header.");
  },
  authenticate: (body, headers, { secret }) =>
    checkPrefixed(body, headers, { secret, name: "x-hub-signature-256" }),
  read: (_payload, headers) => ({
    event: {
      type: needed(header(headers, "x-github-event"), "Missing required x-github-event header."),
      deliveryId: header(headers, "x-github-delivery"),
    },
    answer: ACCEPTED,
  }),
};

const custom: WebhookProvider = {
  authenticate: (body, headers, { secret }) =>
    checkPrefixed(body, headers, { secret, name: "x-zenml-signature-256" }),
  read: (_payload, headers) => ({
    event: {
      type: needed(header(headers, "x-zenml-event"), "Missing required x-zenml-event header."),
      deliveryId: header(headers, "x-zenml-delivery"),
    },
    answer: ACCEPTED,
  }),
};

const clickup: WebhookProvider = {
  authenticate(body, headers, { secret }) {
    const given = header(headers, "x-signature");
    if (!given) throw unauthenticated("Missing x-signature header.");
    requireSame(given.toLowerCase(), hmac(secret, body));
  },
  read(payload) {
    const type = needed(textIn(payload, "event"), "Missing or empty ClickUp 'event' field.");
    const webhook = needed(textIn(payload, "webhook_id"), "Missing or empty ClickUp 'webhook_id' field.");
    const items: unknown[] = Array.isArray(payload["history_items"]) ? payload["history_items"] : [];
    const ids = items.flatMap((item) => {
      const id = typeof item === "object" && item !== null && "id" in item ? item.id : undefined;
      return typeof id === "string" && id !== "" ? [id] : [];
    });
    const deliveryId = ids.length > 0 ? `${webhook}:${ids.join(",")}` : undefined;
    return { event: { type, deliveryId }, answer: ACCEPTED };
  },
};

const slack: WebhookProvider = {
  authenticate(body, headers, { secret, now }) {
    const given = header(headers, "x-slack-signature");
    if (given?.startsWith("v0=") !== true)
      throw unauthenticated("Missing or malformed x-slack-signature header.");
    const sent = header(headers, "x-slack-request-timestamp") ?? "";
    if (!/^\d{1,20}$/.test(sent)) {
      throw unauthenticated("Missing or malformed x-slack-request-timestamp header.");
    }
    if (Math.abs(now / 1000 - Number(sent)) > SLACK_TOLERANCE_SECONDS) {
      throw unauthenticated("Slack request timestamp is outside the allowed tolerance.");
    }
    requireSame(given, `v0=${hmac(secret, Buffer.concat([Buffer.from(`v0:${sent}:`), body]))}`);
  },
  read(payload) {
    switch (payload["type"]) {
      case "event_callback": {
        const event = payload["event"];
        if (typeof event !== "object" || event === null || Array.isArray(event)) {
          throw invalidParameter("Slack event callback requires an event object.");
        }
        const type = textIn(event as Record<string, unknown>, "type");
        return {
          event: {
            type: needed(type, "Slack event callback requires a non-empty event type."),
            deliveryId: needed(
              textIn(payload, "event_id"),
              "Slack event callback requires a non-empty event_id.",
            ),
          },
          answer: OK,
        };
      }
      case "url_verification": {
        const challenge = textIn(payload, "challenge");
        const text = needed(challenge, "Slack URL verification requires a non-empty challenge.");
        return { answer: { ...OK, text } };
      }
      case "app_rate_limited":
        needed(textIn(payload, "team_id"), "Slack rate-limit notification requires a non-empty team_id.");
        needed(
          textIn(payload, "api_app_id"),
          "Slack rate-limit notification requires a non-empty api_app_id.",
        );
        if (!Number.isInteger(payload["minute_rate_limited"])) {
          throw invalidParameter("Slack rate-limit notification requires an integer minute_rate_limited.");
        }
        return { answer: OK };
      default:
        throw invalidParameter("Unsupported Slack delivery type.");
    }
  },
};

const providers: ReadonlyMap<string, WebhookProvider> = new Map(
  Object.entries({ custom, github, clickup, slack }),
);

export const webhookTypes: readonly string[] = [...providers.keys()];
export const webhookProvider = (type: string): WebhookProvider | undefined => providers.get(type);

const hmac = (secret: string, body: Buffer): string =>
  createHmac("sha256", secret).update(body).digest("hex");

function checkPrefixed(
  body: Buffer,
  headers: WebhookHeaders,
  { secret, name }: { secret: string; name: string },
): void {
  const given = header(headers, name);
  if (given?.startsWith("sha256=") !== true) throw unauthenticated(`Missing or malformed ${name} header.`);
  requireSame(given, `sha256=${hmac(secret, body)}`);
}

/** Takes as long for what is nearly right as for what is wrong. */
function requireSame(given: string, expected: string): void {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  if (left.length !== right.length || !timingSafeEqual(left, right)) {
    throw unauthenticated("Invalid webhook signature.");
  }
}

function header(headers: WebhookHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textIn(payload: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = payload[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function needed(value: string | undefined, message: string): string {
  if (value === undefined) throw invalidParameter(message);
  return value;
}
