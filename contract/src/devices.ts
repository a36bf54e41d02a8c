import { z } from "zod";

const milliseconds = z.number();

/** A command line that was let in, or asks to be. */
export const device = z.object({
  device_id: z.string(),
  status: z.enum(["pending", "verified", "active", "locked"]),
  /** Whether its logins last longer. */
  trusted: z.boolean(),
  os: z.string().nullable(),
  address: z.string().nullable(),
  hostname: z.string().nullable(),
  client_version: z.string().nullable(),
  expires_at: milliseconds.nullable(),
  last_login_at: milliseconds.nullable(),
  creation_timestamp: milliseconds,
});
export type Device = z.infer<typeof device>;

/** `GET /console/api/me/devices`. */
export const devices = z.object({ devices: z.array(device) });

/** `POST /console/api/me/devices`: lets in the one that shows this code. */
export const deviceApproval = z.strictObject({
  user_code: z.string().min(1).max(64),
  trusted: z.boolean().default(false),
});

/** `PATCH /console/api/me/devices/:device_id`: a locked one is refused, and may not log in anew. */
export const deviceChange = z.strictObject({ locked: z.boolean() });
