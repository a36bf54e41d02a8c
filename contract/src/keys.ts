import { z } from "zod";

const milliseconds = z.number();

/** What a key may at most, where that is less than its principal may. */
const limits = {
  max_permission: z.enum(["READ", "USE", "EDIT"]).nullable(),
  /** Null: all workspaces of its principal. */
  workspaces: z.array(z.string()).nullable(),
};

const wantedLimits = {
  max_permission: z.enum(["READ", "USE", "EDIT"]).optional(),
  workspaces: z.array(z.string().min(1).max(63)).min(1).max(100).optional(),
  expires_at: z.int().min(1).optional(),
};

const description = z.string().max(4096).optional();

export const apiKey = z.object({
  key_id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  ...limits,
  active: z.boolean(),
  expires_at: milliseconds.nullable(),
  /** To the minute. */
  last_used_at: milliseconds.nullable(),
  last_rotated_at: milliseconds.nullable(),
  /** Until when the secret before the last rotation works, too. */
  previous_until: milliseconds.nullable(),
  creation_timestamp: milliseconds,
});
export type ApiKey = z.infer<typeof apiKey>;

/** `GET .../keys` of `/console/api/me` and `/console/api/principals/:name`. */
export const apiKeys = z.object({ keys: z.array(apiKey) });

/** `POST .../keys`. */
export const newApiKeyRequest = z.strictObject({
  name: z.string().min(1).max(255),
  description,
  ...wantedLimits,
});

/** The key itself is shown this once. */
export const shownApiKey = apiKey.extend({
  key: z.string(),
  /** The same key as ZenML's clients write it. */
  zenml_key: z.string(),
});
export type ShownApiKey = z.infer<typeof shownApiKey>;

/** `PATCH .../keys/:key`, by the key's name or id. */
export const apiKeyChange = z.strictObject({
  name: z.string().min(1).max(255).optional(),
  description,
  active: z.boolean().optional(),
});

/** `POST .../keys/:key/rotate`: the secret before it works for so long beside the new one. */
export const rotateRequest = z.strictObject({
  retain_minutes: z.int().min(0).max(43_200).default(0),
});

export const s3Key = z.object({
  access_key_id: z.string(),
  description: z.string().nullable(),
  ...limits,
  active: z.boolean(),
  expires_at: milliseconds.nullable(),
  last_used_at: milliseconds.nullable(),
  creation_timestamp: milliseconds,
});
export type S3Key = z.infer<typeof s3Key>;

/** `GET .../s3-keys`. */
export const s3Keys = z.object({ keys: z.array(s3Key) });

/** `POST .../s3-keys`. */
export const newS3KeyRequest = z.strictObject({ description, ...wantedLimits });

export const shownS3Key = s3Key.extend({ secret_access_key: z.string() });
export type ShownS3Key = z.infer<typeof shownS3Key>;
