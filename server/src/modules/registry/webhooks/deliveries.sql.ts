import type { Prepared, Queryable } from "../../../kernel/database.ts";
import type { WebhookEvent } from "./events.ts";

/**
 * The last parts of a `with` clause, which write down what webhooks are to be told of a change, in the change's
 * own statement: no webhook, and it is one look into an index. `workspace` is the SQL of the workspace's id (or
 * `any(...)` of several), `from` what holds a row for each change that was made, `data` the SQL of the event's
 * fields as JSON.
 */
export const recordEvent = (
  event: WebhookEvent,
  { workspace, from, where, data, order }: EventSource,
): string => `
  -- A webhook that is being deleted is waited for, and then not told.
  listening as (
    select w.webhook_key, w.workspace_id from registry.webhooks as w
    where w.workspace_id = ${workspace} and w.status = 'ACTIVE' and '${event}' = any(w.events)
    for key share
  ), recorded as (
    insert into registry.webhook_deliveries (webhook_key, event, data)
    select l.webhook_key, '${event}', ${data}
    from listening as l cross join ${from}
    ${where === undefined ? "" : `where ${where}`}
    ${order === undefined ? "" : `order by ${order}`}
    returning 1
  )`;

type EventSource = { workspace: string; from: string; where?: string; data: string; order?: string };

/** For the end of a statement with `recordEvent`: how many webhooks are to be told. */
export const RECORDED = "(select count(*) from recorded)::integer as recorded";

export type ClaimedDelivery = {
  delivery_key: number;
  webhook_key: number;
  delivery_id: string;
  event: WebhookEvent;
  /** JSON, as it was written. */
  data: string;
  /** Milliseconds since 1970. */
  created_at: number;
  /** This one included. */
  attempts: number;
  webhook_id: string;
  url: string;
  secret: string | null;
  workspace: string;
};

// One delivery of a webhook at a time, in all processes: they arrive in order, and a slow receiver keeps none
// but its own waiting. The lock makes two processes take different webhooks; should one have claimed between the
// other's look and its lock, the condition on the lease is looked at again when the row is written.
const claimText: Prepared = {
  name: "registry_claim_webhook_deliveries",
  text: `
    with lane as (
      select w.webhook_key, w.webhook_id, w.url, w.secret, w.workspace_id, next.delivery_key
      from registry.webhooks as w
      cross join lateral (
        select d.delivery_key, d.due_at from registry.webhook_deliveries as d
        where d.webhook_key = w.webhook_key and d.due_at <= now()
        order by d.due_at, d.delivery_key limit 1
      ) as next
      where w.status = 'ACTIVE' and w.webhook_key <> all($1::integer[])
        and (w.paused_until is null or w.paused_until <= now())
        and not exists (
          select from registry.webhook_deliveries as busy
          where busy.webhook_key = w.webhook_key and busy.leased_until > now()
        )
      order by next.due_at limit $2
      for no key update of w skip locked
    )
    update registry.webhook_deliveries as d set
      attempts = d.attempts + 1, leased_until = now() + $3 * interval '1 millisecond'
    from lane join identity.workspaces as place using (workspace_id)
    where d.delivery_key = lane.delivery_key and (d.leased_until is null or d.leased_until <= now())
    returning d.delivery_key, d.webhook_key, d.delivery_id, d.event, d.data::text as data,
      (extract(epoch from d.created_at) * 1000)::bigint as created_at, d.attempts,
      lane.webhook_id, lane.url, lane.secret, place.name as workspace`,
};

/** Up to `limit` deliveries that are due, none of the webhooks `busy`; nobody else gets them before the lease ends. */
export async function claimDeliveries(
  database: Queryable,
  { busy, limit, leaseMs }: { busy: readonly number[]; limit: number; leaseMs: number },
): Promise<ClaimedDelivery[]> {
  return database.prepared<ClaimedDelivery>(claimText, [busy, limit, leaseMs]);
}

const deleteText: Prepared = {
  name: "registry_delete_webhook_delivery",
  text: `
    with delivered as (
      delete from registry.webhook_deliveries where delivery_key = $1 returning webhook_key
    )
    update registry.webhooks as w set failures = 0, paused_until = null
    from delivered where w.webhook_key = delivered.webhook_key and w.failures > 0`,
};

/** Delivered: the receiver is there. */
export async function deleteDelivery(database: Queryable, key: number): Promise<void> {
  await database.prepared(deleteText, [key]);
}

