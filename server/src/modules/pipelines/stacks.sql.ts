import type { Prepared, Queryable, Row } from "../../kernel/database.ts";
import type { ShownComponentRow } from "./related.sql.ts";

/** A component of a stack, with what its flavor says of it. */
export type StackMemberRow = ShownComponentRow & { stack_id: string };

const membersText: Prepared = {
  name: "pipelines_select_stack_members",
  text: `
    select l.stack_id, c.id, c.user_id, c.name, c.type, c.flavor_name, c.configuration_json, c.environment_json, c.secrets,
      c.labels_json, c.connector_id, c.connector_resource_id, c.created, c.updated, f.integration, f.logo_url
    from pipelines.stack_components as l
      join pipelines.components as c on c.id = l.component_id
      left join pipelines.flavors as f on f.type = c.type and f.name = c.flavor_name
    where l.stack_id = any ($1::uuid[]) order by l.stack_id, c.type, l.position, c.id`,
};

const deleteText: Prepared = {
  name: "pipelines_delete_stack_components",
  text: "delete from pipelines.stack_components where stack_id = $1",
};

const insertText: Prepared = {
  name: "pipelines_insert_stack_components",
  text: `
    insert into pipelines.stack_components (stack_id, component_id, position)
    select $1, g.component_id, g.position from unnest($2::uuid[], $3::integer[]) as g (component_id, position)`,
};

/** Of all these stacks, by type and place in each. */
export const selectStackMembers = async (
  database: Queryable,
  stackIds: readonly string[],
): Promise<StackMemberRow[]> =>
  stackIds.length === 0 ? [] : database.prepared<StackMemberRow & Row>(membersText, [stackIds]);

/** In place of those that the stack had. */
export async function replaceStackMembers(
  transaction: Queryable,
  stackId: string,
  members: readonly { id: string; position: number }[],
): Promise<void> {
  await transaction.prepared(deleteText, [stackId]);
  const values = [stackId, members.map(({ id }) => id), members.map(({ position }) => position)];
  await transaction.prepared(insertText, values);
}
