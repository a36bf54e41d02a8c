import { loginAccess } from "../../kernel/access.ts";
import { isPlatformAdmin, type Caller } from "../../kernel/caller.ts";
import { notFound, permissionDenied, PlinthError } from "../../kernel/errors.ts";
import {
  toPrincipal,
  type Enter,
  type Policy,
  type PrincipalRow,
  type Principals,
  type RoleRow,
  type Roles,
  type Scope,
} from "../../modules/identity/index.ts";
import { isRowId } from "./auth-parameters.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import type { ScopeOf } from "./scope.ts";
import type { Message } from "./wire.ts";

export type AuthDeps = {
  principals: Principals;
  roles: Roles;
  enter: Enter;
  scopeOf: ScopeOf;
  /** Whether a registered model of this name is a prompt, which has permissions of its own. */
  isPrompt(scope: Scope, name: string): boolean | Promise<boolean>;
};

/** Decided by what the request names, in the endpoint: `access` asks only that the caller is somebody. */
export const loginEndpoint = (
  method: Endpoint["method"],
  path: string,
  { request, handle }: { request: Message; handle(call: Call): Promise<string | object> | string | object },
): Endpoint => ({
  method,
  path,
  access: loginAccess,
  // Each asks for the workspaces that matter to it.
  scoped: false,
  request,
  handle: (_values, call) => handle(call),
});

/** What a caller may do to users and roles, as the policies of workspaces say it. */
export type Rights = {
  /** Of the whole platform. */
  readonly isAdmin: boolean;
  isSelf(username: string): boolean;
  isMember(workspace: string): Promise<boolean>;
  manages(workspace: string | null): Promise<boolean>;
  /** The workspaces that the caller manages by roles; of a platform administrator undefined: all. */
  managed(): Promise<ReadonlySet<string> | undefined>;
};

export function rightsOf(caller: Caller, { roles, enter }: AuthDeps): Rights {
  const isAdmin = isPlatformAdmin(caller);
  const policyIn = async (workspace: string): Promise<Policy | undefined> => {
    try {
      return (await enter(caller, workspace)).policy;
    } catch (error) {
      // Whether there is such a workspace is told to nobody who has no part in it.
      if (error instanceof PlinthError && ["permission_denied", "not_found"].includes(error.code)) return;
      throw error;
    }
  };
  const manages = async (workspace: string | null): Promise<boolean> =>
    isAdmin || (workspace !== null && (await policyIn(workspace))?.isAdmin === true);
  return {
    isAdmin,
    isSelf: (username) => caller.principal?.name === username && caller.principal.kind !== "local",
    isMember: async (workspace) => isAdmin || (await policyIn(workspace))?.isMember === true,
    manages,
    async managed() {
      if (isAdmin) return undefined;
      const { principalId = 0 } = caller.principal ?? {};
      const managed = new Set<string>();
      for (const grant of await roles.listGrantsOf({ principalId })) {
        const { workspace } = grant;
        if (grant.resource_type !== "workspace" || grant.permission !== "MANAGE" || workspace === null)
          continue;
        // Once more by the policy, which knows of denials and of what the credential may.
        if (!managed.has(workspace) && (await manages(workspace))) managed.add(workspace);
      }
      return managed;
    },
  };
}

export const refused = (): PlinthError => permissionDenied("Permission denied");

export const unknownUser = (username: string): PlinthError =>
  notFound(`User with username=${username.slice(0, 255)} not found`);

/** A user, or a service account, which MLflow's endpoints of roles and permissions take for a user. */
export async function principalNamed({ principals }: AuthDeps, username: string): Promise<PrincipalRow> {
  const found = await principals.findPrincipal({ name: username });
  if (found === undefined) throw unknownUser(username);
  return found;
}

/** What MLflow calls a user: somebody with a password. */
export async function userNamed(deps: AuthDeps, username: string): Promise<PrincipalRow> {
  const found = await principalNamed(deps, username);
  if (found.kind !== "user") throw unknownUser(username);
  return found;
}

export const isAdminRow = (row: PrincipalRow): boolean => row.is_admin || row.is_admin_by_group;

/** The policy that a request of this principal would meet, with credentials that limit nothing; undefined: none. */
export async function policyOf(
  { enter }: AuthDeps,
  row: PrincipalRow,
  workspace: string,
): Promise<Policy | undefined> {
  if (!row.active) return undefined;
  const principal = toPrincipal(row);
  try {
    return (await enter({ principal, credential: { kind: "password" }, address: "" }, workspace)).policy;
  } catch (error) {
    if (error instanceof PlinthError && error.code === "permission_denied") return undefined;
    throw error;
  }
}

/** MLflow's roles are in workspaces: those of the whole platform are none of its. */
export async function roleOf({ roles }: AuthDeps, roleId: number): Promise<RoleRow & { workspace: string }> {
  const unknown = notFound(`Role with id=${roleId} not found`);
  if (!isRowId(roleId)) throw unknown;
  try {
    const role = await roles.getRole(roleId);
    if (role.workspace !== null) return { ...role, workspace: role.workspace };
  } catch (error) {
    if (!(error instanceof PlinthError) || error.code !== "not_found") throw error;
  }
  throw unknown;
}
