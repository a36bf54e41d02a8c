import { createBatch } from "../../kernel/batch.ts";
import type { Caller } from "../../kernel/caller.ts";
import type { Database, Queryable } from "../../kernel/database.ts";
import type { Log } from "../../kernel/log.ts";
import { decodePageToken, encodePageToken, foreignToken } from "../../kernel/page-token.ts";
import { deleteEvents, insertEvents, selectEvents, type AuditFilter, type NewAuditRow } from "./audit.sql.ts";

export type { AuditFilter } from "./audit.sql.ts";

/** `login`, `users.create`, `experiments.delete`, `artifacts.read`, `access` (a refused request), ... */
export type AuditEvent = {
  action: string;
  /** What it was done to: `experiment`, `7`. */
  resource_type?: string;
  resource_id?: string;
  workspace?: string;
  outcome: "allowed" | "denied" | "failed";
  /** Small, and never a secret. */
  details?: Readonly<Record<string, string | number | boolean | null>>;
};

export type AuditRow = {
  event_id: number;
  /** Milliseconds since 1970. */
  at: number;
  principal: string | null;
  principal_kind: string | null;
  credential_kind: string;
  credential_id: string | null;
  address: string;
  action: string;
  resource_type: string | null;
  resource_id: string | null;
  workspace: string | null;
  outcome: "allowed" | "denied" | "failed";
  details: Record<string, string | number | boolean | null> | null;
  /** How many requests of the same kind this stands for: denials of one minute are counted. */
  count: number;
};

export type AuditPage = { events: AuditRow[]; nextPageToken: string | undefined };

/** Who did what, from where; append-only. */
export type Audit = {
  /** Resolves when the event is on the disk; events of one moment share a commit. */
  record(caller: Caller, event: AuditEvent): Promise<void>;
  /** Within the transaction that does what the event tells. */
  recordIn(transaction: Queryable, caller: Caller, event: AuditEvent): Promise<void>;
  /** Does not wait; like ones within a minute are counted in one row, so that a flood of them fills no disk. */
  recordDenied(caller: Caller, event: Omit<AuditEvent, "outcome"> & { outcome?: "denied" | "failed" }): void;
  /** Newest first. */
  search(
    filter: AuditFilter,
    page: { maxResults: number; pageToken: string | undefined },
  ): Promise<AuditPage>;
  /** Oldest first, all of it, as it was when its end is reached. */
  export(filter: AuditFilter): AsyncIterable<readonly AuditRow[]>;
  /** Removes what is older than the retention; nothing where that is 0. */
  purge(retentionMs: number): Promise<number>;
  /** Writes the counts of denials that were not written yet; with `all` also those of the last minute. */
  flush(all?: boolean): Promise<void>;
};

export type AuditDeps = {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  log: Log;
  onBatch?(name: string, size: number): void;
};

const MAX_TEXT = 1024;
const WINDOW_MS = 60_000;
/** More kinds of denials at a time are counted by their address alone. */
const MAX_KINDS = 5000;
const EXPORT_PAGE = 2000;

type Denials = { row: NewAuditRow; since: number; more: number };

