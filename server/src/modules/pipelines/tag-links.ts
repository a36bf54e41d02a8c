import { createHash } from "node:crypto";
import type { Queryable } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import type { Micros } from "../../kernel/micros.ts";
import { noSuch } from "./collection.ts";
import { isUuid } from "./list.sql.ts";
import { checkName } from "./names.ts";
import type { TagRow } from "./stack-tables.ts";
import {
  deleteLinksInScope,
  deleteTagsOf,
  insertTagLinks,
  insertTags,
  lockExclusiveTags,
  selectTaggable,
  shareTags,
  taggable,
  type NewTagLink,
  type TaggableType,
} from "./tag-links.sql.ts";

export { detachAll, taggableTypes, type TaggableType } from "./tag-links.sql.ts";

export const tagColors = [
  "grey",
  "purple",
  "red",
  "green",
  "yellow",
  "orange",
  "lime",
  "teal",
  "turquoise",
  "magenta",
  "blue",
] as const;

/** A tag as requests name it: by its name or id, or with what it is to be where there is none of this name. */
export type GivenTag =
  | string
  | { name: string; color?: string | null | undefined; exclusive?: boolean | null | undefined };

export type Attachment = {
  resourceType: TaggableType;
  resourceId: string;
  tags: readonly GivenTag[] | null | undefined;
};

type AttachOptions = {
  userId: string | null;
  /** Ids of tags and links that are made: `call.newId`. */
  ids(): string;
  now: Micros;
};

/** One of the colors, the same for the same name. */
export function colorOf(name: string): string {
  const at = createHash("sha256").update(name).digest().readUInt32BE(0) % tagColors.length;
  return tagColors[at] ?? "grey";
}

/**
 * Puts tags on a resource that is there, in the transaction that makes or changes it; makes those of a name that there
 * is not yet. Exclusive tags leave the other resource of their scope: one run, snapshot, deployment or template of a
 * pipeline, one version of an artifact. Throws `not_found` for ids of no tag, `invalid_parameter` for names that no tag
 * may have, and for exclusive tags on what has no scope.
 */
export const attachTags = (
  transaction: Queryable,
  { resourceType, resourceId, tags, ...options }: Attachment & AttachOptions,
): Promise<void> => attachAllTags(transaction, [{ resourceType, resourceId, tags }], options);

/** The same for several resources at once. */
export async function attachAllTags(
  transaction: Queryable,
  attachments: readonly Attachment[],
  { userId, ids, now }: AttachOptions,
): Promise<void> {
  const wanted = attachments.flatMap(({ resourceType, resourceId, tags }) =>
    (tags ?? []).map((tag) => ({ tag, resourceId, resourceType, id: ids() })),
  );
  if (wanted.length === 0) return;
  const tagOf = await getOrCreateTags(
    transaction,
    wanted.map(({ tag }) => tag),
    { userId, ids, now },
  );
  const links = wanted.map(({ tag, ...link }) => ({ ...link, tag: tagOf(tag) }));
  await linkTags(transaction, links, now);
}

type Link = { id: string; tag: TagRow; resourceId: string; resourceType: TaggableType };

/** Links tags that the transaction holds by `shareTags`. */
export async function linkTags(transaction: Queryable, links: readonly Link[], now: Micros): Promise<void> {
  const exclusive = links.filter(({ tag }) => tag.exclusive);
  const scopes = await scopesOf(transaction, exclusive);
  const rows = new Map<string, NewTagLink>();
  for (const { id, tag, resourceId, resourceType } of links) {
    const key = `${resourceType} ${resourceId} ${tag.id}`;
    const scope = tag.exclusive ? (scopes.get(resourceId) ?? null) : null;
    if (rows.has(key)) continue;
    rows.set(key, {
      id,
      tag_id: tag.id,
      resource_id: resourceId,
      resource_type: resourceType,
      scope_id: scope,
    });
  }
  const added = [...rows.values()];
  const scoped = added.filter(({ scope_id: scope }) => scope !== null);
  if (scoped.length > 0) {
    refuseSharedScopes(scoped);
    await deleteLinksInScope(transaction, scoped);
  }
  await insertTagLinks(transaction, added, now);
}

