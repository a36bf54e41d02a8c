import type { CredentialLimit } from "../../kernel/caller.ts";
import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { PrincipalRow } from "./principals.sql.ts";

/** Whose key it is, and what it may at most. */
export type CredentialOwner = Pick<
  PrincipalRow,
  "principal_id" | "uuid" | "kind" | "name" | "is_admin" | "is_admin_by_group"
> & {
  max_permission: "READ" | "USE" | "EDIT" | null;
  workspace_ids: number[] | null;
  expires_at: number | null;
};

export type ApiKeyCredential = CredentialOwner & {
  secret_hash: Buffer;
  previous_hash: Buffer | null;
  previous_until: number | null;
};

// One statement for a key and its principal, both by primary key.
const selectText: Prepared = {
  name: "identity_select_api_key_credential",
  text: `
    select p.principal_id, p.uuid, p.kind, p.name, p.is_admin, p.is_admin_by_group, k.secret_hash, k.previous_hash,
      k.previous_until, k.max_permission, k.workspace_ids, k.expires_at
    from identity.api_keys k join identity.principals p using (principal_id)
    where k.key_id = $1 and k.active and p.active and (k.expires_at is null or k.expires_at > $2)`,
};

/** Undefined where the key, or its principal, is not to be let in. */
export async function selectApiKeyCredential(
  database: Queryable,
  keyId: string,
  now: number,
): Promise<ApiKeyCredential | undefined> {
  const [row] = await database.prepared<ApiKeyCredential>(selectText, [keyId, now]);
  return row;
}

export const limitOf = (
  row: Pick<CredentialOwner, "max_permission" | "workspace_ids">,
): CredentialLimit | undefined =>
  row.max_permission === null && row.workspace_ids === null
    ? undefined
    : {
        maxPermission: row.max_permission ?? "MANAGE",
        workspaceIds: row.workspace_ids === null ? undefined : new Set(row.workspace_ids),
      };
