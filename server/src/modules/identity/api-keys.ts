import type { PrincipalRef } from "./principals.ts";

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
