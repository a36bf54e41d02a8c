import { sql } from "kysely";
import type { Database, Prepared, Queryable, Row } from "../../kernel/database.ts";
import { taggable, taggableTypes } from "./tag-links.sql.ts";

const countsText: Prepared = {
  name: "pipelines_count_tagged",
  text: `
    select g.id, (select count(*) from pipelines.tag_resources as l where l.tag_id = g.id) as tagged
    from unnest($1::uuid[]) as g (id)`,
};

/** On how many resources each tag is, by its id. */
export async function countTagged(database: Queryable, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await database.prepared<{ id: string; tagged: number } & Row>(countsText, [ids]);
  return new Map(rows.map(({ id, tagged }) => [id, tagged]));
}

const typesText: Prepared = {
  name: "pipelines_select_types_of_tag",
  text: `select distinct resource_type from pipelines.tag_resources where tag_id = $1::uuid order by resource_type`,
};

/** Of what kinds the resources are that have the tag. */
export async function selectTypesOfTag(database: Queryable, id: string): Promise<string[]> {
  const rows = await database.prepared<{ resource_type: string }>(typesText, [id]);
  return rows.map((row) => row.resource_type);
}

export type SharedScope = { resource_type: string; scope_id: string };

/** Where the tag is on more than one resource of a scope, and so cannot be exclusive. */
export async function selectSharedScopes(
  database: Pick<Database, "kysely">,
  transaction: Queryable,
  id: string,
): Promise<SharedScope[]> {
  const each = taggableTypes.flatMap((type) => {
    const { table, scope } = taggable[type];
    if (scope === null) return [];
    return sql`
      select ${type}::text as resource_type, ${sql.raw(scope)} as scope_id
      from pipelines.tag_resources as l join ${sql.raw(table)} as r on r.id = l.resource_id
      where l.tag_id = ${id} and l.resource_type = ${type}`;
  });
  const query = sql<SharedScope>`
    select resource_type, scope_id from (${sql.join(each, sql` union all `)}) as s
    where scope_id is not null group by resource_type, scope_id having count(*) > 1
    order by resource_type, scope_id limit 100`;
  return transaction.run(query.compile(database.kysely));
}
