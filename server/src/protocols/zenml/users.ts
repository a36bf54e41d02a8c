import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { loginAccess, manages, publicAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { invalidState, notFound, permissionDenied } from "../../kernel/errors.ts";
import {
  assertUnlimited,
  type PrincipalProfile,
  type PrincipalRef,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import type { ZenmlContext } from "./context.ts";
import { isUuid } from "./devices.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { ZenmlError } from "./errors.ts";
import { flag, jsonObject, uuid } from "./fields.ts";
import { pageOf, readFlag } from "./list-query.ts";
import { localUserView, userView } from "./views.ts";

const text = z.string().max(255).nullish();

/** What is kept of a user, and nothing here acts on. */
const profile = {
  email_opted_in: flag.nullish(),
  external_user_id: uuid.nullish(),
  user_metadata: jsonObject.nullish(),
  oidc_claims: jsonObject.nullish(),
  avatar_url: z.string().nullish(),
};

const userRequest = z.object({
  ...profile,
  name: z.string().max(255),
  full_name: z.string().max(255).default(""),
  email: text,
  password: text,
  is_admin: z.boolean(),
  active: z.boolean().default(false),
});

const userUpdate = z.object({
  ...profile,
  default_project_id: uuid.nullish(),
  name: text,
  full_name: text,
  email: text,
  password: text,
  old_password: text,
  activation_token: text,
  is_admin: z.boolean().nullish(),
  active: z.boolean().nullish(),
});
type UserUpdate = z.infer<typeof userUpdate>;

export function userEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access, pipelines } = context;
  const { principals } = context.identity;
  const { accountLists } = pipelines;

  /** Service accounts have addresses of their own. */
  const getUser = async (nameOrId: string): Promise<PrincipalRow> => {
    const row = await principals.findPrincipal(refOf(nameOrId));
    if (row?.kind !== "user") throw notFound(`There is no user '${nameOrId}'.`);
    return row;
  };

  const change = async (
    row: PrincipalRow,
    given: UserUpdate,
    request: FastifyRequest,
  ): Promise<PrincipalRow> => {
    const ref = { principalId: row.principal_id };
    const { default_project_id: projectId } = given;
    const fields = {
      ...(typeof given.name === "string" ? { name: given.name } : {}),
      ...(typeof given.full_name === "string" ? { full_name: given.full_name } : {}),
      ...(typeof given.email === "string" ? { email: given.email } : {}),
      ...profileOf(given),
      ...(projectId === null ? { default_workspace_id: null } : {}),
      ...(typeof projectId === "string"
        ? { default_workspace_id: (await access.enterProject(request, projectId, "read")).workspaceId }
        : {}),
    };
    let changed = row;
    if (Object.keys(fields).length > 0) changed = await principals.updatePrincipal(ref, fields);
    return changed;
  };

  /** One's own: the password only with the one before, not the name that others know, and nothing of what one may. */
  const changeOwn = async (request: FastifyRequest, given: UserUpdate): Promise<PrincipalRow> => {
    const { caller } = request;
    assertUnlimited(caller);
    const row = await own(caller);
    const isAdmin = row.is_admin || row.is_admin_by_group;
    if (
      differs(given.is_admin, isAdmin) ||
      differs(given.active, row.active) ||
      differs(given.name, row.name)
    ) {
      throw permissionDenied("Only administrators change names, who is active, and who is an administrator.");
    }
    let changed = await change(row, given, request);
    if (typeof given.password === "string") {
      if (typeof given.old_password !== "string") {
        throw permissionDenied("The current password must be given to change it.");
      }
      const ref = { principalId: row.principal_id };
      changed = await principals.setPassword(ref, given.password, { current: given.old_password });
    }
    return changed;
  };

  const changeOther = async (
    row: PrincipalRow,
    given: UserUpdate,
    request: FastifyRequest,
  ): Promise<PrincipalRow> => {
    const ref = { principalId: row.principal_id };
    let changed = await change(row, given, request);
    if (typeof given.is_admin === "boolean" && given.is_admin !== row.is_admin) {
      changed = await principals.setAdmin(ref, given.is_admin);
    }
    if (typeof given.password === "string") changed = await principals.setPassword(ref, given.password);
    if (typeof given.active === "boolean" && given.active !== row.active) {
      changed = await principals.setActive(ref, given.active);
    }
    return changed;
  };

  const own = async ({ principal }: Caller): Promise<PrincipalRow> => {
    if (principal?.kind === "local") {
      throw invalidState(
        "This server is open: who asks without credentials is its local administrator, who is no user. Log in as one.",
      );
    }
    return principals.getPrincipal({ principalId: principal?.principalId ?? 0 });
  };

  return [
    endpoint({
      method: "GET",
      path: "/current-user",
      access: loginAccess,
      async handle({ parameters, request: { caller } }) {
        const hydrate = readFlag(parameters, "hydrate", true);
        const { principal } = caller;
        if (principal?.kind === "local") return localUserView(principal, { hydrate });
        return userView(await own(caller), { hydrate, showsEmail: true });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/current-user",
      access: loginAccess,
      body: userUpdate,
      handle: async ({ body, request }) =>
        userView(await changeOwn(request, body), { hydrate: true, showsEmail: true }),
    }),
    endpoint({
      method: "GET",
      path: "/users",
      access: loginAccess,
      async handle(call) {
        const { caller } = call.request;
        const list = isPlatformAdmin(caller) ? accountLists.usersWithAddresses : accountLists.users;
        const query = context.listQuery(call, list.fields);
        const { total, ids } = await list.search(query);
        const rows = inOrder(ids, await principals.listByUuids(ids));
        const items = rows.map((row) =>
          userView(row, { hydrate: query.hydrate, showsEmail: maySee(caller, row) }),
        );
        return pageOf(query, { total, items });
      },
    }),
    endpoint({
      method: "POST",
      path: "/users",
      access: manages("principal"),
      body: userRequest,
      async handle({ body, request }) {
        const { name, full_name, email = null, password, is_admin: isAdmin } = body;
        const given = { kind: "user", name, full_name, email, isAdmin, ...profileOf(body) } as const;
        const hasPassword = typeof password === "string";
        const made = await principals.createPrincipal(hasPassword ? { ...given, password } : given);
        request.subject = { resourceType: "user", resourceId: made.name };
        const ref = { principalId: made.principal_id };
        // Without a password the user sets it with a token that is shown here alone.
        const activationToken = hasPassword ? undefined : await principals.issueActivationToken(ref);
        const isOff = hasPassword && !body.active;
        const row = isOff ? await principals.setActive(ref, false) : await principals.getPrincipal(ref);
        const shown = { hydrate: true, showsEmail: true };
        return userView(row, activationToken === undefined ? shown : { ...shown, activationToken });
      },
    }),
    endpoint({
      method: "GET",
      path: "/users/:user_name_or_id",
      access: loginAccess,
      async handle({ path, parameters, request: { caller } }) {
        const row = await getUser(path["user_name_or_id"] ?? "");
        return userView(row, {
          hydrate: readFlag(parameters, "hydrate", true),
          showsEmail: maySee(caller, row),
        });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/users/:user_name_or_id",
      access: loginAccess,
      body: userUpdate,
      async handle({ path, body, request }) {
        const { caller } = request;
        const nameOrId = path["user_name_or_id"] ?? "";
        request.subject = { resourceType: "user", resourceId: nameOrId };
        const target = await principals.findPrincipal(refOf(nameOrId));
        const isOwn = target !== undefined && target.principal_id === caller.principal?.principalId;
        if (!isOwn) requireAdmin(caller);
        const row = isOwn
          ? await changeOwn(request, body)
          : await changeOther(await getUser(nameOrId), body, request);
        return userView(row, { hydrate: true, showsEmail: true });
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/users/:user_name_or_id",
      access: manages("principal"),
      async handle({ path, request }) {
        const row = await getUser(path["user_name_or_id"] ?? "");
        request.subject = { resourceType: "user", resourceId: row.name };
        if (row.principal_id === request.caller.principal?.principalId) {
          throw invalidState("Nobody deletes the user that they are logged in as.");
        }
        await principals.deletePrincipal({ principalId: row.principal_id });
        return null;
      },
    }),
    endpoint({
      method: "PUT",
      path: "/users/:user_name_or_id/deactivate",
      access: manages("principal"),
      async handle({ path, request }) {
        const { principal_id: principalId, name } = await getUser(path["user_name_or_id"] ?? "");
        request.subject = { resourceType: "user", resourceId: name, reveals: true };
        await principals.setActive({ principalId }, false);
        const activationToken = await principals.issueActivationToken({ principalId });
        const row = await principals.getPrincipal({ principalId });
        return userView(row, { hydrate: true, showsEmail: true, activationToken });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/users/:user_name_or_id/activate",
      // The token is the credential.
      access: publicAccess,
      body: userUpdate,
      async handle({ path, body }) {
        const { activation_token: token, password, full_name, email } = body;
        const row = await principals.activate(refOf(path["user_name_or_id"] ?? ""), {
          token: token ?? "",
          ...(typeof password === "string" ? { password } : {}),
          ...(typeof full_name === "string" ? { full_name } : {}),
          ...(typeof email === "string" ? { email } : {}),
          ...profileOf(body),
        });
        return userView(row, { hydrate: true, showsEmail: true });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/users/:user_name_or_id/email-opt-in",
      access: loginAccess,
      body: userUpdate.pick({ email: true, email_opted_in: true, user_metadata: true }),
      async handle({ path, body, request }) {
        const { caller } = request;
        if (path["user_name_or_id"] !== caller.principal?.uuid) throw onBehalf();
        assertUnlimited(caller);
        const row = await change(await own(caller), body, request);
        return userView(row, { hydrate: true, showsEmail: true });
      },
    }),
  ];
}

export const refOf = (nameOrId: string): PrincipalRef =>
  isUuid(nameOrId) ? { uuid: nameOrId } : { name: nameOrId };

const differs = (given: string | boolean | null | undefined, actual: string | boolean): boolean =>
  given !== null && given !== undefined && given !== actual;

const maySee = (caller: Caller, row: PrincipalRow): boolean =>
  isPlatformAdmin(caller) || row.principal_id === caller.principal?.principalId;

export function requireAdmin(caller: Caller): void {
  if (!isPlatformAdmin(caller)) throw permissionDenied("Only administrators may do this.");
}

/** Of what is null, only what can be taken back is. */
const profileOf = (given: z.infer<z.ZodObject<typeof profile>>): PrincipalProfile => ({
  ...(given.email_opted_in === undefined ? {} : { email_opted_in: given.email_opted_in }),
  ...(given.external_user_id === undefined ? {} : { external_user_id: given.external_user_id }),
  ...(given.avatar_url === undefined ? {} : { avatar_url: given.avatar_url }),
  ...(given.user_metadata ? { user_metadata_json: JSON.stringify(given.user_metadata) } : {}),
  ...(given.oidc_claims ? { oidc_claims_json: JSON.stringify(given.oidc_claims) } : {}),
});

const onBehalf = (): ZenmlError => {
  const message = "Users can not opt in on behalf of another user.";
  return new ZenmlError("permission_denied", message, {
    status: 401,
    body: { detail: ["AuthorizationException", message] },
  });
};

/** Rows by the ids of a page; those that were deleted meanwhile are left out. */
export function inOrder<R extends { uuid: string }>(ids: readonly string[], rows: readonly R[]): R[] {
  const byId = new Map(rows.map((row) => [row.uuid, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
