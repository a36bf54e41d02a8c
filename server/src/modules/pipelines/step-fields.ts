import { sql } from "kysely";
import type { Micros } from "../../kernel/micros.ts";
import { compareReferenceTo } from "./list.sql.ts";
import { idFields, userFields, type Fields } from "./list.ts";

/**
 * What lists of steps are filtered and ordered by, at 0.84 and 0.98. Over the alias `t` of `pipelines.steps`; whether
 * what was cached expired is asked of the clock.
 */
export const stepFields = (clock: () => Micros): Fields => ({
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  code_hash: { kind: "text", sql: "t.code_hash" },
  cache_key: { kind: "text", sql: "t.cache_key" },
  status: { kind: "text", sql: "t.status" },
  start_time: { kind: "time", sql: "t.start_time" },
  end_time: { kind: "time", sql: "t.end_time" },
  pipeline_run_id: { kind: "uuid", sql: "t.run_id" },
  snapshot_id: { kind: "uuid", sql: "t.snapshot_id" },
  deployment_id: { kind: "uuid", sql: "t.snapshot_id" },
  original_step_run_id: { kind: "uuid", sql: "t.original_step_run_id" },
  model_version_id: { kind: "uuid", sql: "t.model_version_id" },
  model: {
    kind: "text",
    sql: `(select m.name from pipelines.model_versions as v join pipelines.models as m on m.id = v.model_id
      where v.id = t.model_version_id)`,
    condition: (comparison) =>
      sql`t.model_version_id in (select v.id from pipelines.model_versions as v where ${compareReferenceTo(
        { kind: "reference", sql: "v.model_id", table: "pipelines.models" },
        comparison,
      )})`,
  },
  version: { kind: "integer", sql: "t.version" },
  cache_expires_at: { kind: "time", sql: "t.cache_expires_at" },
  cache_expired: {
    kind: "boolean",
    sql: "t.cache_expires_at",
    condition: ({ operation, value }) =>
      (operation === "equals") === (value === true)
        ? sql`t.cache_expires_at < ${clock()}`
        : sql`(t.cache_expires_at > ${clock()} or t.cache_expires_at is null)`,
  },
  exclude_retried: {
    kind: "boolean",
    sql: "t.status",
    condition: ({ operation, value }) =>
      (operation === "equals") === (value === true) ? sql`t.status <> 'retried'` : sql`true`,
  },
  run_metadata: { kind: "metadata" },
});
