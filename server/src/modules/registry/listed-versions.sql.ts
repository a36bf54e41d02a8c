import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { ListedVersion } from "./model-versions.sql.ts";
import type { VersionMemory } from "./version-memory.ts";

// Lists of versions are read as columns: node-postgres then has a third of the work.

/** A statement whose rows come as one row with a list for each column. */
export const asColumns = (name: string, columns: readonly string[], text: string): Prepared => ({
  name,
  text: `select ${listsOf(columns)} from (${text}) as found`,
});

/** SQL of a list for each of the columns, as JSON. */
export const listsOf = (columns: readonly string[]): string =>
  columns.map((column) => `array_to_json(array_agg(${column}))::text as ${column}`).join(", ");

/** Columns by their names, each a list. `Object.fromEntries` for each row would take longer than all the rest. */
export type Columns<R> = { readonly [Name in keyof R]: readonly R[Name][] };

export async function readColumns<R>(
  database: Queryable,
  statement: Prepared,
  keys: readonly number[],
): Promise<Columns<R> | undefined> {
  if (keys.length === 0) return undefined;
  const [row = {}] = await database.prepared<Lists>(statement, [int4Array(keys)]);
  return parseColumns<R>(row);
}

export type Lists = Record<string, string | null>;

export function parseColumns<R>(row: Lists): Columns<R> {
  const columns: Record<string, unknown> = {};
  for (const [name, list] of Object.entries(row)) columns[name] = JSON.parse(list ?? "[]");
  return columns as Columns<R>;
}

/**
 * SQL of the state of the version `v`: another after every change of it or its tags, whose statements touch it.
 * What was read in one state need not be read again: 1,000 versions take PostgreSQL 2 ms so, 6 ms with all they show.
 */
export const stateOf = "v.xmin::text || v.ctid::text";

/** A version that a list shows, and the state it is in. */
export type FoundVersion = { key: number; state: string; name: string };

const columns =
  "version_key state model_key name version creation_timestamp last_updated_timestamp stage status status_message " +
  "description user_id source run_uuid run_link tags";

// One statement, so that state, row and tags are of one moment.
const selectListedText = asColumns(
  "registry_select_listed_versions",
  columns.split(" "),
  `select v.version_key, ${stateOf} as state, v.model_key, m.name, v.version, v.creation_timestamp,
      v.last_updated_timestamp, v.stage, v.status, v.status_message, v.description, v.user_id, v.source,
      v.run_uuid, v.run_link, coalesce((
        select json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key collate "C")
        from registry.model_version_tags as t where t.version_key = v.version_key
      ), '[]') as tags
    from registry.model_versions as v join registry.registered_models as m using (model_key)
    where v.version_key = any($1::integer[])`,
);

type ListedRow = ListedVersion & { version_key: number; state: string };

/** The versions in the order given; undefined for those that are gone meanwhile. */
export async function readListed(
  database: Queryable,
  memory: VersionMemory,
  found: readonly FoundVersion[],
): Promise<(ListedVersion | undefined)[]> {
  const versions = found.map((version) => memory.recall(version));
  const missing = found.filter((_, at) => versions[at] === undefined).map(({ key }) => key);
  if (missing.length === 0) return versions;
  const rows = await readColumns<ListedRow>(database, selectListedText, missing);
  const read = new Map<number, ListedVersion>();
  rows?.version_key.forEach((key, at) => {
    const version = versionAt(rows, at);
    read.set(key, version);
    memory.remember({ key, state: rows.state[at] as string, name: version.name }, version);
  });
  return found.map(({ key }, at) => versions[at] ?? read.get(key));
}

const versionAt = (rows: Columns<ListedRow>, at: number): ListedVersion => ({
  model_key: rows.model_key[at] as number,
  name: rows.name[at] as string,
  version: rows.version[at] as number,
  creation_timestamp: rows.creation_timestamp[at] as number,
  last_updated_timestamp: rows.last_updated_timestamp[at] as number,
  stage: rows.stage[at] as ListedVersion["stage"],
  status: rows.status[at] as string,
  status_message: rows.status_message[at] as string | null,
  description: rows.description[at] as string | null,
  user_id: rows.user_id[at] as string | null,
  source: rows.source[at] as string,
  run_uuid: rows.run_uuid[at] as string,
  run_link: rows.run_link[at] as string,
  tags: rows.tags[at] as ListedVersion["tags"],
});
