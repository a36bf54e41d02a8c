import { z } from "zod";

/** `GET /console/api/status`: what is running, where, with which version. */
export const serverStatus = z.object({
  version: z.string(),
  /** The MLflow release whose API is served. */
  mlflow_api_version: z.string(),
  /** Of the process that answered. */
  pid: z.int(),
  started_at: z.iso.datetime(),
  database: z.object({
    kind: z.enum(["embedded", "external"]),
    version: z.string(),
    /** Open connections of this process. */
    connections: z.int(),
  }),
  blob_store: z.string(),
});

export type ServerStatus = z.infer<typeof serverStatus>;
