import { sql, type RawBuilder } from "kysely";
import { idFields, userFields, type Comparison, type Field, type Fields, type ListQuery } from "./list.ts";

const nothing = sql`false`;

/** A flag that narrows a list where it is true; false asks for nothing: see `withoutFalse`. */
const ifTrue = (condition: RawBuilder<unknown>): Field => ({
  kind: "boolean",
  sql: "t.id",
  unordered: true,
  condition: ({ operation, value }: Comparison) => ((operation === "equals") === value ? condition : nothing),
});

const deployed = sql`exists (select from pipelines.deployments as d where d.snapshot_id = t.id)`;

const runnable = sql`t.build_id in (
  select b.id from pipelines.builds as b where not b.is_local and b.stack_id is not null)`;

const deployable = sql`t.build_id is not null and t.stack_id in (
  select l.stack_id from pipelines.stack_components as l join pipelines.components as c on c.id = l.component_id
  where c.type = 'deployer')`;

const ofTrigger = ({ value }: Comparison): RawBuilder<unknown> => sql`t.id in (
  select coalesce(s.source_snapshot_id, s.id)
  from pipelines.trigger_snapshots as l join pipelines.snapshots as s on s.id = l.snapshot_id
  where l.trigger_id::text = ${String(value).toLowerCase()})`;

/** Of 0.98's snapshots and of 0.84's deployments of pipelines. */
export const snapshotFields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  pipeline: { kind: "reference", sql: "t.pipeline_id", table: "pipelines.pipelines" },
  pipeline_id: { kind: "uuid", sql: "t.pipeline_id" },
  stack: { kind: "reference", sql: "t.stack_id", table: "pipelines.stacks" },
  stack_id: { kind: "uuid", sql: "t.stack_id" },
  build_id: { kind: "uuid", sql: "t.build_id" },
  schedule_id: { kind: "uuid", sql: "t.schedule_id" },
  template_id: { kind: "uuid", sql: "t.template_id" },
  source_snapshot_id: { kind: "uuid", sql: "t.source_snapshot_id" },
  named_only: ifTrue(sql`t.name is not null`),
  runnable: ifTrue(runnable),
  deployable: ifTrue(sql`(${deployable})`),
  deployed: {
    kind: "boolean",
    sql: "t.id",
    unordered: true,
    condition: ({ operation, value }) =>
      value === (operation === "equals") ? deployed : sql`not ${deployed}`,
  },
  trigger_id: { kind: "text", sql: "t.id", unordered: true, condition: ofTrigger },
  deployment: {
    kind: "text",
    sql: "(select d.name from pipelines.deployments as d where d.snapshot_id = t.id order by d.created, d.id limit 1)",
  },
  tag: { kind: "tags" },
  tags: { kind: "tags" },
};

const narrowing: ReadonlySet<string> = new Set(["named_only", "runnable", "deployable"]);

/** Without conditions that ask for nothing. */
export const withoutFalse = (query: ListQuery): ListQuery => ({
  ...query,
  conditions: query.conditions.filter(({ field, value }) => !(narrowing.has(field) && value === false)),
});
