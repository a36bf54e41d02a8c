import { createHmac } from "node:crypto";
import type { OutboundRequest } from "../../../kernel/outbound/outbound.ts";
import { splitEvent, type WebhookEvent } from "./events.ts";

export type Message = {
  event: WebhookEvent;
  /** The event's own fields, as JSON. */
  data: string;
  /** When it happened, in milliseconds since 1970: the same in every attempt. */
  happenedAt: number;
  workspace: string;
  /** The same in every attempt, so that a receiver can tell a repetition. */
  deliveryId: string;
  secret: string | undefined;
};

/**
 * A delivery as MLflow makes it, signed in the manner of Standard Webhooks: the signature covers
 * `{delivery id}.{timestamp}.{body}`, with the time of this attempt, so that a receiver may refuse old ones.
 */
export function requestOf(
  message: Message,
  now: number,
): Pick<OutboundRequest, "method" | "headers"> & { body: Buffer } {
  const { event, data, happenedAt, workspace, deliveryId, secret } = message;
  const { entity, action } = splitEvent(event);
  const timestamp = new Date(happenedAt).toISOString().replace("Z", "000+00:00");
  // `data` goes in as it was stored.
  const head = JSON.stringify({ entity, action, timestamp }).slice(0, -1);
  const body = `${head},"data":${data},"workspace":${JSON.stringify(workspace)}}`;
  const seconds = String(Math.floor(now / 1000));
  return {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-MLflow-Delivery-Id": deliveryId,
      "X-MLflow-Timestamp": seconds,
      ...(secret === undefined
        ? {}
        : { "X-MLflow-Signature": signature(secret, `${deliveryId}.${seconds}.${body}`) }),
    },
    body: Buffer.from(body),
  };
}

const signature = (secret: string, content: string): string =>
  `v1,${createHmac("sha256", secret).update(content).digest("base64")}`;
