import { sql } from "kysely";
import type { Database, Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { Micros } from "../../kernel/micros.ts";
import type { TagResourceRow, TagRow } from "./stack-tables.ts";

const COLUMNS = "id, user_id, name, color, exclusive, created, updated";

// `key share` keeps tags from being deleted, renamed or made exclusive until the transaction ends.
const tagsText: Prepared = {
  name: "pipelines_share_tags",
  text: `select ${COLUMNS} from pipelines.tags where name = any ($1::text[]) or id = any ($2::uuid[]) order by id for key share`,
};

/** Tags by names and ids, which stay as they are until the transaction ends. */
export const shareTags = (
  transaction: Queryable,
  by: { names: readonly string[]; ids: readonly string[] },
): Promise<TagRow[]> => transaction.prepared<TagRow & Row>(tagsText, [by.names, by.ids]);

const insertText: Prepared = {
  name: "pipelines_insert_tags",
  text: `
    insert into pipelines.tags (id, user_id, name, color, exclusive, created, updated)
    select n.id, $1::uuid, n.name, n.color, n.exclusive, $2::bigint, $2::bigint
    from json_to_recordset($3::json) as n (id uuid, name text, color text, exclusive boolean)
    order by n.name collate "C"
    on conflict do nothing`,
};

export type NewTag = Pick<TagRow, "id" | "name" | "color" | "exclusive">;

/** Names that are taken are left out. */
export async function insertTags(
  transaction: Queryable,
  { tags, userId, now }: { tags: readonly NewTag[]; userId: string | null; now: Micros },
): Promise<void> {
  await transaction.prepared(insertText, [userId, now, JSON.stringify(tags)]);
}

const lockText: Prepared = {
  name: "pipelines_lock_exclusive_tags",
  text: `select id from pipelines.tags where id = any ($1::uuid[]) order by id for no key update`,
};

/** One transaction at a time moves an exclusive tag. */
export async function lockExclusiveTags(transaction: Queryable, ids: readonly string[]): Promise<void> {
  await transaction.prepared(lockText, [ids]);
}

/** What tags can be on: where it is kept, and among what an exclusive tag is on one alone. */
export const taggable = {
  artifact: { table: "pipelines.artifacts", scope: null },
  artifact_version: { table: "pipelines.artifact_versions", scope: "r.artifact_id" },
  model: { table: "pipelines.models", scope: null },
  model_version: { table: "pipelines.model_versions", scope: null },
  pipeline: { table: "pipelines.pipelines", scope: null },
  pipeline_run: { table: "pipelines.runs", scope: "r.pipeline_id" },
  run_template: {
    table: "pipelines.run_templates",
    scope: "(select s.pipeline_id from pipelines.snapshots as s where s.id = r.source_snapshot_id)",
  },
  pipeline_snapshot: { table: "pipelines.snapshots", scope: "r.pipeline_id" },
  deployment: {
    table: "pipelines.deployments",
    scope: "(select s.pipeline_id from pipelines.snapshots as s where s.id = r.snapshot_id)",
  },
} as const;

export type TaggableType = keyof typeof taggable;

export const taggableTypes = Object.keys(taggable) as TaggableType[];

export type TaggableRow = {
  id: string;
  workspace_id: number;
  user_id: string | null;
  scope_id: string | null;
};

const taggableTexts = new Map<TaggableType, Prepared>(
  taggableTypes.map((type) => [
    type,
    {
      name: `pipelines_select_taggable_${type}`,
      text: `select r.id, r.workspace_id, r.user_id, ${taggable[type].scope ?? "null::uuid"} as scope_id
        from ${taggable[type].table} as r where r.id = any ($1::uuid[])`,
    },
  ]),
);

/** What tags are put on, by its id; what is not there is left out. */
export async function selectTaggable(
  database: Queryable,
  type: TaggableType,
  ids: readonly string[],
): Promise<Map<string, TaggableRow>> {
  const text = taggableTexts.get(type);
  if (text === undefined) throw new TypeError(`${type} cannot be tagged`);
  const rows = await database.prepared<TaggableRow & Row>(text, [[...new Set(ids)]]);
  return new Map(rows.map((row) => [row.id, row]));
}

export type NewTagLink = Pick<TagResourceRow, "id" | "tag_id" | "resource_id" | "resource_type" | "scope_id">;

const LINKS = `json_to_recordset($1::json) as n
  (id uuid, tag_id uuid, resource_id uuid, resource_type text, scope_id uuid)`;

const leaveText: Prepared = {
  name: "pipelines_delete_tag_links_in_scope",
  text: `
    delete from pipelines.tag_resources as l using ${LINKS}
    where l.scope_id = n.scope_id and l.tag_id = n.tag_id and l.resource_type = n.resource_type
      and l.resource_id <> n.resource_id`,
};

/** Takes exclusive tags from what has them in the same scope. */
export async function deleteLinksInScope(
  transaction: Queryable,
  links: readonly NewTagLink[],
): Promise<void> {
  await transaction.prepared(leaveText, [JSON.stringify(links)]);
}

const linkText: Prepared = {
  name: "pipelines_insert_tag_links",
  text: `
    insert into pipelines.tag_resources (id, tag_id, resource_id, resource_type, scope_id, created, updated)
    select n.id, n.tag_id, n.resource_id, n.resource_type, n.scope_id, $2::bigint, $2::bigint from ${LINKS}
    order by n.resource_id, n.tag_id
    on conflict (resource_id, tag_id, resource_type) do nothing`,
};

export async function insertTagLinks(
  transaction: Queryable,
  links: readonly NewTagLink[],
  now: Micros,
): Promise<void> {
  await transaction.prepared(linkText, [JSON.stringify(links), now]);
}

export type TagLinkKey = Pick<TagResourceRow, "tag_id" | "resource_id" | "resource_type">;

const KEYS = "json_to_recordset($1::json) as n (tag_id uuid, resource_id uuid, resource_type text)";
const sameLink =
  "l.resource_id = n.resource_id and l.tag_id = n.tag_id and l.resource_type = n.resource_type";

const linksText: Prepared = {
  name: "pipelines_select_tag_links",
  text: `
    select l.id, l.tag_id, l.resource_id, l.resource_type, l.scope_id, l.created, l.updated
    from pipelines.tag_resources as l join ${KEYS} on ${sameLink}`,
};

export const selectTagLinks = (database: Queryable, keys: readonly TagLinkKey[]): Promise<TagResourceRow[]> =>
  database.prepared<TagResourceRow & Row>(linksText, [JSON.stringify(keys)]);

const unlinkText: Prepared = {
  name: "pipelines_delete_tag_links",
  text: `delete from pipelines.tag_resources as l using ${KEYS} where ${sameLink}`,
};

export async function deleteTagLinks(database: Queryable, keys: readonly TagLinkKey[]): Promise<void> {
  await database.prepared(unlinkText, [JSON.stringify(keys)]);
}

const detachText: Prepared = {
  name: "pipelines_detach_tags",
  text: `
    delete from pipelines.tag_resources as l using pipelines.tags as g
    where l.resource_id = $1::uuid and g.id = l.tag_id and (g.name = any ($2::text[]) or g.id = any ($3::uuid[]))`,
};

/** Takes these tags, by names and ids, from one resource. */
export async function deleteTagsOf(
  transaction: Queryable,
  resourceId: string,
  by: { names: readonly string[]; ids: readonly string[] },
): Promise<void> {
  await transaction.prepared(detachText, [resourceId, by.names, by.ids]);
}

// A value is kept while it is about something else that stays.
const detachAllText: Prepared = {
  name: "pipelines_detach_all",
  text: `
    with tags as (delete from pipelines.tag_resources where resource_id = any ($1::uuid[])),
      shown as (delete from pipelines.curated_visualizations where resource_id = any ($1::uuid[])),
      links as (
        delete from pipelines.run_metadata_resources where resource_id = any ($1::uuid[]) returning metadata_id
      )
    delete from pipelines.run_metadata as m
    where m.id in (select metadata_id from links) and not exists (
      select from pipelines.run_metadata_resources as r
      where r.metadata_id = m.id and r.resource_id <> all ($1::uuid[])
    )`,
};

/**
 * Takes everything from resources that are deleted which is about them, and which no foreign key removes: tags, what
 * was logged, curated visualizations.
 */
export async function detachAll(transaction: Queryable, resourceIds: readonly string[]): Promise<void> {
  if (resourceIds.length > 0) await transaction.prepared(detachAllText, [resourceIds]);
}

/** Sets the scopes of all links of a tag, or takes them away; fails where two would be in one. */
export async function updateTagScopes(
  database: Pick<Database, "kysely">,
  transaction: Queryable,
  tag: Pick<TagRow, "id" | "exclusive">,
): Promise<void> {
  if (!tag.exclusive) {
    const none = sql`update pipelines.tag_resources set scope_id = null where tag_id = ${tag.id}`;
    await transaction.run(none.compile(database.kysely));
    return;
  }
  for (const type of taggableTypes) {
    const { table, scope } = taggable[type];
    if (scope === null) continue;
    const some = sql`
      update pipelines.tag_resources as l set scope_id = ${sql.raw(scope)} from ${sql.raw(table)} as r
      where l.tag_id = ${tag.id} and l.resource_type = ${type} and r.id = l.resource_id`;
    await transaction.run(some.compile(database.kysely));
  }
}
