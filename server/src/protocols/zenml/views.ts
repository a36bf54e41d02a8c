import type { Principal } from "../../kernel/caller.ts";
import { jsonText } from "../../kernel/json-text.ts";
import type { ApiKeyRow, DeviceRow, PrincipalRow } from "../../modules/identity/index.ts";

/**
 * Principals, keys and devices as ZenML's clients know them: everything that its versions 0.84 to 0.98 read.
 * Without `hydrate` the part `metadata` is null.
 */
export type ViewOptions = { hydrate: boolean };

/** ISO 8601 in UTC without a zone. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, -1);

const optionalTimestamp = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : timestamp(milliseconds);

export const isActive = (row: PrincipalRow): boolean => row.active && !row.awaits_activation;

export function userView(
  row: PrincipalRow,
  // When and with what somebody logs in is shown to them alone.
  options: ViewOptions & { isOwn?: true; activationToken?: string },
): object {
  return {
    id: row.uuid,
    name: row.name,
    permission_denied: false,
    body: {
      created: timestamp(row.creation_timestamp),
      updated: timestamp(row.last_updated_timestamp),
      active: isActive(row),
      activation_token: options.activationToken ?? null,
      full_name: row.full_name ?? "",
      email_opted_in: row.kind === "service_account" ? false : row.email_opted_in,
      is_service_account: row.kind === "service_account",
      is_admin: row.is_admin || row.is_admin_by_group,
      default_project_id: row.default_workspace_uuid,
      avatar_url: row.avatar_url,
    },
    metadata: options.hydrate
      ? {
          password_changed_at: options.isOwn === true ? optionalTimestamp(row.password_changed_at) : null,
          email: options.isOwn === true ? row.email : null,
          external_user_id: row.external_user_id,
          user_metadata: jsonText(row.user_metadata_json ?? "{}"),
          oidc_claims: jsonText(row.oidc_claims_json ?? "{}"),
        }
      : null,
    resources: null,
  };
}

/** Who asks an open server: it has no row, and was there from the beginning. */
export function localUserView(local: Principal): object {
  return userView(
    {
      principal_id: 0,
      uuid: local.uuid,
      kind: "user",
      name: local.name,
      full_name: null,
      email: null,
      description: null,
      has_password: false,
      password_changed_at: null,
      is_admin: local.isAdmin,
      is_admin_by_group: false,
      active: true,
      awaits_activation: false,
      external_issuer: null,
      external_subject: null,
      user_metadata_json: null,
      oidc_claims_json: null,
      avatar_url: null,
      email_opted_in: null,
      external_user_id: null,
      default_workspace_uuid: null,
      creation_timestamp: 0,
      last_updated_timestamp: 0,
    },
    { hydrate: true },
  );
}

export const serviceAccountView = (row: PrincipalRow, { hydrate }: ViewOptions): object => ({
  id: row.uuid,
  name: row.name,
  permission_denied: false,
  body: {
    created: timestamp(row.creation_timestamp),
    updated: timestamp(row.last_updated_timestamp),
    full_name: row.full_name ?? "",
    active: row.active,
    avatar_url: row.avatar_url,
  },
  metadata: hydrate ? { description: row.description ?? "", external_user_id: row.external_user_id } : null,
  resources: null,
});

const MINUTE_MS = 60_000;

export function apiKeyView(
  row: ApiKeyRow,
  options: ViewOptions & { account: PrincipalRow; key?: string },
): object {
  const { last_rotated_at: rotated, previous_until: until } = row;
  const retained = rotated === null || until === null ? 0 : Math.round((until - rotated) / MINUTE_MS);
  return {
    id: row.key_id,
    name: row.name,
    permission_denied: false,
    body: {
      created: timestamp(row.creation_timestamp),
      updated: timestamp(row.last_updated_timestamp),
      key: options.key ?? null,
      active: row.active,
      service_account: serviceAccountView(options.account, { hydrate: false }),
    },
    metadata: options.hydrate
      ? {
          description: row.description ?? "",
          retain_period_minutes: retained,
          last_login: optionalTimestamp(row.last_used_at),
          last_rotated: optionalTimestamp(rotated),
        }
      : null,
    resources: null,
  };
}

export const deviceView = (
  row: DeviceRow,
  { hydrate, user }: ViewOptions & { user: { uuid: string; view: object } | undefined },
): object => ({
  id: row.device_id,
  permission_denied: false,
  body: {
    created: timestamp(row.creation_timestamp),
    updated: timestamp(row.last_updated_timestamp),
    user_id: user?.uuid ?? null,
    client_id: row.client_id,
    expires: timestamp(row.expires_at),
    trusted_device: row.trusted,
    status: row.status,
    os: row.os,
    ip_address: row.address,
    hostname: row.hostname,
  },
  metadata: hydrate
    ? {
        python_version: row.python_version,
        zenml_version: row.client_version,
        // Nobody is asked where an address is.
        city: "",
        region: "",
        country: "",
        failed_auth_attempts: row.failed_attempts,
        last_login: optionalTimestamp(row.last_login_at),
      }
    : null,
  resources: { user: user?.view ?? null },
});
