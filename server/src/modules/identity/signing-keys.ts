import { randomBytes, webcrypto } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../kernel/database.ts";
import { randomHex32 } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Secrets } from "../../kernel/secrets.ts";
import { signingKeyPlace } from "./sealed-columns.ts";
import {
  deleteSigningKeys,
  insertSigningKey,
  lockSigningKeys,
  selectSigningKeys,
  type SigningKeyRow,
} from "./signing-keys.sql.ts";

export type SigningKey = {
  keyId: string;
  key: webcrypto.CryptoKey;
  /** Milliseconds since 1970. */
  signsUntil: number;
  acceptedUntil: number;
};

/** Keys of HMAC-SHA-256, the same for all processes on one database. */
export type SigningKeys = {
  /** The newest; a new one is made when it has signed for `SIGNS_MS`. */
  current(): Promise<SigningKey>;
  /** Undefined for one that is not there, or has ended. An unknown id is looked up, with all that are asked meanwhile. */
  byId(keyId: string): SigningKey | undefined | Promise<SigningKey | undefined>;
  purge(): Promise<void>;
};

export type SigningKeysDeps = { database: Database; now(): number; secrets: Secrets; log: Log };

const KEY_BYTES = 32;
const KEY_ID = /^[0-9a-f]{32}$/;

/** How long one key signs. */
const SIGNS_MS = 24 * 60 * 60 * 1000;
/** Whoever sends invented ids has the database asked four times a second, not once a request. */
const LOOK_UP_EVERY_MS = 250;

/** `longestMs`: the longest that anything signed with a key is good for. */
export function createSigningKeys(deps: SigningKeysDeps, longestMs: number): SigningKeys {
  const { database, now, secrets, log } = deps;
  const known = new Map<string, SigningKey>();
  const unreadable = new Set<string>();
  let making: Promise<void> | undefined;
  let scheduled: Promise<void> | undefined;
  let lookedUpAt = -Infinity;

  /** Sealed with a key that this process was not given: for this process it is not there. */
  const open = ({ key_id, sealed_key }: SigningKeyRow): Buffer | undefined => {
    try {
      return Buffer.from(secrets.open(sealed_key, signingKeyPlace(key_id)), "base64url");
    } catch (error) {
      if (!unreadable.has(key_id)) log.warn({ err: error, keyId: key_id }, "signing key cannot be read");
      unreadable.add(key_id);
      return undefined;
    }
  };

  const load = async (): Promise<void> => {
    const rows = await selectSigningKeys(database, now());
    for (const { keyId } of known.values()) {
      if (!rows.some((row) => row.key_id === keyId)) known.delete(keyId);
    }
    for (const row of rows) {
      if (known.has(row.key_id)) continue;
      const bytes = open(row);
      if (bytes === undefined) continue;
      const hmac = { name: "HMAC", hash: "SHA-256" };
      const key = await webcrypto.subtle.importKey("raw", bytes, hmac, false, ["sign", "verify"]);
      known.set(row.key_id, {
        keyId: row.key_id,
        key,
        signsUntil: row.signs_until,
        acceptedUntil: row.accepted_until,
      });
    }
  };

  const newest = (): SigningKey | undefined => {
    const at = now();
    let found: SigningKey | undefined;
    for (const key of known.values()) {
      if (key.signsUntil > at && key.signsUntil > (found?.signsUntil ?? 0)) found = key;
    }
    return found;
  };

  /** Of two processes that find none at once, the second finds the key of the first. */
  const make = async (): Promise<void> => {
    const keyId = randomHex32();
    const sealed = secrets.seal(randomBytes(KEY_BYTES).toString("base64url"), signingKeyPlace(keyId));
    await database.transaction(async (transaction) => {
      await lockSigningKeys(transaction);
      const at = now();
      const rows = await selectSigningKeys(transaction, at);
      if (rows.some((row) => row.signs_until > at && open(row) !== undefined)) return;
      await insertSigningKey(transaction, {
        key_id: keyId,
        sealed_key: sealed,
        creation_timestamp: at,
        signs_until: at + SIGNS_MS,
        accepted_until: at + SIGNS_MS + longestMs,
      });
    });
    await load();
  };

  /** One that begins from now on: a look-up under way may have read before the key was made. */
  const lookUp = (): Promise<void> => {
    scheduled ??= (async () => {
      await sleep(Math.max(0, lookedUpAt + LOOK_UP_EVERY_MS - performance.now()));
      scheduled = undefined;
      lookedUpAt = performance.now();
      await load();
    })();
    return scheduled;
  };

  const accepted = (keyId: string): SigningKey | undefined => {
    const key = known.get(keyId);
    return key !== undefined && key.acceptedUntil > now() ? key : undefined;
  };

  return {
    async current() {
      const found = newest();
      if (found !== undefined) return found;
      await (making ??= make().finally(() => {
        making = undefined;
      }));
      const made = newest();
      if (made === undefined) throw new Error("The signing key that was made is not there.");
      return made;
    },
    byId(keyId) {
      if (!KEY_ID.test(keyId)) return undefined;
      return known.has(keyId) ? accepted(keyId) : lookUp().then(() => accepted(keyId));
    },
    purge: () => deleteSigningKeys(database, now()),
  };
}
