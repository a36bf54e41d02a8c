import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { notFound } from "../../kernel/errors.ts";
import { noSuch, type CollectionDeps } from "./collection.ts";
import type { MetadataValue } from "./metadata-values.ts";
import type { Project } from "./projects.ts";
import {
  insertRunMetadata,
  shareDescribed,
  type DescribedRow,
  type MetadataResource,
} from "./run-metadata.sql.ts";

export { metadataResourceTypes, type MetadataResource } from "./run-metadata.sql.ts";

export type NewRunMetadata = {
  project: Pick<Project, "workspaceId">;
  userId: string | null;
  resources: readonly MetadataResource[];
  values: readonly (MetadataValue & { id: string })[];
  stackComponentId: string | null;
  publisherStepId: string | null;
};

export type RunMetadata = {
  /** What values are to be logged about. Throws `not_found` for what is not there, or not in the project. */
  getDescribed(
    resources: readonly MetadataResource[],
    project: Pick<Project, "workspaceId">,
  ): Promise<DescribedRow[]>;
  /** Logs all values about all resources, or none. Throws `not_found` as `getDescribed` does. */
  log(metadata: NewRunMetadata): Promise<void>;
};

/** Values under keys, which steps and people log about runs, steps, artifacts, models and schedules. */
export function createRunMetadata({ database, clock }: CollectionDeps): RunMetadata {
  const share = async (
    queryable: Queryable,
    resources: readonly MetadataResource[],
    { workspaceId }: Pick<Project, "workspaceId">,
  ): Promise<DescribedRow[]> => {
    const found: DescribedRow[] = [];
    for (const [type, of] of Map.groupBy(resources, (one) => one.type)) {
      const ids = of.map(({ id }) => id);
      const rows = await shareDescribed(queryable, type, ids);
      for (const id of ids) {
        const row = rows.get(id);
        if (row?.workspace_id !== workspaceId) throw noSuch(type.replaceAll("_", " "), id);
        found.push(row);
      }
    }
    return found;
  };

  return {
    getDescribed: (resources, project) => share(database, resources, project),
    async log({ project, userId, resources, values, stackComponentId, publisherStepId }) {
      if (resources.length === 0 || values.length === 0) return;
      const publisher: MetadataResource[] =
        publisherStepId === null ? [] : [{ id: publisherStepId, type: "step_run" }];
      try {
        await database.transaction(async (transaction) => {
          await share(transaction, [...resources, ...publisher], project);
          const log = {
            workspace_id: project.workspaceId,
            user_id: userId,
            stack_component_id: stackComponentId,
            publisher_step_id: publisherStepId,
            created: clock(),
          };
          await insertRunMetadata(transaction, log, { values, resources });
        });
      } catch (error) {
        if (!violates(error, "run_metadata_stack_component_id_fkey")) throw error;
        throw notFound(
          `The stack component with ID ${stackComponentId} referenced by the run metadata being created was not found`,
        );
      }
    },
  };
}
