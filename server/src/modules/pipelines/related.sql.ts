import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { ComponentRow, FlavorRow, TagRow } from "./stack-tables.ts";

/** What belongs to rows that are shown, asked for all of them at once. */

type TagOfRow = TagRow & { resource_id: string };

const tagsText: Prepared = {
  name: "pipelines_select_tags_of",
  text: `
    select l.resource_id, t.id, t.user_id, t.name, t.color, t.exclusive, t.created, t.updated
    from pipelines.tag_resources as l join pipelines.tags as t on t.id = l.tag_id
    where l.resource_id = any ($1::uuid[]) order by t.name`,
};

/** Tags by the id of what they are on, in the order of their names. */
export async function selectTagsOf(
  database: Queryable,
  resourceIds: readonly string[],
): Promise<Map<string, TagRow[]>> {
  if (resourceIds.length === 0) return new Map();
  return grouped(await database.prepared<TagOfRow & Row>(tagsText, [resourceIds]));
}

type MetadataRow = { resource_id: string; key: string; value_json: string };

// Of several values of one key the newest counts.
const metadataText: Prepared = {
  name: "pipelines_select_metadata_of",
  text: `
    select distinct on (l.resource_id, m.key) l.resource_id, m.key, m.value_json
    from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
    where l.resource_id = any ($1::uuid[]) order by l.resource_id, m.key, m.created desc, m.id`,
};

/** What was logged about each, as the text of a JSON object. */
export async function selectMetadataOf(
  database: Queryable,
  resourceIds: readonly string[],
): Promise<Map<string, string>> {
  if (resourceIds.length === 0) return new Map();
  const rows = await database.prepared<MetadataRow>(metadataText, [resourceIds]);
  const texts = [...grouped(rows)].map(([id, values]): [string, string] => {
    const members = values.map(({ key, value_json: value }) => `${JSON.stringify(key)}:${value}`);
    return [id, `{${members.join(",")}}`];
  });
  return new Map(texts);
}

/** A component with what its flavor says of it. */
export type ShownComponentRow = ComponentRow & Pick<FlavorRow, "integration" | "logo_url">;

const componentsText: Prepared = {
  name: "pipelines_select_components_shown",
  text: `
    select c.id, c.user_id, c.name, c.type, c.flavor_name, c.configuration_json, c.environment_json, c.secrets,
      c.labels_json, c.connector_id, c.connector_resource_id, c.created, c.updated, f.integration, f.logo_url
    from pipelines.components as c
      left join pipelines.flavors as f on f.type = c.type and f.name = c.flavor_name
    where c.id = any ($1::uuid[])`,
};

export async function selectShownComponents(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, ShownComponentRow>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<ShownComponentRow>(componentsText, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

export function grouped<R extends { resource_id: string }>(rows: readonly R[]): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const group = groups.get(row.resource_id);
    if (group === undefined) groups.set(row.resource_id, [row]);
    else group.push(row);
  }
  return groups;
}
