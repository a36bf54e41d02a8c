import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import {
  alreadyExists,
  invalidParameter,
  invalidState,
  notFound,
  type PlinthError,
} from "../../kernel/errors.ts";
import { hashSecret, newKeyId, newSecret, writeKey, writeZenmlKey } from "./api-key-text.ts";
import {
  deleteApiKey,
  insertApiKey,
  rotateApiKey,
  selectApiKey,
  selectApiKeys,
  selectWorkspaceIds,
  updateApiKey,
} from "./api-keys.sql.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { recordChange } from "./changes.sql.ts";
import type { IdentityDeps } from "./deps.ts";
import { readText } from "./principal-names.ts";
import type { PrincipalRef, Principals } from "./principals.ts";
import { workspaceNotFound } from "./workspaces.ts";

export type ApiKeyRow = {
  key_id: string;
  principal_id: number;
  name: string;
  description: string | null;
  max_permission: "READ" | "USE" | "EDIT" | null;
  /** By name; null: no limit. */
  workspaces: string[] | null;
  active: boolean;
  expires_at: number | null;
  /** To the minute. */
  last_used_at: number | null;
  last_rotated_at: number | null;
  /** Until when the secret before the last rotation works, too. */
  previous_until: number | null;
  creation_timestamp: number;
  last_updated_timestamp: number;
};

export type NewApiKey = {
  name: string;
  description?: string;
  maxPermission?: "READ" | "USE" | "EDIT";
  workspaces?: readonly string[];
  /** Milliseconds since 1970. */
  expiresAt?: number;
};

/** The key itself, which is shown once: as Plinth writes it, and as ZenML's clients do. */
export type ShownKey = { row: ApiKeyRow; key: string; zenmlKey: string };

export type ApiKeyRef = { keyId: string } | { name: string };

/** Keys of users and service accounts: `plinth_<32 hex of the id>_<64 hex>`, or ZenML's `ZENKEY_...` of the same. */
export type ApiKeys = {
  createApiKey(of: PrincipalRef, given: NewApiKey): Promise<ShownKey>;
  getApiKey(of: PrincipalRef, key: ApiKeyRef): Promise<ApiKeyRow>;
  listApiKeys(of: PrincipalRef): Promise<ApiKeyRow[]>;
  updateApiKey(
    of: PrincipalRef,
    key: ApiKeyRef,
    change: { name?: string; description?: string; active?: boolean },
  ): Promise<ApiKeyRow>;
  /** The secret before it works for `retainMinutes` more; 0: it is refused at once. */
  rotateApiKey(of: PrincipalRef, key: ApiKeyRef, options: { retainMinutes: number }): Promise<ShownKey>;
  deleteApiKey(of: PrincipalRef, key: ApiKeyRef): Promise<void>;
};

export type ApiKeysDeps = Pick<IdentityDeps, "database" | "now"> & {
  feed: Pick<ChangeFeed, "readNow">;
  principals: Pick<Principals, "getPrincipal">;
};

