import { grantEndpoints } from "./auth-grants.ts";
import { permissionEndpoints } from "./auth-permissions.ts";
import type { AuthDeps } from "./auth-rights.ts";
import { roleGrantEndpoints } from "./auth-role-grants.ts";
import { roleEndpoints } from "./auth-roles.ts";
import { userEndpoints } from "./auth-users.ts";
import type { Endpoint } from "./endpoint.ts";

/**
 * What `mlflow.server.get_app_client("basic-auth", ...)` asks for, of every version, and the web interface's pages
 * of users and roles: views of the principals and roles that all protocols share.
 */
export const authEndpoints = (deps: AuthDeps): Endpoint[] => [
  ...userEndpoints(deps),
  ...grantEndpoints(deps),
  ...roleEndpoints(deps),
  ...roleGrantEndpoints(deps),
  ...permissionEndpoints(deps),
];
