import { sql, type RawBuilder } from "kysely";
import { idFields, userFields, type Comparison, type Field, type Fields } from "./list.ts";
import { compareColumn, compareReferenceTo } from "./list.sql.ts";

/** What artifacts and their versions are filtered and ordered by. */

export const artifactFields: Fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  has_custom_name: { kind: "boolean", sql: "t.has_custom_name" },
  tag: { kind: "tags", unordered: true },
  tags: { kind: "tags" },
  // An artifact without versions counts from when it was made.
  latest_version: {
    kind: "text",
    sql: `coalesce(
      (select v.created from pipelines.artifact_versions as v where v.artifact_id = t.id order by v.created desc limit 1),
      t.created)`,
    orderOnly: true,
  },
};

const artifact: Field = {
  kind: "reference",
  sql: "t.artifact_id",
  table: "pipelines.artifacts",
  unordered: true,
};

const special = (condition: (comparison: Comparison) => RawBuilder<unknown>): Field => ({
  kind: "text",
  sql: "t.id",
  unordered: true,
  condition,
});

export const artifactVersionFields: Fields = {
  ...idFields,
  ...userFields,
  artifact,
  artifact_id: artifact,
  version: { kind: "text", sql: "t.version" },
  version_number: { kind: "integer", sql: "t.version_number" },
  uri: { kind: "text", sql: "t.uri" },
  materializer: { kind: "text", sql: "t.materializer_json" },
  type: { kind: "text", sql: "t.type" },
  data_type: { kind: "text", sql: "t.data_type_json" },
  artifact_store_id: { kind: "uuid", sql: "t.artifact_store_id" },
  model_version_id: special(
    (comparison) => sql`t.id in (
      select l.artifact_version_id from pipelines.model_version_artifacts as l
      where ${compareColumn(sql`l.model_version_id`, "uuid", comparison)})`,
  ),
  model: special(
    (comparison) => sql`t.id in (
      select l.artifact_version_id from pipelines.model_version_artifacts as l
        join pipelines.model_versions as v on v.id = l.model_version_id
      where ${compareReferenceTo({ kind: "reference", sql: "v.model_id", table: "pipelines.models" }, comparison)})`,
  ),
  pipeline_run: special((comparison) => {
    const run = compareReferenceTo(
      { kind: "reference", sql: "s.run_id", table: "pipelines.runs" },
      comparison,
    );
    return sql`t.id in (
      select o.artifact_version_id from pipelines.steps as s
        join pipelines.step_outputs as o on o.step_id = s.id where ${run}
      union all
      select i.artifact_version_id from pipelines.steps as s
        join pipelines.step_inputs as i on i.step_id = s.id where ${run})`;
  }),
  only_unused: {
    kind: "boolean",
    sql: "t.id",
    unordered: true,
    condition:
      () => sql`not exists (select from pipelines.step_outputs as o where o.artifact_version_id = t.id)
      and not exists (select from pipelines.step_inputs as i where i.artifact_version_id = t.id)`,
  },
  has_custom_name: {
    kind: "boolean",
    sql: "t.id",
    unordered: true,
    condition: (comparison) => sql`exists (
      select from pipelines.artifacts as a
      where a.id = t.artifact_id and ${compareColumn(sql`a.has_custom_name`, "boolean", comparison)})`,
  },
  run_metadata: { kind: "metadata" },
  tag: { kind: "tags", unordered: true },
  tags: { kind: "tags" },
};
