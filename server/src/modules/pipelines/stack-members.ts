import type { Queryable } from "../../kernel/database.ts";
import { invalidParameter } from "../../kernel/errors.ts";
import { noSuch } from "./collection.ts";
import { isRepeatable } from "./component-types.ts";
import { selectRows } from "./records.ts";
import { components, type ComponentRow } from "./stack-tables.ts";

/** The components of these ids, in this order. Throws `not_found`. */
export async function selectMembers(database: Queryable, ids: readonly string[]): Promise<ComponentRow[]> {
  const rows = await selectRows(database, components, ids);
  return ids.map((id) => {
    const row = rows.get(id);
    if (row === undefined) throw noSuch("stack component", id);
    return row;
  });
}

/**
 * The places of components in a stack: each once, numbered within its type. What counts is the type that a component
 * is of, whatever it was called in the request. Throws `invalid_parameter` where that makes no stack.
 */
export function placeMembers(rows: readonly Pick<ComponentRow, "id" | "type">[]): {
  id: string;
  position: number;
}[] {
  const counts = new Map<string, number>();
  const places = [...new Map(rows.map((row) => [row.id, row])).values()].map(({ id, type }) => {
    const position = counts.get(type) ?? 0;
    counts.set(type, position + 1);
    return { id, position };
  });
  const repeated = [...counts].find(([type, count]) => count > 1 && !isRepeatable(type));
  if (repeated !== undefined) {
    throw invalidParameter(
      `Stack component type '${repeated[0]}' does not support multiple components in a single stack.`,
    );
  }
  if (!counts.has("orchestrator") || !counts.has("artifact_store")) {
    throw invalidParameter("Stack must contain at least an orchestrator and artifact store.");
  }
  return places;
}
