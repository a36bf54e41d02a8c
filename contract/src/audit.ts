import { z } from "zod";

const text = z.string().min(1).max(1024).optional();
const moment = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

/** `GET /console/api/audit/export`: everything that fits, oldest first, one JSON object a line. */
export const auditExportRequest = z.strictObject({
  /** Milliseconds since 1970; `to` is not included. */
  from: moment,
  to: moment,
  principal: text,
  /** Ends with `*` for all that begin so: `experiments.*`. */
  action: text,
  resource_type: text,
  resource_id: text,
  workspace: text,
  outcome: z.enum(["allowed", "denied", "failed"]).optional(),
  address: text,
});

/** `GET /console/api/audit`: the same, newest first, in pages. */
export const auditRequest = auditExportRequest.extend({
  max_results: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().min(1).max(2048).optional(),
});

export const auditEvent = z.object({
  event_id: z.int(),
  at: z.number(),
  principal: z.string().nullable(),
  principal_kind: z.string().nullable(),
  credential_kind: z.string(),
  credential_id: z.string().nullable(),
  address: z.string(),
  action: z.string(),
  resource_type: z.string().nullable(),
  resource_id: z.string().nullable(),
  workspace: z.string().nullable(),
  outcome: z.enum(["allowed", "denied", "failed"]),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullable(),
  /** How many requests of one kind this stands for: refusals of one minute are counted. */
  count: z.int(),
});
export type AuditEvent = z.infer<typeof auditEvent>;

export const auditEvents = z.object({
  events: z.array(auditEvent),
  next_page_token: z.string().optional(),
});
export type AuditEvents = z.infer<typeof auditEvents>;
