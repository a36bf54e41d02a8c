import { z } from "zod";

/** Where the webhook is; `default` unless said. */
const workspace = z.string().min(1).max(63).default("default");

/** `GET /console/api/webhooks/:webhook_id/deliveries`: what is still to be told, and what was given up. */
export const webhookDeliveriesRequest = z.strictObject({
  workspace,
  max_results: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().min(1).max(2048).optional(),
});

const milliseconds = z.number();

export const webhookDeliveries = z.object({
  /** The newest first. What was delivered is not kept. */
  deliveries: z.array(
    z.object({
      delivery_id: z.string(),
      /** Such as `model_version.created`. */
      event: z.string(),
      created_at: milliseconds,
      attempts: z.int(),
      /** Null: given up. */
      next_attempt_at: milliseconds.nullable(),
      /** What the receiver answered the last time; null when no answer came, or none was asked for yet. */
      last_status: z.int().nullable(),
      last_error: z.string().nullable(),
    }),
  ),
  next_page_token: z.string().optional(),
});

export type WebhookDeliveries = z.infer<typeof webhookDeliveries>;

/** `POST /console/api/webhooks/:webhook_id/deliveries/repeat`: send again what was given up. */
export const repeatDeliveriesRequest = z.strictObject({ workspace });

export const repeatedDeliveries = z.object({ repeated: z.int() });

export type RepeatedDeliveries = z.infer<typeof repeatedDeliveries>;
