import { z } from "zod";
import { loginAccess, manages, publicAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { invalidState, notFound, notImplemented, permissionDenied } from "../../kernel/errors.ts";
import {
  assertUnlimited,
  type Identity,
  type PrincipalRef,
  type PrincipalRow,
} from "../../modules/identity/index.ts";
import { isUuid } from "./devices.ts";
import { endpoint, type ZenmlEndpoint } from "./endpoint.ts";
import { pageOf, readFlag, readListQuery } from "./page.ts";
import { localUserView, userView } from "./views.ts";

export const principalListColumns = {
  id: "uuid",
  name: "text",
  full_name: "text",
  description: "text",
  active: "boolean",
  created: "time",
  updated: "time",
} as const;

const text = z.string().max(255).nullish();

/**
 * What of a user only ZenML's own dashboard and its service use: it is kept nowhere, and so refused. Not so
 * `email_opted_in`, which the clients send along with every address: there is nothing to opt in to.
 */
const unkept = {
  external_user_id: z.string().nullish(),
  user_metadata: z.record(z.string(), z.unknown()).nullish(),
  oidc_claims: z.record(z.string(), z.unknown()).nullish(),
  avatar_url: z.string().nullish(),
  default_project_id: z.string().nullish(),
};

const userRequest = z.object({
  ...unkept,
  name: z.string().max(255),
  full_name: z.string().max(255).default(""),
  email: text,
  password: text,
  is_admin: z.boolean(),
  active: z.boolean().default(false),
});

const userUpdate = z.object({
  ...unkept,
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

const activation = z.object({ admin_username: text, admin_password: text });

export function userEndpoints({
  principals,
  searchPrincipals,
}: Pick<Identity, "principals" | "searchPrincipals">): ZenmlEndpoint[] {
  /** Service accounts have addresses of their own. */
  const getUser = async (nameOrId: string): Promise<PrincipalRow> => {
    const row = await principals.findPrincipal(refOf(nameOrId));
    if (row?.kind !== "user") throw notFound(`There is no user '${nameOrId}'.`);
    return row;
  };

  const change = async (row: PrincipalRow, given: UserUpdate): Promise<PrincipalRow> => {
    refuseUnkept(given);
    const ref = { principalId: row.principal_id };
    const fields = {
      ...(typeof given.name === "string" ? { name: given.name } : {}),
      ...(typeof given.full_name === "string" ? { full_name: given.full_name } : {}),
      ...(typeof given.email === "string" ? { email: given.email } : {}),
    };
    let changed = row;
    if (Object.keys(fields).length > 0) changed = await principals.updatePrincipal(ref, fields);
    return changed;
  };

  /** One's own: the password only with the one before, not the name that others know, and nothing of what one may. */
  const changeOwn = async (caller: Caller, given: UserUpdate): Promise<PrincipalRow> => {
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
    let changed = await change(row, given);
    if (typeof given.password === "string") {
      if (typeof given.old_password !== "string") {
        throw permissionDenied("The current password must be given to change it.");
      }
      const ref = { principalId: row.principal_id };
      changed = await principals.setPassword(ref, given.password, { current: given.old_password });
    }
    return changed;
  };

  const changeOther = async (row: PrincipalRow, given: UserUpdate): Promise<PrincipalRow> => {
    const ref = { principalId: row.principal_id };
    let changed = await change(row, given);
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
      async handle({ query, request: { caller } }) {
        const hydrate = readFlag(query, "hydrate", true);
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
      handle: async ({ body, request: { caller } }) =>
        userView(await changeOwn(caller, body), { hydrate: true, showsEmail: true }),
    }),
    endpoint({
      method: "GET",
      path: "/users",
      access: loginAccess,
      async handle({ query, request: { caller } }) {
        const wanted = readListQuery(query, principalListColumns);
        const { total, rows } = await searchPrincipals("user", wanted);
        const items = rows.map((row) =>
          userView(row, { hydrate: wanted.hydrate, showsEmail: maySee(caller, row) }),
        );
        return pageOf(wanted, { total, items });
      },
    }),
    endpoint({
      method: "POST",
      path: "/users",
      access: manages("principal"),
      body: userRequest,
      async handle({ body, request }) {
        refuseUnkept(body);
        const { name, full_name, email = null, password, is_admin: isAdmin } = body;
        const given = { kind: "user", name, full_name, email, isAdmin } as const;
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
      async handle({ path, query, request: { caller } }) {
        const row = await getUser(path["user_name_or_id"] ?? "");
        return userView(row, {
          hydrate: readFlag(query, "hydrate", true),
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
        const row = isOwn ? await changeOwn(caller, body) : await changeOther(await getUser(nameOrId), body);
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
        refuseUnkept(body);
        const { activation_token: token, password, full_name, email } = body;
        const row = await principals.activate(refOf(path["user_name_or_id"] ?? ""), {
          token: token ?? "",
          ...(typeof password === "string" ? { password } : {}),
          ...(typeof full_name === "string" ? { full_name } : {}),
          ...(typeof email === "string" ? { email } : {}),
        });
        return userView(row, { hydrate: true, showsEmail: true });
      },
    }),
    endpoint({
      method: "PUT",
      path: "/activate",
      // Upstream lets a stranger do this: here it is for whoever is administrator of an open server already.
      access: manages("principal"),
      body: activation,
      async handle({ body }) {
        if (await principals.hasAdmin()) throw invalidState("This server has an administrator already.");
        const { admin_username: name, admin_password: password } = body;
        if (typeof name !== "string" || typeof password !== "string") return null;
        const row = await principals.createPrincipal({ kind: "user", name, password, isAdmin: true });
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

function refuseUnkept(given: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(unkept)) {
    if (given[name] === undefined || given[name] === null) continue;
    throw notImplemented(`This server does not keep ${name} of a user.`);
  }
}
