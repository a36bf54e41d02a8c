import { createHash, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import type { Database } from "../../kernel/database.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import type { PrincipalRow } from "./principals.ts";
import {
  deleteExpiredSessions,
  deleteSessionRow,
  insertSession,
  selectSession,
  selectSessions,
  updateSessions,
  type SessionRow,
} from "./sessions.sql.ts";

export type { SessionRow } from "./sessions.sql.ts";

/** Of browsers; the cookie that carries one is in `session-cookie.ts`. */
export type Sessions = {
  /** `cookie` is the value of the cookie, shown only here. Each login begins a new one: none is ever taken over. */
  createSession(
    principal: Pick<PrincipalRow, "principal_id">,
    from: { method: "password" | "oidc"; address: string; userAgent: string | undefined },
  ): Promise<{ sessionId: string; cookie: string; expiresAt: number }>;
  /**
   * The session of a cookie's value, while it lasts. This counts as use of it, so it may be remembered for
   * `REMEMBER_SESSION_MS` at most.
   */
  readSession(cookie: string): Promise<SessionRow | undefined>;
  deleteSession(sessionId: string): Promise<void>;
  /** The one used last comes first. */
  listSessions(principalId: number): Promise<SessionRow[]>;
  /** Writes down which sessions were used. */
  flush(): Promise<void>;
  /** Removes those that have ended. */
  purge(): Promise<void>;
};

/** A working day with its breaks: who stays away over night logs in again. */
const IDLE_MS = 12 * 60 * 60 * 1000;
/** Whoever copied a cookie and goes on using it has it for so long at most. */
const LONGEST_MS = 7 * 24 * 60 * 60 * 1000;
/** How exact `last_used_at` is, and with it what is idle: a session is written once a minute, not once a request. */
export const REMEMBER_SESSION_MS = 60_000;

const COOKIE = /^[0-9a-f]{96}$/;
const ID_DIGITS = 32;

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

export type SessionsDeps = {
  database: Database;
  now(): number;
  feed: Pick<ChangeFeed, "readNow">;
};

export function createSessions({ database, now, feed }: SessionsDeps): Sessions {
  const used = new Map<string, number>();
  return {
    async createSession({ principal_id }, { method, address, userAgent }) {
      const sessionId = randomUUID();
      // 256 random bits: they need no slow hash.
      const secret = randomBytes(32).toString("hex");
      const at = now();
      const expiresAt = at + IDLE_MS;
      await insertSession(database, {
        session_id: sessionId,
        principal_id,
        method,
        address,
        user_agent: userAgent?.slice(0, 500) ?? null,
        creation_timestamp: at,
        last_used_at: at,
        expires_at: expiresAt,
        secret_hash: hashOf(secret),
      });
      return { sessionId, cookie: sessionId.replaceAll("-", "") + secret, expiresAt };
    },
    async readSession(cookie) {
      if (!COOKIE.test(cookie)) return undefined;
      const id = cookie.slice(0, ID_DIGITS);
      const found = await selectSession(database, id, now());
      if (found === undefined) return undefined;
      const { secret_hash, ...row } = found;
      if (!timingSafeEqual(secret_hash, hashOf(cookie.slice(ID_DIGITS)))) return undefined;
      if (now() - row.last_used_at >= REMEMBER_SESSION_MS) used.set(row.session_id, now());
      return row;
    },
    async deleteSession(sessionId) {
      await database.transaction(async (transaction) => {
        const principalId = await deleteSessionRow(transaction, sessionId);
        if (principalId !== undefined) await recordChange(transaction, { principalId });
      });
      await feed.readNow();
    },
    listSessions: (principalId) => selectSessions(database, principalId, now()),
    async flush() {
      if (used.size === 0) return;
      const sorted = [...used].toSorted(([left], [right]) => (left < right ? -1 : 1));
      used.clear();
      await updateSessions(database, sorted, { idleMs: IDLE_MS, longestMs: LONGEST_MS });
    },
    purge: () => deleteExpiredSessions(database, now()),
  };
}
