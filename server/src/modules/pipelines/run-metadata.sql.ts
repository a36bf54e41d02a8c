import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { MetadataValue } from "./metadata-values.ts";
import type { RunMetadataRow } from "./run-tables.ts";

const tables = {
  pipeline_run: "pipelines.runs",
  step_run: "pipelines.steps",
  artifact_version: "pipelines.artifact_versions",
  model_version: "pipelines.model_versions",
  schedule: "pipelines.schedules",
  wait_condition: "pipelines.run_wait_conditions",
} as const;

export type MetadataResourceType = keyof typeof tables;
export const metadataResourceTypes = Object.keys(tables) as MetadataResourceType[];

export type MetadataResource = { id: string; type: MetadataResourceType };
export type DescribedRow = { id: string; workspace_id: number; user_id: string | null };

const texts = new Map<MetadataResourceType, Prepared>(
  metadataResourceTypes.map((type) => [
    type,
    {
      name: `pipelines_share_described_${type}`,
      text: `select r.id, r.workspace_id, r.user_id from ${tables[type]} as r where r.id = any ($1::uuid[]) order by r.id for key share`,
    },
  ]),
);

/** What values are logged about, by its id; in a transaction it is not deleted until that ends. */
export async function shareDescribed(
  queryable: Queryable,
  type: MetadataResourceType,
  ids: readonly string[],
): Promise<Map<string, DescribedRow>> {
  const text = texts.get(type);
  if (text === undefined) throw new TypeError(`nothing is logged about ${type}`);
  const rows = await queryable.prepared<DescribedRow & Row>(text, [[...new Set(ids)]]);
  return new Map(rows.map((row) => [row.id, row]));
}

const insertText: Prepared = {
  name: "pipelines_insert_run_metadata",
  text: `
    with added as (
      insert into pipelines.run_metadata (id, workspace_id, user_id, key, value_json, type, stack_component_id,
        publisher_step_id, created)
      select n.id, o.workspace_id, o.user_id, n.key, n.value_json, n.type, o.stack_component_id,
        o.publisher_step_id, o.created
      from json_to_record($1::json) as o (workspace_id integer, user_id uuid, stack_component_id uuid,
          publisher_step_id uuid, created bigint)
        cross join json_to_recordset($2::json) as n (id uuid, key text, value_json text, type text)
      on conflict (id) do nothing returning id
    )
    insert into pipelines.run_metadata_resources (resource_id, metadata_id, resource_type)
    select r.id, a.id, r.type from added as a
      cross join json_to_recordset($3::json) as r (id uuid, type text)
    on conflict do nothing`,
};

export type NewLog = Pick<
  RunMetadataRow,
  "workspace_id" | "user_id" | "stack_component_id" | "publisher_step_id"
> & { created: Micros };

/** Values that are there already stay as they are. */
export async function insertRunMetadata(
  transaction: Queryable,
  log: NewLog,
  {
    values,
    resources,
  }: { values: readonly (MetadataValue & { id: string })[]; resources: readonly MetadataResource[] },
): Promise<void> {
  await transaction.prepared(
    insertText,
    [log, values, resources].map((one) => JSON.stringify(one)),
  );
}
