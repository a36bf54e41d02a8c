import type { SealedColumn } from "../../kernel/reseal.ts";
import type { RegistryDeps } from "./deps.ts";
import { createLineage, type Lineage } from "./lineage.ts";
import { createModelVersions, type ModelVersions } from "./model-versions.ts";
import { createPrompts, type Prompts } from "./prompts.ts";
import { createRegisteredModels, type RegisteredModels } from "./registered-models.ts";
import { createVersionMemory } from "./version-memory.ts";
import { createDelivery, type WebhookDelivery } from "./webhooks/delivery.ts";
import { createWebhooks, secretPlace, type Webhooks } from "./webhooks/webhooks.ts";

export { readEvent, type WebhookEvent } from "./webhooks/events.ts";
export type { Webhook } from "./webhooks/webhooks.ts";
export type { Lineage, LineageOrigin, VersionOfRun } from "./lineage.ts";
export { registryTables } from "./export.sql.ts";
export { originsOf } from "./source.ts";

/** Where secrets of webhooks are sealed. */
export const registrySealedColumns: readonly SealedColumn[] = [
  { table: "registry.webhooks", key: "webhook_id", column: "secret", place: secretPlace },
];

export { createRegistryContents } from "./workspace-contents.ts";

/** Some 20,000 versions with what they show. */
const MEMORY_CHARACTERS = 16_000_000;

/** The door of the model registry: all that protocols may ask of it. */
export type Registry = RegisteredModels &
  ModelVersions &
  Lineage &
  Prompts &
  Webhooks & { webhookDelivery: WebhookDelivery };

export function createRegistry(deps: RegistryDeps): Registry {
  const webhookDelivery = createDelivery(deps);
  const announce = (recorded: number): void => {
    if (recorded > 0) webhookDelivery.wake();
  };
  const changeDeps = { ...deps, announce, memory: createVersionMemory(MEMORY_CHARACTERS) };
  return {
    ...createRegisteredModels(changeDeps),
    ...createModelVersions(changeDeps),
    ...createLineage(deps),
    ...createPrompts(deps),
    ...createWebhooks(changeDeps),
    webhookDelivery,
  };
}
