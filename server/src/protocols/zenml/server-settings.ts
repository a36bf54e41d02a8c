import { z } from "zod";
import { loginAccess, manages } from "../../kernel/access.ts";
import { invalidState } from "../../kernel/errors.ts";
import { microsToIso } from "../../kernel/micros.ts";
import type { Database, ServerSettings, ServerSettingsChange } from "../../modules/pipelines/index.ts";
import type { ZenmlContext } from "./context.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { newComponentTypes } from "./envelope.ts";
import { flag } from "./fields.ts";
import { readFlag } from "./list-query.ts";
import { requireAdmin } from "./users.ts";
import { userView } from "./views.ts";

const settingsUpdate = z.object({
  server_name: z.string().max(255).nullish(),
  logo_url: z.string().max(65_535).nullish(),
  enable_analytics: flag.nullish(),
  display_announcements: flag.nullish(),
  display_updates: flag.nullish(),
});

const text = z.string().max(255).nullish();
const activation = settingsUpdate.extend({ admin_username: text, admin_password: text });

export type ServerSettingsOptions = {
  database: Pick<Database, "pool">;
  loginRequired: boolean;
  /** Milliseconds since 1970. */
  now(): number;
};

/** What ZenML's dashboard shows of the server itself. */
export function serverSettingsEndpoints(
  context: ZenmlContext,
  { database, loginRequired, now }: ServerSettingsOptions,
): ZenmlEndpoint[] {
  const { serverState } = context.pipelines;
  const { principals, tokens } = context.identity;

  const view = async (settings: ServerSettings, hydrate: boolean): Promise<object> => ({
    body: {
      server_id: await tokens.serverId(),
      server_name: settings.server_name,
      logo_url: settings.logo_url,
      active: !loginRequired || (await principals.hasAdmin()),
      enable_analytics: settings.enable_analytics,
      display_announcements: settings.display_announcements,
      display_updates: settings.display_updates,
      // That of the request itself.
      last_user_activity: microsToIso(now() * 1000),
      updated: microsToIso(settings.updated),
    },
    metadata: hydrate ? {} : null,
    resources: {},
  });

  return [
    endpoint({
      method: "GET",
      path: "/settings",
      access: loginAccess,
      handle: async ({ parameters }) =>
        view(await serverState.settings(), readFlag(parameters, "hydrate", true)),
    }),
    endpoint({
      method: "PUT",
      path: "/settings",
      access: loginAccess,
      body: settingsUpdate,
      async handle({ body, request }) {
        const change = changeOf(body);
        request.subject = { resourceType: "server" };
        if (Object.keys(change).length > 0) requireAdmin(request.caller);
        return view(await serverState.updateSettings(change), true);
      },
    }),
    endpoint({
      method: "GET",
      path: "/statistics",
      access: loginAccess,
      async handle({ isOld, request }) {
        const counts = await serverState.counts({ without: isOld ? [...newComponentTypes] : [] });
        const projects = await context.identity.listWorkspaces(request.caller);
        return { ...counts, projects: projects.length };
      },
    }),
    endpoint({
      method: "GET",
      path: "/onboarding_state",
      access: loginAccess,
      handle: () => serverState.onboarding(),
    }),
    endpoint({
      method: "GET",
      path: "/load-info",
      access: loginAccess,
      handle: () => ({
        threads: 1,
        db_connections_total: database.pool.total,
        db_connections_active: database.pool.total - database.pool.idle,
        db_connections_overflow: 0,
      }),
    }),
    endpoint({
      method: "PUT",
      path: "/activate",
      // Upstream lets a stranger do this: here it is for whoever is administrator of an open server already.
      access: manages("principal"),
      body: activation,
      async handle({ body }) {
        if (await principals.hasAdmin()) throw invalidState("This server has an administrator already.");
        await serverState.updateSettings(changeOf(body));
        const { admin_username: name, admin_password: password } = body;
        if (typeof name !== "string" || typeof password !== "string") return null;
        const row = await principals.createPrincipal({ kind: "user", name, password, isAdmin: true });
        return userView(row, { hydrate: true });
      },
    }),
  ];
}

/** Null leaves a setting as it is. */
const changeOf = (body: z.infer<typeof settingsUpdate>): ServerSettingsChange => ({
  ...(body.server_name == null ? {} : { server_name: body.server_name }),
  ...(body.logo_url == null ? {} : { logo_url: body.logo_url }),
  ...(body.enable_analytics == null ? {} : { enable_analytics: body.enable_analytics }),
  ...(body.display_announcements == null ? {} : { display_announcements: body.display_announcements }),
  ...(body.display_updates == null ? {} : { display_updates: body.display_updates }),
});
