import type { Prepared, Queryable } from "../../kernel/database.ts";
import type { CredentialLimit } from "../../kernel/caller.ts";

const selectServerIdText: Prepared = {
  name: "identity_select_server_id",
  text: "select server_id from identity.installation",
};

export async function selectServerId(database: Queryable): Promise<string> {
  const [row] = await database.prepared<{ server_id: string }>(selectServerIdText, []);
  if (row === undefined) throw new Error("identity.installation has no row.");
  return row.server_id;
}

/** What a token was made from, and when, in milliseconds since 1970. */
export type TokenOrigin = {
  principalUuid: string;
  apiKeyId: string | undefined;
  deviceId: string | undefined;
  sessionId: string | undefined;
  issuedAt: number;
};

export type StandingRow = {
  principal_id: number;
  kind: "user" | "service_account";
  name: string;
  is_admin: boolean;
  max_permission: Exclude<CredentialLimit["maxPermission"], "MANAGE"> | null;
  workspace_ids: number[] | null;
  /** When the first of what it was made from ends; null: nothing of that ends by itself. */
  ends_at: number | null;
};

// While the secret before a rotation still works, nobody can tell which of the two a login was made with: all
// tokens of that time end with it.
const selectStandingText: Prepared = {
  name: "identity_select_token_standing",
  text: `
    select principals.principal_id, principals.kind, principals.name,
      principals.is_admin or principals.is_admin_by_group as is_admin,
      api_keys.max_permission, api_keys.workspace_ids,
      least(
        api_keys.expires_at,
        case when api_keys.previous_until > $6 then api_keys.previous_until end,
        devices.expires_at,
        sessions.expires_at
      ) as ends_at
    from identity.principals
    left join identity.api_keys on api_keys.key_id = $2 and api_keys.principal_id = principals.principal_id
      and api_keys.active and (api_keys.expires_at is null or api_keys.expires_at > $6)
      and (api_keys.last_rotated_at is null or api_keys.last_rotated_at <= $5 or api_keys.previous_until > $6)
    left join identity.devices on devices.device_id = $3 and devices.principal_id = principals.principal_id
      and devices.status = 'active' and devices.expires_at > $6
    left join identity.sessions on sessions.session_id = $4 and sessions.principal_id = principals.principal_id
      and sessions.expires_at > $6
    where principals.uuid = $1 and principals.active
      and (principals.password_changed_at is null or principals.password_changed_at <= $5)
      and ($2::uuid is null or api_keys.key_id is not null)
      and ($3::uuid is null or devices.device_id is not null)
      and ($4::uuid is null or sessions.session_id is not null)`,
};

/** Undefined when anything that the token was made from is no more. */
export async function selectStanding(
  database: Queryable,
  origin: TokenOrigin,
  now: number,
): Promise<StandingRow | undefined> {
  const [row] = await database.prepared<StandingRow>(selectStandingText, [
    origin.principalUuid,
    origin.apiKeyId ?? null,
    origin.deviceId ?? null,
    origin.sessionId ?? null,
    origin.issuedAt,
    now,
  ]);
  return row;
}
