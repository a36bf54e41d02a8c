import { Readable } from "node:stream";
import { loginAccess, manages } from "../../kernel/access.ts";
import { badRequest, invalidParameter, PlinthError } from "../../kernel/errors.ts";
import {
  assertUnlimited,
  type AssignmentRow,
  type PrincipalRow,
  type RoleRow,
} from "../../modules/identity/index.ts";
import { rolesJson, userJson, userWithPermissions } from "./auth-json.ts";
import { inWords, parameters, required, requiredText, optional } from "./auth-parameters.ts";
import { refused, rightsOf, unknownUser, userNamed, type AuthDeps, type Rights } from "./auth-rights.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import type { Values } from "./wire.ts";

const PATH = "/2.0/mlflow/users";

/** MLflow's users are principals of kind `user`. */
export function userEndpoints(deps: AuthDeps): Endpoint[] {
  const { principals, roles, scopeOf } = deps;
  const about = (call: Call, username: string): void => {
    call.request.subject = { resourceType: "principal", resourceId: username };
  };
  return [
    {
      method: "POST",
      path: `${PATH}/create`,
      access: loginAccess,
      scoped: false,
      request: parameters("username", "password"),
      async handle(_values, call) {
        await requireMayCreateUsers(rightsOf(call.request.caller, deps));
        const username = requiredText(call, "username");
        const password = requiredText(call, "password");
        about(call, username);
        const row = await createUser(deps, username, password);
        return { user: await userWithPermissions(roles, row) };
      },
    },
    {
      method: "GET",
      path: `${PATH}/get`,
      access: loginAccess,
      scoped: false,
      request: parameters("username"),
      async handle(_values, call) {
        const rights = rightsOf(call.request.caller, deps);
        const username = requiredText(call, "username");
        if (!rights.isAdmin && !rights.isSelf(username)) throw refused();
        return { user: await userWithPermissions(roles, await userNamed(deps, username)) };
      },
    },
    {
      method: "GET",
      path: `${PATH}/list`,
      access: loginAccess,
      scoped: false,
      request: parameters(),
      async handle(_values, { request }) {
        // Whoever makes things in a workspace may look for whom to share them with.
        const { policy } = await scopeOf(request);
        if (!policy.mayCreate) throw refused();
        const rights = rightsOf(request.caller, deps);
        const managed = await rights.managed();
        return Readable.from(
          listedUsers(deps, (row, role) => {
            const { workspace } = role;
            return rights.isSelf(row.name) || managed === undefined || managed.has(workspace ?? "");
          }),
        );
      },
    },
    {
      method: "GET",
      path: `${PATH}/current`,
      access: loginAccess,
      scoped: false,
      request: parameters(),
      handle: (_values, { request }) => ({
        user: callerJson(request),
        // Where not, the web interface shows no button to log out: nothing would end by it.
        is_basic_auth: ["password", "session"].includes(request.caller.credential.kind),
      }),
    },
    {
      method: "PATCH",
      path: `${PATH}/update-password`,
      access: loginAccess,
      scoped: false,
      request: parameters("username", "password", "current_password"),
      async handle(_values, call) {
        const { caller } = call.request;
        const rights = rightsOf(caller, deps);
        const username = requiredText(call, "username");
        if (!rights.isAdmin && !rights.isSelf(username)) throw refused();
        assertUnlimited(caller);
        const password = requiredText(call, "password");
        about(call, username);
        const row = await userNamed(deps, username);
        const isSelf = row.principal_id === caller.principal?.principalId;
        await principals.setPassword(
          { principalId: row.principal_id },
          password,
          isSelf ? { current: requireCurrent(call) } : {},
        );
        return {};
      },
    },
    {
      method: "PATCH",
      path: `${PATH}/update-admin`,
      access: manages("principal"),
      scoped: false,
      request: parameters("username", "is_admin"),
      async handle(_values, call) {
        const username = requiredText(call, "username");
        const isAdmin = required(call, "is_admin");
        if (typeof isAdmin !== "boolean") {
          throw invalidParameter("Parameter 'is_admin' must be true or false.");
        }
        call.request.subject = {
          resourceType: "principal",
          resourceId: username,
          details: { is_admin: isAdmin },
        };
        const { principal_id: principalId } = await userNamed(deps, username);
        await principals.setAdmin({ principalId }, isAdmin);
        return {};
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/delete`,
      access: manages("principal"),
      scoped: false,
      request: parameters("username"),
      async handle(_values, call) {
        const username = requiredText(call, "username");
        about(call, username);
        const { principal_id: principalId } = await userNamed(deps, username);
        if (principalId === call.request.caller.principal?.principalId) {
          throw badRequest(
            "Users cannot delete their own account. Ask another admin to delete this user instead.",
          );
        }
        await inWords(principals.deletePrincipal({ principalId }), {
          not_found: unknownUser(username).message,
        });
        return {};
      },
    },
  ];
}

/** Who manages a workspace may make the users whom to give roles in it: they may nothing by themselves. */
export async function requireMayCreateUsers(rights: Rights): Promise<void> {
  const managed = await rights.managed();
  if (managed !== undefined && managed.size === 0) throw refused();
}

export async function createUser(
  { principals }: AuthDeps,
  username: string,
  password: string,
): Promise<PrincipalRow> {
  if (username === "" || password === "") throw invalidParameter("Username and password cannot be empty.");
  return inWords(principals.createPrincipal({ kind: "user", name: username, password }), {
    already_exists: `User (username=${username}) already exists.`,
  });
}

/** Whoever changes a password of their own must know it, also with a key or a session: both may have been taken. */
function requireCurrent(call: Call): string {
  const current = optional(call, "current_password");
  if (typeof current === "string" && current !== "") return current;
  throw invalidParameter("Current password is required when changing your own password.");
}

/** An open server has no user to tell of, as a `mlflow server` without `--app-name basic-auth`. */
export function callerJson({ caller, method, url }: Call["request"]): Values {
  const { principal } = caller;
  if (principal === undefined || principal.kind === "local") {
    const path = url.split("?", 1)[0] ?? "";
    throw new PlinthError("unknown_endpoint", `No endpoint ${method} ${path}: nobody has logged in.`);
  }
  return { id: principal.principalId, username: principal.name, is_admin: principal.isAdmin };
}

const PAGE = 500;

/** A page of users in memory at a time, however many there are. */
async function* listedUsers(
  { principals, roles }: AuthDeps,
  isVisible: (row: PrincipalRow, role: RoleRow) => boolean,
): AsyncGenerator<string> {
  yield '{"users":[';
  let separator = "";
  let pageToken: string | undefined;
  do {
    const page = await principals.listPrincipals({
      kind: "user",
      maxResults: PAGE,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    const assigned = await roles.listAssignmentsOf(page.principals.map((row) => row.principal_id));
    const rows = await rolesOf(roles, assigned);
    const texts = await rolesJson(roles, [...rows.values()]);
    const byUser = Map.groupBy(assigned, (one) => one.principal_id);
    for (const row of page.principals) {
      const visible = (byUser.get(row.principal_id) ?? []).flatMap(({ role_id }) => {
        const role = rows.get(role_id);
        return role !== undefined && isVisible(row, role) ? (texts.get(role_id) ?? []) : [];
      });
      yield separator + JSON.stringify({ ...userJson(row), roles: visible });
      separator = ",";
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  yield "]}";
}

async function rolesOf(
  roles: AuthDeps["roles"],
  assigned: readonly AssignmentRow[],
): Promise<Map<number, RoleRow>> {
  const roleIds = [...new Set(assigned.map(({ role_id }) => role_id))];
  const rows = roleIds.length === 0 ? [] : await roles.listRoles({ roleIds });
  return new Map(rows.map((row) => [row.role_id, row]));
}
