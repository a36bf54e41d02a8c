export { serverStatus, type ServerStatus } from "./status.ts";
export {
  lineageOriginRequest,
  lineageVersions,
  modelLineage,
  modelLineageRequest,
  type LineageVersions,
  type ModelLineage,
} from "./lineage.ts";
export { purgeRequest, purgeResult, type PurgeResult } from "./purge.ts";
