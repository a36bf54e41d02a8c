import type { Prepared, Queryable } from "../../kernel/database.ts";

export type SigningKeyRow = {
  key_id: string;
  sealed_key: string;
  signs_until: number;
  accepted_until: number;
};

const selectSigningKeysText: Prepared = {
  name: "identity_select_signing_keys",
  text: `
    select key_id, sealed_key, signs_until, accepted_until from identity.signing_keys
    where accepted_until > $1 order by signs_until desc, key_id`,
};

/** Those that have not ended; the newest comes first. */
export async function selectSigningKeys(database: Queryable, now: number): Promise<SigningKeyRow[]> {
  return database.prepared<SigningKeyRow>(selectSigningKeysText, [now]);
}

const lockSigningKeysText: Prepared = {
  name: "identity_lock_signing_keys",
  text: "lock table identity.signing_keys in share row exclusive mode",
};

/** Nobody else makes a key until the transaction ends; reads go on. */
export async function lockSigningKeys(transaction: Queryable): Promise<void> {
  await transaction.prepared(lockSigningKeysText, []);
}

const insertSigningKeyText: Prepared = {
  name: "identity_insert_signing_key",
  text: `
    insert into identity.signing_keys (key_id, sealed_key, creation_timestamp, signs_until, accepted_until)
    values ($1, $2, $3, $4, $5)`,
};

export async function insertSigningKey(
  transaction: Queryable,
  row: SigningKeyRow & { creation_timestamp: number },
): Promise<void> {
  await transaction.prepared(insertSigningKeyText, [
    row.key_id,
    row.sealed_key,
    row.creation_timestamp,
    row.signs_until,
    row.accepted_until,
  ]);
}

const deleteSigningKeysText: Prepared = {
  name: "identity_delete_signing_keys",
  text: "delete from identity.signing_keys where accepted_until <= $1",
};

export async function deleteSigningKeys(database: Queryable, now: number): Promise<void> {
  await database.prepared(deleteSigningKeysText, [now]);
}
