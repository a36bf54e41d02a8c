import { publicAccess } from "../../kernel/access.ts";
import type { Workspaces } from "../../modules/identity/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { message } from "./wire.ts";

/** What the 3.x client asks before it chooses how to move large artifacts. */
export function serverInfoEndpoints(
  capabilities: Record<string, boolean>,
  workspaces: Workspaces,
): Endpoint[] {
  return [
    {
      method: "GET",
      path: "/3.0/mlflow/server-info",
      access: publicAccess,
      scoped: false,
      request: message({}),
      handle: async (_values, { request }) => ({
        store_type: "SqlStore",
        // The web interface shows a switcher where there is something to choose.
        workspaces_enabled: !request.url.startsWith("/ajax-api/") || (await workspaces.hasOtherWorkspaces()),
        trace_archival_enabled: false,
        ...capabilities,
        presigned_upload_run_id_supported: true,
        presigned_upload_model_id_supported: true,
        features_enabled: { gateway: false },
      }),
    },
  ];
}
