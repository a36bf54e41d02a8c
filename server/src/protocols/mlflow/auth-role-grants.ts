import { notFound } from "../../kernel/errors.ts";
import type { GrantRow, RoleRow } from "../../modules/identity/index.ts";
import { grantJson } from "./auth-json.ts";
import { inWords, isRowId, parameters, requiredId, requiredText } from "./auth-parameters.ts";
import { checkPattern, readGrantable } from "./auth-resources.ts";
import { loginEndpoint, principalNamed, roleOf, type AuthDeps } from "./auth-rights.ts";
import { managedRole, requireManaged, seenRole } from "./auth-roles.ts";
import type { Call, Endpoint } from "./endpoint.ts";

const PATH = "/3.0/mlflow/roles";

/** What a role may do, and who has it. */
export function roleGrantEndpoints(deps: AuthDeps): Endpoint[] {
  const { roles } = deps;
  return [
    loginEndpoint("POST", `${PATH}/permissions/add`, {
      request: parameters("role_id", "resource_type", "resource_pattern", "permission"),
      async handle(call) {
        const role = await managedRole(deps, call);
        const given = requiredText(call, "resource_type");
        const pattern = requiredText(call, "resource_pattern");
        const { type, permission } = readGrantable(requiredText(call, "permission"), given);
        checkPattern(pattern, type);
        addDetails(call, { grant: `${type} ${pattern}`, permission });
        const grant = await inWords(
          roles.addGrant(role.role_id, { resource_type: type, pattern, permission }),
          {
            already_exists:
              `Role permission (role_id=${role.role_id}, resource_type=${type}, ` +
              `resource_pattern=${pattern}) already exists.`,
          },
        );
        return { role_permission: grantJson(grant) };
      },
    }),
    loginEndpoint("GET", `${PATH}/permissions/list`, {
      request: parameters("role_id"),
      async handle(call) {
        const role = await seenRole(deps, call);
        return { role_permissions: (await roles.listGrants([role.role_id])).map(grantJson) };
      },
    }),
    loginEndpoint("PATCH", `${PATH}/permissions/update`, {
      request: parameters("role_permission_id", "permission"),
      async handle(call) {
        const { grant } = await managedGrant(deps, call);
        const { permission } = readGrantable(requiredText(call, "permission"), grant.resource_type);
        addDetails(call, { grant: `${grant.resource_type} ${grant.pattern}`, permission });
        return { role_permission: grantJson(await roles.updateGrant(grant.grant_id, permission)) };
      },
    }),
    loginEndpoint("DELETE", `${PATH}/permissions/remove`, {
      request: parameters("role_permission_id"),
      async handle(call) {
        const { grant } = await managedGrant(deps, call);
        addDetails(call, { grant: `${grant.resource_type} ${grant.pattern}` });
        await roles.removeGrant(grant.grant_id);
        return {};
      },
    }),
    loginEndpoint("POST", `${PATH}/assign`, {
      request: parameters("username", "role_id"),
      async handle(call) {
        const role = await managedRole(deps, call);
        const user = await principalNamed(deps, requiredText(call, "username"));
        addDetails(call, { principal: user.name });
        const assignment = await inWords(roles.assignRole({ principalId: user.principal_id }, role.role_id), {
          already_exists: `User role assignment (user_id=${user.principal_id}, role_id=${role.role_id}) already exists`,
        });
        return {
          assignment: { id: assignment.assignment_id, user_id: user.principal_id, role_id: role.role_id },
        };
      },
    }),
    loginEndpoint("DELETE", `${PATH}/unassign`, {
      request: parameters("username", "role_id"),
      async handle(call) {
        const role = await managedRole(deps, call);
        const user = await principalNamed(deps, requiredText(call, "username"));
        addDetails(call, { principal: user.name });
        await inWords(roles.unassignRole({ principalId: user.principal_id }, role.role_id), {
          not_found: `User role assignment (user_id=${user.principal_id}, role_id=${role.role_id}) not found`,
        });
        return {};
      },
    }),
    loginEndpoint("GET", `${PATH}/users/list`, {
      request: parameters("role_id"),
      async handle(call) {
        const role = await managedRole(deps, call);
        const assignments = await roles.listAssignments(role.role_id);
        return {
          assignments: assignments.map(({ assignment_id: id, principal_id: user_id, role_id }) => ({
            id,
            user_id,
            role_id,
          })),
        };
      },
    }),
  ];
}

/** The grant that a request names, for who manages the workspace of its role. */
async function managedGrant(deps: AuthDeps, call: Call): Promise<{ grant: GrantRow; role: RoleRow }> {
  const grantId = requiredId(call, "role_permission_id");
  const unknown = `Role permission with id=${grantId} not found`;
  let grant: GrantRow | undefined;
  const role = await requireManaged(deps, call, async () => {
    if (!isRowId(grantId)) throw notFound(unknown);
    grant = await inWords(deps.roles.getGrant(grantId), { not_found: unknown });
    return roleOf(deps, grant.role_id);
  });
  if (grant === undefined) throw notFound(unknown);
  return { grant, role };
}

/** For the audit log. */
function addDetails({ request }: Call, details: Record<string, string>): void {
  request.subject = { ...request.subject, details };
}
