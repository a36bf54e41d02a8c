import { randomBytes, randomInt } from "node:crypto";
import type { Credential, Principal } from "../../kernel/caller.ts";
import type { Queryable } from "../../kernel/database.ts";
import { notFound, type PlinthError } from "../../kernel/errors.ts";
import { readKeyLimits, type ApiKeyRow, type NewApiKey } from "./api-keys.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import { limitOf } from "./credentials.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import type { KeyUses } from "./key-uses.ts";
import { createPrincipalCache } from "./principal-cache.ts";
import { readText } from "./principal-names.ts";
import { toPrincipal, type PrincipalRef, type Principals } from "./principals.ts";
import { s3KeyPlace } from "./sealed-columns.ts";
import {
  deleteS3Key,
  insertS3Key,
  selectS3Keys,
  selectS3Secret,
  updateS3Key,
  type S3KeyWhich,
} from "./s3-keys.sql.ts";

export type S3KeyRow = { access_key_id: string } & Omit<
  ApiKeyRow,
  "key_id" | "name" | "last_rotated_at" | "previous_until" | "last_updated_timestamp"
>;

export type NewS3Key = Omit<NewApiKey, "name">;

/** With what requests of a key are signed, and who sends them. */
export type S3Secret = { secret: string; principal: Principal; credential: Credential };

/** Key pairs for S3's clients: `PL` and 18 letters or digits, with a secret of 40 characters. */
export type S3Keys = {
  /** The secret is shown once. Throws `invalid_state` where the server has no key to seal it with. */
  createS3Key(of: PrincipalRef, given: NewS3Key): Promise<{ row: S3KeyRow; secretAccessKey: string }>;
  listS3Keys(of: PrincipalRef): Promise<S3KeyRow[]>;
  updateS3Key(of: PrincipalRef, accessKeyId: string, change: { active: boolean }): Promise<S3KeyRow>;
  deleteS3Key(of: PrincipalRef, accessKeyId: string): Promise<void>;
  /** Nothing is waited for where the key is known. Undefined for one that nobody may use (any more). */
  findS3Secret(accessKeyId: string): S3Secret | undefined | Promise<S3Secret | undefined>;
};

export type S3KeysDeps = Pick<IdentityDeps, "database" | "now" | "secrets"> & {
  feed: ChangeFeed;
  principals: Pick<Principals, "getPrincipal">;
  uses: KeyUses;
};

const MAX_REMEMBERED = 65_536;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const KEY_ID = /^PL[A-Z0-9]{18}$/;

export function createS3Keys(deps: S3KeysDeps): S3Keys {
  const { database, now, feed, principals, secrets, uses } = deps;
  const remembered = createPrincipalCache<S3Secret & { minute: number }>(MAX_REMEMBERED);
  feed.onChange((changes) => remembered.forget(changes));

  const change = async <T>(
    of: PrincipalRef,
    accessKeyId: string,
    work: (transaction: Queryable, which: S3KeyWhich) => Promise<T | undefined>,
  ): Promise<T> => {
    const { principal_id: principalId } = await principals.getPrincipal(of);
    const done = await database.transaction(async (transaction) => {
      const result = await work(transaction, { principalId, accessKeyId });
      if (result === undefined) throw keyNotFound(accessKeyId);
      await recordChange(transaction, { principalId });
      return result;
    });
    await feed.readNow();
    return done;
  };

  const use = (found: S3Secret & { minute: number }, at: number): S3Secret => {
    const minute = Math.floor(at / 60_000);
    if (found.minute !== minute && found.credential.id !== undefined) {
      found.minute = minute;
      uses.note("s3_key", found.credential.id, at);
    }
    return found;
  };

  const look = async (accessKeyId: string, waiting: void | Promise<void>): Promise<S3Secret | undefined> => {
    await waiting;
    const { generation } = feed;
    const at = now();
    const row = await selectS3Secret(database, accessKeyId, at);
    if (row === undefined) return undefined;
    const limit = limitOf(row);
    const found = {
      secret: secrets.open(row.sealed_secret, s3KeyPlace(accessKeyId)),
      principal: toPrincipal(row),
      credential: { kind: "s3_key", id: accessKeyId, ...(limit === undefined ? {} : { limit }) } as const,
      minute: 0,
    };
    if (generation === feed.generation) {
      const until = row.expires_at ?? Infinity;
      remembered.set(accessKeyId, found, { principalId: row.principal_id, until });
    }
    return use(found, at);
  };

  return {
    async createS3Key(of, given) {
      const { principal_id } = await principals.getPrincipal(of);
      const limits = await readKeyLimits(database, given, now());
      const id = Array.from({ length: 18 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
      const accessKeyId = `PL${id}`;
      // 240 bits in 40 characters that need no quoting anywhere.
      const secretAccessKey = randomBytes(30).toString("base64url");
      const row = await insertS3Key(database, {
        access_key_id: accessKeyId,
        principal_id,
        description: readText(given.description, "description"),
        sealed_secret: secrets.seal(secretAccessKey, s3KeyPlace(accessKeyId)),
        ...limits,
        now: now(),
      });
      return { row, secretAccessKey };
    },
    async listS3Keys(of) {
      const { principal_id: principalId } = await principals.getPrincipal(of);
      return selectS3Keys(database, principalId);
    },
    updateS3Key: (of, accessKeyId, { active }) =>
      change(of, accessKeyId, (transaction, which) => updateS3Key(transaction, which, active)),
    async deleteS3Key(of, accessKeyId) {
      await change(of, accessKeyId, async (transaction, which) =>
        (await deleteS3Key(transaction, which)) ? true : undefined,
      );
    },
    findS3Secret(accessKeyId) {
      if (!KEY_ID.test(accessKeyId)) return undefined;
      const at = now();
      const waiting = feed.fresh(at);
      const known = waiting === undefined ? remembered.get(accessKeyId, at) : undefined;
      return known === undefined ? look(accessKeyId, waiting) : use(known, at);
    },
  };
}

const keyNotFound = (accessKeyId: string): PlinthError => notFound(`No S3 key '${accessKeyId}'.`);
