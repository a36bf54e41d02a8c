import { randomBytes } from "node:crypto";
import type { Database, Prepared, Row } from "../../kernel/database.ts";
import { isForeignKeyViolation } from "../../kernel/database-errors.ts";
import { invalidParameter, invalidState, notFound, PlinthError } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { createCollection, noSuch, type Collection } from "./collection.ts";
import { idFields, userFields, type Fields } from "./list.ts";
import { webhooks, type PipelineWebhookRow } from "./pipeline-tables.ts";
import { deleteRow, selectRows } from "./records.ts";
import { webhookSecretPlace } from "./sealed-columns.ts";
import { webhookProvider, type WebhookDelivery, type WebhookHeaders } from "./webhook-providers.ts";

export type NewWebhook = Pick<
  PipelineWebhookRow,
  "id" | "workspace_id" | "user_id" | "name" | "webhook_type" | "active"
>;

export type Received = WebhookDelivery["answer"];

/** Addresses at which other services tell of what happened there, with a secret that signs what they say. */
export type Webhooks = Omit<Collection<typeof webhooks>, "create"> & {
  /** With the secret, where it was made here: it is shown only then. */
  create(
    row: NewWebhook,
    secret: string | undefined,
  ): Promise<{ row: PipelineWebhookRow; secret: string | null }>;
  findAll(ids: readonly (string | null)[]): Promise<Map<string, PipelineWebhookRow>>;
  /** The new secret. What is signed with the one before is refused from now on. */
  rotateSecret(id: string, secret: string | undefined): Promise<string>;
  /**
   * Takes what was sent to a webhook. Throws `not_found` where there is none of this type, `unauthenticated` for what
   * is not signed, `already_exists` for one that is off, `invalid_parameter` for what cannot be read.
   */
  receive(type: string, id: string, delivery: { headers: WebhookHeaders; body: Buffer }): Promise<Received>;
  /** The text of the JSON that came. Throws `not_found`. */
  rawEvent(id: string, deliveryId: string): Promise<string>;
};

const LABEL = "webhook";

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  webhook_type: { kind: "text", sql: "t.webhook_type" },
  active: { kind: "boolean", sql: "t.active" },
};

/** So many events of each webhook are kept, the newest. */
const KEPT_EVENTS = 100;
const MAX_BODY = 25 * 1024 * 1024;
const MAX_SUMMARY = 4096;
const MAX_DELIVERY_ID = 1024;

// What is in a deleted project takes nothing more.
const intakeText: Prepared = {
  name: "pipelines_select_webhook_intake",
  text: `
    select t.active, t.sealed_secret from pipelines.webhooks as t
      join identity.workspaces as w on w.workspace_id = t.workspace_id and not w.hidden
    where t.id = $1 and t.webhook_type = $2`,
};

const recordText: Prepared = {
  name: "pipelines_record_webhook_event",
  text: `
    update pipelines.webhooks set received_count = received_count + 1, last_received_at = $2,
      accepted_count = accepted_count + ($3 = 'accepted')::integer,
      auth_failed_count = auth_failed_count + ($3 = 'auth_failed')::integer,
      invalid_payload_count = invalid_payload_count + ($3 = 'invalid_payload')::integer,
      last_accepted_at = case when $3 = 'accepted' then $2 else last_accepted_at end,
      last_error_at = case when $4::text is null then last_error_at else $2 end,
      last_error_summary = coalesce($4, last_error_summary)
    where id = $1`,
};

// The first of two deliveries of one id counts.
const keepText: Prepared = {
  name: "pipelines_insert_webhook_event",
  text: `
    insert into pipelines.webhook_events (webhook_id, delivery_id, body_json, created) values ($1, $2, $3, $4)
    on conflict do nothing`,
};

const forgetText: Prepared = {
  name: "pipelines_delete_old_webhook_events",
  text: `
    delete from pipelines.webhook_events where webhook_id = $1 and delivery_id in (
      select delivery_id from pipelines.webhook_events where webhook_id = $1
      order by created desc, delivery_id desc offset ${KEPT_EVENTS}
    )`,
};

const rawText: Prepared = {
  name: "pipelines_select_webhook_event",
  text: "select body_json from pipelines.webhook_events where webhook_id = $1 and delivery_id = $2",
};

const isUsedText: Prepared = {
  name: "pipelines_select_webhook_is_used",
  text: "select id from pipelines.triggers where webhook_id = $1 and not is_archived limit 1",
};

