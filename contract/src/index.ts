export { serverStatus, type ServerStatus } from "./status.ts";
export { purgeRequest, purgeResult, type PurgeResult } from "./purge.ts";
