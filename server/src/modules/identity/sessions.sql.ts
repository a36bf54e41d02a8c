import type { Prepared, Queryable } from "../../kernel/database.ts";

export type SessionRow = {
  session_id: string;
  principal_id: number;
  /** How it began. */
  method: "password" | "oidc";
  address: string;
  user_agent: string | null;
  creation_timestamp: number;
  last_used_at: number;
  expires_at: number;
};

const columns =
  "session_id, principal_id, method, address, user_agent, creation_timestamp, last_used_at, expires_at";

const insertSessionText: Prepared = {
  name: "identity_insert_session",
  text: `
    insert into identity.sessions (${columns}, secret_hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};

export async function insertSession(
  database: Queryable,
  row: SessionRow & { secret_hash: Buffer },
): Promise<void> {
  await database.prepared(insertSessionText, [
    row.session_id,
    row.principal_id,
    row.method,
    row.address,
    row.user_agent,
    row.creation_timestamp,
    row.last_used_at,
    row.expires_at,
    row.secret_hash,
  ]);
}

const selectSessionText: Prepared = {
  name: "identity_select_session",
  text: `select ${columns}, secret_hash from identity.sessions where session_id = $1 and expires_at > $2`,
};

export async function selectSession(
  database: Queryable,
  sessionId: string,
  now: number,
): Promise<(SessionRow & { secret_hash: Buffer }) | undefined> {
  const [row] = await database.prepared<SessionRow & { secret_hash: Buffer }>(selectSessionText, [
    sessionId,
    now,
  ]);
  return row;
}

const selectSessionsText: Prepared = {
  name: "identity_select_sessions",
  text: `
    select ${columns} from identity.sessions
    where principal_id = $1 and expires_at > $2 order by last_used_at desc, session_id limit 1000`,
};

export const selectSessions = (
  database: Queryable,
  principalId: number,
  now: number,
): Promise<SessionRow[]> => database.prepared<SessionRow>(selectSessionsText, [principalId, now]);

const updateSessionsText: Prepared = {
  name: "identity_update_sessions",
  text: `
    update identity.sessions as session
    set last_used_at = greatest(session.last_used_at, used.at),
      expires_at = greatest(session.expires_at, least(used.at + $3, session.creation_timestamp + $4))
    from unnest($1::uuid[], $2::bigint[]) as used (session_id, at)
    where session.session_id = used.session_id`,
};

/** Sessions that were used, in the order of their ids. */
export async function updateSessions(
  database: Queryable,
  used: readonly (readonly [sessionId: string, at: number])[],
  lifetime: { idleMs: number; longestMs: number },
): Promise<void> {
  await database.prepared(updateSessionsText, [
    used.map(([sessionId]) => sessionId),
    used.map(([, at]) => at),
    lifetime.idleMs,
    lifetime.longestMs,
  ]);
}

const deleteSessionText: Prepared = {
  name: "identity_delete_session",
  text: "delete from identity.sessions where session_id = $1 returning principal_id",
};

export async function deleteSessionRow(database: Queryable, sessionId: string): Promise<number | undefined> {
  const [row] = await database.prepared<{ principal_id: number }>(deleteSessionText, [sessionId]);
  return row?.principal_id;
}

const deleteSessionsOfText: Prepared = {
  name: "identity_delete_sessions_of",
  text: "delete from identity.sessions where principal_id = $1",
};

/** Within the transaction that changes a password or shuts a principal out. */
export async function deleteSessionsOf(transaction: Queryable, principalId: number): Promise<void> {
  await transaction.prepared(deleteSessionsOfText, [principalId]);
}

const deleteExpiredText: Prepared = {
  name: "identity_delete_expired_sessions",
  text: `
    delete from identity.sessions where session_id in (
      select session_id from identity.sessions where expires_at <= $1
      order by session_id limit 10000 for update skip locked
    )`,
};

export async function deleteExpiredSessions(database: Queryable, now: number): Promise<void> {
  await database.prepared(deleteExpiredText, [now]);
}