/** Long enough to hand out a new secret over a week, short enough that the old one is not forgotten. */
const MAX_RETAIN_MINUTES = 7 * 24 * 60;
const MAX_NAME = 255;
/** Lists of keys come whole. */
const MAX_KEYS = 1000;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export function createApiKeys(deps: ApiKeysDeps): ApiKeys {
  const { database, now, feed, principals } = deps;

  const find = async (within: Queryable, principalId: number, key: ApiKeyRef): Promise<ApiKeyRow> => {
    const [keyId, name] = "keyId" in key ? [key.keyId, undefined] : [undefined, key.name];
    const possible = keyId === undefined || UUID.test(keyId);
    const row = possible ? await selectApiKey(within, { principalId, keyId, name }) : undefined;
    if (row === undefined) throw keyNotFound(key);
    return row;
  };

  const change = async <T>(
    of: PrincipalRef,
    key: ApiKeyRef,
    work: (transaction: Queryable, keyId: string) => Promise<T | undefined>,
  ): Promise<T> => {
    const { principal_id: principalId } = await principals.getPrincipal(of);
    const done = await database.transaction(async (transaction) => {
      const { key_id: keyId } = await find(transaction, principalId, key);
      const result = await work(transaction, keyId);
      if (result === undefined) throw keyNotFound(key);
      await recordChange(transaction, { principalId });
      return result;
    });
    await feed.readNow();
    return done;
  };

  return {
    async createApiKey(of, given) {
      const { principal_id } = await principals.getPrincipal(of);
      const limits = await readKeyLimits(database, given, now());
      const [keyId, secret] = [newKeyId(), newSecret()];
      const name = readKeyName(given.name);
      if ((await selectApiKeys(database, principal_id)).length >= MAX_KEYS) throw tooManyKeys();
      const row = await insertApiKey(database, {
        key_id: keyId,
        principal_id,
        name,
        description: readText(given.description, "description"),
        secret_hash: hashSecret(secret),
        ...limits,
        now: now(),
      });
      if (row === undefined) throw keyExists(name);
      return show(row, secret);
    },
    async getApiKey(of, key) {
      const { principal_id: principalId } = await principals.getPrincipal(of);
      return find(database, principalId, key);
    },
    async listApiKeys(of) {
      const { principal_id: principalId } = await principals.getPrincipal(of);
      return selectApiKeys(database, principalId);
    },
    async updateApiKey(of, key, given) {
      const fields = {
        ...(given.name === undefined ? {} : { name: readKeyName(given.name) }),
        ...(given.description === undefined
          ? {}
          : { description: readText(given.description, "description") }),
        ...(given.active === undefined ? {} : { active: given.active }),
      };
      const work = (transaction: Queryable, keyId: string): Promise<ApiKeyRow | undefined> =>
        updateApiKey(transaction, keyId, { ...fields, now: now() });
      return change(of, key, work).catch((error: unknown) => {
        throw violates(error, "api_keys_name_key") ? keyExists(given.name ?? "") : error;
      });
    },
    async rotateApiKey(of, key, { retainMinutes }) {
      if (!(retainMinutes >= 0 && retainMinutes <= MAX_RETAIN_MINUTES)) {
        throw invalidParameter(
          `The old secret can work for 0 to ${MAX_RETAIN_MINUTES} minutes more, not for ${retainMinutes}.`,
        );
      }
      const secret = newSecret();
      const row = await change(of, key, (transaction, keyId) => {
        const at = now();
        const retainUntil = retainMinutes === 0 ? null : at + Math.floor(retainMinutes * 60_000);
        return rotateApiKey(transaction, keyId, { hash: hashSecret(secret), retainUntil, now: at });
      });
      return show(row, secret);
    },
    async deleteApiKey(of, key) {
      await change(of, key, async (transaction, keyId) =>
        (await deleteApiKey(transaction, keyId)) ? true : undefined,
      );
    },
  };
}

const show = (row: ApiKeyRow, secret: string): ShownKey => {
  const text = { keyId: row.key_id, secret };
  return { row, key: writeKey(text), zenmlKey: writeZenmlKey(text) };
};

/** What a key may at most, as it is stored. Throws for limits that make no sense. */
export async function readKeyLimits(
  database: Queryable,
  given: Pick<NewApiKey, "maxPermission" | "workspaces" | "expiresAt">,
  now: number,
): Promise<Pick<ApiKeyRow, "max_permission" | "expires_at"> & { workspace_ids: number[] | null }> {
  const { maxPermission = null, workspaces, expiresAt = null } = given;
  if (expiresAt !== null && !(Number.isSafeInteger(expiresAt) && expiresAt > now)) {
    throw invalidParameter("A key must end in the future.");
  }
  const limits = { max_permission: maxPermission, expires_at: expiresAt };
  if (workspaces === undefined) return { ...limits, workspace_ids: null };
  if (workspaces.length === 0) throw invalidParameter("Name the workspaces of the key, or none for all.");
  const found = await selectWorkspaceIds(database, workspaces);
  const missing = workspaces.find((name) => !found.some((row) => row.name === name));
  if (missing !== undefined) throw workspaceNotFound(missing);
  return { ...limits, workspace_ids: found.map((row) => row.workspace_id) };
}

function readKeyName(name: string): string {
  if (name.trim() === "" || name.length > MAX_NAME || !name.isWellFormed() || /\p{Cc}/u.test(name)) {
    throw invalidParameter(
      `The name of a key must have 1 to ${MAX_NAME} characters, none of them a control character.`,
    );
  }
  return name;
}

const keyNotFound = (key: ApiKeyRef): PlinthError =>
  notFound(`No API key '${"keyId" in key ? key.keyId : key.name}'.`);

const tooManyKeys = (): PlinthError =>
  invalidState(`Nobody has more than ${MAX_KEYS} API keys. Delete some of them before.`);

const keyExists = (name: string): PlinthError => alreadyExists(`An API key named '${name}' already exists.`);
