import { invalidParameter, PlinthError } from "../../kernel/errors.ts";
import type { RoleRow } from "../../modules/identity/index.ts";
import { roleJson, rolesJson } from "./auth-json.ts";
import { inWords, optional, parameters, required, requiredId } from "./auth-parameters.ts";
import { loginEndpoint, refused, rightsOf, roleOf, type AuthDeps } from "./auth-rights.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { message, repeated, string } from "./wire.ts";

const PATH = "/3.0/mlflow/roles";

type Role = RoleRow & { workspace: string };

/** MLflow's roles are those of workspaces: builtin ones among them, which nobody changes. */
export function roleEndpoints(deps: AuthDeps): Endpoint[] {
  const { roles } = deps;
  return [
    loginEndpoint("POST", `${PATH}/create`, {
      request: parameters("name", "workspace", "description"),
      async handle(call) {
        const name = requiredName(required(call, "name"));
        const workspace = required(call, "workspace");
        if (typeof workspace !== "string" || workspace.trim() === "") {
          throw invalidParameter("Workspace cannot be empty.");
        }
        call.request.subject = { resourceType: "role", resourceId: name, workspace };
        if (!(await rightsOf(call.request.caller, deps).manages(workspace))) throw refused();
        const description = readDescription(optional(call, "description"), " or null");
        const role = await inWords(
          roles.createRole({ workspace, name, ...(description === undefined ? {} : { description }) }),
          { already_exists: `Role (name=${name}, workspace=${workspace}) already exists.` },
        );
        return { role: roleJson(role, []) };
      },
    }),
    loginEndpoint("GET", `${PATH}/get`, {
      request: parameters("role_id"),
      async handle(call) {
        const role = await seenRole(deps, call);
        return { role: (await rolesJson(roles, [role])).get(role.role_id) };
      },
    }),
    loginEndpoint("GET", `${PATH}/list`, {
      request: message({ workspace: repeated(string) }),
      async handle({ source, request }) {
        const rights = rightsOf(request.caller, deps);
        const workspaces = (source["workspace"] ?? []) as string[];
        const named = new Set(workspaces.map((name) => name.trim()).filter((name) => name !== ""));
        if (!rights.isAdmin) {
          if (named.size === 0) throw refused();
          for (const name of named) if (!(await rights.isMember(name))) throw refused();
        }
        if (workspaces.some((name) => name.trim() === "")) {
          throw invalidParameter("Parameter 'workspace' must be a non-empty string when provided.");
        }
        // What people were granted directly is shown with them, to those whom it concerns.
        const rows = await roles.listRoles(workspaces.length === 0 ? {} : { workspaces });
        return { roles: [...(await rolesJson(roles, rows)).values()] };
      },
    }),
    loginEndpoint("PATCH", `${PATH}/update`, {
      request: parameters("role_id", "name", "description"),
      async handle(call) {
        const role = await managedRole(deps, call);
        const given = optional(call, "name");
        const description = readDescription(optional(call, "description"), "");
        if (given === null && description === undefined) {
          throw invalidParameter(
            "At least one of 'name' or 'description' must be provided to update a role.",
          );
        }
        const name = given === null ? undefined : requiredName(given);
        const changed = await inWords(
          roles.updateRole(role.role_id, {
            ...(name === undefined ? {} : { name }),
            ...(description === undefined ? {} : { description }),
          }),
          { already_exists: `Role with name=${name} already exists in workspace=${role.workspace}` },
        );
        return { role: (await rolesJson(roles, [changed])).get(role.role_id) };
      },
    }),
    loginEndpoint("DELETE", `${PATH}/delete`, {
      request: parameters("role_id"),
      async handle(call) {
        const role = await managedRole(deps, call);
        await roles.deleteRole(role.role_id);
        return {};
      },
    }),
  ];
}

/** The role that a request names, for who manages its workspace. Others are not told whether there is one. */
export async function managedRole(deps: AuthDeps, call: Call): Promise<Role> {
  return requireManaged(deps, call, () => roleOf(deps, requiredId(call, "role_id")));
}

export async function requireManaged(
  deps: AuthDeps,
  { request }: Call,
  find: () => Promise<Role>,
): Promise<Role> {
  const rights = rightsOf(request.caller, deps);
  const role = await found(find, rights.isAdmin);
  request.subject = { resourceType: "role", resourceId: role.name, workspace: role.workspace };
  if (!(await rights.manages(role.workspace))) throw refused();
  return role;
}

/** The role that a request names, for who is in its workspace; what one person was granted, for that person. */
export async function seenRole(deps: AuthDeps, call: Call): Promise<Role> {
  const { caller } = call.request;
  const rights = rightsOf(caller, deps);
  const role = await found(() => roleOf(deps, requiredId(call, "role_id")), rights.isAdmin);
  const isOwn = role.kind !== "personal" || role.principal_id === caller.principal?.principalId;
  const sees = isOwn ? rights.isMember(role.workspace) : rights.manages(role.workspace);
  if (!(await sees)) throw refused();
  return role;
}

async function found(find: () => Promise<Role>, isAdmin: boolean): Promise<Role> {
  try {
    return await find();
  } catch (error) {
    throw !isAdmin && error instanceof PlinthError && error.code === "not_found" ? refused() : error;
  }
}

function requiredName(name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name;
  throw invalidParameter("Role name cannot be empty.");
}

function readDescription(description: unknown, orNull: string): string | undefined {
  if (description === null) return undefined;
  if (typeof description === "string") return description;
  throw invalidParameter(`Role description must be a string${orNull}.`);
}
