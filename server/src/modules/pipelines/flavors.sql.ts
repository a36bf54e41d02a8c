import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import { flavors, type FlavorRow } from "./stack-tables.ts";

type Keyed = { type: string; flavor_name: string };

/** A flavor by what its components say of it. */
export const flavorKey = ({ type, flavor_name: name }: Keyed): string => `${type} ${name}`;

const byKeyText: Prepared = {
  name: "pipelines_select_flavors_by_key",
  text: `
    select ${Object.keys(flavors.columns).join(", ")} from pipelines.flavors
    where (type, name) in (select * from unnest($1::text[], $2::text[]))`,
};

const usedText: Prepared = {
  name: "pipelines_select_flavor_use",
  text: "select from pipelines.components where type = $1 and flavor_name = $2 limit 1",
};

export async function selectFlavorsByKey(
  database: Queryable,
  rows: readonly Keyed[],
): Promise<Map<string, FlavorRow>> {
  const wanted = [...new Map(rows.map((row) => [flavorKey(row), row])).values()];
  if (wanted.length === 0) return new Map();
  const values = [wanted.map(({ type }) => type), wanted.map(({ flavor_name: name }) => name)];
  const found = await database.prepared<FlavorRow & Row>(byKeyText, values);
  return new Map(found.map((row) => [flavorKey({ type: row.type, flavor_name: row.name }), row]));
}

export async function isFlavorUsed(
  database: Queryable,
  { type, name }: Pick<FlavorRow, "type" | "name">,
): Promise<boolean> {
  return (await database.prepared(usedText, [type, name])).length > 0;
}
