export { serverStatus, type ServerStatus } from "./status.ts";
export {
  lineageOriginRequest,
  lineageVersions,
  modelLineage,
  modelLineageRequest,
  type LineageVersions,
  type ModelLineage,
} from "./lineage.ts";
export {
  pipelineRunLineage,
  pipelineRunLineageRequest,
  type LineageEdge,
  type LineageNode,
  type PipelineRunLineage,
} from "./pipeline-lineage.ts";
export {
  repeatDeliveriesRequest,
  repeatedDeliveries,
  webhookDeliveries,
  webhookDeliveriesRequest,
  type RepeatedDeliveries,
  type WebhookDeliveries,
} from "./webhook-deliveries.ts";
export { purgeRequest, purgeResult, type PurgeResult } from "./purge.ts";
export { consoleError } from "./console-error.ts";
export {
  directory,
  directoryRequest,
  me,
  newServiceAccountRequest,
  newUserRequest,
  ownPasswordRequest,
  passwordRequest,
  principal,
  principals,
  principalsRequest,
  serviceAccountChange,
  sessions,
  userChange,
  type Directory,
  type Me,
  type Principal,
  type Principals,
  type Sessions,
} from "./principals.ts";
export {
  apiKey,
  apiKeyChange,
  apiKeys,
  newApiKeyRequest,
  newS3KeyRequest,
  rotateRequest,
  s3Keys,
  shownApiKey,
  shownS3Key,
  type ApiKey,
  type S3Key,
  type ShownApiKey,
  type ShownS3Key,
} from "./keys.ts";
export {
  assignments,
  assignmentsRequest,
  grant,
  grantPlace,
  grantRequest,
  grants,
  newRoleRequest,
  permission,
  PLATFORM,
  role,
  roleChange,
  roleDetail,
  roles,
  rolesRequest,
  type Assignments,
  type Grant,
  type Role,
  type RoleDetail,
} from "./roles.ts";
export {
  newWorkspaceRequest,
  workspace,
  workspaceChange,
  workspaceDeletion,
  workspaces,
  type Workspace,
} from "./workspaces.ts";
export {
  auditEvent,
  auditEvents,
  auditExportRequest,
  auditRequest,
  type AuditEvent,
  type AuditEvents,
} from "./audit.ts";
export { device, deviceApproval, deviceChange, devices, type Device } from "./devices.ts";
