import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int8Array } from "../../kernel/pg-arrays.ts";
import type { CredentialOwner } from "./credentials.sql.ts";
import type { S3KeyRow } from "./s3-keys.ts";

const COLUMNS = `access_key_id, principal_id, description, max_permission,
  case when workspace_ids is null then null else coalesce((
    select json_agg(w.name order by w.name) from identity.workspaces w where w.workspace_id = any(workspace_ids)
  ), '[]') end as workspaces,
  active, expires_at, last_used_at, creation_timestamp`;

const selectAllText: Prepared = {
  name: "identity_select_s3_keys",
  text: `select ${COLUMNS} from identity.s3_keys where principal_id = $1 order by access_key_id`,
};

export async function selectS3Keys(database: Queryable, principalId: number): Promise<S3KeyRow[]> {
  return database.prepared<S3KeyRow>(selectAllText, [principalId]);
}

const insertText: Prepared = {
  name: "identity_insert_s3_key",
  text: `
    insert into identity.s3_keys (access_key_id, principal_id, description, sealed_secret, max_permission,
      workspace_ids, expires_at, creation_timestamp)
    values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`,
};

export type InsertedS3Key = Pick<
  S3KeyRow,
  "access_key_id" | "principal_id" | "description" | "max_permission" | "expires_at"
> & { sealed_secret: string; workspace_ids: readonly number[] | null; now: number };

export async function insertS3Key(database: Queryable, row: InsertedS3Key): Promise<S3KeyRow> {
  const [added] = await database.prepared<S3KeyRow>(insertText, [
    row.access_key_id,
    row.principal_id,
    row.description,
    row.sealed_secret,
    row.max_permission,
    row.workspace_ids,
    row.expires_at,
    row.now,
  ]);
  return added as S3KeyRow;
}

const updateText: Prepared = {
  name: "identity_update_s3_key",
  text: `
    update identity.s3_keys set active = $3 where access_key_id = $1 and principal_id = $2 returning ${COLUMNS}`,
};

/** Which key of a principal. */
export type S3KeyWhich = { principalId: number; accessKeyId: string };

export async function updateS3Key(
  database: Queryable,
  which: S3KeyWhich,
  active: boolean,
): Promise<S3KeyRow | undefined> {
  const values = [which.accessKeyId, which.principalId, active];
  return (await database.prepared<S3KeyRow>(updateText, values))[0];
}

const deleteText: Prepared = {
  name: "identity_delete_s3_key",
  text: "delete from identity.s3_keys where access_key_id = $1 and principal_id = $2 returning access_key_id",
};

export async function deleteS3Key(database: Queryable, which: S3KeyWhich): Promise<boolean> {
  return (await database.prepared(deleteText, [which.accessKeyId, which.principalId])).length > 0;
}

const selectSecretText: Prepared = {
  name: "identity_select_s3_secret",
  text: `
    select p.principal_id, p.uuid, p.kind, p.name, p.is_admin, p.is_admin_by_group, k.sealed_secret, k.max_permission,
      k.workspace_ids, k.expires_at
    from identity.s3_keys k join identity.principals p using (principal_id)
    where k.access_key_id = $1 and k.active and p.active and (k.expires_at is null or k.expires_at > $2)`,
};

export type S3SecretRow = CredentialOwner & { sealed_secret: string };

export async function selectS3Secret(
  database: Queryable,
  accessKeyId: string,
  now: number,
): Promise<S3SecretRow | undefined> {
  const [row] = await database.prepared<S3SecretRow>(selectSecretText, [accessKeyId, now]);
  return row;
}

const updateUsedText: Prepared = {
  name: "identity_update_s3_keys_used",
  text: `
    with used as (
      select k.access_key_id, given.at
      from unnest($1::text[], $2::bigint[]) as given (access_key_id, at)
      join identity.s3_keys k using (access_key_id)
      where k.last_used_at is null or k.last_used_at < given.at - 30000
      for update of k skip locked
    )
    update identity.s3_keys k set last_used_at = used.at from used where k.access_key_id = used.access_key_id`,
};

export async function updateS3KeysUsed(
  database: Queryable,
  used: readonly (readonly [accessKeyId: string, at: number])[],
): Promise<void> {
  await database.prepared(updateUsedText, [used.map(([id]) => id), int8Array(used.map(([, at]) => at))]);
}
