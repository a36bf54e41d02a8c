import { sql } from "kysely";
import type { Database, Prepared, Queryable } from "../../../kernel/database.ts";
import { isAfter, orderBy, placeOf, type OrderTerm, type Place } from "../../tracking/index.ts";
import type { WebhookEvent } from "./events.ts";

export type WebhookStatus = "ACTIVE" | "DISABLED";

export type WebhookRow = {
  webhook_key: number;
  webhook_id: string;
  name: string;
  description: string | null;
  url: string;
  events: WebhookEvent[];
  status: WebhookStatus;
  /** Encrypted. */
  secret: string | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

const COLUMNS = `w.webhook_key, w.webhook_id, w.name, w.description, w.url, w.events, w.status, w.secret,
  w.creation_timestamp, w.last_updated_timestamp`;

/** Where a webhook stands: it is not there for another workspace. */
export type WebhookPlace = { workspaceId: number; webhookId: string };

const insertText: Prepared = {
  name: "registry_insert_webhook",
  text: `
    insert into registry.webhooks as w
      (workspace_id, webhook_id, name, description, url, events, status, secret, creation_timestamp, last_updated_timestamp)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
    where (select count(*) from registry.webhooks where workspace_id = $1) < $10
    returning ${COLUMNS}`,
};

export type NewWebhookRow = WebhookPlace &
  Pick<WebhookRow, "name" | "description" | "url" | "events" | "status" | "secret"> & { now: number };

/**
 * Undefined when the workspace holds `limit` already. A workspace that is gone violates
 * `webhooks_workspace_id_fkey`.
 */
export async function insertWebhook(
  database: Queryable,
  row: NewWebhookRow,
  limit: number,
): Promise<WebhookRow | undefined> {
  const { workspaceId, webhookId, name, description, url, events, status, secret, now } = row;
  const values = [workspaceId, webhookId, name, description, url, events, status, secret, now, limit];
  return (await database.prepared<WebhookRow>(insertText, values))[0];
}

const selectText: Prepared = {
  name: "registry_select_webhook",
  text: `select ${COLUMNS} from registry.webhooks as w where w.workspace_id = $1 and w.webhook_id = $2`,
};

export async function selectWebhook(
  database: Queryable,
  { workspaceId, webhookId }: WebhookPlace,
): Promise<WebhookRow | undefined> {
  return (await database.prepared<WebhookRow>(selectText, [workspaceId, webhookId]))[0];
}

const updateText: Prepared = {
  name: "registry_update_webhook",
  text: `
    update registry.webhooks as w set
      name = coalesce($3, name), description = case when $4 then $5 else description end, url = coalesce($6, url),
      events = coalesce($7::text[], events), status = coalesce($8, status),
      secret = case when $9 then $10 else secret end, last_updated_timestamp = $11,
      failures = 0, paused_until = null
    where w.workspace_id = $1 and w.webhook_id = $2
    returning ${COLUMNS}`,
};

/** What is undefined stays as it is. */
export type WebhookUpdate = {
  [K in "name" | "description" | "url" | "events" | "status" | "secret"]: WebhookRow[K] | undefined;
};

/** Undefined when there is no such webhook. */
export async function updateWebhook(
  database: Queryable,
  { workspaceId, webhookId }: WebhookPlace,
  change: WebhookUpdate & { now: number },
): Promise<WebhookRow | undefined> {
  const { name, description, url, events, status, secret, now } = change;
  const rows = await database.prepared<WebhookRow>(updateText, [
    workspaceId,
    webhookId,
    name ?? null,
    description !== undefined,
    description ?? null,
    url ?? null,
    events ?? null,
    status ?? null,
    secret !== undefined,
    secret ?? null,
    now,
  ]);
  return rows[0];
}

const deleteText: Prepared = {
  name: "registry_delete_webhook",
  text: "delete from registry.webhooks where workspace_id = $1 and webhook_id = $2 returning webhook_key",
};

/** With what was still to be delivered. False when there is no such webhook. */
export async function deleteWebhook(
  database: Queryable,
  { workspaceId, webhookId }: WebhookPlace,
): Promise<boolean> {
  return (await database.prepared(deleteText, [workspaceId, webhookId])).length > 0;
}

/** The newest first. */
export const newestFirst: readonly OrderTerm[] = [
  { expression: sql`w.creation_timestamp`, type: "bigint", ascending: false, nullable: false },
  { expression: sql`w.webhook_key`, type: "bigint", ascending: false, nullable: false },
];

/** Up to `limit` webhooks of a workspace, the newest first, after `after`. */
export async function selectWebhooks(
  database: Database,
  workspaceId: number,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<(WebhookRow & { place: string[] })[]> {
  const conditions = [sql`w.workspace_id = ${sql.lit(workspaceId)}`];
  if (after !== undefined) conditions.push(sql`${isAfter(newestFirst, after)}`);
  const built = sql<WebhookRow & { place: string[] }>`
    select ${sql.raw(COLUMNS)}, ${placeOf(newestFirst)} as place
    from registry.webhooks as w where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(newestFirst)} limit ${sql.lit(limit)}`;
  return database.run(built.compile(database.kysely));
}
