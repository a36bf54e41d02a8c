import { hash } from "node:crypto";
import { isIP } from "node:net";
import type { Database } from "../../kernel/database.ts";
import { PlinthError } from "../../kernel/errors.ts";
import { normalizeName } from "./principal-names.ts";
import {
  deleteLoginFailures,
  insertLoginFailure,
  selectLoginFailures,
  updateLoginRight,
  type LoginCounts,
  type LoginSubjects,
} from "./login-limits.sql.ts";

/**
 * How often a password may be wrong. Attempts are counted before they are made and taken back when they were right,
 * so that many at once are no more than one after the other; all processes share the counts. Blocks end by
 * themselves: while one lasts, nothing is counted.
 */
export type LoginLimits = {
  /** Throws `too_many_requests`. Counts nothing. */
  check(subjects: LoginSubjects): Promise<{ isKnown: boolean }>;
  /** As `check`, and counts one attempt. */
  begin(subjects: LoginSubjects): Promise<void>;
  /** The attempt was right. */
  end(subjects: LoginSubjects): Promise<void>;
  /** Forgets what is over. */
  sweep(): Promise<void>;
};

export const WINDOW_MS = 5 * 60 * 1000;
/** Of one account from one address: a person who mistypes has more than enough, a guesser 2,880 a day. */
export const PAIR_LIMIT = 10;
/** Of one account from all addresses: a guesser with many of them has 28,800 a day. */
export const ACCOUNT_LIMIT = 100;
/** Of all accounts from one address: somebody who tries one password on each of a list of names. */
export const ADDRESS_LIMIT = 30;
/**
 * Where the password of an account was right, only the first limit counts for it: whoever makes it fail elsewhere
 * does not shut out its owner.
 */
const KNOWN_MS = 30 * 24 * 60 * 60 * 1000;

export function createLoginLimits({
  database,
  now,
}: {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
}): LoginLimits {
  const moment = (): { windowAgo: number; now: number } => {
    const at = now();
    return { windowAgo: at - WINDOW_MS, now: at };
  };
  const refuse = (counts: LoginCounts, allowed: 0 | 1): void => {
    const over = [
      counts.pair >= PAIR_LIMIT + allowed ? counts.pair_since : undefined,
      !counts.known && counts.account >= ACCOUNT_LIMIT + allowed ? counts.account_since : undefined,
      !counts.known && counts.address >= ADDRESS_LIMIT + allowed ? counts.address_since : undefined,
    ].filter((since) => since !== undefined);
    if (over.length > 0) throw tooMany(Math.max(...over) + WINDOW_MS - now());
  };
  return {
    async check(subjects) {
      const counts = await selectLoginFailures(database, subjects, moment());
      refuse(counts, 0);
      return { isKnown: counts.known };
    },
    async begin(subjects) {
      refuse(await selectLoginFailures(database, subjects, moment()), 0);
      refuse(await insertLoginFailure(database, subjects, { ...moment(), pairLimit: PAIR_LIMIT }), 1);
    },
    end: (subjects) => updateLoginRight(database, subjects, now() + KNOWN_MS),
    sweep: () => deleteLoginFailures(database, moment()),
  };
}

/** Names are hashed: sooner or later somebody types a password into the field above. */
export function loginSubjects(name: string, address: string): LoginSubjects {
  const account = hash("sha256", normalizeName(name.toWellFormed()), "base64url").slice(0, 22);
  const network = networkOf(address);
  return { pair: `pair:${account}:${network}`, account: `account:${account}`, address: `address:${network}` };
}

/** An IPv6 host chooses among 2^64 addresses: its network counts as one. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const bare = address.split("%", 1)[0] ?? "";
  if (isIP(bare) !== 6) return address.slice(0, 64);
  const [head = "", tail] = bare.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  // A dotted end stands for two groups; it is never among the first four.
  const missing = tail === undefined ? 0 : 8 - front.length - back.length - (bare.includes(".") ? 1 : 0);
  const groups = [...front, ...Array.from({ length: Math.max(missing, 0) }, () => "0"), ...back];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

function tooMany(milliseconds: number): PlinthError {
  const retryAfterSeconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return new PlinthError("too_many_requests", "Too many failed logins. Try again later.", {
    retryAfterSeconds,
  });
}
