// As auth-differential.test.ts, beside the auth server of 2.9.2: permissions as its client manages them.
import { admin, startGuardedPlinth, startGuardedReference } from "../src/target.ts";
import { firstAuthDifferences } from "./auth-differences.ts";
import { authPermissions } from "./cases/auth-permissions.ts";
import { compareServers } from "./side-by-side.ts";

compareServers({
  scenarios: authPermissions,
  differences: firstAuthDifferences,
  startReference: () => startGuardedReference([], "2.9.2"),
  // What MLflow's READ is for everybody.
  startPlinth: () => startGuardedPlinth(["--default-permission", "USE"]),
  login: [admin.username, admin.password],
  ids: ["id", "user_id"],
  // Of experiments, for later clients.
  added: ["workspace"],
});
