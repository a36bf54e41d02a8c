import { allows, type PrincipalRow, type Scope } from "../../modules/identity/index.ts";
import { rolesJson } from "./auth-json.ts";
import { inWords, parameters, requiredText } from "./auth-parameters.ts";
import { checkPattern, permissionOn, readGrantable, readResourceType } from "./auth-resources.ts";
import {
  isAdminRow,
  loginEndpoint,
  policyOf,
  principalNamed,
  refused,
  rightsOf,
  type AuthDeps,
} from "./auth-rights.ts";
import { callerJson } from "./auth-users.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { workspaceNameOf } from "./scope.ts";
import type { Values } from "./wire.ts";

const PATH = "/3.0/mlflow/users";

/** What single users may do: granted directly, or by the roles that they have. */
export function grantEndpoints(deps: AuthDeps): Endpoint[] {
  const { roles } = deps;
  return [
    loginEndpoint("POST", `${PATH}/permissions/grant`, {
      request: parameters("username", "resource_type", "resource_id", "permission"),
      async handle(call) {
        const username = requiredText(call, "username");
        const { scope, type, id } = await managedResource(deps, call);
        const given = requiredText(call, "permission");
        const user = await principalNamed(deps, username);
        checkPattern(id, type);
        const { permission } = readGrantable(given, type);
        record(call, user, { scope, on: `${type} ${id}`, permission });
        await inWords(
          roles.grantDirectly({ principalId: user.principal_id }, scope.workspaceId, {
            resource_type: type,
            pattern: id,
            permission,
            replace: false,
          }),
          {
            already_exists: `Permission for user=${username} on resource_type=${type}, resource_id=${id} already exists.`,
          },
        );
        return {};
      },
    }),
    loginEndpoint("POST", `${PATH}/permissions/revoke`, {
      request: parameters("username", "resource_type", "resource_id"),
      async handle(call) {
        const username = requiredText(call, "username");
        const { scope, type, id } = await managedResource(deps, call);
        const user = await principalNamed(deps, username);
        record(call, user, { scope, on: `${type} ${id}` });
        await inWords(
          roles.revokeDirectly({ principalId: user.principal_id }, scope.workspaceId, {
            resource_type: type,
            pattern: id,
          }),
          {
            not_found: `Permission for user=${username} on resource_type=${type}, resource_id=${id} not found.`,
          },
        );
        return {};
      },
    }),
    loginEndpoint("GET", `${PATH}/permissions/get`, {
      request: parameters("username", "resource_type", "resource_id"),
      async handle(call) {
        const username = requiredText(call, "username");
        const type = readResourceType(requiredText(call, "resource_type"));
        const workspace = workspaceNameOf(call.request);
        const rights = rightsOf(call.request.caller, deps);
        if (!rights.isSelf(username) && !(await rights.manages(workspace))) throw refused();
        const id = requiredText(call, "resource_id");
        const policy = await policyOf(deps, await principalNamed(deps, username), workspace);
        // The very question by which a request of this user would be decided.
        const permission = policy === undefined ? "NO_PERMISSIONS" : permissionOn(policy, type, id);
        return { allowed: allows(permission, "use"), permission };
      },
    }),
    loginEndpoint("GET", `${PATH}/permissions/list`, {
      request: parameters("username"),
      async handle(call) {
        const { user, isShown } = await seenUser(deps, call);
        return {
          is_admin: isAdminRow(user),
          permissions: await listedPermissions(deps, user.principal_id, isShown),
        };
      },
    }),
    loginEndpoint("GET", `${PATH}/current/permissions`, {
      request: parameters(),
      async handle({ request }) {
        const { id, is_admin } = callerJson(request);
        return { is_admin, permissions: await listedPermissions(deps, id as number, () => true) };
      },
    }),
    loginEndpoint("GET", `${PATH}/roles/list`, {
      request: parameters("username"),
      async handle(call) {
        const { user, isShown } = await seenUser(deps, call);
        const rows = await roles.listRolesOf({ principalId: user.principal_id });
        const shown = rows.filter(({ workspace }) => workspace !== null && isShown(workspace));
        return { roles: [...(await rolesJson(roles, shown)).values()] };
      },
    }),
  ];
}

/** What a request names, for who may say who may what on it: by MANAGE on it, or in the whole workspace. */
async function managedResource(
  deps: AuthDeps,
  call: Call,
): Promise<{ scope: Scope; type: ReturnType<typeof readResourceType>; id: string }> {
  const type = readResourceType(requiredText(call, "resource_type"));
  const id = requiredText(call, "resource_id");
  const scope = await deps.scopeOf(call.request);
  const { policy } = scope;
  // All of a type is more than any one of them.
  const may = policy.isAdmin || (id !== "*" && allows(permissionOn(policy, type, id), "manage"));
  if (!may) throw refused();
  return { scope, type, id };
}

type Seen = { user: PrincipalRow; isShown(workspace: string): boolean };

/** Oneself, anybody for a platform administrator, and for who manages a workspace those who have a role in it. */
async function seenUser(deps: AuthDeps, call: Call): Promise<Seen> {
  const username = requiredText(call, "username");
  const rights = rightsOf(call.request.caller, deps);
  const managed = await rights.managed();
  if (managed === undefined || rights.isSelf(username)) {
    return { user: await principalNamed(deps, username), isShown: () => true };
  }
  const user = managed.size === 0 ? undefined : await deps.principals.findPrincipal({ name: username });
  // Whoever is not there is answered as somebody of other workspaces.
  if (user === undefined) throw refused();
  const theirs = await deps.roles.listRolesOf({ principalId: user.principal_id });
  const isShown = (workspace: string): boolean => managed.has(workspace);
  if (!theirs.some(({ workspace }) => workspace !== null && isShown(workspace))) throw refused();
  return { user, isShown };
}

async function listedPermissions(
  { roles }: AuthDeps,
  principalId: number,
  isShown: (workspace: string) => boolean,
): Promise<Values[]> {
  const grants = await roles.listGrantsOf({ principalId });
  return grants.flatMap(({ role_id, role_name, workspace, resource_type, pattern, permission }) =>
    workspace === null || !isShown(workspace)
      ? []
      : [{ role_id, role_name, workspace, resource_type, resource_pattern: pattern, permission }],
  );
}

/** For the audit log. */
function record(
  { request }: Call,
  user: PrincipalRow,
  { scope, on, permission }: { scope: Scope; on: string; permission?: string },
): void {
  request.subject = {
    resourceType: "principal",
    resourceId: user.name,
    workspace: scope.workspace,
    details: { grant: on, ...(permission === undefined ? {} : { permission }) },
  };
}
