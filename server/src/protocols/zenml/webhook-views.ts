import type { PipelineWebhookRow } from "../../modules/pipelines/index.ts";
import { entity, iso, projectBody, type ViewContext } from "./envelope.ts";

/** Where the events of a webhook are to be sent. */
const eventsPath = (row: Pick<PipelineWebhookRow, "id" | "webhook_type">): string =>
  `/api/v1/webhooks/${row.webhook_type}/${row.id}/events`;

export const webhookBody = (row: PipelineWebhookRow, context: ViewContext, site: string | null): object => ({
  ...projectBody(row, context),
  webhook_type: row.webhook_type,
  active: row.active,
  endpoint_url: site === null ? null : site + eventsPath(row),
});

export const webhookStats = (row: PipelineWebhookRow): object => ({
  received_count: row.received_count,
  accepted_count: row.accepted_count,
  auth_failed_count: row.auth_failed_count,
  invalid_payload_count: row.invalid_payload_count,
  last_received_at: iso(row.last_received_at),
  last_accepted_at: iso(row.last_accepted_at),
  last_error_at: iso(row.last_error_at),
  last_error_summary: row.last_error_summary,
});

export const webhookSummary = (row: PipelineWebhookRow, context: ViewContext): object =>
  entity(row, { body: webhookBody(row, context, null) });
