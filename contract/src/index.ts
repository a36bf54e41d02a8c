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
  repeatDeliveriesRequest,
  repeatedDeliveries,
  webhookDeliveries,
  webhookDeliveriesRequest,
  type RepeatedDeliveries,
  type WebhookDeliveries,
} from "./webhook-deliveries.ts";
export { purgeRequest, purgeResult, type PurgeResult } from "./purge.ts";
