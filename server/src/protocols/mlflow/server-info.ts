import { publicAccess } from "../../kernel/access.ts";
import type { Endpoint } from "./endpoint.ts";
import { message } from "./wire.ts";

/** What the 3.x client asks before it chooses how to move large artifacts. */
export function serverInfoEndpoints(): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/3.0/mlflow/server-info",
      access: publicAccess,
      request: message({}),
      handle: () => ({
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
        multipart_uploads_enabled: false,
        multipart_downloads_enabled: false,
      }),
    },
  ];
}
