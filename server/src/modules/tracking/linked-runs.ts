import { allows, type Scope } from "../identity/index.ts";
import type { TrackingDeps } from "./deps.ts";
import {
  selectLinkedRuns,
  selectTaggedRunsNamed,
  type LinkedRun,
  type NamedRuns,
} from "./linked-runs.sql.ts";

export type { LinkedRun, NamedRuns } from "./linked-runs.sql.ts";

/** Runs that something outside of tracking refers to, as far as the caller may read them. */
export type LinkedRuns = {
  /** By their ids; of those that are in the workspace. */
  findLinkedRuns(scope: Scope, runIds: readonly string[]): Promise<LinkedRun[]>;
  /** Runs of an experiment that are called so, and have a tag, whatever its value. */
  findTaggedRunsNamed(scope: Scope, named: NamedRuns): Promise<LinkedRun[]>;
};

export function createLinkedRuns({ database }: Pick<TrackingDeps, "database">): LinkedRuns {
  const readable = ({ policy }: Scope, runs: readonly LinkedRun[]): LinkedRun[] =>
    runs.filter((run) => allows(policy.onPart("run", { type: "experiment", id: run.experiment_id }), "read"));
  return {
    async findLinkedRuns(scope, runIds) {
      if (runIds.length === 0) return [];
      return readable(scope, await selectLinkedRuns(database, scope.workspaceId, runIds));
    },
    findTaggedRunsNamed: async (scope, named) =>
      readable(scope, await selectTaggedRunsNamed(database, scope.workspaceId, named)),
  };
}
