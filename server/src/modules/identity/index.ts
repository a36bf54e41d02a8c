import type { IncomingHttpHeaders } from "node:http";
import type { Access } from "../../kernel/access.ts";

export { selectExportWorkspaces } from "./export.sql.ts";
export { defaultScope, type Scope } from "./scope.ts";
export type { WorkspaceContents } from "./workspace-contents.ts";
export {
  createWorkspaces,
  deletionModes,
  workspaceNotFound,
  type WorkspaceRow,
  type Workspaces,
} from "./workspaces.ts";

/**
 * The door of identity. Users, keys and roles are a later issue; the seam is not: every request of
 * every protocol passes `authorize` with the access its route declares.
 */
export type Principal = { kind: "anonymous" };

export type Identity = {
  /** Who is calling, from the credentials in the request's headers. */
  authenticate(headers: IncomingHttpHeaders): Principal;
  /** Returns when the principal may do this, else throws `permission_denied` or `unauthenticated`. */
  authorize(principal: Principal, access: Access): void;
};

const anonymous: Principal = { kind: "anonymous" };

/**
 * Open, as `mlflow server` is: whoever reaches the socket may do everything. `config.ts` refuses to
 * bind this to anything but loopback without `--insecure`.
 */
export function createOpenIdentity(): Identity {
  return {
    authenticate: () => anonymous,
    authorize: () => undefined,
  };
}
