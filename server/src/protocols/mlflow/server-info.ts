import { publicAccess } from "../../kernel/access.ts";
import type { Endpoint } from "./endpoint.ts";
import { message } from "./wire.ts";

/** What the 3.x client asks before it chooses how to move large artifacts. */
export function serverInfoEndpoints(capabilities: Record<string, boolean>): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/3.0/mlflow/server-info",
      access: publicAccess,
      scoped: false,
      request: message({}),
      handle: () => ({
        store_type: "SqlStore",
        workspaces_enabled: false,
        trace_archival_enabled: false,
        ...capabilities,
      }),
    },
  ];
}
