import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import { PlinthError } from "../../../kernel/errors.ts";
import type { RegistryDeps } from "../deps.ts";
import {
  claimDeliveries,
  deleteDelivery,
  deleteOldDeliveries,
  postponeDelivery,
  releaseDeliveries,
  releaseDelivery,
  type ClaimedDelivery,
} from "./deliveries.sql.ts";
import { requestOf } from "./message.ts";
import { secretPlace } from "./webhooks.ts";

/** Sends what is to be sent; every process does, and no two the same. */
export type WebhookDelivery = {
  /** Looks for deliveries that are due and starts them. */
  wake(): void;
  /** Takes over from a process that was killed; only where no other one can be at work. */
  takeOver(): Promise<void>;
  /** Removes deliveries, those that were given up too, that are older than a week. */
  purge(): Promise<void>;
  /** Starts nothing more and waits a while for what is under way; the rest is sent by the next process. */
  stop(): Promise<void>;
};

type DeliveryDeps = Pick<
  RegistryDeps,
  | "database"
  | "outbound"
  | "secrets"
  | "now"
  | "log"
  | "webhookTimeoutMs"
  | "webhookMaxAttempts"
  | "onDelivery"
>;

/** Requests under way at a time in one process; of one webhook it is one in all of them. */
const LANES = 64;
/** Beyond the longest time that a request may take. */
const LEASE_MARGIN_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;
const KEPT_MS = 7 * 24 * 3_600_000;
const PURGED_AT_ONCE = 1000;
const STOP_MS = 3000;
/** Of the answer, nothing but the status matters. */
const MAX_BODY_BYTES = 1024;

/** What may pass; the rest of 4xx means that the receiver does not want this, however often it is sent. */
const PASSING = new Set([408, 425, 429]);

export function createDelivery(deps: DeliveryDeps): WebhookDelivery {
  const { database, outbound, secrets, log } = deps;
  const lanes = new Map<number, Promise<void>>();
  const stopping = new AbortController();
  let stopped = false;
  let failing = false;
  let polling: Promise<void> | undefined;
  let again = false;

  const attempt = async (delivery: ClaimedDelivery): Promise<void> => {
    const { webhook_id: webhookId, url, secret } = delivery;
    const message = {
      event: delivery.event,
      data: delivery.data,
      happenedAt: delivery.created_at,
      workspace: delivery.workspace,
      deliveryId: delivery.delivery_id,
      secret: secret === null ? undefined : secrets.open(secret, secretPlace(webhookId)),
    };
    const { status, headers } = await outbound.send({
      ...requestOf(message, deps.now()),
      url,
      signal: stopping.signal,
      timeoutMs: deps.webhookTimeoutMs,
      maxResponseBytes: MAX_BODY_BYTES,
    });
    if (status < 400) return;
    throw new Refusal(status, retryAfter(headers["retry-after"], deps.now()));
  };

  const fail = async (delivery: ClaimedDelivery, error: unknown): Promise<void> => {
    const { delivery_key: key, attempts, webhook_id: webhookId, event } = delivery;
    if (error instanceof OutboundError && error.kind === "aborted") return releaseDelivery(database, key);
    const final = isFinal(error) || attempts >= deps.webhookMaxAttempts;
    const { status, retryAfterMs = 0 } = error instanceof Refusal ? error : {};
    const reason = reasonOf(error);
    const pause = Math.max(pauseAfter(attempts), retryAfterMs);
    const failure = { status, error: reason, isDown: isDown(error), retryAfterMs };
    deps.onDelivery(final ? "given_up" : "repeated");
    await postponeDelivery(database, key, { delayMs: final ? undefined : pause, failure });
    const words = final ? "gave up a webhook delivery" : "will repeat a webhook delivery";
    log[final ? "warn" : "info"](
      { webhookId, deliveryId: delivery.delivery_id, event, attempts, reason },
      words,
    );
  };

  const work = async (delivery: ClaimedDelivery): Promise<void> => {
    try {
      await attempt(delivery);
    } catch (error) {
      await fail(delivery, error);
      return;
    }
    await deleteDelivery(database, delivery.delivery_key);
    deps.onDelivery("delivered");
  };

  const start = (delivery: ClaimedDelivery): void => {
    const { webhook_key: webhook } = delivery;
    const done = work(delivery)
      // Whatever was not written down is sent again when the lease ends.
      .catch((error: unknown) =>
        log.warn({ err: error, webhookId: delivery.webhook_id }, "a webhook delivery broke off"),
      )
      .finally(() => {
        lanes.delete(webhook);
        wake();
      });
    lanes.set(webhook, done);
  };

  const claim = async (): Promise<void> => {
    do {
      again = false;
      if (stopped || lanes.size >= LANES) return;
      const claimed = await claimDeliveries(database, {
        busy: [...lanes.keys()],
        limit: LANES - lanes.size,
        leaseMs: deps.webhookTimeoutMs + LEASE_MARGIN_MS,
      });
      for (const delivery of claimed) start(delivery);
      // Set again by whoever asked meanwhile.
    } while (again as boolean);
  };

  const poll = (): Promise<void> => {
    again = true;
    polling ??= claim().finally(() => {
      polling = undefined;
      if (again) wake();
    });
    return polling;
  };

  const wake = (): void => {
    if (stopped) return;
    poll()
      .then(() => (failing = false))
      .catch((error: unknown) => {
        // Asked every second: once is enough to say it.
        if (!failing) log.warn({ err: error }, "cannot look for webhook deliveries");
        failing = true;
      });
  };

  return {
    wake,
    takeOver: () => releaseDeliveries(database),
    async purge() {
      while ((await deleteOldDeliveries(database, KEPT_MS, PURGED_AT_ONCE)) === PURGED_AT_ONCE);
    },
    async stop() {
      stopped = true;
      const timer = setTimeout(() => stopping.abort(), STOP_MS);
      await polling?.catch(() => undefined);
      await Promise.all(lanes.values());
      clearTimeout(timer);
    },
  };
}

/** An answer that is no success. */
class Refusal extends Error {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(status: number, retryAfterMs: number) {
    super(`the receiver answered ${status}`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof OutboundError) return error.kind === "refused";
  return error instanceof Refusal && error.status < 500 && !PASSING.has(error.status);
}

/** The receiver would have taken no other event either. */
function isDown(error: unknown): boolean {
  if (error instanceof OutboundError) return error.kind !== "refused";
  return error instanceof Refusal && (error.status === 429 || error.status === 503);
}

function reasonOf(error: unknown): string {
  const isOurs = error instanceof Refusal || error instanceof OutboundError || error instanceof PlinthError;
  return isOurs ? error.message : `internal error: ${String(error)}`;
}

/** One second, doubled with each attempt up to an hour, and a quarter more or less so that receivers recover. */
function pauseAfter(attempts: number): number {
  return Math.min(1000 * 2 ** (attempts - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
}

/** Seconds or a date (RFC 9110, 10.2.3); more than an hour is not waited. */
function retryAfter(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Math.min(Math.max(milliseconds || 0, 0), LONGEST_PAUSE_MS);
}
