import { sql, type RawBuilder } from "kysely";
import type { Prepared, Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { taken, type CollectionDeps } from "./collection.ts";
import { selectLatestRuns, type LatestRun } from "./latest-runs.sql.ts";
import { idFields, userFields, type Comparison, type Fields } from "./list.ts";
import { compareColumn } from "./list.sql.ts";
import { isLocalComponent } from "./local-components.ts";
import { runTemplates, snapshots, type RunTemplateRow } from "./pipeline-tables.ts";
import type { Project } from "./projects.ts";
import { updateRow } from "./records.ts";
import { requireReferences } from "./references.ts";
import type { JsonObject } from "./step-configuration.ts";
import type { NewRow } from "./table.ts";
import type { GivenTag } from "./tag-links.ts";
import { createTaggedCollection, type TaggedCollection, type Tagger } from "./tagged-collection.ts";

export type RunTemplates = Omit<TaggedCollection<typeof runTemplates>, "create"> & {
  /**
   * The snapshot takes its name and description, unless it is hidden. Throws `already_exists`, `not_found` for the
   * snapshot, and `invalid_parameter` for one that could not be run from elsewhere.
   */
  create(
    row: Omit<NewRow<typeof runTemplates>, "workspace_id" | "created" | "updated"> & {
      name: string;
      source_snapshot_id: string;
    },
    options: Tagger & {
      tags: readonly GivenTag[] | null | undefined;
      project: Pick<Project, "workspaceId" | "projectId">;
    },
  ): Promise<RunTemplateRow>;
  /** The newest run of what was made from each, by the id of the template. */
  latestRunsOf(ids: readonly string[]): Promise<ReadonlyMap<string, LatestRun>>;
};

const ofSource =
  (column: RawBuilder<unknown>) =>
  (comparison: Comparison): RawBuilder<unknown> =>
    sql`exists (
    select from pipelines.snapshots as s
      left join pipelines.code_references as c on c.id = s.code_reference_id
    where s.id = t.source_snapshot_id and ${compareColumn(column, "uuid", comparison)})`;

const source = (column: string): string =>
  `(select s.${column} from pipelines.snapshots as s where s.id = t.source_snapshot_id)`;

const sourceField = (column: string): Fields[string] => ({
  kind: "uuid",
  sql: source(column),
  unordered: true,
  condition: ofSource(sql.raw(`s.${column}`)),
});

const fields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  hidden: { kind: "boolean", sql: "t.hidden" },
  pipeline_id: sourceField("pipeline_id"),
  build_id: sourceField("build_id"),
  stack_id: sourceField("stack_id"),
  code_repository_id: {
    kind: "uuid",
    sql: "t.id",
    unordered: true,
    condition: ofSource(sql`c.code_repository_id`),
  },
  pipeline: { kind: "reference", sql: source("pipeline_id"), table: "pipelines.pipelines" },
  stack: { kind: "reference", sql: source("stack_id"), table: "pipelines.stacks" },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
};

type Source = { has_build: boolean; stack_id: string | null };

const sourceText: Prepared = {
  name: "pipelines_select_source_of_template",
  text: `
    select s.build_id is not null as has_build, b.stack_id
    from pipelines.snapshots as s left join pipelines.builds as b on b.id = s.build_id where s.id = $1::uuid`,
};

type Part = { type: string; flavor_name: string; configuration_json: string; is_custom: boolean | null };

const partsText: Prepared = {
  name: "pipelines_select_parts_of_stack",
  text: `
    select c.type, c.flavor_name, c.configuration_json, f.is_custom
    from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
      left join pipelines.flavors as f on f.type = c.type and f.name = c.flavor_name
    where l.stack_id = $1::uuid`,
};

/** A template is run from elsewhere: that takes images, and a stack that is reached from anywhere. */
async function requireTemplatable(transaction: Queryable, snapshotId: string): Promise<void> {
  const refuse = (reason: string): never => {
    throw invalidParameter(`Unable to create run template as ${reason}.`);
  };
  const [source] = await transaction.prepared<Source>(sourceText, [snapshotId]);
  if (source?.has_build !== true) {
    return refuse(
      "there is no associated build: they are for orchestrators that run pipelines in containers",
    );
  }
  if (source.stack_id === null) return refuse("the associated build has no stack reference");
  for (const part of await transaction.prepared<Part>(partsText, [source.stack_id])) {
    if (part.is_custom === null) return refuse("a component of the associated stack has no flavor");
    if (part.is_custom) return refuse("a component of the associated stack has a custom flavor");
    const configuration = JSON.parse(part.configuration_json) as JsonObject;
    if (isLocalComponent(part.type, part.flavor_name, configuration)) {
      return refuse("the associated stack contains local components");
    }
  }
}

/** Templates by which older clients begin runs. Unique by name in a workspace. */
export function createRunTemplates(deps: CollectionDeps): RunTemplates {
  const { database, clock } = deps;
  const label = "run template";
  const collection = createTaggedCollection(deps, {
    table: runTemplates,
    label,
    fields,
    nameKeys: ["run_templates_name_key"],
    resourceType: "run_template",
  });
  return {
    ...collection,
    async create(row, { tags, project, ...tagger }) {
      const references = [{ table: snapshots, label: "pipeline snapshot", id: row.source_snapshot_id }];
      await requireReferences(database, references, { label, operation: "created", project });
      const snapshotId = row.source_snapshot_id;
      const whole = { ...row, workspace_id: project.workspaceId };
      const also = async (transaction: Queryable): Promise<void> => {
        await requireTemplatable(transaction, snapshotId);
        if (row.hidden === true) return;
        await updateRow(transaction, snapshots, snapshotId, {
          name: row.name,
          description: row.description ?? null,
          updated: clock(),
        });
      };
      try {
        return await collection.create(whole, tags, { ...tagger, also });
      } catch (error) {
        if (violates(error, "snapshots_name_key")) throw taken("create", label, row.name);
        throw error;
      }
    },
    latestRunsOf: (ids) => selectLatestRuns(database, "templates", ids),
  };
}
