import type { Database, Queryable } from "../../kernel/database.ts";
import type { Roles } from "../identity/index.ts";
import type { ExperimentIds } from "./experiment-ids.ts";
import type { Keys } from "./keys.ts";

/** What the parts of tracking are made of. */
export type TrackingDeps = {
  database: Database;
  keys: Keys;
  ids: ExperimentIds;
  /** Milliseconds since 1970. */
  now(): number;
  /** Told how many requests shared a commit. */
  onBatch(name: string, size: number): void;
  /** Removes everything below an artifact location, where it is Plinth's to remove, as part of a transaction. */
  deleteArtifacts(location: string, within: Queryable): Promise<void>;
  /** What is granted on experiments goes with them. */
  grants: Pick<Roles, "deleteGrantsOn" | "readChanges">;
};