// The receiver is left alone for a second, doubled with each failure in a row up to a minute.
const postponeText: Prepared = {
  name: "registry_postpone_webhook_delivery",
  text: `
    with postponed as (
      update registry.webhook_deliveries set
        due_at = now() + $2 * interval '1 millisecond', leased_until = null, last_status = $3, last_error = $4
      where delivery_key = $1 returning webhook_key
    )
    update registry.webhooks as w set
      failures = w.failures + 1,
      paused_until = now() + greatest(1000 * least(2 ^ least(w.failures, 6), 60), $6) * interval '1 millisecond'
    from postponed where w.webhook_key = postponed.webhook_key and $5::boolean`,
};

export type Failure = {
  status: number | undefined;
  error: string;
  /** Nothing at all would have been taken just now. */
  isDown: boolean;
  /** The receiver asked for so much time. */
  retryAfterMs: number;
};

/** Sent again after `delayMs`; given up without it. */
export async function postponeDelivery(
  database: Queryable,
  key: number,
  { delayMs, failure }: { delayMs: number | undefined; failure: Failure },
): Promise<void> {
  const { status = null, error, isDown, retryAfterMs } = failure;
  await database.prepared(postponeText, [key, delayMs ?? null, status, error, isDown, retryAfterMs]);
}

const releaseText: Prepared = {
  name: "registry_release_webhook_delivery",
  text: `
    update registry.webhook_deliveries set leased_until = null, attempts = attempts - 1
    where delivery_key = $1`,
};

/** As if it had not been claimed: it keeps its place. */
export async function releaseDelivery(database: Queryable, key: number): Promise<void> {
  await database.prepared(releaseText, [key]);
}

const releaseAllText: Prepared = {
  name: "registry_release_webhook_deliveries",
  text: `
    update registry.webhook_deliveries set leased_until = null, attempts = attempts - 1
    where leased_until is not null`,
};

/** All that are claimed, by whomever. */
export async function releaseDeliveries(database: Queryable): Promise<void> {
  await database.prepared(releaseAllText, []);
}

// Keys grow with time: only the first rows have to be looked at.
const deleteOldText: Prepared = {
  name: "registry_delete_old_webhook_deliveries",
  text: `
    with oldest as (
      select delivery_key, created_at from registry.webhook_deliveries order by delivery_key limit $2
    )
    delete from registry.webhook_deliveries as d using oldest
    where d.delivery_key = oldest.delivery_key and oldest.created_at < now() - $1 * interval '1 millisecond'
    returning d.delivery_key`,
};

/** How many of the first `limit` were older and are gone. */
export async function deleteOldDeliveries(
  database: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<number> {
  return (await database.prepared(deleteOldText, [olderThanMs, limit])).length;
}

export type KeptDelivery = {
  delivery_id: string;
  event: string;
  created_at: number;
  attempts: number;
  next_attempt_at: number | null;
  last_status: number | null;
  last_error: string | null;
};

const selectDeliveriesText: Prepared = {
  name: "registry_select_webhook_deliveries",
  text: `
    select d.delivery_key, d.delivery_id, d.event, (extract(epoch from d.created_at) * 1000)::bigint as created_at,
      d.attempts, (extract(epoch from d.due_at) * 1000)::bigint as next_attempt_at, d.last_status, d.last_error
    from registry.webhook_deliveries as d
    where d.webhook_key = $1 and d.delivery_key < $2
    order by d.delivery_key desc limit $3`,
};

/** Up to `limit` deliveries of a webhook that were made before `before`, the newest first. */
export async function selectDeliveries(
  database: Queryable,
  webhookKey: number,
  { before, limit }: { before: number; limit: number },
): Promise<(KeptDelivery & { delivery_key: number })[]> {
  return database.prepared(selectDeliveriesText, [webhookKey, before, limit]);
}

const repeatText: Prepared = {
  name: "registry_repeat_webhook_deliveries",
  text: `
    with unpaused as (
      update registry.webhooks set failures = 0, paused_until = null where webhook_key = $1
    )
    update registry.webhook_deliveries set due_at = now(), attempts = 0
    where webhook_key = $1 and due_at is null returning delivery_key`,
};

/** Makes due what was given up; how many that were. */
export async function repeatDeliveries(database: Queryable, webhookKey: number): Promise<number> {
  return (await database.prepared(repeatText, [webhookKey])).length;
}
