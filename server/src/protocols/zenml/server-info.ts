import type { FastifyRequest } from "fastify";
import { publicAccess } from "../../kernel/access.ts";
import type { Principals, Tokens } from "../../modules/identity/index.ts";
import type { Pipelines } from "../../modules/pipelines/index.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";

/** The newest version of ZenML that this API was compared with. */
const ZENML_VERSION = "0.98.0";

/** `User-Agent: zenml/0.84.0` */
const CLIENT = /^zenml\/(\d{1,4}\.\d{1,4}\.\d{1,4}[0-9A-Za-z.+-]{0,32})$/;

/**
 * Clients print a warning where the server's version is not their own, though all that this server supports work
 * with it: each is told its own.
 */
export const versionFor = (request: FastifyRequest): string =>
  CLIENT.exec(request.headers["user-agent"] ?? "")?.[1] ?? ZENML_VERSION;

export type ServerInfoOptions = {
  tokens: Pick<Tokens, "serverId">;
  principals: Pick<Principals, "hasAdmin">;
  loginRequired: boolean;
  serverState: Pick<Pipelines["serverState"], "settings">;
};

export const serverInfoEndpoints = ({
  tokens,
  principals,
  loginRequired,
  serverState,
}: ServerInfoOptions): ZenmlEndpoint[] => [
  endpoint({
    method: "GET",
    path: "/version",
    access: publicAccess,
    handle: ({ request }) => versionFor(request),
  }),
  endpoint({
    method: "GET",
    path: "/info",
    access: publicAccess,
    handle: async ({ request }) => {
      const settings = await serverState.settings();
      return {
        id: await tokens.serverId(),
        name: settings.server_name,
        version: versionFor(request),
        // An open server needs nobody who could log in.
        active: !loginRequired || (await principals.hasAdmin()),
        debug: false,
        deployment_type: "other",
        // Its enumeration knows no PostgreSQL.
        database_type: "other",
        secrets_store_type: "sql",
        auth_scheme: "OAUTH2_PASSWORD_BEARER",
        server_url: "",
        dashboard_url: "",
        analytics_enabled: settings.enable_analytics,
        metadata: {},
        last_user_activity: null,
        pro_dashboard_url: null,
        pro_api_url: null,
        pro_organization_id: null,
        pro_organization_name: null,
        pro_workspace_id: null,
        pro_workspace_name: null,
      };
    },
  }),
];
