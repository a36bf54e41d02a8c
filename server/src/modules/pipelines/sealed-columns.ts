import type { SealedColumn } from "../../kernel/reseal.ts";

/** What the sealed texts of these columns are bound to. */
export const secretPlace = (id: string): string => `pipelines.secrets.sealed_values:${id}`;
export const connectorPlace = (id: string): string => `pipelines.service_connectors.sealed_secrets:${id}`;
export const deploymentKeyPlace = (id: string): string => `pipelines.deployments.sealed_auth_key:${id}`;
export const webhookSecretPlace = (id: string): string => `pipelines.webhooks.sealed_secret:${id}`;

export const pipelinesSealedColumns: readonly SealedColumn[] = [
  { table: "pipelines.secrets", key: "id", column: "sealed_values", place: secretPlace },
  { table: "pipelines.service_connectors", key: "id", column: "sealed_secrets", place: connectorPlace },
  { table: "pipelines.deployments", key: "id", column: "sealed_auth_key", place: deploymentKeyPlace },
  { table: "pipelines.webhooks", key: "id", column: "sealed_secret", place: webhookSecretPlace },
];
