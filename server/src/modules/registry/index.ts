import type { RegistryDeps } from "./deps.ts";
import { createModelVersions, type ModelVersions } from "./model-versions.ts";
import { createRegisteredModels, type RegisteredModels } from "./registered-models.ts";

export { registryTables } from "./export.sql.ts";

export { createRegistryContents } from "./workspace-contents.ts";

/** The door of the model registry: all that protocols may ask of it. */
export type Registry = RegisteredModels & ModelVersions;

export function createRegistry(deps: RegistryDeps): Registry {
  return { ...createRegisteredModels(deps), ...createModelVersions(deps) };
}
