import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import { parseFaithfulJson } from "../../kernel/json-text.ts";
import { artifactVersions, type ArtifactRow, type ArtifactVersionRow } from "./artifact-tables.ts";
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

export type MetadataRow = { resource_id: string; key: string; value_json: string };

// Of several values of one key the newest counts; objects are laid over one another, where that is asked for.
const metadataText: Prepared = {
  name: "pipelines_select_metadata_of",
  text: `
    select resource_id, key, value_json from (
      select l.resource_id, m.key, m.value_json, m.created, m.id,
        row_number() over (partition by l.resource_id, m.key order by m.created desc, m.id desc) = 1 as newest,
        bool_and(left(m.value_json, 1) = '{') over (partition by l.resource_id, m.key) as objects
      from pipelines.run_metadata_resources as l join pipelines.run_metadata as m on m.id = l.metadata_id
      where l.resource_id = any ($1::uuid[])
    ) as logged
    where newest or (objects and $2::boolean) order by resource_id, key, created, id`,
};

/** What was logged about each, as the text of a JSON object. ZenML 0.84 knows of no objects laid over one another. */
export async function selectMetadataOf(
  database: Queryable,
  resourceIds: readonly string[],
  { laysOver }: { laysOver: boolean },
): Promise<Map<string, string>> {
  if (resourceIds.length === 0) return new Map();
  const rows = await database.prepared<MetadataRow>(metadataText, [resourceIds, laysOver]);
  return new Map([...grouped(rows)].map(([id, values]) => [id, objectOf(values)]));
}

/** Values by their keys, as the text of an object; several of one key are objects. */
export function objectOf(values: readonly MetadataRow[]): string {
  const members = [...Map.groupBy(values, ({ key }) => key)].map(([key, logged]) => {
    const value = logged.length === 1 ? (logged[0]?.value_json ?? "null") : laidOver(logged);
    return `${JSON.stringify(key)}:${value}`;
  });
  return `{${members.join(",")}}`;
}

const laidOver = (logged: readonly MetadataRow[]): string =>
  JSON.stringify(
    Object.assign({}, ...logged.map(({ value_json: json }) => parseFaithfulJson(Buffer.from(json)))),
  );

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

/** A version of an artifact, and its artifact as the column `artifact`. */
export type ShownVersionRow = ArtifactVersionRow & { artifact: ArtifactRow };

const shownVersions = `
  select ${Object.keys(artifactVersions.columns)
    .map((name) => `v.${name}`)
    .join(", ")}, row_to_json(a) as artifact
  from pipelines.artifact_versions as v join pipelines.artifacts as a on a.id = v.artifact_id`;

const versionsText: Prepared = {
  name: "pipelines_select_shown_versions",
  text: `${shownVersions} where v.id = any ($1::uuid[])`,
};

const versionsOfStepText: Prepared = {
  name: "pipelines_select_shown_versions_of_step",
  text: `${shownVersions} where v.id in (
    select artifact_version_id from pipelines.step_inputs where step_id = $1
    union select artifact_version_id from pipelines.step_outputs where step_id = $1
  )`,
};

/** Inputs and outputs of a step. */
export const selectVersionsOfStep = (database: Queryable, stepId: string): Promise<ShownVersionRow[]> =>
  database.prepared<ShownVersionRow & Row>(versionsOfStepText, [stepId]);

export async function selectShownVersions(
  database: Queryable,
  ids: readonly string[],
): Promise<Map<string, ShownVersionRow>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<ShownVersionRow & Row>(versionsText, [ids]);
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
