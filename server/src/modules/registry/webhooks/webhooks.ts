import { randomUUID } from "node:crypto";
import { violates } from "../../../kernel/database-errors.ts";
import { invalidParameter, invalidState, notFound, PlinthError } from "../../../kernel/errors.ts";
import { OutboundError } from "../../../kernel/outbound/outbound-error.ts";
import { workspaceNotFound, type Scope } from "../../identity/index.ts";
import { checkLength, decodePlace, encodePlace, pythonText } from "../../tracking/index.ts";
import { decodePageToken, encodePageToken, foreignToken } from "../../../kernel/page-token.ts";
import type { ChangeDeps } from "../deps.ts";
import { shown } from "../names.ts";
import { repeatDeliveries, selectDeliveries, type KeptDelivery } from "./deliveries.sql.ts";
import type { WebhookEvent } from "./events.ts";
import { exampleData } from "./examples.ts";
import { requestOf } from "./message.ts";
import {
  deleteWebhook,
  insertWebhook,
  newestFirst,
  selectWebhook,
  selectWebhooks,
  updateWebhook,
  type WebhookRow,
  type WebhookStatus,
} from "./webhooks.sql.ts";

export type Webhook = Omit<WebhookRow, "webhook_key" | "secret">;

export type NewWebhook = {
  name: string;
  description: string;
  url: string;
  events: readonly WebhookEvent[];
  status: WebhookStatus | undefined;
  /** Empty for deliveries without a signature. */
  secret: string;
};

/** What is undefined stays as it is; an empty description or secret is removed. */
export type WebhookChange = { [K in keyof NewWebhook]: NewWebhook[K] | undefined };

export type WebhookTest = {
  success: boolean;
  responseStatus?: number;
  responseBody?: string;
  errorMessage?: string;
};

