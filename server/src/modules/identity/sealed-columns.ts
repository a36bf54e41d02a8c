import type { SealedColumn } from "../../kernel/reseal.ts";

/** What the sealed texts of these tables are bound to. */
export const s3KeyPlace = (accessKeyId: string): string => `identity.s3_keys:${accessKeyId}`;
export const signingKeyPlace = (keyId: string): string => `identity.signing_keys:${keyId}`;

export const identitySealedColumns: readonly SealedColumn[] = [
  { table: "identity.s3_keys", key: "access_key_id", column: "sealed_secret", place: s3KeyPlace },
  { table: "identity.signing_keys", key: "key_id", column: "sealed_key", place: signingKeyPlace },
];
