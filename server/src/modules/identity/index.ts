export { selectExportWorkspaces } from "./export.sql.ts";
export type { ApiKeyRef, ApiKeyRow, NewApiKey, ShownKey } from "./api-keys.ts";
export type { AuditFilter } from "./audit.ts";
export { assertUnlimited } from "./authenticate.ts";
export type { DeviceRow, PolledOutcome } from "./devices.ts";
export { identitySealedColumns } from "./sealed-columns.ts";
export { createIdentity, type Identity } from "./identity.ts";
export { localPrincipal } from "./local-principal.ts";
export type { Oidc, OidcSettings } from "./oidc.ts";
export { openOidc } from "./open-oidc.ts";
export { WrongCurrentPassword, type PasswordCost } from "./passwords.ts";
export {
  toPrincipal,
  type NewPrincipal,
  type PrincipalKind,
  type PrincipalProfile,
  type PrincipalRef,
  type PrincipalRow,
  type Principals,
} from "./principals.ts";
export { createRequestAudit } from "./request-audit.ts";
export {
  allows,
  permissions,
  type GrantType,
  type PartType,
  type Permission,
  type Policy,
  type SingleType,
  type Visible,
} from "./policy.ts";
export type { AssignmentRow, GrantRow, RoleRow, Roles } from "./roles.ts";
export type { S3KeyRow } from "./s3-keys.ts";
export {
  DEFAULT_WORKSPACE,
  defaultScope,
  defaultWorkspace,
  noScope,
  type Enter,
  type Scope,
  type WorkspacePlace,
} from "./scope.ts";
export type { WorkspaceContents } from "./workspace-contents.ts";
export { checkNamespaceName } from "./workspace-fields.ts";
export {
  createWorkspaces,
  deletionModes,
  workspaceNotFound,
  type WorkspaceRow,
  type Workspaces,
} from "./workspaces.ts";
export {
  clearMlflowMark,
  clearSessionCookie,
  hasMlflowMark,
  readCookie,
  readSessionCookie,
  refuseForgery,
  setCookie,
  setMlflowMark,
  setSessionCookie,
} from "./session-cookie.ts";
export type { SessionRow } from "./sessions.ts";
export {
  MAX_TOKEN_SECONDS,
  MAX_WORKLOAD_SECONDS,
  type ReadClaims,
  type TokenClaims,
  type Tokens,
} from "./tokens.ts";