const releaseText: Prepared = {
  name: "pipelines_release_webhook",
  text: "update pipelines.triggers set webhook_id = null, updated = $2 where webhook_id = $1 and is_archived",
};

type Deps = { database: Database; clock(): Micros; now(): number; secrets: Secrets };

export function createWebhooks(deps: Deps): Webhooks {
  const { database, clock, secrets } = deps;
  const rows = createCollection(deps, {
    table: webhooks,
    label: LABEL,
    fields,
    nameKeys: ["webhooks_name_key"],
  });

  const record = async (
    id: string,
    outcome: "accepted" | "auth_failed" | "invalid_payload",
    summary: string | null,
  ): Promise<void> => {
    await database.prepared(recordText, [id, clock(), outcome, summary?.slice(0, MAX_SUMMARY) ?? null]);
  };

  /** Counts what `work` refuses, too. */
  const counted = async <T>(
    id: string,
    outcome: "auth_failed" | "invalid_payload",
    work: () => T,
  ): Promise<T> => {
    try {
      return work();
    } catch (error) {
      if (error instanceof PlinthError) await record(id, outcome, error.message);
      throw error;
    }
  };

  return {
    ...rows,
    async create(row, given) {
      const secret = given ?? newSecret();
      const sealed = secrets.seal(secret, webhookSecretPlace(row.id));
      const made = await rows.create({ ...row, sealed_secret: sealed });
      // A request that is repeated is answered with what was made the first time.
      const kept = secrets.open(made.sealed_secret, webhookSecretPlace(row.id));
      return { row: made, secret: given === undefined ? kept : null };
    },
    findAll: (ids) =>
      selectRows(
        database,
        webhooks,
        ids.filter((id): id is string => id !== null),
      ),
    async rotateSecret(id, given) {
      const secret = given ?? newSecret();
      await rows.update(id, { sealed_secret: secrets.seal(secret, webhookSecretPlace(id)) });
      return secret;
    },
    async remove(id) {
      try {
        await database.transaction(async (transaction) => {
          if ((await transaction.prepared(isUsedText, [id])).length > 0) throw inUse();
          await transaction.prepared(releaseText, [id, clock()]);
          if (!(await deleteRow(transaction, webhooks, id))) throw noSuch(LABEL, id);
        });
      } catch (error) {
        throw isForeignKeyViolation(error) ? inUse() : error;
      }
    },
    async receive(type, id, { headers, body }) {
      const provider = webhookProvider(type);
      if (provider === undefined) throw unknown();
      provider.preCheck?.(headers);
      if (body.length > MAX_BODY) throw invalidParameter(`The body is longer than ${MAX_BODY} bytes.`);
      type Intake = { active: boolean; sealed_secret: string };
      const [config] = await database.prepared<Intake & Row>(intakeText, [id, type]);
      if (config === undefined) throw unknown();
      const secret = secrets.open(config.sealed_secret, webhookSecretPlace(id));
      const authenticate = (): void => provider.authenticate(body, headers, { secret, now: deps.now() });
      // What comes to one that is off is not counted.
      if (config.active) await counted(id, "auth_failed", authenticate);
      else authenticate();
      if (!config.active) throw new PlinthError("already_exists", "Webhook is inactive.");
      const text = body.toString("utf8");
      const { event, answer } = await counted(id, "invalid_payload", () =>
        provider.read(readObject(text), headers),
      );
      await record(id, "accepted", null);
      if (event !== undefined) {
        const deliveryId = event.deliveryId?.slice(0, MAX_DELIVERY_ID) ?? randomBytes(16).toString("hex");
        await database.prepared(keepText, [id, deliveryId, text, clock()]);
        await database.prepared(forgetText, [id]);
      }
      return answer;
    },
    async rawEvent(id, deliveryId) {
      const [row] = await database.prepared<{ body_json: string }>(rawText, [id, deliveryId]);
      if (row === undefined) {
        throw notFound(`No raw event with delivery ID '${deliveryId}' found for webhook '${id}'.`);
      }
      return row.body_json;
    },
  };
}

const newSecret = (): string => randomBytes(32).toString("base64url");

const unknown = (): PlinthError => notFound("Not Found");

const inUse = (): PlinthError =>
  invalidState("The webhook can not be deleted while non-archived triggers reference it.");

function readObject(text: string): Readonly<Record<string, unknown>> {
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    throw invalidParameter("Request body must be valid JSON.");
  }
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw invalidParameter("Request body must contain a top-level JSON object.");
  }
  return payload as Record<string, unknown>;
}
