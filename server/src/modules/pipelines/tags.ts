import { sql } from "kysely";
import type { Queryable } from "../../kernel/database.ts";
import { violates } from "../../kernel/database-errors.ts";
import { alreadyExists, invalidParameter, notFound } from "../../kernel/errors.ts";
import { createCollection, noSuch, taken, type Collection, type CollectionDeps } from "./collection.ts";
import { idFields, userFields } from "./list.ts";
import { compareColumn } from "./list.sql.ts";
import { findRow, insertRow, lockRow, updateRow } from "./records.ts";
import { tags, type TagResourceRow, type TagRow } from "./stack-tables.ts";
import { colorOf, isTagId, linkTags, requireTagName } from "./tag-links.ts";
import {
  deleteTagLinks,
  selectTaggable,
  selectTagLinks,
  shareTags,
  taggable,
  updateTagScopes,
  type TaggableRow,
  type TaggableType,
  type TagLinkKey,
} from "./tag-links.sql.ts";
import { countTagged, selectSharedScopes, selectTypesOfTag } from "./tags.sql.ts";

export type NewTagResource = { tagId: string; resourceId: string; resourceType: TaggableType };

export type Tags = Omit<Collection<typeof tags>, "create"> & {
  /** Throws `already_exists`, and `invalid_parameter` for names that no tag may have. */
  create(tag: {
    id: string;
    user_id: string | null;
    name: string;
    color?: string | null | undefined;
    exclusive: boolean;
  }): Promise<TagRow>;
  /** Throws `not_found`. */
  getByNameOrId(nameOrId: string): Promise<TagRow>;
  /** On how many resources each is, by its id. */
  countTagged(ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What tags are to be put on, or taken from, by its id. Throws `not_found` where one is not there. */
  getTaggable(
    of: readonly Pick<NewTagResource, "resourceId" | "resourceType">[],
  ): Promise<ReadonlyMap<string, TaggableRow>>;
  /** Puts tags on resources that are there; the links, in the order given. Throws as `attachTags` does. */
  link(links: readonly (NewTagResource & { id: string })[]): Promise<TagResourceRow[]>;
  /** Takes tags from resources; no error where they are not on them. */
  unlink(links: readonly NewTagResource[]): Promise<void>;
};

const fields = {
  ...idFields,
  ...userFields,
  name: { kind: "text", sql: "t.name" },
  color: { kind: "text", sql: "t.color" },
  exclusive: { kind: "boolean", sql: "t.exclusive" },
  resource_type: {
    kind: "text",
    sql: "t.id",
    unordered: true,
    condition: (comparison: Parameters<typeof compareColumn>[2]) => sql`exists (
      select from pipelines.tag_resources as l
      where l.tag_id = t.id and ${compareColumn(sql`l.resource_type`, "text", comparison)})`,
  },
} as const;

/** Tags, which all projects share. Unique by name. */
export function createTags(deps: CollectionDeps): Tags {
  const { database, clock } = deps;
  const collection = createCollection(deps, { table: tags, label: "tag", fields });

  const requireExclusive = async (transaction: Queryable, { id, name }: TagRow): Promise<void> => {
    const types = await selectTypesOfTag(transaction, id);
    const other = types.filter((type) => taggable[type as TaggableType].scope === null);
    const shared = await selectSharedScopes(database, transaction, id);
    const problems = [
      ...(other.length === 0
        ? []
        : [
            `The tag \`${name}\` cannot be made exclusive because it is associated with non-allowed resource ` +
              `types: ${other.join(", ")}.`,
          ]),
      ...[...Map.groupBy(shared, (one) => one.resource_type)].map(
        ([type, scopes]) =>
          `The tag \`${name}\` is associated with multiple entries of \`${type}\`s that share the same scope: ${scopes
            .map((one) => one.scope_id)
            .join(", ")}`,
      ),
    ];
    if (problems.length === 0) return;
    throw invalidParameter(
      `${problems.join("\n")}\nYou can only convert a tag into an exclusive tag if these conflicts are resolved.`,
    );
  };

  return {
    ...collection,
    async create({ name, color, ...tag }) {
      requireTagName(name);
      const now = clock();
      const row = { ...tag, name, color: color ?? colorOf(name), created: now, updated: now };
      try {
        await insertRow(database, tags, row);
      } catch (error) {
        if (violates(error, "tags_name_key"))
          throw alreadyExists(`Tag with name \`${name}\` already exists.`);
        throw error;
      }
      return collection.get(tag.id);
    },
    async getByNameOrId(nameOrId) {
      if (isTagId(nameOrId)) return collection.get(nameOrId);
      const row = await findRow(database, tags, { name: nameOrId });
      if (row !== undefined) return row;
      throw notFound(
        `Unable to get tag with name or ID '${nameOrId}': '${nameOrId}' is not a valid UUID and no tag with this ` +
          "name exists.",
      );
    },
    async update(id, changes) {
      if (changes.name !== undefined) requireTagName(changes.name);
      try {
        return await database.transaction(async (transaction) => {
          const before = await lockRow(transaction, tags, id);
          if (before === undefined) throw noSuch("tag", id);
          const { exclusive = before.exclusive } = changes;
          if (exclusive) await requireExclusive(transaction, before);
          if (exclusive !== before.exclusive) await updateTagScopes(database, transaction, { id, exclusive });
          const row = await updateRow(transaction, tags, id, { ...changes, updated: clock() });
          if (row === undefined) throw noSuch("tag", id);
          return row;
        });
      } catch (error) {
        if (violates(error, "tags_name_key")) throw taken("update", "tag", changes.name ?? "");
        throw error;
      }
    },
    countTagged: (ids) => countTagged(database, ids),
    async getTaggable(of) {
      const found = new Map<string, TaggableRow>();
      for (const [type, some] of Map.groupBy(of, ({ resourceType }) => resourceType)) {
        const ids = some.map(({ resourceId }) => resourceId);
        const rows = await selectTaggable(database, type, ids);
        const lost = ids.find((id) => !rows.has(id));
        if (lost !== undefined) throw noSuch(labelOf(type), lost);
        for (const row of rows.values()) found.set(row.id, row);
      }
      return found;
    },
    async link(links) {
      return database.transaction(async (transaction) => {
        const ids = [...new Set(links.map(({ tagId }) => tagId))];
        const rows = await shareTags(transaction, { names: [], ids });
        const byId = new Map(rows.map((row) => [row.id, row]));
        const wanted = links.map(({ id, tagId, resourceId, resourceType }) => {
          const tag = byId.get(tagId);
          if (tag === undefined) throw noSuch("tag", tagId);
          return { id, tag, resourceId, resourceType };
        });
        await linkTags(transaction, wanted, clock());
        const linked = await selectTagLinks(transaction, links.map(keyOf));
        const byKey = new Map(linked.map((row) => [textOf(row), row]));
        const keys = new Set(links.map((link) => textOf(keyOf(link))));
        return [...keys].flatMap((key) => byKey.get(key) ?? []);
      });
    },
    unlink: (links) => deleteTagLinks(database, links.map(keyOf)),
  };
}

/** Such as `artifact version`. */
export const labelOf = (type: TaggableType): string => type.replaceAll("_", " ");

const keyOf = ({ tagId, resourceId, resourceType }: NewTagResource): TagLinkKey => ({
  tag_id: tagId,
  resource_id: resourceId,
  resource_type: resourceType,
});

const textOf = (link: TagLinkKey): string => `${link.tag_id} ${link.resource_id} ${link.resource_type}`;