export type Webhooks = {
  createWebhook(scope: Scope, webhook: NewWebhook): Promise<Webhook>;
  getWebhook(scope: Scope, id: string): Promise<Webhook>;
  /** The newest first. */
  listWebhooks(
    scope: Scope,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<{ webhooks: Webhook[]; nextPageToken: string | undefined }>;
  updateWebhook(scope: Scope, id: string, change: WebhookChange): Promise<Webhook>;
  /** With what was still to be delivered. */
  deleteWebhook(scope: Scope, id: string): Promise<void>;
  /** Sends an example of `event`, or of the first one the webhook is told of, once. */
  testWebhook(scope: Scope, id: string, event: WebhookEvent | undefined): Promise<WebhookTest>;
  /** What is still to be delivered and what was given up, the newest first. */
  listDeliveries(
    scope: Scope,
    id: string,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<{ deliveries: KeptDelivery[]; nextPageToken: string | undefined }>;
  /** Sends again what was given up; how many that were. */
  repeatDeliveries(scope: Scope, id: string): Promise<number>;
};

const sizes = { description: 5000, url: 2048, secret: 4096 } as const;

/** In a workspace: each is a row to write with every event. */
const MAX_WEBHOOKS = 1000;

/** Of the answer to a test call, which is shown. */
const MAX_SHOWN_BYTES = 64 * 1024;

/** At a time in one process: a test call waits for somebody else's server. */
const MAX_TESTS = 8;

export function createWebhooks(deps: ChangeDeps): Webhooks {
  const { database, outbound, secrets } = deps;
  let testing = 0;

  const checkUrl = async (url: string): Promise<void> => {
    checkUrlText(url);
    try {
      await outbound.check(url);
    } catch (error) {
      throw error instanceof OutboundError ? badAddress(url, error) : error;
    }
  };

  const find = async ({ workspaceId }: Scope, webhookId: string): Promise<WebhookRow> => {
    const row = webhookId.includes("\0")
      ? undefined
      : await selectWebhook(database, { workspaceId, webhookId });
    if (row === undefined) throw webhookNotFound(webhookId);
    return row;
  };

  const sealed = (secret: string, webhookId: string): string | null => {
    checkLength("secret", sizes.secret, secret);
    return secret === "" ? null : secrets.seal(secret, secretPlace(webhookId));
  };

  return {
    async createWebhook({ workspaceId, workspace }, webhook) {
      const { name, description, url, events, status = "ACTIVE", secret } = webhook;
      checkName(name);
      await checkUrl(url);
      checkLength("description", sizes.description, description);
      const webhookId = randomUUID();
      try {
        const row = {
          workspaceId,
          webhookId,
          name,
          description: description === "" ? null : description,
          url,
          events: readEvents(events),
          status,
          secret: sealed(secret, webhookId),
          now: deps.now(),
        };
        const inserted = await insertWebhook(database, row, MAX_WEBHOOKS);
        if (inserted === undefined) throw tooManyWebhooks();
        return inserted;
      } catch (error) {
        throw violates(error, "webhooks_workspace_id_fkey") ? workspaceNotFound(workspace) : error;
      }
    },
    getWebhook: find,
    async listWebhooks({ workspaceId }, { maxResults, pageToken }) {
      if (maxResults < 1 || maxResults > 1000) {
        throw invalidParameter("max_results must be between 1 and 1000.");
      }
      const search = ["webhooks", workspaceId];
      const after = pageToken === undefined ? undefined : decodePlace(search, newestFirst, pageToken);
      const rows = await selectWebhooks(database, workspaceId, { after, limit: maxResults + 1 });
      const more = rows.length > maxResults;
      const webhooks = more ? rows.slice(0, maxResults) : rows;
      return {
        webhooks,
        nextPageToken: more ? encodePlace(search, webhooks.at(-1)?.place ?? []) : undefined,
      };
    },
    async updateWebhook(scope, webhookId, change) {
      await find(scope, webhookId);
      const { name, description, url, events, status, secret } = change;
      if (name !== undefined) checkName(name);
      if (url !== undefined) await checkUrl(url);
      if (description !== undefined) checkLength("description", sizes.description, description);
      const place = { workspaceId: scope.workspaceId, webhookId };
      const row = await updateWebhook(database, place, {
        name,
        description: description === "" ? null : description,
        url,
        events: events === undefined ? undefined : readEvents(events),
        status,
        secret: secret === undefined ? undefined : sealed(secret, webhookId),
        now: deps.now(),
      });
      if (row === undefined) throw webhookNotFound(webhookId);
      return row;
    },
    async deleteWebhook({ workspaceId }, webhookId) {
      const gone = !webhookId.includes("\0") && (await deleteWebhook(database, { workspaceId, webhookId }));
      if (!gone) throw webhookNotFound(webhookId);
    },
    async listDeliveries(scope, webhookId, { maxResults, pageToken }) {
      const { webhook_key: key } = await find(scope, webhookId);
      const before = pageToken === undefined ? Number.MAX_SAFE_INTEGER : readPlace(pageToken, webhookId);
      const rows = await selectDeliveries(database, key, { before, limit: maxResults + 1 });
      const page = rows.slice(0, maxResults);
      const last = rows.length > maxResults ? page.at(-1)?.delivery_key : undefined;
      return {
        deliveries: page.map(({ delivery_key: _key, ...delivery }) => delivery),
        nextPageToken: last === undefined ? undefined : encodePageToken([webhookId, last]),
      };
    },
    async repeatDeliveries(scope, webhookId) {
      const { webhook_key: key } = await find(scope, webhookId);
      const repeated = await repeatDeliveries(database, key);
      deps.announce(repeated);
      return repeated;
    },
    async testWebhook(scope, webhookId, wanted) {
      const row = await find(scope, webhookId);
      const [first] = row.events;
      const event = wanted ?? first;
      if (event === undefined) throw invalidParameter("This webhook is told of no event.");
      if (testing >= MAX_TESTS) throw tooManyTests();
      testing += 1;
      try {
        const message = {
          event,
          data: JSON.stringify(exampleData[event]),
          happenedAt: deps.now(),
          workspace: scope.workspace,
          deliveryId: randomUUID(),
          secret: row.secret === null ? undefined : secrets.open(row.secret, secretPlace(webhookId)),
        };
        const answer = await outbound.send({
          ...requestOf(message, deps.now()),
          url: row.url,
          timeoutMs: deps.webhookTimeoutMs,
          maxResponseBytes: MAX_SHOWN_BYTES,
        });
        const responseBody = answer.body.toString("utf8").replaceAll("\0", "");
        return { success: answer.status < 400, responseStatus: answer.status, responseBody };
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        return { success: false, errorMessage: `Failed to test webhook: ${error.message}` };
      } finally {
        testing -= 1;
      }
    },
  };
}

/** Where the secret of a webhook stands; it opens nowhere else. */
export const secretPlace = (webhookId: string): string => `webhook ${webhookId}`;

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/i;

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw invalidParameter(
    `Webhook name ${pythonText(shown(name))} is invalid. It must start and end with a letter or digit, be less than ` +
      "63 characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-).",
  );
}

/** MLflow's words for what its clients get wrong most; the rest the guard says. */
function checkUrlText(url: string): void {
  if (url.trim() === "") {
    throw invalidParameter(`Webhook URL cannot be empty or just whitespace: ${pythonText(shown(url))}`);
  }
  checkLength("url", sizes.url, url);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
  if (scheme !== "https" && scheme !== "http") {
    throw invalidParameter(
      `Invalid webhook URL scheme: ${pythonText(scheme)}. Allowed schemes are: http, https.`,
    );
  }
  if (!/^https?:\/\/[^/\\?#]/i.test(url)) {
    throw invalidParameter(`Webhook URL must include a hostname: ${pythonText(url)}`);
  }
}

function badAddress(url: string, error: OutboundError): PlinthError {
  return invalidParameter(
    error.kind === "unresolved"
      ? `Cannot resolve Webhook URL hostname: ${error.message}.`
      : `Invalid webhook URL ${pythonText(url)}: ${error.message}.`,
  );
}

function readPlace(token: string, webhookId: string): number {
  const [id, before] = decodePageToken(token, 2);
  if (id === webhookId && Number.isSafeInteger(before)) return before as number;
  throw foreignToken();
}

/** Each once, sorted. */
function readEvents(events: readonly WebhookEvent[]): WebhookEvent[] {
  if (events.length > 0) return [...new Set(events)].toSorted();
  throw invalidParameter("Webhook events must be a non-empty list of WebhookEvent objects: [].");
}

const webhookNotFound = (id: string): PlinthError => notFound(`Webhook with ID ${shown(id)} not found.`);

const tooManyWebhooks = (): PlinthError =>
  invalidState(
    `This workspace holds ${MAX_WEBHOOKS} webhooks, as many as it may. Delete one that is not needed.`,
  );

const tooManyTests = (): PlinthError =>
  new PlinthError("too_many_requests", "Other webhooks are being tested right now. Try again.", {
    retryAfterSeconds: 5,
  });
