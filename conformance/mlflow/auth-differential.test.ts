// As differential.test.ts, beside a `mlflow server --app-name basic-auth`: users, roles and permissions.
import { admin, startGuardedPlinth, startGuardedReference } from "../src/target.ts";
import { authDifferences } from "./auth-differences.ts";
import { authRoles } from "./cases/auth-roles.ts";
import { authUsers } from "./cases/auth-users.ts";
import { compareServers } from "./side-by-side.ts";

compareServers({
  scenarios: [...authUsers, ...authRoles],
  differences: authDifferences,
  startReference: () => startGuardedReference(["--enable-workspaces"]),
  startPlinth: () => startGuardedPlinth(),
  login: [admin.username, admin.password],
  ids: ["id", "user_id", "role_id"],
  // The client 2.9.2 reads no user without them.
  added: ["experiment_permissions", "registered_model_permissions"],
});
