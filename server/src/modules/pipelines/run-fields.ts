import { sql, type RawBuilder } from "kysely";
import { compareColumn, compareReferenceTo } from "./list.sql.ts";
import { idFields, userFields, type Comparison, type Field, type Fields } from "./list.ts";

/** What lists of runs are filtered and ordered by, at 0.84 and 0.98. Over the alias `t` of `pipelines.runs`. */

const ofSnapshot = (column: string): Field => ({
  kind: "uuid",
  sql: `(select s.${column} from pipelines.snapshots as s where s.id = t.snapshot_id)`,
  condition: (comparison) =>
    sql`t.snapshot_id in (select s.id from pipelines.snapshots as s where ${compareColumn(
      sql.raw(`s.${column}`),
      "uuid",
      comparison,
    )})`,
});

const codeReference = sql`select s.id from pipelines.snapshots as s
  join pipelines.code_references as c on c.id = s.code_reference_id`;

const codeRepositoryId: Field = {
  kind: "uuid",
  sql: "t.snapshot_id",
  condition: (comparison) =>
    sql`t.snapshot_id in (${codeReference} where ${compareColumn(sql`c.code_repository_id`, "uuid", comparison)})`,
};

/** By name or id of something that a condition leads to. */
const named = (
  field: Omit<Named, "kind">,
  within: (condition: RawBuilder<unknown>) => RawBuilder<unknown>,
): Field => ({
  kind: "text",
  sql: field.order ?? "t.id",
  condition: (comparison: Comparison) =>
    within(compareReferenceTo({ ...field, kind: "reference" }, comparison)),
});
type Named = Extract<Field, { kind: "reference" }>;

const templatable = sql`exists (select from pipelines.snapshots as s join pipelines.builds as b on b.id = s.build_id
  where s.id = t.snapshot_id and not b.is_local and b.stack_id is not null)`;

/** True alone says something; false is as if it were not asked. */
const onlyIf = (condition: RawBuilder<unknown>): Field => ({
  kind: "boolean",
  sql: "t.id",
  condition: ({ operation, value }) =>
    (operation === "equals") === (value === true) ? condition : sql`true`,
});

const linkedVersion: Field = {
  kind: "uuid",
  sql: "t.model_version_id",
  condition: (comparison) =>
    sql`t.id in (select l.pipeline_run_id from pipelines.model_version_runs as l where ${compareColumn(
      sql`l.model_version_id`,
      "uuid",
      comparison,
    )})`,
};

const modelName = `(select m.name from pipelines.model_versions as v join pipelines.models as m on m.id = v.model_id
  where v.id = t.model_version_id)`;

const pipeline = { kind: "reference", sql: "t.pipeline_id", table: "pipelines.pipelines" } as const;

export const runFields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  index: { kind: "integer", sql: "t.index" },
  orchestrator_run_id: { kind: "text", sql: "t.orchestrator_run_id" },
  pipeline_id: { kind: "uuid", sql: "t.pipeline_id" },
  pipeline,
  pipeline_name: {
    kind: "text",
    sql: "(select p.name from pipelines.pipelines as p where p.id = t.pipeline_id)",
    condition: (comparison) =>
      sql`t.pipeline_id in (select p.id from pipelines.pipelines as p where ${compareColumn(sql`p.name`, "text", comparison)})`,
  },
  stack_id: { kind: "uuid", sql: "t.stack_id" },
  stack: { kind: "reference", sql: "t.stack_id", table: "pipelines.stacks" },
  stack_component: named(
    { sql: "k.component_id", table: "pipelines.components" },
    (condition) =>
      sql`t.stack_id in (select k.stack_id from pipelines.stack_components as k where ${condition})`,
  ),
  schedule_id: ofSnapshot("schedule_id"),
  build_id: ofSnapshot("build_id"),
  template_id: ofSnapshot("template_id"),
  source_snapshot_id: ofSnapshot("source_snapshot_id"),
  snapshot_id: { kind: "uuid", sql: "t.snapshot_id" },
  deployment_id: { kind: "uuid", sql: "t.snapshot_id" },
  code_repository_id: codeRepositoryId,
  code_repository: named(
    { sql: "c.code_repository_id", table: "pipelines.code_repositories" },
    (condition) => sql`t.snapshot_id in (${codeReference} where ${condition})`,
  ),
  model_version_id: { kind: "uuid", sql: "t.model_version_id" },
  model_version: { kind: "reference", sql: "t.model_version_id", table: "pipelines.model_versions" },
  linked_to_model_version_id: linkedVersion,
  model: named(
    { sql: "v.model_id", table: "pipelines.models", order: modelName },
    (condition) =>
      sql`t.model_version_id in (select v.id from pipelines.model_versions as v where ${condition})`,
  ),
  status: { kind: "text", sql: "t.status" },
  in_progress: { kind: "boolean", sql: "t.in_progress" },
  start_time: { kind: "time", sql: "t.start_time" },
  end_time: { kind: "time", sql: "t.end_time" },
  unlisted: {
    kind: "boolean",
    sql: "t.pipeline_id",
    condition: ({ operation, value }) =>
      (operation === "equals") === (value === true)
        ? sql`t.pipeline_id is null`
        : sql`t.pipeline_id is not null`,
  },
  templatable: {
    kind: "boolean",
    sql: "t.id",
    condition: ({ operation, value }) =>
      (operation === "equals") === (value === true) ? templatable : sql`not ${templatable}`,
  },
  triggered_by_step_run_id: { kind: "uuid", sql: "t.triggered_by_step_run_id" },
  triggered_by_deployment_id: { kind: "uuid", sql: "t.triggered_by_deployment_id" },
  trigger_id: { kind: "uuid", sql: "t.trigger_id" },
  parent_run_id: { kind: "uuid", sql: "t.parent_run_id" },
  root_runs_only: onlyIf(sql`t.parent_run_id is null`),
  run_metadata: { kind: "metadata" },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
} as const satisfies Fields;
