import type { Prepared } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { TrackingDeps } from "./deps.ts";
import { experimentNumber } from "./runs.ts";

export type ArtifactOwner = {
  /**
   * The workspace of the experiment in whose place of the server's own store a path is (`workspaces/a/7/...`);
   * undefined when it is in that of none. Experiments that moved to another workspace keep their place.
   */
  getArtifactOwner(path: string): Promise<number | undefined>;
};

// The place of an experiment ends in its id, so that it is found by its primary key.
const selectOwnerText: Prepared = {
  name: "tracking_select_artifact_owner",
  text: `
    select e.workspace_id from unnest($1::integer[], $2::text[]) as place (experiment_id, artifact_location)
    join tracking.experiments as e using (experiment_id, artifact_location) limit 1`,
};

/** Longer than any location that is stored. */
const MAX_LENGTH = 2200;

export function createArtifactOwner({ database }: TrackingDeps): ArtifactOwner {
  return {
    async getArtifactOwner(path) {
      const ids: number[] = [];
      const locations: string[] = [];
      let location = "mlflow-artifacts:";
      for (const segment of path.slice(0, MAX_LENGTH).split("/")) {
        location += `/${segment}`;
        const id = /^\d{1,10}$/.test(segment) ? experimentNumber(segment) : undefined;
        if (id === undefined) continue;
        ids.push(id);
        locations.push(location);
      }
      if (ids.length === 0) return undefined;
      const [row] = await database.prepared<{ workspace_id: number }>(selectOwnerText, [
        int4Array(ids),
        locations,
      ]);
      return row?.workspace_id;
    },
  };
}
