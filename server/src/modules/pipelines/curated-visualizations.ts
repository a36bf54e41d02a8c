import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists } from "../../kernel/errors.ts";
import {
  artifactVisualizations,
  curatedVisualizations,
  type ArtifactVisualizationRow,
  type CuratedVisualizationRow,
} from "./artifact-tables.ts";
import { createCollection, noSuch, type Collection, type CollectionDeps } from "./collection.ts";
import {
  selectVisualizationWorkspace,
  selectVisualized,
  type VisualizedRow,
  type VisualizedType,
} from "./curated-visualizations.sql.ts";
import { selectRows } from "./records.ts";

export { visualizedTypes } from "./curated-visualizations.sql.ts";

export type CuratedVisualizations = Pick<
  Collection<typeof curatedVisualizations>,
  "label" | "get" | "remove" | "create" | "update"
> & {
  /** On what it is, or is to be. Throws `not_found`; the project that it must be in, where one is given. */
  getVisualized(
    of: { resource_type: string; resource_id: string },
    workspaceId?: number,
  ): Promise<VisualizedRow>;
  /** Throws `not_found` for what is no visualization of an artifact in this project. */
  requireVisualization(id: string, workspaceId: number): Promise<void>;
  visualizationOf(row: CuratedVisualizationRow): Promise<ArtifactVisualizationRow>;
};

/** Visualizations of artifacts that are put on what people look at: once on each, in an order without ties. */
export function createCuratedVisualizations(deps: CollectionDeps): CuratedVisualizations {
  const { database } = deps;
  const label = "curated visualization";
  const { get, remove, create, update } = createCollection(deps, {
    table: curatedVisualizations,
    label,
    fields: {},
  });

  const refuse = (error: unknown, order: number | null | undefined): never => {
    if (violates(error, "curated_visualizations_key")) {
      throw alreadyExists(
        "A curated visualization for this resource already exists for the specified artifact visualization.",
      );
    }
    if (violates(error, "curated_visualizations_order_key")) {
      throw alreadyExists(
        `A curated visualization for this resource already uses the display order '${order}'. Please choose a different value.`,
      );
    }
    throw error;
  };

  return {
    label,
    get,
    remove,
    create: (row) => create(row).catch((error: unknown) => refuse(error, row.display_order)),
    update: (id, changes) =>
      update(id, changes).catch((error: unknown) => refuse(error, changes.display_order)),
    async getVisualized({ resource_type: type, resource_id: id }, workspaceId) {
      const row = await selectVisualized(database, type as VisualizedType, id);
      if (row !== undefined && (workspaceId ?? row.workspace_id) === row.workspace_id) return row;
      throw noSuch(type.replaceAll("_", " "), id);
    },
    async requireVisualization(id, workspaceId) {
      if ((await selectVisualizationWorkspace(database, id)) === workspaceId) return;
      throw noSuch("artifact visualization", id);
    },
    async visualizationOf({ artifact_visualization_id: id }) {
      const row = (await selectRows(database, artifactVisualizations, [id])).get(id);
      if (row === undefined) throw noSuch("artifact visualization", id);
      return row;
    },
  };
}
