import { sql } from "kysely";
import type { Database } from "../../kernel/database.ts";
import { createCollection, type Collection, type CollectionDeps } from "./collection.ts";
import { idFields, userFields, type Comparison, type Fields } from "./list.ts";
import { compareColumn } from "./list.sql.ts";
import { builds, pipelines, type BuildRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { requireReferences } from "./references.ts";
import { stacks } from "./stack-tables.ts";
import type { NewRow } from "./table.ts";

export type Builds = Omit<Collection<typeof builds>, "create" | "update"> & {
  /** Throws `not_found` for the stack and the pipeline. */
  create(
    row: Omit<NewRow<typeof builds>, "workspace_id" | "created" | "updated">,
    project: Pick<Project, "workspaceId" | "projectId">,
  ): Promise<BuildRow>;
};

const fields: Fields = {
  ...idFields,
  ...userFields,
  pipeline_id: { kind: "uuid", sql: "t.pipeline_id" },
  stack_id: { kind: "uuid", sql: "t.stack_id" },
  container_registry_id: {
    kind: "uuid",
    sql: "t.id",
    unordered: true,
    condition: (comparison: Comparison) => sql`exists (
      select from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
      where l.stack_id = t.stack_id and c.type = 'container_registry'
        and ${compareColumn(sql`c.id`, "uuid", comparison)})`,
  },
  is_local: { kind: "boolean", sql: "t.is_local" },
  contains_code: { kind: "boolean", sql: "t.contains_code" },
  zenml_version: { kind: "text", sql: "t.zenml_version" },
  python_version: { kind: "text", sql: "t.python_version" },
  checksum: { kind: "text", sql: "t.checksum" },
  stack_checksum: { kind: "text", sql: "t.stack_checksum" },
  duration: { kind: "integer", sql: "t.duration" },
};

/** Container images that were built for pipelines. */
export function createBuilds(deps: CollectionDeps): Builds {
  const { database }: { database: Database } = deps;
  const collection = createCollection(deps, { table: builds, label: "pipeline build", fields });
  return {
    ...collection,
    async create(row, project) {
      const references = [
        { table: stacks, label: "stack", id: row.stack_id },
        { table: pipelines, label: "pipeline", id: row.pipeline_id },
      ];
      await requireReferences(database, references, {
        label: "pipeline build",
        operation: "created",
        project,
      });
      return collection.create({ ...row, workspace_id: project.workspaceId });
    },
  };
}