export function createAudit(deps: AuditDeps): Audit {
  const { database, now, log } = deps;
  const batch = createBatch<NewAuditRow, undefined>({
    name: "audit",
    maxWeight: 500,
    concurrency: 1,
    ...(deps.onBatch === undefined ? {} : { onBatch: deps.onBatch }),
    async run(rows) {
      await insertEvents(database, rows);
      return rows.map(() => undefined);
    },
  });
  const denials = new Map<string, Denials>();

  const write = (row: NewAuditRow): void => {
    batch
      .add(row)
      .catch((error: unknown) => log.error({ err: error, action: row.action }, "audit event lost"));
  };

  const finish = ({ row, more }: Denials, at: number): void => {
    if (more > 0) write({ ...row, at, count: more });
  };

  return {
    async record(caller, event) {
      await batch.add(rowOf(caller, event, now()));
    },
    recordIn: (transaction, caller, event) => insertEvents(transaction, [rowOf(caller, event, now())]),
    recordDenied(caller, event) {
      const at = now();
      const row = rowOf(caller, { outcome: "denied", ...event }, at);
      let key = kindOf(row);
      if (!denials.has(key) && denials.size >= MAX_KINDS) {
        row.action = "access";
        row.resource_type = row.resource_id = row.workspace = row.details = null;
        row.principal = row.principal_kind = row.principal_id = row.credential_id = null;
        key = kindOf({ ...row, credential_kind: "none" });
        if (!denials.has(key) && denials.size >= 2 * MAX_KINDS) return;
      }
      const known = denials.get(key);
      if (known !== undefined && at - known.since < WINDOW_MS) {
        known.more += 1;
        return;
      }
      if (known !== undefined) finish(known, at);
      denials.set(key, { row, since: at, more: 0 });
      write(row);
    },
    async search(filter, { maxResults, pageToken }) {
      const after = pageToken === undefined ? undefined : readPlace(pageToken);
      const rows = await selectEvents(database, { filter, after, ascending: false, limit: maxResults + 1 });
      const events = rows.slice(0, maxResults);
      const last = events.at(-1);
      const more = rows.length > maxResults && last !== undefined;
      return { events, nextPageToken: more ? encodePageToken([last.at, last.event_id]) : undefined };
    },
    async *export(filter) {
      let after: { at: number; eventId: number } | undefined;
      for (;;) {
        const rows = await selectEvents(database, { filter, after, ascending: true, limit: EXPORT_PAGE });
        const last = rows.at(-1);
        if (last === undefined) return;
        yield rows;
        after = { at: last.at, eventId: last.event_id };
      }
    },
    purge: (retentionMs) =>
      retentionMs === 0 ? Promise.resolve(0) : deleteEvents(database, now() - retentionMs),
    async flush(all = false) {
      const at = now();
      for (const [key, known] of denials) {
        if (!all && at - known.since < WINDOW_MS) continue;
        denials.delete(key);
        finish(known, at);
      }
      await batch.drain();
    },
  };
}

function readPlace(token: string): { at: number; eventId: number } {
  const [at, eventId] = decodePageToken(token, 2);
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(eventId)) throw foreignToken();
  return { at: Number(at), eventId: Number(eventId) };
}

const kindOf = (row: NewAuditRow): string =>
  JSON.stringify([
    row.principal,
    row.credential_kind,
    row.address,
    row.action,
    row.resource_type,
    row.resource_id,
    row.workspace,
    row.outcome,
  ]);

function rowOf({ principal, credential, address }: Caller, event: AuditEvent, at: number): NewAuditRow {
  const id = principal === undefined || principal.principalId === 0 ? null : principal.principalId;
  return {
    at,
    principal_id: id,
    principal: principal?.name ?? null,
    principal_kind: principal?.kind ?? null,
    credential_kind: credential.kind,
    credential_id: credential.id ?? null,
    address,
    action: clean(event.action),
    resource_type: event.resource_type === undefined ? null : clean(event.resource_type),
    resource_id: event.resource_id === undefined ? null : clean(event.resource_id),
    workspace: event.workspace === undefined ? null : clean(event.workspace),
    outcome: event.outcome,
    details: event.details === undefined ? null : cleanDetails(event.details),
    count: 1,
  };
}

/** What a caller sent may be long, and may hold what PostgreSQL does not take. */
const clean = (text: string): string =>
  text.replaceAll("\0", "\u{fffd}").toWellFormed().slice(0, MAX_TEXT).toWellFormed();

const cleanDetails = (details: NonNullable<AuditEvent["details"]>): NonNullable<AuditRow["details"]> =>
  Object.fromEntries(
    Object.entries(details).map(([key, value]) => [
      clean(key),
      typeof value === "string" ? clean(value) : value,
    ]),
  );
