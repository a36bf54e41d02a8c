import type { Database } from "./kernel/database.ts";
import { createWorkspaces, type Workspaces } from "./modules/identity/index.ts";
import { createPipelineContents } from "./modules/pipelines/index.ts";
import { createRegistryContents } from "./modules/registry/index.ts";
import {
  checkArtifactLocation,
  checkOutsideOfWorkspaces,
  createTrackingContents,
} from "./modules/tracking/index.ts";

/** Workspaces, with what the modules keep in them. */
export const openWorkspaces = (database: Database, now: () => number): Workspaces =>
  createWorkspaces({
    database,
    now,
    checkArtifactRoot(root) {
      checkArtifactLocation(root, "default_artifact_root");
      checkOutsideOfWorkspaces(root, "default_artifact_root");
    },
    contents: () => [
      createTrackingContents(database),
      createRegistryContents(database),
      createPipelineContents(database),
    ],
  });
