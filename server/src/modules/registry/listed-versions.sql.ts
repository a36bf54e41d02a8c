import type { Prepared, Queryable } from "../../kernel/database.ts";
import { int4Array } from "../../kernel/pg-arrays.ts";
import type { KeyValue } from "./deps.ts";
import type { ListedVersion } from "./model-versions.sql.ts";

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

const VERSION_COLUMNS =
  "version_key model_key version creation_timestamp last_updated_timestamp stage status status_message " +
  "description user_id source run_uuid run_link";
export const versionColumns = VERSION_COLUMNS.split(" ");

const selectVersionTagsText = asColumns(
  "registry_select_tags_of_versions",
  ["version_key", "key", "value"],
  `select version_key, key, value from registry.model_version_tags
    where version_key = any($1::integer[]) order by key collate "C"`,
);

export type LatestRow = Omit<ListedVersion, "name" | "tags"> & { version_key: number };

export type KeyedVersion = { key: number; version: ListedVersion };

export function versionsOf(columns: Columns<LatestRow>, nameAt: (at: number) => string): KeyedVersion[] {
  return columns.version_key.map((key, at) => {
    const modelKey = columns.model_key[at] as number;
    return {
      key,
      version: {
        model_key: modelKey,
        name: nameAt(at),
        version: columns.version[at] as number,
        creation_timestamp: columns.creation_timestamp[at] as number,
        last_updated_timestamp: columns.last_updated_timestamp[at] as number,
        stage: columns.stage[at] as ListedVersion["stage"],
        status: columns.status[at] as string,
        status_message: columns.status_message[at] as string | null,
        description: columns.description[at] as string | null,
        user_id: columns.user_id[at] as string | null,
        source: columns.source[at] as string,
        run_uuid: columns.run_uuid[at] as string,
        run_link: columns.run_link[at] as string,
        tags: [],
      },
    };
  });
}

/** Reads the tags of all of the versions at once. */
export async function addTags(database: Queryable, versions: readonly KeyedVersion[]): Promise<void> {
  const byKey = new Map(versions.map(({ key, version }) => [key, version]));
  type Tag = KeyValue & { version_key: number };
  const tags = await readColumns<Tag>(database, selectVersionTagsText, [...byKey.keys()]);
  tags?.version_key.forEach((of, at) =>
    byKey.get(of)?.tags.push({ key: tags.key[at] as string, value: tags.value[at] as string }),
  );
}