/** Of what exclusive tags are put on, by its id. */
async function scopesOf(
  transaction: Queryable,
  links: readonly Link[],
): Promise<ReadonlyMap<string, string | null>> {
  const scopes = new Map<string, string | null>();
  if (links.length === 0) return scopes;
  const types = Map.groupBy(links, ({ resourceType }) => resourceType);
  for (const [type, [link]] of types) {
    if (taggable[type].scope !== null) continue;
    throw invalidParameter(
      `Can not attach exclusive tag to resource of type ${type} with ID: \`${link?.resourceId}\`. Exclusive tag ` +
        "functionality only works for pipeline runs, pipeline snapshots, pipeline deployments, run templates and " +
        "artifact versions",
    );
  }
  await lockExclusiveTags(transaction, [...new Set(links.map(({ tag }) => tag.id))]);
  for (const [type, of] of types) {
    const ids = of.map(({ resourceId }) => resourceId);
    for (const row of (await selectTaggable(transaction, type, ids)).values())
      scopes.set(row.id, row.scope_id);
  }
  return scopes;
}

function refuseSharedScopes(links: readonly NewTagLink[]): void {
  const seen = new Set<string>();
  for (const { tag_id: tag, resource_type: type, scope_id: scope } of links) {
    const key = `${tag} ${type} ${scope}`;
    if (seen.has(key)) {
      throw invalidParameter(
        `You are trying to attach an exclusive tag to multiple ${type}s within the same scope. This is not allowed.`,
      );
    }
    seen.add(key);
  }
}

/** Takes tags away, by names or ids; those that are not there are no error. */
export async function detachTags(
  transaction: Queryable,
  { resourceId, tags }: { resourceId: string; tags: readonly string[] | null | undefined },
): Promise<void> {
  if (!tags || tags.length === 0) return;
  const ids = tags.filter(isTagId).map(plainId);
  await deleteTagsOf(transaction, resourceId, { names: tags, ids });
}

/** Texts that are ids, however Python writes them, name no tag: none can be called so. */
export const isTagId = (text: string): boolean => isUuid(plainId(text));

const plainId = (text: string): string =>
  text
    .replaceAll(/urn:|uuid:|[{}-]/g, "")
    .toLowerCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const nameOf = (tag: GivenTag): string => (typeof tag === "string" ? tag : tag.name);

/** How often a tag may be made and deleted by others while it is asked for. */
const ATTEMPTS = 5;

async function getOrCreateTags(
  transaction: Queryable,
  given: readonly GivenTag[],
  { userId, ids: newId, now }: AttachOptions,
): Promise<(tag: GivenTag) => TagRow> {
  const isId = (tag: GivenTag): tag is string => typeof tag === "string" && isTagId(tag);
  const ids = [...new Set(given.filter(isId).map(plainId))];
  const wanted = new Map<string, { id: string; name: string; color: string; exclusive: boolean }>();
  for (const tag of given) {
    const name = nameOf(tag);
    if (isId(tag) || wanted.has(name)) continue;
    requireTagName(name);
    const { color, exclusive } = typeof tag === "string" ? {} : tag;
    wanted.set(name, { id: newId(), name, color: color ?? colorOf(name), exclusive: exclusive ?? false });
  }
  const names = [...wanted.keys()];
  const found = new Map<string, TagRow>();
  for (let attempt = 1; ; attempt += 1) {
    for (const row of await shareTags(transaction, { names, ids })) found.set(row.id, row).set(row.name, row);
    const lost = ids.find((id) => !found.has(id));
    if (lost !== undefined) throw noSuch("tag", lost);
    const missing = [...wanted.values()].filter(({ name }) => !found.has(name));
    if (missing.length === 0) break;
    if (attempt === ATTEMPTS) throw new Error("tags kept being deleted while they were made");
    await insertTags(transaction, { tags: missing, userId, now });
  }
  const tagOf = (tag: GivenTag): TagRow => {
    const row = found.get(isId(tag) ? plainId(tag) : nameOf(tag));
    if (row === undefined) throw new TypeError(`the tag ${nameOf(tag)} was not asked for`);
    return row;
  };
  for (const tag of given) refuseOtherKind(tag, tagOf(tag));
  return tagOf;
}

function refuseOtherKind(given: GivenTag, row: TagRow): void {
  if (typeof given === "string" || (given.exclusive ?? false) === row.exclusive) return;
  throw invalidParameter(
    `Tag \`${row.name}\` has been defined as ${row.exclusive ? "an exclusive" : "a non-exclusive"} tag. ` +
      "Please update it before attaching it to resources.",
  );
}

/** Throws `invalid_parameter`. */
export function requireTagName(name: string): void {
  checkName(name, "tag");
  if (isTagId(name)) {
    throw invalidParameter("Tag names cannot be UUIDs or strings that can be converted to UUIDs.");
  }
}
