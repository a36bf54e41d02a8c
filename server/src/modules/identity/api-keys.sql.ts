import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int8Array } from "../../kernel/pg-arrays.ts";
import type { ApiKeyRow } from "./api-keys.ts";

// A workspace that is gone has no name; a key of only such ones may nothing, not everything.
const COLUMNS = `key_id, principal_id, name, description, max_permission,
  case when workspace_ids is null then null else coalesce((
    select json_agg(w.name order by w.name) from identity.workspaces w where w.workspace_id = any(workspace_ids)
  ), '[]') end as workspaces,
  active, expires_at, last_used_at, last_rotated_at, previous_until, creation_timestamp, last_updated_timestamp`;

const selectIdsText: Prepared = {
  name: "identity_select_workspace_ids",
  text: "select workspace_id, name from identity.workspaces where name = any($1::text[]) and not hidden",
};

export async function selectWorkspaceIds(
  database: Queryable,
  names: readonly string[],
): Promise<{ workspace_id: number; name: string }[]> {
  return database.prepared<{ workspace_id: number; name: string }>(selectIdsText, [names]);
}

const selectText: Prepared = {
  name: "identity_select_api_key",
  text: `
    select ${COLUMNS} from identity.api_keys k
    where principal_id = $1 and (key_id = $2 or name = $3)`,
};

/** Which of a principal's keys. */
export type ApiKeyWhich = { principalId: number; keyId: string | undefined; name: string | undefined };

export async function selectApiKey(database: Queryable, which: ApiKeyWhich): Promise<ApiKeyRow | undefined> {
  const values = [which.principalId, which.keyId ?? null, which.name ?? null];
  const [row] = await database.prepared<ApiKeyRow>(selectText, values);
  return row;
}

const selectAllText: Prepared = {
  name: "identity_select_api_keys",
  text: `select ${COLUMNS} from identity.api_keys k where principal_id = $1 order by name`,
};

export async function selectApiKeys(database: Queryable, principalId: number): Promise<ApiKeyRow[]> {
  return database.prepared<ApiKeyRow>(selectAllText, [principalId]);
}

const insertText: Prepared = {
  name: "identity_insert_api_key",
  text: `
    insert into identity.api_keys as k (key_id, principal_id, name, description, secret_hash, max_permission,
      workspace_ids, expires_at, creation_timestamp, last_updated_timestamp)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    on conflict on constraint api_keys_name_key do nothing returning ${COLUMNS}`,
};

export type InsertedApiKey = Pick<
  ApiKeyRow,
  "key_id" | "principal_id" | "name" | "description" | "max_permission" | "expires_at"
> & { secret_hash: Buffer; workspace_ids: readonly number[] | null; now: number };

/** Undefined when the principal has a key of that name. */
export async function insertApiKey(database: Queryable, row: InsertedApiKey): Promise<ApiKeyRow | undefined> {
  const [added] = await database.prepared<ApiKeyRow>(insertText, [
    row.key_id,
    row.principal_id,
    row.name,
    row.description,
    row.secret_hash,
    row.max_permission,
    row.workspace_ids,
    row.expires_at,
    row.now,
  ]);
  return added;
}

const updateText: Prepared = {
  name: "identity_update_api_key",
  text: `
    update identity.api_keys k set
      name = coalesce($2, name),
      description = case when $3 then $4 else description end,
      active = coalesce($5, active),
      last_updated_timestamp = $6
    where key_id = $1 returning ${COLUMNS}`,
};

export async function updateApiKey(
  database: Queryable,
  keyId: string,
  change: { name?: string; description?: string | null; active?: boolean; now: number },
): Promise<ApiKeyRow | undefined> {
  const [row] = await database.prepared<ApiKeyRow>(updateText, [
    keyId,
    change.name ?? null,
    change.description !== undefined,
    change.description ?? null,
    change.active ?? null,
    change.now,
  ]);
  return row;
}

const rotateText: Prepared = {
  name: "identity_rotate_api_key",
  text: `
    update identity.api_keys k set
      previous_hash = case when $3::bigint is null then null else secret_hash end,
      previous_until = $3,
      secret_hash = $2, last_rotated_at = $4, last_updated_timestamp = $4
    where key_id = $1 returning ${COLUMNS}`,
};

/** The secret of before works until `retainUntil`, where that is not null. */
export async function rotateApiKey(
  database: Queryable,
  keyId: string,
  to: { hash: Buffer; retainUntil: number | null; now: number },
): Promise<ApiKeyRow | undefined> {
  const [row] = await database.prepared<ApiKeyRow>(rotateText, [keyId, to.hash, to.retainUntil, to.now]);
  return row;
}

const deleteText: Prepared = {
  name: "identity_delete_api_key",
  text: "delete from identity.api_keys where key_id = $1 returning key_id",
};

export async function deleteApiKey(database: Queryable, keyId: string): Promise<boolean> {
  return (await database.prepared(deleteText, [keyId])).length > 0;
}

// Rows that somebody else writes to are skipped: another process knows of the same use, or the next minute tells.
const updateUsedText: Prepared = {
  name: "identity_update_api_keys_used",
  text: `
    with used as (
      select k.key_id, given.at
      from unnest($1::uuid[], $2::bigint[]) as given (key_id, at) join identity.api_keys k using (key_id)
      where k.last_used_at is null or k.last_used_at < given.at - 30000
      for update of k skip locked
    )
    update identity.api_keys k set last_used_at = used.at from used where k.key_id = used.key_id`,
};

export async function updateApiKeysUsed(
  database: Queryable,
  used: readonly (readonly [keyId: string, at: number])[],
): Promise<void> {
  await database.prepared(updateUsedText, [
    used.map(([keyId]) => keyId),
    int8Array(used.map(([, at]) => at)),
  ]);
}
