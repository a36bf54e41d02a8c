import { z } from "zod";

/** `POST /console/api/purge`: remove for good what was deleted at least so long ago. */
export const purgeRequest = z.strictObject({ older_than_seconds: z.number().min(0).default(0) });

export const purgeResult = z.object({ experiments: z.int(), runs: z.int(), logged_models: z.int() });

export type PurgeResult = z.infer<typeof purgeResult>;
