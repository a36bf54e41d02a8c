import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { loginAccess, manages, publicAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { invalidState, notFound, permissionDenied, PlinthError } from "../../kernel/errors.ts";
import {
  assertUnlimited,
  WrongCurrentPassword,
  type PrincipalProfile,
  type PrincipalRef,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import type { ZenmlContext } from "./context.ts";
import { isUuid } from "./devices.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { credentialsNotValid, ZenmlError } from "./errors.ts";
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
  is_admin: flag,
  active: flag.optional(),
});

const userUpdate = z
  .object({
    ...profile,
    default_project_id: uuid.nullish(),
    name: text,
    full_name: text,
    email: text,
    password: text,
    old_password: text,
    activation_token: text,
    is_admin: flag.nullish(),
    active: flag.nullish(),
  })
  // Whoever gives an address is taken to want letters, unless they say that they do not.
  .transform((given) =>
    typeof given.email === "string" && given.email_opted_in == null
      ? { ...given, email_opted_in: true }
      : given,
  )
  .refine(({ email, email_opted_in: wanted }) => wanted !== true || typeof email === "string", {
    message: "Value error, Please provide an email, when you are opting-in with your email.",
  });
type UserUpdate = z.infer<typeof userUpdate>;

export function userEndpoints(context: ZenmlContext): ZenmlEndpoint[] {
  const { access, pipelines } = context;
  const { principals } = context.identity;
  const { accountLists } = pipelines;

  /** Oneself; others for administrators alone, and nobody else learns who there is. */
  const getAccount = async (nameOrId: string, caller: Caller): Promise<PrincipalRow> => {
    const row = await principals.findPrincipal(refOf(nameOrId));
    if (row?.principal_id !== caller.principal?.principalId) requireAdmin(caller);
    // Service accounts have names of their own.
    if (row === undefined || (row.kind !== "user" && !isUuid(nameOrId))) throw noUser(nameOrId);
    return row;
  };
  const getUser = async (nameOrId: string, caller: Caller): Promise<PrincipalRow> => {
    const row = await getAccount(nameOrId, caller);
    if (row.kind !== "user") throw noUser(nameOrId);
    return row;
  };

  /** What a provider says of somebody, and the token, are not theirs to change. */
  const change = async (
    row: PrincipalRow,
    given: UserUpdate,
    request: FastifyRequest,
  ): Promise<PrincipalRow> => {
    const { default_project_id: projectId } = given;
    const { external_user_id: _id, oidc_claims: _claims, ...shown } = given;
    const fields = {
      ...(typeof given.name === "string" ? { name: given.name } : {}),
      ...(typeof given.full_name === "string" ? { full_name: given.full_name } : {}),
      ...(given.email === undefined ? {} : { email: given.email }),
      ...profileOf(shown),
      ...(projectId === null ? { default_workspace_id: null } : {}),
      ...(typeof projectId === "string"
        ? { default_workspace_id: (await access.enterProject(request, projectId, "read")).workspaceId }
        : {}),
    };
    if (Object.keys(fields).length === 0) return row;
    return principals.updatePrincipal({ principalId: row.principal_id }, fields);
  };

  /** One's own: the password only with the one before, not the name that others know, and nothing of what one may. */
  const changeOwn = async (request: FastifyRequest, given: UserUpdate): Promise<PrincipalRow> => {
    const { caller } = request;
    assertUnlimited(caller);
    const row = await own(caller);
    if (row.kind !== "user") throw noUser(row.uuid);
    const isAdmin = row.is_admin || row.is_admin_by_group;
    if (
      differs(given.is_admin, isAdmin) ||
      differs(given.active, row.active) ||
      differs(given.name, row.name)
    ) {
      throw permissionDenied("Only administrators change names, who is active, and who is an administrator.");
    }
    const { password, old_password: current } = given;
    if (typeof password !== "string") return change(row, given, request);
    if (typeof current !== "string") {
      throw permissionDenied("The current password must be given to change it.");
    }
    // It comes first: where it is refused, nothing else is changed either.
    const ref = { principalId: row.principal_id };
    const changed = await principals.setPassword(ref, password, { current }).catch((error: unknown) => {
      throw error instanceof WrongCurrentPassword ? permissionDenied(error.message) : error;
    });
    return change(changed, given, request);
  };

  /** Of others not what is theirs alone: their password and their address. */
  const changeOther = async (
    row: PrincipalRow,
    given: UserUpdate,
    request: FastifyRequest,
  ): Promise<PrincipalRow> => {
    if (typeof given.password === "string") {
      throw permissionDenied(
        "The password of another user is not changed: deactivate and activate the user.",
      );
    }
    if (typeof given.email === "string" || given.email_opted_in != null) {
      throw permissionDenied("The address of another user is not changed.");
    }
    const ref = { principalId: row.principal_id };
    let changed = await change(row, given, request);
    if (typeof given.is_admin === "boolean" && given.is_admin !== row.is_admin) {
      changed = await principals.setAdmin(ref, given.is_admin);
    }
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
      async handle({ request: { caller } }) {
        const { principal } = caller;
        if (principal?.kind === "local") return localUserView(principal);
        return userView(await own(caller), { hydrate: true, isOwn: true });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/current-user",
      access: loginAccess,
      body: userUpdate,
      handle: async ({ body, request }) => userView(await changeOwn(request, body), { hydrate: true }),
    }),
    endpoint({
      method: "GET",
      path: "/users",
      access: loginAccess,
      async handle(call) {
        const { caller } = call.request;
        const list = isPlatformAdmin(caller)
          ? accountLists.users
          : accountLists.userOf(caller.principal?.principalId ?? 0);
        const query = context.listQuery(call, list.fields);
        const { total, ids } = await list.search(query);
        const rows = inOrder(ids, await principals.listByUuids(ids));
        const items = rows.map((row) => userView(row, query));
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
        const isOff = hasPassword && body.active === false;
        const row = isOff ? await principals.setActive(ref, false) : await principals.getPrincipal(ref);
        return userView(row, {
          hydrate: true,
          ...(activationToken === undefined ? {} : { activationToken }),
        });
      },
    }),
    endpoint({
      method: "GET",
      path: "/users/:user_name_or_id",
      access: loginAccess,
      async handle({ path, parameters, request: { caller } }) {
        const row = await getAccount(path["user_name_or_id"] ?? "", caller);
        return userView(row, { hydrate: readFlag(parameters, "hydrate", true) });
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
        const target = await getUser(nameOrId, caller);
        const isOwn = target.principal_id === caller.principal?.principalId;
        const row = isOwn ? await changeOwn(request, body) : await changeOther(target, body, request);
        return userView(row, { hydrate: true });
      },
    }),
    endpoint({
      method: "DELETE",
      path: "/users/:user_name_or_id",
      access: manages("principal"),
      async handle({ path, request }) {
        const row = await getUser(path["user_name_or_id"] ?? "", request.caller);
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
        const { caller } = request;
        const { principal_id: principalId, name } = await getUser(path["user_name_or_id"] ?? "", caller);
        request.subject = { resourceType: "user", resourceId: name, reveals: true };
        if (principalId === caller.principal?.principalId) {
          throw invalidState("Nobody deactivates the user that they are logged in as.");
        }
        await principals.setActive({ principalId }, false);
        const activationToken = await principals.issueActivationToken({ principalId });
        const row = await principals.getPrincipal({ principalId });
        return userView(row, { hydrate: true, activationToken });
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
        const { external_user_id: _id, oidc_claims: _claims, ...shown } = body;
        const row = await principals
          .activate(refOf(path["user_name_or_id"] ?? ""), {
            token: token ?? "",
            ...(typeof password === "string" ? { password } : {}),
            ...(typeof full_name === "string" ? { full_name } : {}),
            ...(typeof email === "string" ? { email } : {}),
            ...profileOf(shown),
          })
          .catch((error: unknown) => {
            if (!(error instanceof PlinthError) || error.code !== "permission_denied") throw error;
            throw credentialsNotValid(error.message);
          });
        return userView(row, { hydrate: true });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/users/:user_name_or_id/email-opt-in",
      access: loginAccess,
      body: userUpdate.transform(({ email = null, email_opted_in = null }) => ({ email, email_opted_in })),
      async handle({ path, body, request }) {
        const { caller } = request;
        if (path["user_name_or_id"] !== caller.principal?.uuid) throw onBehalf();
        assertUnlimited(caller);
        const row = await change(await own(caller), body, request);
        return userView(row, { hydrate: true });
      },
    }),
  ];
}

export const refOf = (nameOrId: string): PrincipalRef =>
  isUuid(nameOrId) ? { uuid: nameOrId } : { name: nameOrId };

const differs = (given: string | boolean | null | undefined, actual: string | boolean): boolean =>
  given !== null && given !== undefined && given !== actual;

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

const noUser = (nameOrId: string): PlinthError => notFound(`There is no user '${nameOrId}'.`);

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
