import type { FastifyInstance } from "fastify";
import { ownPasswordRequest, type Me, type Sessions } from "@plinth/contract";
import { loginAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound } from "../../kernel/errors.ts";
import { assertUnlimited, type Identity } from "../../modules/identity/index.ts";
import { read, requireOwnRow } from "./request.ts";

type Options = {
  identity: Pick<Identity, "enter" | "listWorkspaces" | "principals" | "sessions">;
  loginRequired: boolean;
};

const access = { config: { access: loginAccess, protocol: "console" } } as const;

/** Whoever asks: who that is, what may be done, the own password and logins. */
export function registerMe(app: FastifyInstance, options: Options): void {
  const { principals, sessions } = options.identity;
  app.get("/console/api/me", access, async (request, reply) => {
    const { caller } = request;
    const { principal, credential } = caller;
    return reply.send({
      name: principal?.name ?? "",
      kind: principal?.kind ?? "local",
      uuid: principal?.uuid ?? "",
      is_admin: isPlatformAdmin(caller),
      credential: {
        kind: credential.kind,
        id: credential.id ?? null,
        max_permission: credential.limit?.maxPermission ?? null,
      },
      address: caller.address,
      login_required: options.loginRequired,
      workspaces: await workspacesOf(caller, options.identity),
    } satisfies Me);
  });
  app.post("/console/api/me/password", access, async (request, reply) => {
    assertUnlimited(request.caller);
    const { current_password: current, password } = read(ownPasswordRequest, request.body);
    request.subject = { resourceType: "user", resourceId: request.caller.principal?.name ?? "" };
    await principals.setPassword(requireOwnRow(request.caller), password, { current });
    return reply.code(204).send();
  });
  app.get("/console/api/me/sessions", access, async (request, reply) => {
    const { principalId } = requireOwnRow(request.caller);
    const rows = await sessions.listSessions(principalId);
    return reply.send({
      sessions: rows.map((row) => ({
        session_id: row.session_id,
        method: row.method,
        address: row.address,
        user_agent: row.user_agent,
        creation_timestamp: row.creation_timestamp,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        current: row.session_id === request.caller.credential.id,
      })),
    } satisfies Sessions);
  });
  app.delete<{ Params: { session_id: string } }>(
    "/console/api/me/sessions/:session_id",
    access,
    async (request, reply) => {
      const { principalId } = requireOwnRow(request.caller);
      const { session_id: wanted } = request.params;
      request.subject = { resourceType: "session", resourceId: wanted };
      const own = await sessions.listSessions(principalId);
      if (!own.some((row) => row.session_id === wanted)) throw notFound(`You have no session '${wanted}'.`);
      await sessions.deleteSession(wanted);
      return reply.code(204).send();
    },
  );
}

/** What the caller may do in each workspace that it has a part in. */
async function workspacesOf(
  caller: Caller,
  identity: Pick<Identity, "enter" | "listWorkspaces">,
): Promise<Me["workspaces"]> {
  const found: Me["workspaces"] = [];
  for (const { name } of await identity.listWorkspaces(caller)) {
    const { policy } = await identity.enter(caller, name);
    const permission = policy.on("experiment", "*");
    found.push({ name, permission, may_create: policy.mayCreate, is_admin: policy.isAdmin });
  }
  return found;
}
