import type { FastifyInstance } from "fastify";
import type { Identity, Workspaces } from "../../modules/identity/index.ts";
import { registerAudit } from "./identity-audit.ts";
import { registerDevices } from "./identity-devices.ts";
import { registerKeys } from "./identity-keys.ts";
import { registerMe } from "./identity-me.ts";
import { registerPrincipals } from "./identity-principals.ts";
import { registerRoles } from "./identity-roles.ts";
import { registerWorkspaces } from "./identity-workspaces.ts";

export type IdentityRoutesOptions = {
  identity: Identity;
  workspaces: Workspaces;
  /** Whether requests without credentials are refused. */
  loginRequired: boolean;
};

/** Who there is, who may do what, and who did what. */
export function registerIdentity(app: FastifyInstance, options: IdentityRoutesOptions): void {
  registerMe(app, options);
  registerPrincipals(app, options);
  registerKeys(app, options);
  registerDevices(app, options);
  registerRoles(app, options);
  registerWorkspaces(app, options);
  registerAudit(app, options);
}
