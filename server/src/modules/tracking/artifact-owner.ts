import type { Prepared } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { TrackingDeps } from "./deps.ts";

export type ArtifactOwner = {
  /**
   * The workspace of the experiment in whose place of the server's own store a path is (`workspaces/a/7/...`);
   * undefined when it is in that of none. Experiments that moved to another workspace keep their place.
   */
  getArtifactOwner(path: string): Promise<number | undefined>;
  /** Whether experiments of other workspaces have their places below a path. */
  hasArtifactsOfOthers(path: string, workspaceId: number): Promise<boolean>;
};

// The place of an experiment ends in its id, so that it is found by its primary key.
const selectOwnerText: Prepared = {
  name: "tracking_select_artifact_owner",
  text: `
    select e.workspace_id from unnest($1::integer[], $2::text[]) as place (experiment_id, artifact_location)
    join tracking.experiments as e using (experiment_id, artifact_location) limit 1`,
};

// Reads all experiments, 10 ms for 100,000: only for those who delete.
const selectOthersText: Prepared = {
  name: "tracking_select_artifacts_of_others",
  text: `
    select exists (
      select from tracking.experiments where workspace_id <> $1 and starts_with(artifact_location, $2)
    ) as found`,
};

const ID = /^\d{1,19}$/;

/** Longer than any location that is stored. */
const MAX_LENGTH = 2200;

export function createArtifactOwner({ database, ids: experimentIds }: TrackingDeps): ArtifactOwner {
  return {
    async getArtifactOwner(path) {
      const segments = path.slice(0, MAX_LENGTH).split("/");
      const wanted = segments.flatMap((segment, index) => (ID.test(segment) ? [{ segment, index }] : []));
      if (wanted.length === 0) return undefined;
      const numbers = await experimentIds.numbersOf(wanted.map(({ segment }) => segment));
      const ids: number[] = [];
      const locations: string[] = [];
      for (const [at, { index }] of wanted.entries()) {
        const number = numbers[at];
        if (number === undefined) continue;
        ids.push(number);
        locations.push(`mlflow-artifacts:/${segments.slice(0, index + 1).join("/")}`);
      }
      if (ids.length === 0) return undefined;
      const [row] = await database.prepared<{ workspace_id: number }>(selectOwnerText, [
        int4Array(ids),
        locations,
      ]);
      return row?.workspace_id;
    },
    async hasArtifactsOfOthers(path, workspaceId) {
      const values = [workspaceId, `mlflow-artifacts:/${path}/`];
      const [row] = await database.prepared<{ found: boolean }>(selectOthersText, values);
      return row?.found ?? false;
    },
  };
}
